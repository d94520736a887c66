// Errors: their places and paths, all of them at once, and texts that were made to hurt.
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>

#include "base/strings.h"
#include "config/document.h"
#include "envoy/config/cluster/v3/cluster.pb.h"
#include "envoy/config/core/v3/base.pb.h"
#include "test/config/reader_support.h"

namespace sluice::config {
namespace {

using NodeProto = ::envoy::config::core::v3::Node;

TEST(ReaderErrors, AllOfThemSortedByPlace) {
  const auto parsed = read_and_validate(
      "static_resources:\n"
      "  clusters:\n"
      "  - name: a\n"
      "    conect_timeout: 1s\n"
      "    lb_policy: ROUND\n"
      "    load_assignment: [1]\n"
      "  - connect_timeout: -1s\n"
      "  listeners: 5\n"
      "node: {id: 7}\n");
  EXPECT_EQ(
      parsed->errors(),
      (std::vector<std::string>{
          "4:5: static_resources.clusters[0].conect_timeout: unknown field: envoy.config.cluster.v3.Cluster has no "
          "field "
          "\"conect_timeout\"; did you mean \"connect_timeout\"?",
          "5:16: static_resources.clusters[0].lb_policy: LbPolicy has no value \"ROUND\"; expected \"ROUND_ROBIN\", "
          "\"LEAST_REQUEST\", \"RING_HASH\", \"RANDOM\", \"MAGLEV\", \"CLUSTER_PROVIDED\" or "
          "\"LOAD_BALANCING_POLICY_CONFIG\"",
          "6:22: static_resources.clusters[0].load_assignment: expected a map "
          "(envoy.config.endpoint.v3.ClusterLoadAssignment), got a list",
          "7:5: static_resources.clusters[1].name: must not be empty",
          "7:22: static_resources.clusters[1].connect_timeout: a duration must not be negative",
          "8:14: static_resources.listeners[0]: expected a map (envoy.config.listener.v3.Listener), got the number 5",
          "9:12: node.id: expected a text, got the number 7; put it in quotes",
      }));
}

TEST(ReaderErrors, SuggestInTheSpellingThatWasUsed) {
  using envoy::config::cluster::v3::Cluster;
  EXPECT_EQ(
      read<Cluster>("conectTimeout: 1s")->error(),
      "1:1: conectTimeout: unknown field: envoy.config.cluster.v3.Cluster has no field \"conectTimeout\"; did you mean "
      "\"connectTimeout\"?");
  EXPECT_EQ(read<Cluster>("hosts: []")->error(),
            "1:1: hosts: envoy.config.cluster.v3.Cluster has no field \"hosts\" any more: it was removed from the API");
  EXPECT_EQ(read<NodeProto>("<<: {id: a}")->error(), "1:1: <<: merge keys (<<) are not read; write the fields out");
}

TEST(ReaderErrors, UnknownNamesCanBeNotes) {
  const auto parsed = read("node: {nope: 1}\nstatic_resources: {clusters: [{lb_policy: NOPE}]}", Format::Yaml,
                           {.unknown_fields = ReadOptions::UnknownFields::Note});
  EXPECT_TRUE(parsed->ok()) << parsed->error();
  ASSERT_EQ(parsed->findings.notes().size(), 2u);
  EXPECT_EQ(parsed->findings.notes()[0].kind, ConfigNote::Kind::UnknownField);
  EXPECT_EQ(parsed->findings.notes()[0].what.field, "node.nope");
}

TEST(ReaderErrors, DeprecatedFieldsAreNotes) {
  const auto parsed = read("static_resources: {clusters: [{http2_protocol_options: {}}]}");
  EXPECT_TRUE(parsed->ok());
  ASSERT_EQ(parsed->findings.notes().size(), 1u);
  EXPECT_EQ(parsed->findings.notes()[0].kind, ConfigNote::Kind::DeprecatedField);
  EXPECT_EQ(parsed->findings.notes()[0].what.to_string(),
            "f:1:32: static_resources.clusters[0].http2_protocol_options: this field is deprecated");
}

TEST(ReaderErrors, TheMapKnowsPlacesAndPaths) {
  const auto parsed = read(
      "static_resources:\n"
      "  clusters:\n"
      "  - name: a\n"
      "    circuit_breakers:\n"
      "      thresholds:\n"
      "      - max_connections: 5\n"
      "        priority: HIGH\n"
      "      - {}\n");
  const auto& cluster = parsed->message.static_resources().clusters(0);
  const auto& thresholds = cluster.circuit_breakers().thresholds(0);
  EXPECT_EQ(parsed->map.at(cluster), (Position{3, 5, 0}));
  EXPECT_EQ(parsed->map.at(cluster.circuit_breakers()), (Position{4, 5, 0}));
  EXPECT_EQ(parsed->map.at(thresholds, 1), (Position{7, 19, 0}));
  EXPECT_EQ(parsed->map.at(thresholds, 3), (Position{6, 9, 0})) << "a field that is missing: the message";
  EXPECT_EQ(parsed->map.at(cluster.circuit_breakers(), 1, 1), (Position{8, 9, 0}));
  EXPECT_EQ(parsed->map.path(thresholds, 2),
            "static_resources.clusters[0].circuit_breakers.thresholds[0].max_connections");
  EXPECT_EQ(parsed->map.error(thresholds, 2, "too many").to_string(),
            "f:6:26: static_resources.clusters[0].circuit_breakers.thresholds[0].max_connections: too many");
  EXPECT_EQ(parsed->map.error(cluster, "no").to_string(), "f:3:5: static_resources.clusters[0]: no");
}

TEST(ReaderErrors, NestingIsBounded) {
  const auto nested = [](size_t n) { return cat("metadata: {a: ", std::string(n, '['), std::string(n, ']'), "}"); };
  EXPECT_TRUE(read<NodeProto>(nested(98))->ok());
  EXPECT_EQ(read<NodeProto>(nested(99))->error(), "1:113: more than 100 lists and maps within each other");
}

TEST(ReaderErrors, NestingThroughAliasesIsBounded) {
  std::string text = "!ignore d:\n- &a0 x\n";
  for (int i = 1; i < 150; ++i) {
    append(text, "- &a", i, " [*a", i - 1, "]\n");
  }
  EXPECT_TRUE(read<NodeProto>(cat(text, "metadata: {a: *a90}\n"))->ok());
  const auto deep = read<NodeProto>(cat(text, "metadata: {a: *a149}\n"));
  EXPECT_NE(deep->error().find("more than 100 lists and maps within each other"), std::string::npos) << deep->error();
}

TEST(ReaderErrors, AliasBombsAreRefused) {
  std::string text = "!ignore d:\n- &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    append(text, "- &a", i, " [");
    for (int k = 0; k < 10; ++k) append(text, k == 0 ? "" : ", ", "*a", i - 1);
    append(text, "]\n");
  }
  const auto bomb = read<NodeProto>(cat(text, "metadata: {a: *a11}\n"));
  ASSERT_EQ(bomb->errors().size(), 1u);
  EXPECT_NE(bomb->error().find("the aliases of this file expand to more than 1000000 values"), std::string::npos);
}

// A file of the test's own, removed at the end. Thread: the test's.
class File {
 public:
  File(std::string name, std::string_view content) : path_(testing::TempDir() + name) {
    std::ofstream(path_, std::ios::binary) << content;
  }
  ~File() { std::remove(path_.c_str()); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

TEST(ReaderErrors, FilesThatCannotBeRead) {
  const auto missing = load_bootstrap({.path = "no/such/file.yaml"});
  ASSERT_EQ(missing->findings.errors().size(), 1u);
  EXPECT_EQ(missing->findings.errors()[0].to_string(),
            "no/such/file.yaml: cannot read this file: No such file or directory");
  EXPECT_FALSE(load_bootstrap({.path = testing::TempDir()})->findings.ok());
  EXPECT_FALSE(load_bootstrap({})->findings.ok());
  const File empty("empty.yaml", "");
  EXPECT_EQ(load_bootstrap({.path = empty.path()})->findings.errors()[0].text,
            "there is no configuration in this text");
}

TEST(ReaderErrors, TheEndingOfTheNameIsTheFormat) {
  const File yaml("a.yml", "node: {id: a}");
  const File json("a.json", "{node: {id: a}}");
  const File other("a.conf", "node: {id: a}");
  const File text("a.pb_text", "node {\n id: \"a\"\n}\n");
  const File wrong("b.pb_text", "node {\n nope: \"a\"\n}\n");
  EXPECT_TRUE(load_bootstrap({.path = yaml.path()})->findings.ok());
  EXPECT_FALSE(load_bootstrap({.path = json.path()})->findings.ok());
  EXPECT_FALSE(load_bootstrap({.path = other.path()})->findings.ok());
  EXPECT_EQ(load_bootstrap({.path = text.path()})->bootstrap.node().id(), "a");
  const auto refused = load_bootstrap({.path = wrong.path()});
  ASSERT_FALSE(refused->findings.ok());
  EXPECT_EQ(refused->findings.errors()[0].at, (Position{2, 6, 0}));
  envoy::config::bootstrap::v3::Bootstrap message;
  message.mutable_node()->set_id("b");
  const File binary("a.pb", message.SerializeAsString());
  EXPECT_EQ(load_bootstrap({.path = binary.path()})->bootstrap.node().id(), "b");
}

TEST(ReaderErrors, TheSecondTextIsMergedOverTheFirst) {
  const File file("base.yaml",
                  "node: {id: a, cluster: c, metadata: {x: 1}}\n"
                  "stats_flush_interval: 5.5s\n"
                  "static_resources: {clusters: [{name: a}]}\n");
  const auto merged = load_bootstrap({.path = file.path(),
                                      .yaml = "node: {id: b, cluster: '', metadata: {y: 2}}\nstatic_resources: "
                                              "{clusters: [{name: b}]}\nstats_flush_interval: 2s"});
  ASSERT_TRUE(merged->findings.ok()) << merged->findings.errors()[0].to_string();
  const auto& bootstrap = merged->bootstrap;
  EXPECT_EQ(bootstrap.node().id(), "b");
  EXPECT_EQ(bootstrap.node().cluster(), "c") << "an empty value does not override";
  EXPECT_EQ(bootstrap.node().metadata().fields_size(), 2);
  ASSERT_EQ(bootstrap.static_resources().clusters_size(), 2) << "lists grow";
  EXPECT_EQ(bootstrap.stats_flush_interval().seconds(), 2);
  EXPECT_EQ(bootstrap.stats_flush_interval().nanos(), 500'000'000) << "messages merge field by field";
  EXPECT_EQ(merged->map.file(merged->map.at(bootstrap.static_resources().clusters(1))), "--config-yaml");
  EXPECT_EQ(merged->map.file(merged->map.at(bootstrap.static_resources().clusters(0))), file.path());

  const auto wrong = load_bootstrap({.path = file.path(), .yaml = "node: {idd: b}"});
  ASSERT_EQ(wrong->findings.errors().size(), 1u);
  EXPECT_EQ(wrong->findings.errors()[0].to_string(),
            "--config-yaml:1:8: node.idd: unknown field: envoy.config.core.v3.Node has no field \"idd\"; did you mean "
            "\"id\"?");
  EXPECT_FALSE(load_bootstrap({.path = file.path(), .yaml = "abc"})->findings.ok());
}

TEST(ReaderErrors, NothingThatIsBrokenGetsThrough) {
  const std::string whole =
      "static_resources: {clusters: [{name: \"a\", connect_timeout: 1s, metadata: {filter_metadata: {x: {a: [1, "
      "'b']}}}}]}";
  for (size_t cut = 0; cut < whole.size(); ++cut) {
    EXPECT_FALSE(read(std::string_view(whole).substr(0, cut))->ok() && cut > 18) << cut;
    std::string changed = whole;
    changed[cut] = '\xff';
    read(changed);
    changed[cut] = '\0';
    read(changed);
    read(changed, Format::Json);
  }
}

}  // namespace
}  // namespace sluice::config
