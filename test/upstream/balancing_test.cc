// Slow start, zones and aggregates: who gets how many of the requests.
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "model/health_plan.h"
#include "test/upstream/call_world.h"
#include "upstream/load_balancer/load_balancer.h"

namespace sluice::test {
namespace {

using namespace std::chrono_literals;
using model::LbPlan;
using model::LbPolicy;
using upstream::Host;
using upstream::HostSetPtr;

struct Place {
  std::string zone;
  int hosts;
  int healthy;
  uint32_t priority = 0;
};

// Hosts 10.0.ZONE.1 and up, those beyond `healthy` UNHEALTHY.
model::AssignmentPtr assignment(const std::vector<Place>& places) {
  auto out = std::make_shared<model::AssignmentPlan>();
  for (size_t i = 0; i < places.size(); ++i) {
    model::LocalityPlan& locality = out->localities.emplace_back();
    locality.locality.zone = places[i].zone;
    locality.priority = places[i].priority;
    for (int n = 0; n < places[i].hosts; ++n) {
      model::EndpointPlan& one = locality.endpoints.emplace_back();
      one.address = *net::Address::from_ip(cat("10.0.", i, ".", n + 1), 80);
      one.health = n < places[i].healthy ? model::HealthStatus::kHealthy : model::HealthStatus::kUnhealthy;
    }
  }
  return out;
}

class BalancingTest : public testing::Test {
 protected:
  void use(const std::vector<Place>& places) {
    hosts = upstream::build_host_set(lb, assignment(places), nullptr);
    balancer.update(hosts);
  }
  // How often each zone (the third number of the address) was chosen of `times`.
  std::map<std::string, int> choose(int times, const upstream::OwnZone* own = nullptr) {
    std::map<std::string, int> out;
    for (int i = 0; i < times; ++i) {
      const Host* host = balancer.choose({}, own);
      const std::string ip = host == nullptr ? "none" : host->address().ip_to_string();
      ++out[host == nullptr ? ip : std::string(1, ip[5])];
    }
    return out;
  }
  uint64_t stat(std::string_view name) { return world.stat(name); }

