// The incremental protocol.
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
class Delta : public testing::Test {
 protected:
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
  void reconnect(int status = 14) {
    rig.end(status);
    rig.run(1);
  }

  Duration timeout{0};
  Rig rig{Protocol::kDelta};
  std::unique_ptr<Owners> clusters;
  std::unique_ptr<Owners> listeners;
};

TEST_F(Delta, EverythingIsAskedForByNamingNothingAndAnswersNameNothing) {
  start_up({{"c1", "c1"}, {"c2", "other"}}, {{"c1"}, {"other"}}, {{"main", "r1"}, {"two", "r2"}}, {{"r1"}, {"r2"}});
  EXPECT_THAT(rig.sent(), ElementsAre("CDS -", "EDS +[c1 other] -", "CDS n1", "EDS n2", "LDS -", "RDS +[r1 r2] -",
                                      "LDS n3", "RDS n4"));
}

TEST_F(Delta, OnlyWhatIsNamedChanges) {
  start_up({{"c1", "c1"}, {"c2", "c2"}}, {{"c1"}, {"c2"}}, {{"main", "r1"}, {"two", "r2"}}, {{"r1"}, {"r2"}});
  rig.sent();
  rig.send(kCluster, "2", {{"c3"}});
  EXPECT_THAT(clusters->warm(), ElementsAre("c1", "c2", "c3"));
  rig.send(kCluster, "3", {}, {"c1", "unknown"});
  EXPECT_THAT(rig.sent(), ElementsAre("CDS n5", "EDS -[c1] -", "CDS n6"));
  rig.send(kListener, "2", {}, {"main"});
  EXPECT_THAT(rig.sent(), ElementsAre("RDS -[r1] -", "LDS n7"));
  EXPECT_THAT(clusters->warm(), ElementsAre("c2", "c3"));
  rig.send(kCluster, "4", {{"c1", "c1"}});
  EXPECT_THAT(rig.sent(), ElementsAre("EDS +[c1] -"));
  rig.send(kEndpoints, "2", {{"c1"}});
  EXPECT_THAT(rig.sent(), ElementsAre("CDS n8", "EDS n9"));
}

TEST_F(Delta, AnswerAndSubscriptionAreTwoRequests) {
  start_up({{"c1", "c1"}}, {{"c1"}}, {{"main", "r1"}}, {{"r1"}});
  rig.sent();
  rig.plane.pause(kRoutes);
  rig.send(kListener, "2", {{"two", "r2"}});
  rig.send(kRoutes, "2", {{"r1"}});
  EXPECT_THAT(rig.sent(), ElementsAre("LDS n5"));
  rig.plane.resume(kRoutes);
  EXPECT_THAT(rig.sent(), ElementsAre("RDS n6", "RDS +[r2] -"));
}

TEST_F(Delta, EveryHeldBackResponseHasItsAnswer) {
  start_up({}, {}, {}, {});
  rig.sent();
  rig.send(kCluster, "2", {{"c1", "c1"}});
  rig.send(kCluster, "3", {{"c2"}});
  EXPECT_THAT(rig.sent(), ElementsAre("EDS +[c1] -"));
  rig.send(kEndpoints, "1", {}, {"c1"});
  EXPECT_THAT(rig.sent(), ElementsAre("CDS n3", "CDS n4", "EDS n5"));
  EXPECT_THAT(clusters->warm(), ElementsAre("c1", "c2"));
}

TEST_F(Delta, ChangedClusterAsksNothingAndTakesWhatIsKnownWhenTheTimeIsOver) {
  timeout = std::chrono::milliseconds(600);
  start_up({{"c1", "c1"}}, {{"c1"}}, {}, {});
  rig.sent();
  rig.send(kCluster, "2", {{"c1", "c1", "changed"}});
  rig.run(0.3);
  EXPECT_THAT(rig.sent(), IsEmpty());
  EXPECT_THAT(clusters->warming(), ElementsAre("c1"));
  rig.run(0.4);
  EXPECT_THAT(rig.sent(), ElementsAre("CDS n4"));
  EXPECT_THAT(clusters->warming(), IsEmpty());
}

