#include "stats/registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "base/strings.h"
#include "stats/names_cluster.h"
#include "stats/names_http.h"
#include "stats/names_listener.h"
#include "stats/names_server.h"
#include "stats/response_codes.h"

namespace sluice::stats {
namespace {

std::vector<std::string> shown(const Registry& registry) {
  std::vector<std::string> out;
  registry.visit([&](const StatView& view) { out.emplace_back(view.name); });
  return out;
}

std::map<std::string, bool> used(const Registry& registry) {
  std::map<std::string, bool> out;
  registry.visit([&](const StatView& view) { out[std::string(view.name)] = view.used; });
  return out;
}

TEST(Registry, SumsTheWorkers) {
  Registry registry;
  WorkerCells main(registry);
  WorkerCells worker(registry);
  const BlockId id = registry.add_block<ClusterStat>("cluster.a.");
  auto on_main = main.block<ClusterStat>(id);
  auto on_worker = worker.block<ClusterStat>(id);
  on_worker.inc(ClusterStat::kUpstreamRqTotal);
  on_worker.add(ClusterStat::kUpstreamRqTotal, 4);
  on_main.inc(ClusterStat::kUpstreamRqTotal);
  EXPECT_EQ(registry.value("cluster.a.upstream_rq_total"), 6u);
  EXPECT_EQ(registry.value("cluster.a.nothing"), std::nullopt);
}

TEST(Registry, AGaugeMayGoBelowZeroOnOneWorker) {
  Registry registry;
  WorkerCells one(registry);
  WorkerCells two(registry);
  const BlockId id = registry.add_block<ClusterStat>("cluster.a.");
  one.block<ClusterStat>(id).inc(ClusterStat::kUpstreamCxActive);
  two.block<ClusterStat>(id).dec(ClusterStat::kUpstreamCxActive);
  EXPECT_EQ(registry.value("cluster.a.upstream_cx_active"), 0u);
  EXPECT_TRUE(used(registry)["cluster.a.upstream_cx_active"]);
}

TEST(Registry, AnAddedBlockIsOneBlock) {
  Registry registry;
  WorkerCells cells(registry);
  const BlockId first = registry.add_block<HttpStat>("http.main.");
  const BlockId second = registry.add_block<HttpStat>("http.main.");
  EXPECT_EQ(first.index, second.index);
  cells.block<HttpStat>(first).inc(HttpStat::kDownstreamRqTotal);
  registry.release_block(first);
  EXPECT_EQ(registry.value("http.main.downstream_rq_total"), 1u);
  registry.release_block(second);
  EXPECT_EQ(registry.value("http.main.downstream_rq_total"), std::nullopt);
}

TEST(Registry, AReleasedPlaceBeginsAtZero) {
  Registry registry;
  WorkerCells cells(registry);
  const BlockId old = registry.add_block<HttpStat>("http.old.");
  cells.block<HttpStat>(old).add(HttpStat::kDownstreamRqTotal, 9);
  registry.release_block(old);
  const BlockId fresh = registry.add_block<ClusterStat>("cluster.new.");
  EXPECT_EQ(fresh.index, old.index);
  EXPECT_EQ(cells.block<ClusterStat>(fresh).get(ClusterStat::kUpstreamRqTotal), 0u);
}

TEST(Registry, SinglesEndWithTheirParent) {
  Registry registry;
  WorkerCells one(registry);
  WorkerCells two(registry);
  const BlockId id = registry.add_block<VirtualClusterStat>("vhost.v.vcluster.c.");
  one.counter("upstream_rq_503", id).inc();
  two.counter("upstream_rq_503", id).inc();
  one.counter("upstream_rq_503", id).inc();
  EXPECT_EQ(registry.value("vhost.v.vcluster.c.upstream_rq_503"), 3u);
  registry.release_block(id);
  EXPECT_TRUE(shown(registry).empty());
}

TEST(Registry, ResponseCodesAppearWhenTheyCome) {
  Registry registry;
  WorkerCells cells(registry);
  const BlockId id = registry.add_block<VirtualClusterStat>("cluster.a.");
  ResponseCodes codes(cells, id, "external.");
  codes.inc(200);
  codes.inc(201);
  codes.inc(200);
  codes.inc(99);
  codes.record_time(12);
  registry.flush();
  EXPECT_EQ(registry.value("cluster.a.external.upstream_rq_200"), 2u);
  EXPECT_EQ(registry.value("cluster.a.external.upstream_rq_2xx"), 3u);
  EXPECT_EQ(registry.value("cluster.a.external.upstream_rq_completed"), 4u);
  EXPECT_EQ(registry.value("cluster.a.external.upstream_rq_99"), std::nullopt);
  EXPECT_THAT(shown(registry), testing::Contains("cluster.a.external.upstream_rq_time"));
}

TEST(Registry, VisitsInTheOrderOfNames) {
  Registry registry;
  registry.add_block<BreakerRemainingStat>("cluster.b.circuit_breakers.default.");
  registry.add_block<ClusterStat>("cluster.b.");
  registry.add_block<ListenerManagerStat>("listener_manager.");
  const auto names = shown(registry);
  EXPECT_TRUE(std::is_sorted(names.begin(), names.end()));
}

TEST(Registry, ResetTouchesCountersOnly) {
  Registry registry;
  WorkerCells cells(registry);
  const BlockId id = registry.add_block<ClusterStat>("cluster.a.");
  auto block = cells.block<ClusterStat>(id);
  block.add(ClusterStat::kUpstreamRqTotal, 5);
  block.inc(ClusterStat::kUpstreamCxActive);
  registry.reset_counters();
  EXPECT_EQ(registry.value("cluster.a.upstream_rq_total"), 0u);
  EXPECT_EQ(registry.value("cluster.a.upstream_cx_active"), 1u);
  EXPECT_TRUE(used(registry)["cluster.a.upstream_rq_total"]);
  block.inc(ClusterStat::kUpstreamRqTotal);
  EXPECT_EQ(registry.value("cluster.a.upstream_rq_total"), 1u);
  registry.reset_counters();
  EXPECT_EQ(registry.value("cluster.a.upstream_rq_total"), 0u);
}

TEST(Registry, FlushTellsIntervalsApart) {
  Registry registry;
  WorkerCells one(registry);
  WorkerCells two(registry);
  const BlockId id = registry.add_block<ClusterStat>("cluster.a.");
  uint64_t interval = 0;
  uint64_t cumulative = 0;
  const auto read = [&] {
    registry.visit([&](const StatView& view) {
      if (view.name == "cluster.a.upstream_cx_connect_ms") {
        interval = view.interval->count();
        cumulative = view.cumulative->count();
      }
    });
  };
  one.block<ClusterStat>(id).record(ClusterStat::kUpstreamCxConnectMs, 3);
  two.block<ClusterStat>(id).record(ClusterStat::kUpstreamCxConnectMs, 40);
  read();
  EXPECT_EQ(cumulative, 0u);
  registry.flush();
  two.block<ClusterStat>(id).record(ClusterStat::kUpstreamCxConnectMs, 0);
  registry.flush();
  read();
  EXPECT_EQ(interval, 1u);
  EXPECT_EQ(cumulative, 3u);
  registry.flush();
  read();
  EXPECT_EQ(interval, 0u);
  EXPECT_EQ(cumulative, 3u);
}

// A flush looks only where something was written, and that changes.
TEST(Registry, FlushFollowsBlocksThatComeAndGo) {
  Registry registry;
  WorkerCells cells(registry);
  const auto cumulative = [&](std::string_view prefix) {
    uint64_t out = 0;
    registry.visit([&](const StatView& view) {
      if (view.name == cat(prefix, "upstream_cx_length_ms")) out = view.cumulative->count();
    });
    return out;
  };
  const auto counted = [&](BlockId id, std::string_view prefix, int values) {
    for (int i = 0; i < values; ++i) cells.block<ClusterStat>(id).record(ClusterStat::kUpstreamCxLengthMs, 7);
    registry.flush();
    return cumulative(prefix);
  };
  registry.add_block<ClusterStat>("cluster.idle.");
  const BlockId first = registry.add_block<ClusterStat>("cluster.a.");
  EXPECT_EQ(counted(first, "cluster.a.", 0), 0u);
  EXPECT_EQ(counted(first, "cluster.a.", 2), 2u);
  registry.release_block(first);
  registry.flush();
  // Its place is taken by a block of another table, and it comes back elsewhere.
  cells.block<HttpStat>(registry.add_block<HttpStat>("http.b.")).inc(HttpStat::kDownstreamRqTotal);
  EXPECT_EQ(counted(registry.add_block<ClusterStat>("cluster.a."), "cluster.a.", 1), 1u);
  EXPECT_EQ(cumulative("cluster.idle."), 0u);
}

TEST(Registry, HiddenStatsCountButDoNotShow) {
  Registry registry([](std::string_view name) { return name != "listener_manager.listener_added"; }, {});
  WorkerCells cells(registry);
  const BlockId id = registry.add_block<ListenerManagerStat>("listener_manager.");
  cells.block<ListenerManagerStat>(id).inc(ListenerManagerStat::kListenerStopped);
  EXPECT_THAT(shown(registry), testing::ElementsAre("listener_manager.listener_added"));
}

TEST(Registry, MainReadsWhileAWorkerWrites) {
  Registry registry;
  const BlockId id = registry.add_block<ClusterStat>("cluster.a.");
  constexpr int kTimes = 20000;
  std::thread worker([&] {
    WorkerCells cells(registry);
    auto block = cells.block<ClusterStat>(id);
    for (int i = 0; i < kTimes; ++i) {
      block.inc(ClusterStat::kUpstreamRqTotal);
      block.record(ClusterStat::kUpstreamCxLengthMs, static_cast<uint64_t>(i));
    }
  });
  uint64_t last = 0;
  for (int i = 0; i < 50; ++i) {
    registry.flush();
    const uint64_t now = registry.value("cluster.a.upstream_rq_total").value_or(0);
    EXPECT_GE(now, last);
    last = now;
  }
  worker.join();
  EXPECT_EQ(registry.value("cluster.a.upstream_rq_total"), static_cast<uint64_t>(kTimes));
}

}  // namespace
}  // namespace sluice::stats
