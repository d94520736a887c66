// What main keeps of a cluster's counts: the budget of an interval, and the stats of each endpoint.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "base/strings.h"
#include "test/upstream/call_world.h"
#include "upstream/budget_window.h"
#include "upstream/zone_names.h"

namespace sluice::test {
namespace {

using namespace std::chrono_literals;
using upstream::HostState;
using upstream::Resource;

struct ClusterCounts : testing::Test {
  void build(Duration budget_interval, bool track_endpoints) {
    auto plan = std::make_shared<model::ClusterPlan>(*world.shared->plan);
    plan->name = "c";
    model::BreakerLimits& limits = plan->breakers.edit()[0];
    limits.has_retry_budget = true;
    limits.retry_budget_percent = 50;
    limits.min_retry_concurrency = 1;
    limits.budget_interval = budget_interval;
    plan->track_endpoints = track_endpoints;
    shared = std::make_shared<upstream::ClusterShared>(plan, world.registry, world.cells);
  }
  static model::AssignmentPtr endpoints(std::initializer_list<uint16_t> ports) {
    auto out = std::make_shared<model::AssignmentPlan>();
    out->localities.emplace_back();
    for (const uint16_t port : ports) {
      out->localities.back().endpoints.emplace_back().address = *net::Address::from_ip("10.0.0.9", port);
    }
    return out;
  }
  void requests(int count) {
    for (int i = 0; i < count; ++i) {
      ASSERT_TRUE(shared->breakers.try_take(Resource::kRequests, 0));
      shared->breakers.give_back(Resource::kRequests, 0);
    }
  }
  std::optional<uint64_t> stat(std::string_view name) {
    shared->refresh_stats();
    return world.registry.value(std::string("cluster.c.endpoint.10.0.0.9_").append(name));
  }

  CallWorld world{model::UpstreamProtocol::kHttp1};
  std::shared_ptr<upstream::ClusterShared> shared;
};

TEST_F(ClusterCounts, ABudgetOfAnIntervalCountsWhatBeganInIt) {
  build(10s, false);
  upstream::BudgetWindow window(*shared, 0, world.loop);
  const auto budget = [this] { return shared->breakers.limit(Resource::kRetries, 0); };
  EXPECT_EQ(budget(), 1u);
  requests(20);
  EXPECT_EQ(budget(), 10u);
  world.world.run_for(5s);
  requests(10);
  EXPECT_EQ(budget(), 15u);
  world.world.run_for(6500ms);  // the first are too old, the others are not
  EXPECT_EQ(budget(), 5u);
  world.world.run_for(20s);
  EXPECT_EQ(budget(), 1u);
}

// Nothing is taken for good where the limit is reached, nor counted.
TEST_F(ClusterCounts, WhatIsRefusedDoesNotCount) {
  build(10s, false);
  upstream::BudgetWindow window(*shared, 0, world.loop);
  for (int i = 0; i < 1100; ++i) {
    (void)shared->breakers.try_take(Resource::kRequests, 0);
  }
  EXPECT_EQ(shared->breakers.in_use(Resource::kRequests, 0), 1024u);
  EXPECT_EQ(shared->breakers.limit(Resource::kRetries, 0), 512u);
}

TEST_F(ClusterCounts, ZonesAreNotWithoutEnd) {
  const uint32_t first = upstream::zone_number("zone 0");
  EXPECT_EQ(upstream::zone_name(first), "zone 0");
  EXPECT_EQ(upstream::zone_number(""), 0u);
  for (size_t i = 1; i <= upstream::kMostZones; ++i) {
    (void)upstream::zone_number(cat("zone ", i));
  }
  EXPECT_EQ(upstream::zone_number("one more"), 0u);
  EXPECT_EQ(upstream::zone_number("zone 0"), first);
}

TEST_F(ClusterCounts, EndpointsHaveTheirStatsWhileTheyAreThere) {
  build(Duration(0), true);
  shared->assign(endpoints({1, 2}));
  HostState::inc(shared->hosts()->hosts[0]->state.rq_total);
  HostState::inc(shared->hosts()->hosts[0]->state.rq_pending);
  EXPECT_EQ(stat("1.rq_total"), 1u);
  EXPECT_EQ(stat("1.rq_pending_active"), 1u);
  EXPECT_EQ(stat("1.healthy"), 1u);
  EXPECT_EQ(stat("2.rq_total"), 0u);
  HostState::inc(shared->hosts()->hosts[0]->state.rq_total);
  EXPECT_EQ(stat("1.rq_total"), 2u);
  shared->assign(endpoints({2}));
  EXPECT_FALSE(stat("1.rq_total").has_value());
  EXPECT_EQ(stat("2.rq_total"), 0u);
}

TEST_F(ClusterCounts, AnotherHostOfTheAddressBeginsAtZero) {
  build(Duration(0), true);
  shared->assign(endpoints({1}));
  HostState::inc(shared->hosts()->hosts[0]->state.cx_total);
  EXPECT_EQ(stat("1.cx_total"), 1u);
  shared->assign(endpoints({2}));
  shared->assign(endpoints({1}));
  EXPECT_EQ(stat("1.cx_total"), 0u);
}

}  // namespace
}  // namespace sluice::test
