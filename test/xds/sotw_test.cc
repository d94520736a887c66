// The state-of-the-world protocol: versions, nonces, names, order.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "test/xds/rig/rig.h"

namespace sluice::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Protocol = xds::Options::Protocol;
using enum ResourceType;

// Thread: the test's.
class Sotw : public testing::Test {
 protected:
  // As a proxy starts: clusters, then listeners.
  void start_up(const std::vector<Res>& clusters, const std::vector<Res>& endpoints, const std::vector<Res>& listeners,
                const std::vector<Res>& routes) {
    this->clusters = std::make_unique<Owners>(rig.plane, kCluster, timeout);
    rig.send(kCluster, "1", clusters);
    if (!endpoints.empty()) rig.send(kEndpoints, "1", endpoints);
    this->listeners = std::make_unique<Owners>(rig.plane, kListener, timeout);
    rig.send(kListener, "1", listeners);
    if (!routes.empty()) rig.send(kRoutes, "1", routes);
    this->clusters->hold_answers = true;
  }

  Duration timeout{0};
  Rig rig{Protocol::kSotw};
  std::unique_ptr<Owners> clusters;
  std::unique_ptr<Owners> listeners;
};

TEST_F(Sotw, NamesOfOneResponseGoInOneRequestBeforeItsAnswer) {
  start_up({{"c3", "c3"}, {"c1", "c1"}, {"c2", "other"}}, {{"c1"}, {"other"}},
           {{"l1", "r2"}, {"l2", "r1"}, {"l3", "r1"}}, {{"r1"}, {"r2"}});
  EXPECT_THAT(rig.sent(),
              ElementsAre("CDS v= [] -", "EDS v= [c1 c3 other] -", "CDS v=1 [] n1", "EDS v=1 [c1 c3 other] n2",
                          "LDS v= [] -", "RDS v= [r1 r2] -", "LDS v=1 [] n3", "RDS v=1 [r1 r2] n4"));
  EXPECT_THAT(clusters->warm(), ElementsAre("c1", "c2"));
  EXPECT_THAT(clusters->warming(), ElementsAre("c3"));
  EXPECT_THAT(listeners->warm(), ElementsAre("l1", "l2", "l3"));
}

TEST_F(Sotw, AnswerOfClustersWaitsUntilTheyAreWarm) {
  start_up({}, {}, {}, {});
  rig.sent();
  rig.send(kCluster, "2", {{"c1", "c1"}});
  EXPECT_THAT(rig.sent(), ElementsAre("EDS v= [c1] -"));
  rig.send(kCluster, "3", {{"c1", "c1"}, {"c2"}});
  EXPECT_THAT(rig.sent(), IsEmpty());
  EXPECT_THAT(clusters->warm(), ElementsAre("c2"));
  rig.send(kEndpoints, "1", {{"c1"}});
  EXPECT_THAT(rig.sent(), ElementsAre("CDS v=3 [] n4", "EDS v=1 [c1] n5"));
  EXPECT_EQ(rig.history.pushes().back().answered, Duration::zero());
}

TEST_F(Sotw, ResponseThatTakesTheWarmingClusterAwayIsAnsweredAtOnce) {
  start_up({}, {}, {}, {});
  rig.sent();
  rig.send(kCluster, "2", {{"c1", "c1"}});
  rig.send(kCluster, "3", {{"c1", "c1"}, {"c2"}});
  rig.send(kCluster, "4", {{"c2"}});
  EXPECT_THAT(rig.sent(), ElementsAre("EDS v= [c1] -", "EDS v= [] -", "CDS v=4 [] n5"));
}