  CallWorld world{model::UpstreamProtocol::kHttp1};
  LbPlan lb;
  HostSetPtr hosts;
  upstream::LoadBalancer balancer{lb, world.shared->breakers, world.random, world.loop, world.cluster->block()};
};

// ---- slow start

class SlowStartTest : public BalancingTest, public testing::WithParamInterface<LbPolicy> {
 protected:
  void start(double aggression, double least) {
    lb.policy = GetParam();
    lb.slow_start.edit() = {100s, {aggression, nullptr}, least};
    use({{"old", 1, 1}, {"new", 1, 1}});
    world.world.run_for(200s);
    hosts->hosts[0]->noted_at = world.loop.now() + -150s;
    hosts->hosts[1]->noted_at = world.loop.now();
    balancer.update(hosts);
  }
};

TEST_P(SlowStartTest, ANewHostBeginsWithTheLeastAndGrows) {
  start(1.0, 0.1);
  world.world.run_for(1s);
  EXPECT_NEAR(choose(1100)["1"], 100, 5);  // 0.1 : 1
  world.world.run_for(49s);
  choose(20);                              // deadlines of before
  EXPECT_NEAR(choose(900)["1"], 300, 10);  // 0.5 : 1
  world.world.run_for(60s);
  choose(20);
  EXPECT_NEAR(choose(1000)["1"], 500, 5);
}

TEST_P(SlowStartTest, AggressionBendsTheCurve) {
  start(2.0, 0.0);
  world.world.run_for(25s);
  choose(20);
  EXPECT_NEAR(choose(900)["1"], 300, 10);  // (25/100) ^ (1/2)
}

TEST_P(SlowStartTest, WithoutAWindowNobodyIsNew) {
  start(1.0, 0.1);
  lb.slow_start.edit().window = 0s;
  balancer.update(hosts);
  EXPECT_NEAR(choose(1000)["1"], 500, 50);
}

INSTANTIATE_TEST_SUITE_P(Policies, SlowStartTest, testing::Values(LbPolicy::kRoundRobin, LbPolicy::kLeastRequest));

// ---- zones

class ZoneTest : public BalancingTest {
 protected:
  upstream::OwnZone own(const std::vector<Place>& peers, const std::string& zone = "one") {
    upstream::OwnZone out;
    out.locality.zone = zone;
    out.peers = upstream::build_host_set(lb, assignment(peers), nullptr);
    return out;
  }
};

TEST_F(ZoneTest, WhatThisZoneCanTakeStays) {
  use({{"one", 4, 4}, {"two", 4, 4}});
  const upstream::OwnZone here = own({{"one", 2, 2}, {"two", 2, 2}});
  EXPECT_EQ(choose(100, &here)["0"], 100);
  EXPECT_EQ(stat("lb_zone_routing_all_directly"), 100u);
  EXPECT_EQ(stat("lb_recalculate_zone_structures"), 1u);
}

TEST_F(ZoneTest, TheRestGoesWhereThereIsRoom) {
  // Half of the requests come from here, a quarter of the hosts are here: half of them stay. Zone two has no room left.
  use({{"one", 2, 2}, {"two", 2, 2}, {"three", 4, 4}});
  const upstream::OwnZone here = own({{"one", 4, 4}, {"two", 2, 2}, {"three", 2, 2}});
  auto counts = choose(4000, &here);
  EXPECT_NEAR(counts["0"], 2000, 150);
  EXPECT_EQ(counts["1"], 0);
  EXPECT_NEAR(counts["2"], 2000, 150);
  EXPECT_EQ(stat("lb_zone_routing_sampled"), static_cast<uint64_t>(counts["0"]));
  EXPECT_EQ(stat("lb_zone_routing_cross_zone"), static_cast<uint64_t>(counts["2"]));
}

TEST_F(ZoneTest, OnlyHealthyHostsCount) {
  use({{"one", 4, 1}, {"two", 9, 9}});
  const upstream::OwnZone here = own({{"one", 2, 2}, {"two", 2, 2}});
  EXPECT_NEAR(choose(5000, &here)["0"], 1000, 150);  // 10 % of the hosts for 50 % of the requests
}

TEST_F(ZoneTest, SmallClustersAreUsedAsAWhole) {
  use({{"one", 2, 2}, {"two", 3, 3}});
  const upstream::OwnZone here = own({{"one", 1, 1}, {"two", 1, 1}});
  EXPECT_EQ(choose(100, &here)["1"], 60);
  EXPECT_EQ(stat("lb_zone_cluster_too_small"), 1u);
  lb.zone_aware.edit().min_cluster_size.fallback = 5;
  use({{"one", 2, 2}, {"two", 3, 3}});
  EXPECT_NEAR(choose(1000, &here)["0"], 800, 80);
}

TEST_F(ZoneTest, AProxyWhoseZoneIsUnknownUsesAll) {
  use({{"one", 4, 4}, {"two", 4, 4}});
  const upstream::OwnZone here = own({{"one", 2, 2}, {"two", 2, 2}}, "three");
  EXPECT_EQ(choose(80, &here)["0"], 40);
  EXPECT_EQ(stat("lb_local_cluster_not_ok"), 1u);
}

TEST_F(ZoneTest, PeersInPanicSayNothing) {
  use({{"one", 4, 4}, {"two", 4, 4}});
  const upstream::OwnZone here = own({{"one", 4, 1}, {"two", 4, 1}});
  EXPECT_EQ(choose(80, &here)["0"], 40);
  EXPECT_EQ(stat("lb_local_cluster_not_ok"), 80u);
  EXPECT_EQ(stat("lb_zone_routing_all_directly"), 0u);
  lb.fail_traffic_on_panic = true;
  EXPECT_EQ(choose(10, &here)["none"], 10);
}

TEST_F(ZoneTest, TheRuntimesShareOfRequestsIsSwitchedOff) {
  lb.zone_aware.edit().routing_enabled.numerator = 0;
  use({{"one", 4, 4}, {"two", 4, 4}});
  const upstream::OwnZone here = own({{"one", 2, 2}, {"two", 2, 2}});
  EXPECT_EQ(choose(80, &here)["0"], 40);
}

TEST_F(ZoneTest, ForcedHereWhenThereAreEnoughHosts) {
  lb.zone_aware.edit().force_local_size = 2;
  use({{"one", 2, 2}, {"two", 6, 6}});
  const upstream::OwnZone here = own({{"one", 9, 9}, {"two", 1, 1}});
  EXPECT_EQ(choose(100, &here)["0"], 100);
  use({{"one", 1, 1}, {"two", 7, 7}});
  EXPECT_LT(choose(1000, &here)["0"], 300);
}

TEST_F(ZoneTest, OtherPeersOtherShares) {
  use({{"one", 4, 4}, {"two", 4, 4}});
  upstream::OwnZone here = own({{"one", 2, 2}, {"two", 2, 2}});
  choose(10, &here);
  here.peers = own({{"one", 9, 9}, {"two", 1, 1}}).peers;
  EXPECT_NEAR(choose(1000, &here)["0"], 555, 80);
}

// ---- aggregates

class AggregateTest : public testing::Test {
 protected:
  std::shared_ptr<upstream::ClusterShared> add(const std::string& name, const std::vector<Place>& places) {
    auto plan = std::make_shared<model::ClusterPlan>();
    plan->name = name;
    plan->assignment = assignment(places);
    auto shared = std::make_shared<upstream::ClusterShared>(plan, world.registry, world.cells);
    world.set.add(shared, shared->hosts());
    return shared;
  }
  void SetUp() override {
    auto plan = std::make_shared<model::ClusterPlan>();
    plan->name = "all";
    plan->discovery = model::Discovery::kAggregate;
    plan->members.edit() = {"near", "missing", "far"};
    plan->assignment = std::make_shared<model::AssignmentPlan>();
    world.set.add(std::make_shared<upstream::ClusterShared>(plan, world.registry, world.cells), empty());
  }
  void TearDown() override { world.set.clear(); }
  static HostSetPtr empty() { return upstream::build_host_set({}, std::make_shared<model::AssignmentPlan>(), nullptr); }
  std::map<std::string, int> choose(int times) {
    std::map<std::string, int> out;
    for (int i = 0; i < times; ++i) {
      const upstream::Chosen chosen = world.set.find("all")->choose_host({});
      ++out[chosen.host == nullptr ? "none" : cat(chosen.cluster->plan().name, chosen.host->place->priority)];
    }
    return out;
  }

