#include "stats/statsd.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "stats/names_cluster.h"

namespace sluice::stats {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class Statsd : public testing::Test {
 protected:
  std::vector<std::string> told(StatsdLines& lines) {
    std::vector<std::string> out;
    registry.flush();
    lines.write(registry, [&](std::string_view line) { out.emplace_back(line); });
    return out;
  }
  Registry registry;
  WorkerCells cells{registry};
  Block<ClusterStat> stats = cells.block<ClusterStat>(registry.add_block<ClusterStat>("cluster.a."));
  StatsdLines lines{"envoy"};
};

TEST_F(Statsd, WhatWasNeverUsedIsNotTold) { EXPECT_THAT(told(lines), IsEmpty()); }

TEST_F(Statsd, CountersByHowMuchTheyGrew) {
  stats.add(ClusterStat::kUpstreamRqTotal, 3);
  EXPECT_THAT(told(lines), ElementsAre("envoy.cluster.a.upstream_rq_total:3|c"));
  EXPECT_THAT(told(lines), ElementsAre("envoy.cluster.a.upstream_rq_total:0|c"));
  stats.add(ClusterStat::kUpstreamRqTotal, 2);
  EXPECT_THAT(told(lines), ElementsAre("envoy.cluster.a.upstream_rq_total:2|c"));
  StatsdLines other("mesh");
  EXPECT_THAT(told(other), ElementsAre("mesh.cluster.a.upstream_rq_total:5|c"));
}

TEST_F(Statsd, CountersThatBeginAnew) {
  stats.add(ClusterStat::kUpstreamRqTotal, 7);
  told(lines);
  registry.reset_counters();
  stats.add(ClusterStat::kUpstreamRqTotal, 2);
  EXPECT_THAT(told(lines), ElementsAre("envoy.cluster.a.upstream_rq_total:2|c"));
}

TEST_F(Statsd, GaugesAsTheyAre) {
  stats.set(ClusterStat::kUpstreamCxActive, 4);
  EXPECT_THAT(told(lines), ElementsAre("envoy.cluster.a.upstream_cx_active:4|g"));
  stats.set(ClusterStat::kUpstreamCxActive, 0);
  EXPECT_THAT(told(lines), ElementsAre("envoy.cluster.a.upstream_cx_active:0|g"));
}

TEST_F(Statsd, HistogramsByTheirValuesSinceTheLastTime) {
  for (const uint64_t value : {0, 7, 42, 42, 42, 42, 1234}) stats.record(ClusterStat::kUpstreamCxConnectMs, value);
  EXPECT_THAT(told(lines),
              ElementsAre("envoy.cluster.a.upstream_cx_connect_ms:0|ms", "envoy.cluster.a.upstream_cx_connect_ms:7|ms",
                          "envoy.cluster.a.upstream_cx_connect_ms:42|ms|@0.25",
                          "envoy.cluster.a.upstream_cx_connect_ms:1250|ms"));
  EXPECT_THAT(told(lines), IsEmpty());
  stats.record(ClusterStat::kUpstreamCxConnectMs, 9);
  EXPECT_THAT(told(lines), ElementsAre("envoy.cluster.a.upstream_cx_connect_ms:9|ms"));
}

}  // namespace
}  // namespace sluice::stats