TEST_F(Sotw, ChangedClusterHasItsEndpointsSentAgain) {
  start_up({{"c1", "c1"}}, {{"c1"}}, {}, {});
  rig.sent();
  rig.send(kCluster, "2", {{"c1", "c1", "changed"}});
  EXPECT_THAT(rig.sent(), ElementsAre("EDS v=1 [c1] n2"));
  EXPECT_THAT(clusters->warming(), ElementsAre("c1"));
  rig.send(kEndpoints, "2", {{"c1"}});
  EXPECT_THAT(rig.sent(), ElementsAre("CDS v=2 [] n4", "EDS v=2 [c1] n5"));
  EXPECT_THAT(clusters->warming(), IsEmpty());
}

TEST_F(Sotw, SecondClusterOfAServiceAsksAgain) {
  start_up({{"c1", "shared"}}, {{"shared"}}, {}, {});
  rig.sent();
  rig.send(kCluster, "2", {{"c1", "shared"}, {"c2", "shared"}});
  EXPECT_THAT(rig.sent(), ElementsAre("EDS v=1 [shared] n2"));
  EXPECT_THAT(clusters->warming(), ElementsAre("c2"));
  rig.send(kEndpoints, "2", {{"shared"}});
  EXPECT_THAT(rig.sent(), ElementsAre("CDS v=2 [] n4", "EDS v=2 [shared] n5"));
}

TEST_F(Sotw, UnchangedClusterAsksNothing) {
  start_up({{"c1", "c1"}}, {{"c1"}}, {}, {});
  rig.sent();
  rig.send(kCluster, "2", {{"c1", "c1"}});
  rig.send(kEndpoints, "2", {{"c1"}});
  EXPECT_THAT(rig.sent(), ElementsAre("CDS v=2 [] n4", "EDS v=2 [c1] n5"));
}

TEST_F(Sotw, WhatIsRemovedIsNotAskedForAndComesBackAsNew) {
  start_up({{"c1", "c1"}, {"c2", "c2"}}, {{"c1"}, {"c2"}}, {{"main", "r1"}, {"two", "r2"}}, {{"r1"}, {"r2"}});
  rig.sent();
  rig.send(kCluster, "2", {{"c2", "c2"}});
  EXPECT_THAT(rig.sent(), ElementsAre("EDS v=1 [c2] n2", "CDS v=2 [] n5"));
  rig.send(kCluster, "3", {{"c1", "c1"}, {"c2", "c2"}});
  EXPECT_THAT(rig.sent(), ElementsAre("EDS v=1 [c1 c2] n2"));
  EXPECT_THAT(clusters->warming(), ElementsAre("c1"));
  rig.send(kEndpoints, "2", {{"c1"}});
  EXPECT_THAT(rig.sent(), ElementsAre("CDS v=3 [] n6", "EDS v=2 [c1 c2] n7"));
  rig.send(kListener, "2", {});
  EXPECT_THAT(rig.sent(), ElementsAre("RDS v=1 [] n4", "LDS v=2 [] n8"));
}

TEST_F(Sotw, RefusedResponseKeepsTheVersionAndSaysWhy) {
  start_up({{"c1"}}, {}, {}, {});
  rig.sent();
  clusters->refuse = {"bad"};
  rig.send(kCluster, "2", {{"c1"}, {"bad"}, {"c2"}});
  EXPECT_THAT(rig.sent(), ElementsAre("CDS v=1 [] n3 error 13"));
  EXPECT_EQ(rig.last_error, "bad bad");
  EXPECT_THAT(clusters->warm(), ElementsAre("c1", "c2"));
  EXPECT_EQ(rig.history.pushes().back().refused, "bad bad");
  rig.send(kCluster, "3", {{"c1"}});
  EXPECT_THAT(rig.sent(), ElementsAre("CDS v=3 [] n4"));
  EXPECT_THAT(clusters->warm(), ElementsAre("c1"));
}

TEST_F(Sotw, UserOfEverythingSeesDuplicates) {
  start_up({{"c1"}}, {}, {}, {});
  rig.sent();
  rig.send(kCluster, "2", {{"c2"}, {"c3"}, {"c2", "", "other"}});
  EXPECT_THAT(rig.sent(), ElementsAre("CDS v=1 [] n3 error 13"));
  EXPECT_THAT(clusters->warm(), ElementsAre("c2", "c3"));
}