TEST_F(Delta, SecondClusterOfAServiceAsksNothing) {
  start_up({{"c1", "shared"}}, {{"shared"}}, {}, {});
  rig.sent();
  NotingUser second;
  const auto subscription =
      rig.plane.subscribe(Rig::named(kEndpoints, {"shared"}, std::chrono::milliseconds(600)), second);
  rig.run(0.5);
  EXPECT_THAT(second.take(), IsEmpty());
  rig.run(0.2);
  EXPECT_THAT(second.take(), ElementsAre("timeout", "known v=1 [shared]"));
  EXPECT_THAT(rig.sent(), IsEmpty());
}

TEST_F(Delta, NobodyWaitsForEverForEndpointsThatAreKnown) {
  start_up({{"c1", "c1"}}, {{"c1"}}, {}, {});
  rig.sent();
  rig.send(kCluster, "2", {{"c1", "c1", "changed"}, {"c2", "c1"}, {"c3", "c3"}});
  EXPECT_THAT(rig.sent(), ElementsAre("EDS +[c3] -"));
  rig.run(0.01);
  EXPECT_THAT(clusters->warming(), ElementsAre("c3"));
  rig.send(kEndpoints, "2", {}, {"c3"});
  EXPECT_THAT(rig.sent(), ElementsAre("CDS n4", "EDS n5"));
}

TEST_F(Delta, NewStreamIsToldWhatIsHeldInTheOrderOfFirstUse) {
  start_up({{"c1", "c1", "v1"}, {"c2", "", "v2"}}, {{"c1", "", "e1"}}, {{"main", "r1", "l1"}}, {{"r1", "", "r1"}});
  rig.send(kCluster, "2", {{"c3", "", "v3"}}, {"c2"});
  rig.sent();
  reconnect(0);
  EXPECT_THAT(rig.sent(), ElementsAre("CDS {c1=v1 c3=v3} s2 -", "EDS +[c1] {c1=e1} s2 -", "LDS {main=l1} s2 -",
                                      "RDS +[r1] {r1=r1} s2 -"));
  rig.send(kCluster, "3", {}, {"c3"});
  rig.send(kEndpoints, "3", {});
  EXPECT_THAT(rig.sent(), ElementsAre("CDS s2 n6", "EDS s2 n7"));
}

TEST_F(Delta, TypeThatNobodyUsesIsNotMentionedOnANewStream) {
  start_up({{"c1", "c1"}}, {{"c1"}}, {{"main", "r1"}}, {{"r1"}});
  rig.send(kCluster, "2", {}, {"c1"});
  rig.send(kListener, "2", {}, {"main"});
  rig.sent();
  reconnect();
  EXPECT_THAT(rig.sent(), ElementsAre("CDS s2 -", "LDS s2 -"));
}

TEST_F(Delta, WhatWasRemovedIsAskedForWithoutAVersion) {
  start_up({{"c1", "c1"}}, {{"c1"}}, {{"main", "r1"}}, {{"r1"}});
  rig.send(kEndpoints, "2", {}, {"c1"});
  rig.send(kRoutes, "2", {}, {"r1"});
  rig.sent();
  reconnect();
  EXPECT_THAT(rig.sent(), ElementsAre("CDS {c1=1} s2 -", "EDS +[c1] s2 -", "LDS {main=1} s2 -", "RDS +[r1] s2 -"));
}

// Of a refused response some may be in force: the next server must hear of these names, or it would never take them
// away.
TEST_F(Delta, HeldIsWhatWasTakenAndOfWhatWasRefusedTheNames) {
  start_up({{"c1"}, {"c2"}}, {}, {{"main"}}, {});
  rig.sent();
  clusters->refuse = {"bad"};
  rig.send(kCluster, "2", {{"c3"}, {"bad"}}, {"c2"});
  EXPECT_THAT(clusters->warm(), ElementsAre("c1", "c3"));
  rig.send(kCluster, "3", {{"c4"}, {"bad"}, {"c4"}}, {"c3"});
  EXPECT_THAT(clusters->warm(), ElementsAre("c1", "c3"));
  rig.send(kCluster, "4", {{"c5"}});
  EXPECT_THAT(rig.sent(), ElementsAre("CDS n3 error 13", "CDS n4 error 13", "CDS n5"));
  reconnect();
  EXPECT_THAT(rig.sent(), ElementsAre("CDS {bad= c1=1 c2= c3= c5=4} s2 -", "LDS {main=1} s2 -"));
  rig.send(kCluster, "5", {{"c3"}}, {"bad", "c2"});
  reconnect();
  EXPECT_THAT(rig.sent(), ElementsAre("CDS s2 n6", "CDS {c1=1 c3=5 c5=4} s3 -", "LDS {main=1} s3 -"));
}

