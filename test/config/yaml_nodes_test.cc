#include "config/yaml_nodes.h"

#include <gtest/gtest.h>

#include "base/strings.h"

namespace sluice::config {
namespace {

struct Parsed {
  NodeTree tree;
  Findings findings;
  std::string error() const { return findings.ok() ? "(none)" : findings.errors().front().to_string(); }
};

Parsed parse(std::string_view text) {
  Parsed out;
  parse_yaml(text, 0, "f", out.tree, out.findings);
  return out;
}

// The tree as a line: maps in braces, lists in brackets, texts in quotes, numbers and booleans as they are.
std::string show(const Node& node) {
  switch (node.kind) {
    case Node::Kind::Null:
      return "null";
    case Node::Kind::Boolean:
      return node.boolean ? "true" : "false";
    case Node::Kind::Number:
      return std::string(node.text);
    case Node::Kind::Text:
      return cat("'", node.text, "'");
    case Node::Kind::List:
    case Node::Kind::Map: {
      std::string out;
      for (const NodeEntry& entry : node.entries) {
        append(out, out.empty() ? "" : ", ", entry.key, node.is(Node::Kind::Map) ? ": " : "", show(entry.value));
      }
      return node.is(Node::Kind::Map) ? cat("{", out, "}") : cat("[", out, "]");
    }
  }
  return {};
}

std::string shown(std::string_view text) {
  const Parsed parsed = parse(text);
  return parsed.tree.empty() ? parsed.error() : show(parsed.tree.root());
}

TEST(YamlNodes, PlainWordsAreTypedAsEnvoyTypesThem) {
  EXPECT_EQ(shown("[y, Y, yes, Yes, YES, on, On, ON, true, True, TRUE]"),
            "[true, true, true, true, true, true, true, true, true, true, true]");
  EXPECT_EQ(shown("[n, N, no, No, NO, off, Off, OFF, false, False, FALSE]"),
            "[false, false, false, false, false, false, false, false, false, false, false]");
  EXPECT_EQ(shown("[oN, tRUE, yES, oFF, TrUE]"), "['oN', 'tRUE', 'yES', 'oFF', 'TrUE']");
  EXPECT_EQ(shown("[null, Null, NULL, ~, ]"), "[null, null, null, null]");
  EXPECT_EQ(shown("[nULL, '~', \"null\"]"), "['nULL', '~', 'null']");
}

TEST(YamlNodes, WholeNumbersWithinInt32AreNumbers) {
  EXPECT_EQ(shown("[1, -1, +5, 0x10, -0x5, 010, -0, 2147483647, -2147483648]"),
            "[1, -1, 5, 16, -5, 8, 0, 2147483647, -2147483648]");
  EXPECT_EQ(shown("[2147483648, -2147483649, 0x80000000, 9223372036854775807]"),
            "['2147483648', '-2147483649', '2147483648', '9223372036854775807']");
  EXPECT_EQ(shown("[9223372036854775808, 0xFFFFFFFFFFFFFFFF, 0777777777777777777777777]"),
            "['9223372036854775808', '0xFFFFFFFFFFFFFFFF', '0777777777777777777777777']");
  EXPECT_EQ(shown("[1.0, .5, 1e3, 08, 0x, 0x1g, 1_000, 0o17, 1:30, 2020-01-01, +, --1, 1.2.3]"),
            "['1.0', '.5', '1e3', '08', '0x', '0x1g', '1_000', '0o17', '1:30', '2020-01-01', '+', '--1', '1.2.3']");
}

TEST(YamlNodes, QuotesAndALoneExclamationMarkMakeTexts) {
  EXPECT_EQ(shown("[\"1\", 'yes', ! 123, |-\n 5\n]"), shown("[\"1\", 'yes', ! 123, |-\n 5\n]"));
  EXPECT_EQ(shown("a: |-\n  123\nb: ! 123\nc: '1'\nd: !!str 5\ne: !foo 5\nf: !!int \"5\"\n"),
            "{a: '123', b: '123', c: '1', d: 5, e: 5, f: 5}");
}

TEST(YamlNodes, AnchorsAreUsedAndIgnoredKeysAreLeftOut) {
  EXPECT_EQ(shown("a: &x {b: 1}\nc: *x"), "{a: {b: 1}, c: {b: 1}}");
  EXPECT_EQ(shown("!ignore defs:\n  - &x {b: 1}\nc: *x\nd: {!ignore e: 2, f: 3}"), "{c: {b: 1}, d: {f: 3}}");
  EXPECT_EQ(shown("a: !ignore b"), "{a: 'b'}") << "values cannot be ignored";
  EXPECT_EQ(shown("'!ignore': 5"), "{!ignore: 5}");
  EXPECT_EQ(shown("{a: &k x, *k : z}"), "{a: 'x', x: 'z'}");
  EXPECT_EQ(shown("{a: &k 0x10, *k : z}"), "{a: 16, 16: 'z'}");
  EXPECT_EQ(shown("{&k 0x10 : a, b: *k}"), "{0x10: 'a', b: 16}") << "a key is spelled, an alias to it is typed";
  EXPECT_EQ(shown("{a: &m {b: c}, *m : z}"), "f:1:16: a key must be a plain text");
  EXPECT_EQ(shown("<<: {a: 1}"), "{<<: {a: 1}}") << "merge keys are plain keys";
}

TEST(YamlNodes, TheLastOfEqualKeysCounts) {
  const Parsed parsed = parse("a: 1\nb: 2\na: 3\n");
  EXPECT_EQ(show(parsed.tree.root()), "{b: 2, a: 3}");
  ASSERT_EQ(parsed.findings.notes().size(), 1u);
  EXPECT_EQ(parsed.findings.notes()[0].kind, ConfigNote::Kind::DuplicateKey);
  EXPECT_EQ(parsed.findings.notes()[0].what.to_string(),
            "f:1:1: the key \"a\" stands again in line 3, and only that one counts");
}

TEST(YamlNodes, OnlyTheFirstDocumentCounts) {
  EXPECT_EQ(shown("--- {a: 1}\n---\n}{ not yaml"), "{a: 1}");
  EXPECT_EQ(shown("# nothing\n"), "null");
  EXPECT_EQ(shown(""), "null");
}

TEST(YamlNodes, KeepsPlaces) {
  const Parsed parsed = parse("a:\n  - b: c\n    dd: [1,  2]\n");
  const Node list = parsed.tree.root().find("a")->value;
  const Node map = list.entries[0].value;
  EXPECT_EQ(map.at, (Position{2, 5, 0}));
  EXPECT_EQ(map.find("dd")->key_at, (Position{3, 5, 0}));
  EXPECT_EQ(map.find("dd")->value.entries[1].value.at, (Position{3, 14, 0}));
}

TEST(YamlNodes, BrokenTextsGiveOneErrorWithItsPlace) {
  EXPECT_EQ(shown("a: b: c"), "f:1:5: not YAML: illegal map value");
  EXPECT_EQ(shown("{a: b"), "f:1:1: not YAML: end of map flow not found");
  EXPECT_EQ(shown("a:\n\tb: c").substr(0, 4), "f:2:");
  EXPECT_EQ(shown("a: *x").substr(0, 55), "f:1:4: not YAML: the referenced anchor is not defined");
  EXPECT_EQ(shown("a: &x {b: *x}"), "f:1:11: this alias stands inside of its own anchor");
  EXPECT_EQ(shown("? [a]\n: b"), "f:1:3: a key must be a plain text");
  EXPECT_EQ(shown("%YAML 2.0\n---\na: b"), "f:1:1: not YAML: YAML major version too large");
  EXPECT_EQ(shown("a: \"\\q\""), "f:1:7: not YAML: unknown escape character: q");
}

TEST(YamlNodes, DeepNestingIsRefused) {
  EXPECT_EQ(shown(std::string(100, '[') + std::string(100, ']')).substr(0, 1), "[");
  EXPECT_EQ(shown(std::string(101, '[') + std::string(101, ']')),
            "f:1:101: more than 100 lists and maps within each other");
  EXPECT_EQ(shown(std::string(100000, '[')).substr(0, 4), "f:1:");
  EXPECT_EQ(shown(std::string(100000, '{')).substr(0, 4), "f:1:");
}

}  // namespace
}  // namespace sluice::config