  CallWorld world{model::UpstreamProtocol::kHttp1};
};

using Counts = std::map<std::string, int>;

TEST_F(AggregateTest, TheFirstClusterTakesAllThatItCan) {
  const auto near = add("near", {{"z", 4, 4, 0}, {"z", 2, 2, 1}});
  add("far", {{"z", 2, 2, 0}});
  EXPECT_EQ(choose(50), (Counts{{"near0", 50}}));
  near->assign(assignment({{"z", 4, 2, 0}, {"z", 2, 0, 1}}));  // 1.4 * 50 %
  world.set.update(near, near->hosts());
  auto counts = choose(1000);
  EXPECT_NEAR(counts["near0"], 700, 80);
  EXPECT_NEAR(counts["far0"], 300, 80);
}

TEST_F(AggregateTest, ThePrioritiesOfAClusterComeBeforeTheNextCluster) {
  add("near", {{"z", 2, 0, 0}, {"z", 2, 2, 1}});
  add("far", {{"z", 2, 2, 0}});
  EXPECT_EQ(choose(50), (Counts{{"near1", 50}}));
}

TEST_F(AggregateTest, ClustersComeAndGo) {
  EXPECT_EQ(choose(3), (Counts{{"none", 3}}));
  const auto far = add("far", {{"z", 2, 2, 0}});
  EXPECT_EQ(choose(3), (Counts{{"far0", 3}}));
  const auto near = add("near", {{"z", 2, 2, 0}});
  EXPECT_EQ(choose(3), (Counts{{"near0", 3}}));
  world.set.remove(near);
  EXPECT_EQ(choose(3), (Counts{{"far0", 3}}));
}

TEST_F(AggregateTest, WhenNobodyIsHealthyAllAreUsed) {
  add("near", {{"z", 3, 0, 0}});
  add("far", {{"z", 1, 0, 0}});
  auto counts = choose(1000);
  EXPECT_NEAR(counts["near0"], 750, 80);
  EXPECT_NEAR(counts["far0"], 250, 80);
}

// ---- hosts that no assignment has any more

class RemovedHostTest : public testing::Test {
 protected:
  void make(bool ignore) {
    auto plan = std::make_shared<model::ClusterPlan>();
    plan->name = "checked";
    plan->discovery = model::Discovery::kEds;
    plan->assignment = std::make_shared<model::AssignmentPlan>();
    plan->health_checks.edit().push_back(std::make_shared<model::HealthCheckPlan>());
    plan->ignore_health_on_removal = ignore;
    cluster = std::make_shared<upstream::ClusterShared>(plan, world.registry, world.cells);
    cluster->assign(assignment({{"one", 1, 1}, {"two", 1, 1}}));
    for (const auto& host : cluster->hosts()->hosts) host->failing = 0;  // the first checks passed
    cluster->refresh();
  }
  uint64_t stat(std::string_view name) { return world.registry.value(cat("cluster.checked.", name)).value_or(0); }