// Who refused its only resource has what is held; what anybody took is in force, so its old version would be a lie.
TEST_F(Delta, WhoRefusedHasTheOldVersion) {
  NotingUser taking;
  NotingUser refusing;
  refusing.refuse_with = "no";
  const auto first = rig.plane.subscribe(Rig::named(kRoutes, {"a"}), taking);
  const auto both = rig.plane.subscribe(Rig::named(kRoutes, {"c"}), taking);
  rig.send(kRoutes, "1", {{"a"}, {"c"}});
  NotingUser late;
  const auto second = rig.plane.subscribe(Rig::named(kRoutes, {"b"}), late);
  rig.send(kRoutes, "2", {{"b"}});
  const auto shared = rig.plane.subscribe(Rig::named(kRoutes, {"c"}), refusing);
  late.refuse_with = "not this one";
  rig.send(kRoutes, "3", {{"a"}, {"b"}, {"c"}});
  rig.sent();
  reconnect();
  EXPECT_THAT(rig.sent(), ElementsAre("RDS +[a b c] {a= b=2 c=} s2 -"));
}

TEST_F(Delta, NameOfTheWrapperIsWhatIsHeld) {
  start_up({{"c1"}}, {}, {}, {});
  rig.send(kCluster, "2", {Res{.name = "c2", .as = "other"}});
  EXPECT_THAT(clusters->warm(), ElementsAre("c1", "c2"));
  rig.sent();
  rig.send(kCluster, "3", {Res{.name = "c1", .type_instead = kEndpoints}});
  EXPECT_THAT(rig.sent(), ElementsAre("CDS n4 error 13"));
  reconnect();
  EXPECT_THAT(rig.sent(), ElementsAre("CDS {c1=1 other=2} s2 -", "LDS s2 -"));
}

TEST_F(Delta, NameInBothListsOrTwiceRefusesAll) {
  NotingUser user;
  const auto all = rig.plane.subscribe(Rig::everything(kCluster), user);
  rig.send(kCluster, "1", {{"a"}, {"a"}});
  rig.send(kCluster, "1", {{"a"}}, {"a"});
  rig.send(kCluster, "1", {}, {"b", "b"});
  EXPECT_THAT(user.take(), ElementsAre("rejected", "rejected", "rejected"));
  EXPECT_THAT(rig.sent(), ElementsAre("CDS -", "CDS n1 error 13", "CDS n2 error 13", "CDS n3 error 13"));
}

TEST_F(Delta, EmptyResponseIsNewsForUsersOfEverythingOnly) {
  NotingUser all;
  NotingUser named;
  NotingUser hosts;
  const auto one = rig.plane.subscribe(Rig::everything(kCluster), all);
  const auto two = rig.plane.subscribe(Rig::named(kEndpoints, {"e"}), named);
  const auto three = rig.plane.subscribe(Rig::under("r1", std::chrono::milliseconds(500)), hosts);
  rig.send(kCluster, "1", {});
  rig.send(kEndpoints, "1", {});
  rig.send(kVirtualHost, "1", {});
  EXPECT_THAT(all.take(), ElementsAre("v=1 []"));
  EXPECT_THAT(named.take(), IsEmpty());
  EXPECT_THAT(hosts.take(), IsEmpty());
  rig.run(1);
  EXPECT_THAT(hosts.take(), ElementsAre("timeout"));
}

TEST_F(Delta, RouteTableThatDoesNotExistIsWaitedForAsLongAsAnother) {
  NotingUser routes;
  NotingUser endpoints;
  const auto one = rig.plane.subscribe(Rig::named(kRoutes, {"r"}, std::chrono::milliseconds(500)), routes);
  const auto two = rig.plane.subscribe(Rig::named(kEndpoints, {"e"}, std::chrono::milliseconds(500)), endpoints);
  rig.send(kRoutes, "1", {}, {"r"});
  rig.send(kEndpoints, "1", {}, {"e"});
  rig.run(1);
  EXPECT_THAT(routes.take(), ElementsAre("v=1 [] -[r]", "timeout"));
  EXPECT_THAT(endpoints.take(), ElementsAre("v=1 [] -[e]"));
}