TEST_F(Sotw, UsersOfNamesGetTheFirstCopyAndOnlyWhatIsTheirs) {
  NotingUser a;
  NotingUser b;
  const auto of_a = rig.plane.subscribe(Rig::named(kEndpoints, {"a"}), a);
  const auto of_b = rig.plane.subscribe(Rig::named(kEndpoints, {"b"}), b);
  rig.sent();
  rig.send(kEndpoints, "1", {{"a"}, {"a"}, {"stranger"}});
  EXPECT_THAT(a.take(), ElementsAre("v=1 [a]"));
  EXPECT_THAT(b.take(), IsEmpty());
  rig.send(kEndpoints, "2", {});
  EXPECT_THAT(a.take(), IsEmpty());
  EXPECT_THAT(rig.sent(), ElementsAre("EDS v=1 [a b] n1", "EDS v=2 [a b] n2"));
}

TEST_F(Sotw, OneBrokenResourceRefusesAllBeforeAnybodySeesOne) {
  NotingUser a;
  NotingUser b;
  const auto of_a = rig.plane.subscribe(Rig::named(kEndpoints, {"a"}), a);
  const auto of_b = rig.plane.subscribe(Rig::named(kEndpoints, {"b"}), b);
  rig.send(kEndpoints, "1", {{"a"}, {"b"}});
  a.take();
  b.take();
  rig.sent();
  rig.send(kEndpoints, "half", {{"a"}, Res{.name = "b", .broken = true}});
  EXPECT_THAT(a.take(), ElementsAre("rejected"));
  EXPECT_THAT(b.take(), ElementsAre("rejected"));
  EXPECT_THAT(rig.sent(), ElementsAre("EDS v=1 [a b] n2 error 13"));
  EXPECT_THAT(rig.last_error, testing::HasSubstr("overprovisioning_factor"));
}

TEST_F(Sotw, TextsOfSeveralUsersAreJoined) {
  NotingUser a;
  NotingUser b;
  a.refuse_with = "a does not like it";
  b.refuse_with = "nor does b";
  const auto of_a = rig.plane.subscribe(Rig::named(kEndpoints, {"a"}), a);
  const auto of_b = rig.plane.subscribe(Rig::named(kEndpoints, {"b"}), b);
  rig.send(kEndpoints, "1", {{"a"}, {"b"}});
  rig.sent();
  EXPECT_EQ(rig.last_error, "a does not like it; nor does b");
}

TEST_F(Sotw, ResponseOfAnotherTypeInsideIsRefused) {
  start_up({{"c1"}}, {}, {}, {});
  rig.sent();
  rig.send(kCluster, "2", {Res{.name = "c1", .type_instead = kEndpoints}});
  EXPECT_THAT(rig.sent(), ElementsAre("CDS v=1 [] n3 error 13"));
  rig.send(kCluster, "3", {{"c1"}});
  EXPECT_THAT(rig.sent(), ElementsAre("CDS v=3 [] n4"));
}

TEST_F(Sotw, TypeThatNobodyAskedForIsNotAnswered) {
  start_up({}, {}, {}, {});
  rig.sent();
  rig.send(ResourceType::kRuntime, "1", {{"s1"}});
  EXPECT_THAT(rig.sent(), IsEmpty());
  rig.send(kCluster, "3", {});
  EXPECT_THAT(rig.sent(), ElementsAre("CDS v=3 [] n4"));
}

TEST_F(Sotw, TypeThatNobodyWantsAnyMoreIsTakenWhenItIsEmptyOnly) {
  NotingUser user;
  auto routes = rig.plane.subscribe(Rig::named(kRoutes, {"r"}), user);
  rig.send(kRoutes, "1", {{"r"}});
  routes.reset();
  rig.sent();
  rig.send(kRoutes, "2", {});
  EXPECT_THAT(rig.sent(), IsEmpty());
  rig.send(kRoutes, "3", {{"r"}});
  EXPECT_THAT(rig.sent(), ElementsAre("RDS v=2 [] n3"));
}

