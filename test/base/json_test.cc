#include "base/json.h"

#include <gtest/gtest.h>

#include "base/base64.h"
#include "base/metadata.h"
#include "base/sha1.h"

namespace sluice {
namespace {

const std::string& text(const Value* value) {
  static const std::string none = "(none)";
  return value == nullptr || value->as_text() == nullptr ? none : *value->as_text();
}

TEST(Json, ReadsEveryKindOfValue) {
  const auto value = parse_json(R"( {"a": [1, -2.5e2, true, false, null], "b": {"c": "x\u00e9\ud83d\ude00\n"}} )");
  ASSERT_TRUE(value.has_value());
  const Value::Map& map = *value->as_map();
  const Value::List& list = *map.find("a")->as_list();
  ASSERT_EQ(list.size(), 5u);
  EXPECT_EQ(*list[0].as_number(), 1);
  EXPECT_EQ(*list[1].as_number(), -250);
  EXPECT_TRUE(*list[2].as_boolean());
  EXPECT_FALSE(*list[3].as_boolean());
  EXPECT_TRUE(list[4].is_null());
  EXPECT_EQ(text(map.find("b")->as_map()->find("c")), "x\xc3\xa9\xf0\x9f\x98\x80\n");
  EXPECT_EQ(map.find("z"), nullptr);
}

TEST(Json, TheLastOfEqualKeysCounts) { EXPECT_EQ(text(parse_json(R"({"k":"a","k":"b"})")->as_map()->find("k")), "b"); }

TEST(Json, RefusesWhatIsNotExactlyOneValue) {
  for (const char* wrong : {"",
                            " ",
                            "{",
                            "}",
                            "{\"a\"}",
                            "{\"a\":}",
                            "{\"a\":1,}",
                            "[1,]",
                            "[1 2]",
                            "01",
                            "-",
                            "1.",
                            ".5",
                            "1e",
                            "+1",
                            "nul",
                            "truex",
                            "\"",
                            "\"\\q\"",
                            "\"\\u12\"",
                            "\"\\ud800\"",
                            "\"\\udc00\"",
                            "\"\x01\"",
                            "\"\xff\"",
                            "\"\xc0\x80\"",
                            "\"\xed\xa0\x80\"",
                            "1 1",
                            "{} {}",
                            "{'a':1}",
                            "{1:2}",
                            "NaN"}) {
    EXPECT_FALSE(parse_json(wrong).has_value()) << wrong;
  }
}

TEST(Json, DepthIsLimited) {
  EXPECT_TRUE(parse_json(std::string(100, '[') + std::string(100, ']')).has_value());
  EXPECT_FALSE(parse_json(std::string(102, '[') + std::string(102, ']')).has_value());
  EXPECT_FALSE(parse_json(std::string(1'000'000, '[')).has_value());
}

TEST(Value, MergeJoinsMapsAppendsListsAndReplacesTheRest) {
  Value value = *parse_json(R"({"k":"a","list":["a"],"obj":{"x":1}})");
  value.merge(*parse_json(R"({"k":"b","list":["b"],"obj":{"z":2}})"));
  EXPECT_EQ(value, *parse_json(R"({"k":"b","list":["a","b"],"obj":{"x":1,"z":2}})"));
}

TEST(Metadata, FindsAlongAPath) {
  Metadata metadata;
  metadata.space("a.b") = *parse_json(R"({"o":{"k":"v"}})")->as_map();
  EXPECT_EQ(text(metadata.find("a.b", std::vector<std::string>{"o", "k"})), "v");
  EXPECT_EQ(metadata.find("a.b", std::vector<std::string>{"o", "k", "deeper"}), nullptr);
  EXPECT_EQ(metadata.find("none", std::vector<std::string>{"o"}), nullptr);
}

TEST(Base64, BothWays) {
  for (const auto& [plain, encoded] :
       {std::pair{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}}) {
    EXPECT_EQ(encode_base64(plain), encoded);
    EXPECT_EQ(decode_base64(encoded), plain);
  }
  for (const char* wrong : {"Zg", "Zg=", "Zh==", "Zm9=", "====", "Zg==Zg==", "Z===", "Zm9v\n", "Z-8_"}) {
    EXPECT_FALSE(decode_base64(wrong).has_value()) << wrong;
  }
}

std::string sha1_text(std::string_view bytes) {
  const auto digest = sha1(bytes);
  return encode_base64({digest.data(), digest.size()});
}

TEST(Sha1, KnownDigests) {
  EXPECT_EQ(sha1_text(""), "2jmj7l5rSw0yVb/vlWAYkK/YBwk=");
  EXPECT_EQ(sha1_text("abc"), "qZk+NkcGgWq6PiVxeFDCbJzQ2J0=");
  EXPECT_EQ(sha1_text("test1"), "tESsBmE/yNY3lb6a0L6vVQEZNqw=");
  EXPECT_EQ(sha1_text("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"), "hJg+RBw70m66rkqh+VEp5eVGcPE=");
  EXPECT_EQ(sha1_text(std::string(1'000'000, 'a')), "NKqXPNTE2qT2Husr260nMWU0AW8=");
}

}  // namespace
}  // namespace sluice