TEST_F(Delta, VirtualHostsOnDemand) {
  NotingUser hosts;
  start_up({}, {}, {{"main", "r1"}}, {{"r1"}});
  const auto subscription = rig.plane.subscribe(Rig::under("r1"), hosts);
  rig.sent();
  rig.send(kVirtualHost, "1", {{"r1/first.test"}, {"r10/other.test"}});
  EXPECT_THAT(hosts.take(), ElementsAre("v=1 [r1/first.test]"));
  subscription->ask({"r1/new.test"});
  EXPECT_THAT(rig.sent(), ElementsAre("VHDS n4", "VHDS +[r1/new.test] -"));
  rig.send(kVirtualHost, "2", {Res{.name = "r1/new.test", .aliases = {"r1/new.test"}}});
  subscription->ask({"r1/new.test", "r1/none.test"});
  rig.send(kVirtualHost, "3", {Res{.name = "r1/none.test", .no_body = true, .aliases = {"r1/none.test"}}});
  EXPECT_THAT(hosts.take(), ElementsAre("v=2 [r1/new.test]", "v=3 [r1/none.test?]"));
  rig.send(kVirtualHost, "4", {}, {"r1/new.test"});
  EXPECT_THAT(hosts.take(), ElementsAre("v=4 [] -[r1/new.test]"));
  EXPECT_THAT(rig.sent(), ElementsAre("VHDS n5", "VHDS +[r1/none.test] -", "VHDS n6", "VHDS n7"));
  rig.send(kVirtualHost, "5", {}, {"r10/other.test"});
  rig.sent();
  reconnect();
  EXPECT_THAT(rig.sent(), ElementsAre("CDS s2 -", "LDS {main=1} s2 -", "RDS +[r1] {r1=1} s2 -",
                                      "VHDS +[* r1/new.test r1/none.test] {r1/first.test=1 r1/none.test=3} s2 -"));
}

TEST_F(Delta, ClustersOnDemandBesideAllOthers) {
  start_up({}, {}, {}, {});
  rig.sent();
  NotingUser asker;
  const auto subscription = rig.plane.subscribe(Rig::named(kCluster, {}), asker);
  subscription->ask({"c9"});
  EXPECT_THAT(rig.sent(), ElementsAre("CDS +[c9] -"));
  rig.send(kCluster, "2", {{"c9"}});
  EXPECT_THAT(asker.take(), ElementsAre("v=2 [c9]"));
  EXPECT_THAT(clusters->warm(), ElementsAre("c9"));
  subscription->ask({"c8", "c9"});
  rig.send(kCluster, "3", {}, {"c8"});
  EXPECT_THAT(asker.take(), ElementsAre("v=3 [] -[c8]"));
  EXPECT_THAT(rig.sent(), ElementsAre("CDS n3", "CDS +[c8] -", "CDS n4"));
  // What is not asked for by name any more may still be part of everything.
  subscription->ask({"c8"});
  EXPECT_THAT(rig.sent(), ElementsAre("CDS -[c9] -"));
  reconnect();
  EXPECT_THAT(rig.sent(), ElementsAre("CDS +[* c8] {c9=2} s2 -", "LDS s2 -"));
}

TEST_F(Delta, HeartbeatRenewsAndExpiryIsARemoval) {
  NotingUser all;
  const auto subscription = rig.plane.subscribe(Rig::everything(kCluster), all);
  rig.send(kCluster, "1", {Res{.name = "c1", .version = "v1", .ttl = 0.6}});
  rig.run(0.35);
  rig.send(kCluster, "1", {Res{.name = "c1", .version = "v1", .ttl = 0.6, .no_body = true}});
  EXPECT_THAT(all.take(), ElementsAre("v=1 [c1]", "v=1 []"));
  rig.run(0.5);
  EXPECT_THAT(all.take(), IsEmpty());
  rig.run(0.2);
  EXPECT_THAT(all.take(), ElementsAre("v= [] -[c1]"));
  rig.sent();
  reconnect();
  EXPECT_THAT(rig.sent(), ElementsAre("CDS s2 -"));
  rig.send(kCluster, "2", {Res{.name = "c1", .version = "v1", .ttl = 0.6, .no_body = true}});
  EXPECT_THAT(rig.sent(), ElementsAre("CDS s2 n3 error 13"));
}