  CallWorld world{model::UpstreamProtocol::kHttp1};
  std::shared_ptr<upstream::ClusterShared> cluster;
};

TEST_F(RemovedHostTest, StaysWhileItIsWell) {
  make(false);
  const std::shared_ptr<Host> two = cluster->hosts()->hosts[1];
  cluster->assign(assignment({{"one", 1, 1}}));
  ASSERT_EQ(cluster->hosts()->hosts.size(), 2u);
  EXPECT_EQ(cluster->hosts()->hosts[1], two);
  EXPECT_TRUE(two->plan->removed);
  EXPECT_FALSE(two->removed);
  EXPECT_EQ(two->place->locality.zone, "two");
  cluster->assign(assignment({{"one", 1, 1}}));  // and stays over the next one
  EXPECT_EQ(cluster->hosts()->hosts.size(), 2u);
  two->failing = upstream::kActiveCheck;
  cluster->let_go_removed();
  EXPECT_EQ(cluster->hosts()->hosts.size(), 1u);
  EXPECT_TRUE(two->removed);
}

TEST_F(RemovedHostTest, ComesBackAsItWas) {
  make(false);
  const std::shared_ptr<Host> two = cluster->hosts()->hosts[1];
  cluster->assign(assignment({{"one", 1, 1}}));
  cluster->assign(assignment({{"one", 1, 1}, {"two", 1, 1}}));
  ASSERT_EQ(cluster->hosts()->hosts.size(), 2u);
  EXPECT_EQ(cluster->hosts()->hosts[1], two);
  EXPECT_FALSE(two->plan->removed);
}

TEST_F(RemovedHostTest, GoesAtOnceWhenHealthIsIgnored) {
  make(true);
  cluster->assign(assignment({{"one", 1, 1}}));
  EXPECT_EQ(cluster->hosts()->hosts.size(), 1u);
}

TEST_F(RemovedHostTest, MembershipChangesAreCountedByPriority) {
  make(true);
  const uint64_t before = stat("membership_change");
  cluster->assign(assignment({{"one", 2, 2, 0}, {"two", 1, 1, 1}}));
  EXPECT_EQ(stat("membership_change"), before + 2);
  cluster->assign(assignment({{"one", 2, 1, 0}, {"two", 1, 1, 1}}));  // health only
  EXPECT_EQ(stat("membership_change"), before + 2);
  cluster->assign(assignment({{"one", 2, 1, 0}}));
  EXPECT_EQ(stat("membership_change"), before + 3);
}

}  // namespace
}  // namespace sluice::test