TEST_F(Sotw, WrapperIsTakenOff) {
  NotingUser user;
  std::string seen;
  user.hook = [&](const config::ResourceUpdate& update) {
    for (const auto& each : update.resources) seen += each.name + "=" + each.version + ";";
  };
  const auto all = rig.plane.subscribe(Rig::everything(kCluster), user);
  rig.send(kCluster, "1", {Res{.name = "a", .version = "other", .wrapped = true}, {"b"}});
  EXPECT_EQ(seen, "a=1;b=1;");
  EXPECT_THAT(user.take(), ElementsAre("v=1 [a b] complete"));
}

TEST_F(Sotw, NamesThatAreNotCollectedGoOneByOne) {
  NotingUser user;
  const auto one = rig.plane.subscribe(Rig::named(ResourceType::kRuntime, {"rt1"}), user);
  const auto two = rig.plane.subscribe(Rig::named(ResourceType::kRuntime, {"rt2"}), user);
  EXPECT_THAT(rig.sent(), ElementsAre("RTDS v= [rt1] -", "RTDS v= [rt1 rt2] -"));
}

TEST_F(Sotw, ScopesAskForAllTheirTablesAtOnce) {
  NotingUser tables;
  std::vector<std::unique_ptr<config::Subscription>> routes;
  NotingUser scopes;
  scopes.hook = [&](const config::ResourceUpdate& update) {
    for (const auto& scope : update.resources) {
      routes.push_back(rig.plane.subscribe(Rig::named(kRoutes, {"of " + scope.name}), tables));
    }
  };
  const auto all = rig.plane.subscribe(Rig::everything(ResourceType::kScopedRoutes), scopes);
  rig.send(ResourceType::kScopedRoutes, "1", {{"s1"}, {"s2"}});
  EXPECT_THAT(rig.sent(), ElementsAre("SRDS v= [] -", "RDS v= [of s1 of s2] -", "SRDS v=1 [] n1"));
  scopes.take();
  NotingUser later;
  const auto second = rig.plane.subscribe(Rig::everything(ResourceType::kScopedRoutes), later);
  EXPECT_THAT(later.take(), IsEmpty());
  rig.run(0.01);
  EXPECT_THAT(later.take(), ElementsAre("known v=1 [s1 s2] complete"));
  EXPECT_THAT(rig.sent(), IsEmpty());
}

TEST_F(Sotw, LaterUserOfAKnownTableOrSecretAsksNothing) {
  for (const ResourceType type : {kRoutes, ResourceType::kSecret, ResourceType::kExtension}) {
    NotingUser first;
    const auto one = rig.plane.subscribe(Rig::named(type, {"r"}), first);
    rig.send(type, "1", {{"r"}});
    rig.sent();
    NotingUser second;
    const auto two = rig.plane.subscribe(Rig::named(type, {"r"}), second);
    rig.run(0.01);
    EXPECT_THAT(second.take(), ElementsAre("known v=1 [r]"));
    EXPECT_THAT(rig.sent(), IsEmpty());
    rig.send(type, "2", {{"r"}});
    EXPECT_THAT(second.take(), ElementsAre("v=2 [r]"));
    first.take();
  }
}

TEST_F(Sotw, UserThatComesWhileItsTableIsHandedOutGetsIt) {
  NotingUser first;
  NotingUser second;
  std::unique_ptr<config::Subscription> two;
  first.hook = [&](const config::ResourceUpdate&) { two = rig.plane.subscribe(Rig::named(kRoutes, {"r"}), second); };
  const auto one = rig.plane.subscribe(Rig::named(kRoutes, {"r"}), first);
  rig.send(kRoutes, "1", {{"r"}});
  rig.run(0.01);
  EXPECT_THAT(second.take(), ElementsAre("known v=1 [r]"));
  EXPECT_THAT(rig.sent(), ElementsAre("RDS v= [r] -", "RDS v=1 [r] n1"));
}

