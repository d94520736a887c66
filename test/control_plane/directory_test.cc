// A directory as a world: folders, mistakes and their places, what leads nowhere.
#include "tools/control_plane/directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/strings.h"
#include "test/support/sim_files.h"
#include "test/support/sim_loop.h"
#include "test/support/sim_world.h"

namespace sluice::control_plane {
namespace {

using testing::HasSubstr;

std::string cluster(const std::string& name, const std::string& more = "") {
  return cat("  - {\"@type\": type.googleapis.com/envoy.config.cluster.v3.Cluster, name: ", name, more, "}\n");
}
std::string by_endpoints(const std::string& name) {
  return cluster(name, ", type: EDS, eds_cluster_config: {eds_config: {ads: {}}}");
}
std::string endpoints(const std::string& name) {
  return cat("  - {\"@type\": type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment, cluster_name: ", name,
             "}\n");
}

class DirectoryTest : public testing::Test {
 protected:
  void write(const std::string& name, const std::string& resources) {
    files.write("d/" + name, "resources:\n" + resources);
  }
  std::string error() {
    const auto world = directory.read();
    return world ? "" : world.error();
  }
  static std::string names(const Snapshot& snapshot, ResourceType type) {
    std::string out;
    for (const auto& [name, resource] : snapshot.resources[index_of(type)]) {
      append(out, out.empty() ? "" : " ", name);
    }
    return out;
  }

  test::SimWorld world{1};
  test::SimLoop loop{world};
  test::SimFiles files{loop};
  Directory directory{files, "d"};
};

TEST_F(DirectoryTest, FoldersAreOverWhatIsForEverybody) {
  write("a.yaml", cluster("a") + cluster("b"));
  files.write("d/more.json",
              R"({"resources": [{"@type": "type.googleapis.com/envoy.config.cluster.v3.Cluster", "name": "c"}]})");
  write("edge/b.yaml", cluster("b", ", connect_timeout: 1s") + cluster("d"));
  files.write("d/notes.txt", "not a resource");
  files.write("d/.hidden.yaml", "broken: [");
  const auto read = directory.read();
  ASSERT_TRUE(read) << read.error();
  const World& all = **read;
  EXPECT_EQ(names(*all.everybody, ResourceType::kCluster), "a b c");
  const Snapshot& edge = *all.snapshot_for("edge", "");
  EXPECT_EQ(names(edge, ResourceType::kCluster), "a b c d");
  const size_t clusters = index_of(ResourceType::kCluster);
  EXPECT_NE(edge.resources[clusters].at("b")->version, all.everybody->resources[clusters].at("b")->version);
  EXPECT_EQ(edge.resources[clusters].at("a"), all.everybody->resources[clusters].at("a"));
  EXPECT_NE(edge.versions[clusters], all.everybody->versions[clusters]);
  EXPECT_EQ(directory.file_count(), 3u);
}

TEST_F(DirectoryTest, MistakesHaveTheirPlace) {
  write("a.yaml", cluster("a"));
  write("bad.yaml", "  - {\"@type\": type.googleapis.com/envoy.config.cluster.v3.Cluster, nam: x}\n");
  EXPECT_THAT(error(), HasSubstr("d/bad.yaml:2:68: resources[0].nam: unknown field"));
  write("bad.yaml", cluster("x", ", connect_timeout: -1s"));
  EXPECT_THAT(error(), HasSubstr("d/bad.yaml:2:94: resources[0].connect_timeout"));
  files.write("d/bad.yaml", "resources: [");
  EXPECT_THAT(error(), HasSubstr("d/bad.yaml:"));
  files.write("d/bad.yaml", "\n");
  EXPECT_THAT(error(), HasSubstr("d/bad.yaml:1:1: there is no configuration"));
  write("bad.yaml", "  - {\"@type\": type.googleapis.com/envoy.config.core.v3.Node, id: x}\n");
  EXPECT_THAT(error(), HasSubstr("d/bad.yaml:2:5: resources[0]: envoy.config.core.v3.Node is no resource"));
  write("bad.yaml", cluster("a"));
  EXPECT_EQ(error(), "d/bad.yaml:2:5: CDS 'a' stands in d/a.yaml:2:5 too");
  files.remove("d/bad.yaml");
  EXPECT_EQ(error(), "");
}

TEST_F(DirectoryTest, OfManyMistakesTheFirstOnesAreTold) {
  std::string all;
  for (int i = 0; i < 50; ++i) {
    all += cluster("c", ", nonsense: 1");
  }
  write("bad.yaml", all);
  EXPECT_THAT(error(), HasSubstr("and 30 more"));
}

TEST_F(DirectoryTest, WhatIsReferredToMustBeThere) {
  write("a.yaml", by_endpoints("a") + by_endpoints("b"));
  write("b.yaml", endpoints("b"));
  EXPECT_EQ(error(), "d/a.yaml:2:88: resources[0].eds_cluster_config: the EDS resource 'a' is in no file");
  write("edge/a.yaml", endpoints("a"));  // which others do not get
  EXPECT_THAT(error(), HasSubstr("the EDS resource 'a' is in no file"));
  write("c.yaml", endpoints("a"));
  EXPECT_EQ(error(), "");
}

TEST_F(DirectoryTest, TheSameContentHasTheSameVersion) {
  write("a.yaml", cluster("a"));
  const auto before = directory.read();
  files.write("d/a.yaml", "# other text\nresources:\n" + cluster("a"));
  const auto after = directory.read();
  ASSERT_TRUE(before && after);
  EXPECT_EQ((*before)->everybody->versions, (*after)->everybody->versions);
}

}  // namespace
}  // namespace sluice::control_plane