TEST_F(Delta, ExpiryOfNamedResources) {
  start_up({{"c1", "c1"}}, {Res{.name = "c1", .ttl = 0.5}}, {{"main", "r1"}}, {Res{.name = "r1", .ttl = 0.5}});
  rig.send(kEndpoints, "1", {Res{.name = "c1", .ttl = 0.5, .no_body = true}});
  rig.send(kRoutes, "1", {Res{.name = "r1", .ttl = 0.5, .no_body = true}});
  rig.run(0.9);
  rig.sent();
  reconnect();
  EXPECT_THAT(rig.sent(), ElementsAre("CDS {c1=1} s2 -", "EDS +[c1] s2 -", "LDS {main=1} s2 -", "RDS +[r1] s2 -"));
}

TEST_F(Delta, ResourceWithoutTtlDoesNotExpireAnyMore) {
  NotingUser all;
  const auto subscription = rig.plane.subscribe(Rig::everything(kCluster), all);
  rig.send(kCluster, "1", {Res{.name = "c1", .ttl = 0.6}});
  rig.send(kCluster, "2", {{"c1"}});
  rig.run(2);
  EXPECT_THAT(all.take(), ElementsAre("v=1 [c1]", "v=2 [c1]"));
}

TEST_F(Delta, GivenUpAndWantedAgainBeforeARequestIsAskedForAnew) {
  NotingUser user;
  auto first = rig.plane.subscribe(Rig::named(kEndpoints, {"a", "b"}), user);
  rig.send(kEndpoints, "1", {{"a"}, {"b"}});
  rig.sent();
  rig.plane.pause(kEndpoints);
  first->ask({"b"});
  first->ask({"a", "b"});
  rig.plane.resume(kEndpoints);
  EXPECT_THAT(rig.sent(), ElementsAre("EDS +[a] -"));
}

TEST_F(Delta, FirstRequestsOfAStreamDoNotWaitForClusters) {
  start_up({}, {}, {}, {});
  rig.send(kCluster, "2", {{"c1", "c1"}});
  rig.sent();
  reconnect();
  EXPECT_THAT(rig.sent(), ElementsAre("CDS {c1=2} s2 -", "LDS s2 -", "EDS +[c1] s2 -"));
  rig.send(kCluster, "3", {}, {"c1"});
  EXPECT_THAT(rig.sent(), ElementsAre("EDS -[c1] s2 -", "CDS s2 n4"));
}

TEST_F(Delta, TypeThatWasNotAskedForOnThisStreamIsNotAnswered) {
  NotingUser user;
  auto routes = rig.plane.subscribe(Rig::named(kRoutes, {"r"}), user);
  rig.send(kRoutes, "1", {{"r"}});
  routes.reset();
  rig.sent();
  rig.send(kRoutes, "2", {{"r"}});
  EXPECT_THAT(rig.sent(), ElementsAre("RDS n2"));
  reconnect();
  rig.send(kRoutes, "3", {{"r"}});
  EXPECT_THAT(rig.sent(), IsEmpty());
}

TEST_F(Delta, StrangersAreNotHeldAndNotChecked) {
  NotingUser user;
  const auto subscription = rig.plane.subscribe(Rig::named(kEndpoints, {"a"}), user);
  rig.send(kEndpoints, "1", {{"a"}, Res{.name = "stranger", .broken = true}});
  EXPECT_THAT(user.take(), ElementsAre("v=1 [a]"));
  rig.sent();
  reconnect();
  EXPECT_THAT(rig.sent(), ElementsAre("EDS +[a] {a=1} s2 -"));
}

TEST_F(Delta, LaterUserOfAKnownTableAsksNothing) {
  NotingUser first;
  NotingUser second;
  const auto one = rig.plane.subscribe(Rig::named(kRoutes, {"r1"}), first);
  rig.send(kRoutes, "1", {{"r1"}});
  const auto two = rig.plane.subscribe(Rig::named(kRoutes, {"r1"}), second);
  rig.run(0.01);
  EXPECT_THAT(second.take(), ElementsAre("known v=1 [r1]"));
  EXPECT_THAT(rig.sent(), ElementsAre("RDS +[r1] -", "RDS n1"));
}

}  // namespace
}  // namespace sluice::test