TEST_F(Sotw, KnownEndpointsAreUsedOnlyWhenNoAnswerCame) {
  NotingUser first;
  const auto one = rig.plane.subscribe(Rig::named(kEndpoints, {"e"}), first);
  rig.send(kEndpoints, "1", {{"e"}});
  NotingUser second;
  const auto two = rig.plane.subscribe(Rig::named(kEndpoints, {"e"}, std::chrono::milliseconds(600)), second);
  rig.run(0.5);
  EXPECT_THAT(second.take(), IsEmpty());
  rig.run(0.2);
  EXPECT_THAT(second.take(), ElementsAre("timeout", "known v=1 [e]"));
}

TEST_F(Sotw, NobodyWaitsForEverForEndpointsThatAreKnown) {
  start_up({{"c1", "c1"}}, {{"c1"}}, {}, {});
  rig.sent();
  rig.send(kCluster, "2", {{"c1", "c1", "changed"}, {"c3", "c3"}});
  EXPECT_THAT(rig.sent(), ElementsAre("EDS v=1 [c1 c3] n2"));
  rig.run(14);
  EXPECT_THAT(clusters->warming(), ElementsAre("c1", "c3"));
  rig.run(2);
  EXPECT_THAT(clusters->warming(), ElementsAre("c3"));
  rig.run(100);
  EXPECT_THAT(clusters->warming(), ElementsAre("c3"));
}

TEST_F(Sotw, TimeoutCountsFromTheSubscriptionAndOnlyUntilAnAnswer) {
  NotingUser never;
  NotingUser some;
  NotingUser soon;
  const auto one = rig.plane.subscribe(Rig::named(kEndpoints, {"a"}), never);
  const auto two = rig.plane.subscribe(Rig::named(kEndpoints, {"b"}, std::chrono::milliseconds(300)), some);
  const auto three = rig.plane.subscribe(Rig::named(kEndpoints, {"c"}, std::chrono::milliseconds(300)), soon);
  rig.run(0.2);
  rig.send(kEndpoints, "1", {{"c"}});
  rig.run(0.2);
  EXPECT_THAT(never.take(), IsEmpty());
  EXPECT_THAT(some.take(), ElementsAre("timeout"));
  EXPECT_THAT(soon.take(), ElementsAre("v=1 [c]"));
  rig.send(kEndpoints, "2", {{"b"}});
  EXPECT_THAT(some.take(), ElementsAre("v=2 [b]"));
}

TEST_F(Sotw, RejectionEndsTheWaiting) {
  NotingUser user;
  const auto one = rig.plane.subscribe(Rig::named(kEndpoints, {"a"}, std::chrono::milliseconds(300)), user);
  rig.send(kEndpoints, "1", {Res{.name = "a", .broken = true}});
  rig.run(0.5);
  EXPECT_THAT(user.take(), ElementsAre("rejected"));
}

TEST_F(Sotw, PausesNest) {
  NotingUser user;
  rig.plane.pause(kEndpoints);
  rig.plane.pause(kEndpoints);
  const auto a = rig.plane.subscribe(Rig::named(kEndpoints, {"a"}), user);
  auto b = rig.plane.subscribe(Rig::named(kEndpoints, {"b"}), user);
  rig.plane.resume(kEndpoints);
  b.reset();
  EXPECT_THAT(rig.sent(), IsEmpty());
  rig.plane.resume(kEndpoints);
  EXPECT_THAT(rig.sent(), ElementsAre("EDS v= [a] -"));
  rig.plane.pause(kEndpoints);
  rig.plane.resume(kEndpoints);
  EXPECT_THAT(rig.sent(), IsEmpty());
}

TEST_F(Sotw, NamesBesideEverything) {
  NotingUser user;
  const auto all = rig.plane.subscribe(Rig::everything(kCluster), user);
  NotingUser other;
  auto one = rig.plane.subscribe(Rig::named(kCluster, {"c9"}), other);
  one.reset();
  EXPECT_THAT(rig.sent(), ElementsAre("CDS v= [] -", "CDS v= [* c9] -", "CDS v= [*] -"));
}

TEST_F(Sotw, UsersMayEndAnySubscriptionWhileAResponseIsHandedOut) {
  NotingUser users[3];
  std::vector<std::unique_ptr<config::Subscription>> subscriptions;
  for (NotingUser& user : users) {
    subscriptions.push_back(rig.plane.subscribe(Rig::named(kRoutes, {"r"}), user));
  }
  users[0].hook = [&](const config::ResourceUpdate&) {
    subscriptions[2].reset();
    subscriptions[0].reset();
  };
  rig.send(kRoutes, "1", {{"r"}});
  EXPECT_THAT(users[1].take(), ElementsAre("v=1 [r]"));
  EXPECT_THAT(users[2].take(), IsEmpty());
  users[1].hook = [&](const config::ResourceUpdate&) { subscriptions[1].reset(); };
  rig.send(kRoutes, "2", {{"r"}});
  EXPECT_THAT(rig.sent(), ElementsAre("RDS v= [r] -", "RDS v=1 [r] n1", "RDS v=2 [] n2"));
}

TEST_F(Sotw, AskingForOtherNames) {
  NotingUser user;
  const auto one = rig.plane.subscribe(Rig::named(kRoutes, {"a", "b"}), user);
  one->ask({"b", "c"});
  one->ask({"b", "c"});
  EXPECT_THAT(rig.sent(), ElementsAre("RDS v= [a b] -", "RDS v= [b c] -"));
  rig.send(kRoutes, "1", {{"a"}, {"b"}, {"c"}});
  EXPECT_THAT(user.take(), ElementsAre("v=1 [b c]"));
}

TEST_F(Sotw, TimeToLive) {
  NotingUser all;
  const auto clusters = rig.plane.subscribe(Rig::everything(kCluster), all);
  NotingUser named;
  const auto endpoints = rig.plane.subscribe(Rig::named(kEndpoints, {"e"}), named);
  rig.send(kCluster, "1", {Res{.name = "a", .ttl = 0.6}, Res{.name = "b", .ttl = 0.6}, {"c"}});
  rig.send(kEndpoints, "1", {Res{.name = "e", .ttl = 0.5}});
  EXPECT_THAT(all.take(), ElementsAre("v=1 [a b c] complete"));
  rig.run(0.4);
  // Only renews: nothing is missing from it. Beside others it stands for what is held.
  rig.send(kCluster, "1", {Res{.name = "a", .ttl = 0.6, .no_body = true}});
  EXPECT_THAT(all.take(), IsEmpty());
  rig.run(0.3);
  EXPECT_THAT(all.take(), ElementsAre("v= [] -[b]"));
  named.notes.erase(named.notes.begin());
  EXPECT_THAT(named.take(), ElementsAre("v= [] -[e]"));
  rig.send(kCluster, "1", {Res{.name = "a", .ttl = 0.6, .no_body = true}, {"d"}});
  EXPECT_THAT(all.take(), ElementsAre("v=1 [a d] complete"));
  rig.run(1);
  EXPECT_THAT(all.take(), ElementsAre("v= [] -[a]"));
  rig.sent();
  rig.send(kCluster, "2", {Res{.name = "a", .ttl = 0.6, .no_body = true}});
  EXPECT_THAT(all.take(), ElementsAre("rejected"));
  EXPECT_THAT(rig.sent(), ElementsAre("CDS v=1 [] n5 error 13"));
}

}  // namespace
}  // namespace sluice::test
