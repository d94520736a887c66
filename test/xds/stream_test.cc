// Streams that end, are slow, are many; polling; bytes that make no sense.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/strings.h"
#include "test/xds/rig/rig.h"

namespace sluice::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using xds::Options;
using Protocol = Options::Protocol;
using enum ResourceType;

void back_off(Options& options, int base_ms, int max_ms) {
  options.back_off_base = std::chrono::milliseconds(base_ms);
  options.back_off_max = std::chrono::milliseconds(max_ms);
}

TEST(XdsStream, NewStreamKeepsVersionsForgetsNoncesAndHasTheNodeOnce) {
  Rig rig(Protocol::kSotw, [](Options& options) { options.send_node = Options::SendNode::kOnFirstMessage; });
  Owners clusters(rig.plane, kCluster, Duration(0));
  rig.send(kCluster, "1", {{"c1", "c1"}});
  rig.send(kEndpoints, "1", {{"c1"}});
  Owners listeners(rig.plane, kListener, Duration(0));
  rig.send(kListener, "1", {{"main", "r1"}});
  rig.send(kRoutes, "1", {{"r1"}});
  EXPECT_THAT(rig.sent(), ElementsAre("CDS v= [] -", "EDS v= [c1] - no node", "CDS v=1 [] n1 no node",
                                      "EDS v=1 [c1] n2 no node", "LDS v= [] - no node", "RDS v= [r1] - no node",
                                      "LDS v=1 [] n3 no node", "RDS v=1 [r1] n4 no node"));
  rig.send(kCluster, "bad", {Res{.name = "c1", .type_instead = kEndpoints}});
  rig.sent();
  rig.end(14);
  EXPECT_EQ(rig.plane.numbers().open_streams, 0u);
  rig.run(0.6);
  EXPECT_EQ(rig.plane.numbers().open_streams, 1u);
  EXPECT_THAT(rig.sent(), ElementsAre("CDS v=1 [] s2 -", "EDS v=1 [c1] s2 - no node", "LDS v=1 [] s2 - no node",
                                      "RDS v=1 [r1] s2 - no node"));
}

TEST(XdsStream, TypesWithoutUsersAreAskedForWithEmptyLists) {
  Rig rig(Protocol::kSotw);
  Owners clusters(rig.plane, kCluster, Duration(0));
  rig.send(kCluster, "1", {{"c1", "c1"}});
  rig.send(kEndpoints, "1", {{"c1"}});
  rig.send(kCluster, "2", {});
  rig.sent();
  rig.end();
  rig.run(1);
  EXPECT_THAT(rig.sent(), ElementsAre("CDS v=2 [] s2 -", "EDS v=1 [] s2 -"));
}

TEST(XdsStream, FirstRequestOfAStreamDoesNotWaitForClusters) {
  Rig rig(Protocol::kSotw);
  Owners clusters(rig.plane, kCluster, Duration(0));
  clusters.hold_answers = true;
  rig.send(kCluster, "1", {{"c1", "c1"}});
  EXPECT_THAT(rig.sent(), ElementsAre("CDS v= [] -", "EDS v= [c1] -"));
  rig.end();
  rig.run(1);
  EXPECT_THAT(rig.sent(), ElementsAre("CDS v=1 [] s2 -", "EDS v= [c1] s2 -"));
  // The new control plane does not know the cluster that is waited for.
  rig.send(kCluster, "2", {});
  EXPECT_THAT(rig.sent(), ElementsAre("EDS v= [] s2 -", "CDS v=2 [] s2 n2"));
}

TEST(XdsStream, BacksOffWithJitterUntilAMessageCame) {
  Rig rig(Protocol::kSotw, [](Options& options) { back_off(options, 500, 3000); });
  NotingUser user;
  const auto subscription = rig.plane.subscribe(Rig::everything(kCluster), user);
  std::vector<int64_t> waits;
  const auto end_and_wait = [&] {
    const size_t before = rig.transport.streams.size();
    const auto began = rig.world.now();
    rig.end();
    EXPECT_TRUE(rig.world.run_until([&] { return rig.transport.streams.size() > before; }));
    waits.push_back(to_ms(rig.world.now() - began));
  };
  for (int i = 0; i < 40; ++i) end_and_wait();
  EXPECT_LE(waits[0], 502);
  EXPECT_LE(waits[1], 1002);
  EXPECT_LE(waits[2], 2002);
  EXPECT_LE(*std::max_element(waits.begin(), waits.end()), 3002);
  EXPECT_GT(*std::max_element(waits.begin() + 3, waits.end()), 2500);
  EXPECT_LT(*std::min_element(waits.begin() + 3, waits.end()), 500);
  EXPECT_EQ(user.take().size(), 40u);
  for (int i = 0; i < 20; ++i) {
    rig.send(kCluster, "1", {});
    waits.clear();
    end_and_wait();
    EXPECT_LE(waits[0], 502);
  }
}

TEST(XdsStream, DefaultsOfTheBackOffAreThoseOfEnvoy) {
  EXPECT_EQ(Options().back_off_base, std::chrono::milliseconds(500));
  EXPECT_EQ(Options().back_off_max, std::chrono::seconds(30));
  EXPECT_EQ(xds::Interest().initial_fetch_timeout, std::chrono::seconds(15));
  EXPECT_EQ(Options().request_timeout, std::chrono::seconds(1));
  EXPECT_EQ(Options::RateLimit().max_tokens, 100u);
  EXPECT_EQ(Options::RateLimit().fill_rate, 10);
}

TEST(XdsStream, BytesThatAreNoResponseEndTheStreamAndDoNotResetTheBackOff) {
  for (const Protocol protocol : {Protocol::kSotw, Protocol::kDelta}) {
    Rig rig(protocol, [](Options& options) { back_off(options, 100, 100'000); });
    NotingUser user;
    const auto subscription = rig.plane.subscribe(Rig::everything(kCluster), user);
    for (int i = 0; i < 5; ++i) {
      rig.send_bytes("\x0a\xff");
      EXPECT_EQ(rig.plane.numbers().open_streams, 0u);
      rig.run(30);
      EXPECT_EQ(rig.plane.numbers().open_streams, 1u);
    }
    EXPECT_THAT(user.take(), ElementsAre("failed", "failed", "failed", "failed", "failed"));
  }
}

TEST(XdsStream, MetadataPathAndIdentifier) {
  Rig rig(Protocol::kSotw, [](Options& options) { options.metadata = {{"x-token", "secret"}}; });
  const auto& stream = *rig.transport.streams.front();
  EXPECT_EQ(stream.path, "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources");
  EXPECT_EQ(stream.metadata.front().value, "secret");
  NotingUser user;
  const auto subscription = rig.plane.subscribe(Rig::everything(kCluster), user);
  rig.identifier = "plane-7";
  rig.send(kCluster, "1", {});
  EXPECT_EQ(rig.plane.numbers().identifier, "plane-7");
  EXPECT_EQ(rig.history.pushes().back().control_plane, "plane-7");
}

TEST(XdsStream, RateLimitSlowsRequestsDownAndLateAnswersSayTheNewest) {
  Rig rig(Protocol::kSotw, [](Options& options) { options.rate_limit = Options::RateLimit{3, 10}; });
  NotingUser user;
  const auto subscription = rig.plane.subscribe(Rig::everything(kCluster), user);
  rig.send(kCluster, "1", {});
  rig.send(kCluster, "2", {});
  EXPECT_EQ(rig.sent().size(), 3u);
  EXPECT_EQ(rig.plane.numbers().rate_limit_enforced, 0u);
  rig.send(kCluster, "3", {});
  rig.send(kCluster, "4", {});
  EXPECT_THAT(rig.sent(), IsEmpty());
  EXPECT_GE(rig.plane.numbers().rate_limit_enforced, 1u);
  EXPECT_EQ(rig.plane.numbers().pending_requests, 2u);
  EXPECT_FALSE(rig.history.pushes().back().answered);
  rig.run(0.11);
  EXPECT_THAT(rig.sent(), ElementsAre("CDS v=4 [] n4"));
  EXPECT_EQ(to_ms(*rig.history.pushes().back().answered), 100);
  rig.run(0.1);
  EXPECT_THAT(rig.sent(), ElementsAre("CDS v=4 [] n4"));
  EXPECT_EQ(rig.plane.numbers().pending_requests, 0u);
}

TEST(XdsStream, RateLimitKeepsEveryAnswerOfDelta) {
  Rig rig(Protocol::kDelta, [](Options& options) { options.rate_limit = Options::RateLimit{1, 10}; });
  NotingUser user;
  const auto subscription = rig.plane.subscribe(Rig::everything(kCluster), user);
  const auto named = rig.plane.subscribe(Rig::named(kEndpoints, {"e"}), user);
  rig.send(kCluster, "1", {});
  rig.send(kCluster, "2", {});
  EXPECT_THAT(rig.sent(), ElementsAre("CDS -"));
  EXPECT_EQ(rig.plane.numbers().pending_requests, 2u);
  rig.run(0.11);
  EXPECT_THAT(rig.sent(), ElementsAre("CDS n1"));
  rig.run(0.3);
  EXPECT_THAT(rig.sent(), ElementsAre("CDS n2", "EDS +[e] -"));
}

TEST(XdsStream, SubscriptionsOfAnEndedStreamWaitForTheNext) {
  Rig rig(Protocol::kSotw);
  NotingUser user;
  const auto one = rig.plane.subscribe(Rig::everything(kCluster), user);
  rig.end();
  const auto two = rig.plane.subscribe(Rig::named(kEndpoints, {"e"}), user);
  rig.sent();
  rig.run(1);
  EXPECT_THAT(rig.sent(), ElementsAre("CDS v= [] s2 -", "EDS v= [e] s2 -"));
}

TEST(XdsStream, OwnStreamsForEverySubscription) {
  Rig rig(Protocol::kSotw, [](Options& options) { options.streams = Options::Streams::kSeparate; });
  NotingUser user;
  NotingUser secrets;
  const auto clusters = rig.plane.subscribe(Rig::everything(kCluster), user);
  auto e1 = rig.plane.subscribe(Rig::named(kEndpoints, {"e1"}), user);
  const auto e1_again = rig.plane.subscribe(Rig::named(kEndpoints, {"e1"}), user);
  const auto s1 = rig.plane.subscribe(Rig::named(kSecret, {"s1"}), secrets);
  const auto s1_again = rig.plane.subscribe(Rig::named(kSecret, {"s1"}), secrets);
  std::vector<std::string> paths;
  for (const auto& stream : rig.transport.streams) paths.push_back(stream->path);
  EXPECT_THAT(paths, ElementsAre("/envoy.service.cluster.v3.ClusterDiscoveryService/StreamClusters",
                                 "/envoy.service.endpoint.v3.EndpointDiscoveryService/StreamEndpoints",
                                 "/envoy.service.endpoint.v3.EndpointDiscoveryService/StreamEndpoints",
                                 "/envoy.service.secret.v3.SecretDiscoveryService/StreamSecrets"));
  EXPECT_THAT(rig.sent(), ElementsAre("CDS v= [] -", "EDS v= [e1] s2 -", "EDS v= [e1] s3 -", "SDS v= [s1] s4 -"));
  EXPECT_EQ(rig.plane.numbers().open_streams, 4u);
  e1.reset();
  EXPECT_EQ(rig.plane.numbers().open_streams, 3u);
  rig.send(kSecret, "1", {{"s1"}});
  EXPECT_THAT(secrets.take(), ElementsAre("v=1 [s1]", "v=1 [s1]"));
  // A stream that ends is opened again alone.
  rig.end();
  rig.run(1);
  EXPECT_THAT(rig.sent(), ElementsAre("SDS v=1 [s1] s4 n1", "SDS v=1 [s1] s5 -"));
}

TEST(XdsStream, SubscriptionMayEndInsideItsOwnResponse) {
  for (const Protocol protocol : {Protocol::kSotw, Protocol::kDelta, Protocol::kRest}) {
    Rig rig(protocol, [](Options& options) { options.streams = Options::Streams::kSeparate; });
    NotingUser user;
    auto subscription = rig.plane.subscribe(Rig::named(kEndpoints, {"e"}), user);
    user.hook = [&](const config::ResourceUpdate&) { subscription.reset(); };
    if (protocol == Protocol::kRest) {
      rig.transport.answer(*rig.transport.fetches.front(), 200,
                           R"({"version_info": "1", "resources": [{"cluster_name": "e", "@type":
                               "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment"}]})");
    } else {
      rig.send(kEndpoints, "1", {{"e"}});
    }
    EXPECT_THAT(user.take(), ElementsAre("v=1 [e]"));
    rig.run(60);
    EXPECT_EQ(rig.plane.numbers().open_streams, 0u);
    EXPECT_LE(rig.transport.streams.size() + rig.transport.fetches.size(), 1u);
  }
}

TEST(XdsStream, SubscriptionMayOutliveItsControlPlane) {
  std::unique_ptr<config::Subscription> subscription;
  NotingUser user;
  Rig rig(Protocol::kSotw);
  {
    xds::ControlPlane plane(rig.loop, rig.random, rig.transport, {}, rig.history);
    subscription = plane.subscribe(Rig::named(kRoutes, {"r"}, std::chrono::seconds(1)), user);
  }
  subscription->ask({"s"});
  rig.run(2);
  subscription.reset();
  EXPECT_THAT(user.take(), IsEmpty());
}

TEST(XdsStream, NothingIsOpenedBeforeStart) {
  Rig rig(Protocol::kSotw);
  NotingUser user;
  xds::ControlPlane plane(rig.loop, rig.random, rig.transport, {}, rig.history);
  const auto subscription = plane.subscribe(Rig::everything(kCluster, std::chrono::seconds(1)), user);
  EXPECT_EQ(rig.transport.streams.size(), 1u);  // the rig's own
  rig.run(2);
  EXPECT_THAT(user.take(), ElementsAre("timeout"));
  plane.start();
  EXPECT_EQ(rig.transport.streams.size(), 2u);
  EXPECT_EQ(rig.transport.streams.back()->sent.size(), 1u);
}

TEST(XdsStream, TextOfANackIsUtf8AndOfBoundedLength) {
  Rig rig(Protocol::kSotw);
  NotingUser user;
  user.refuse_with = "name \xff\xfe";
  const auto subscription = rig.plane.subscribe(Rig::everything(kCluster), user);
  rig.send(kCluster, "1", {});
  rig.sent();
  EXPECT_EQ(rig.last_error, "name ??");
  user.refuse_with = "";
  for (int i = 0; i < 3000; ++i) user.refuse_with += "\xc3\xa4";
  rig.send(kCluster, "2", {});
  rig.sent();
  EXPECT_EQ(rig.last_error.size(), 4096 + std::string("...(truncated)").size());
}

TEST(XdsStream, HistoryIsBoundedAndReadable) {
  Rig rig(Protocol::kDelta);
  NotingUser user;
  const auto subscription = rig.plane.subscribe(Rig::everything(kCluster), user);
  for (int i = 0; i < 150; ++i) rig.send(kCluster, cat("v", i), {{cat("c", i)}}, {"gone"});
  user.refuse_with = "no \"good\"";
  rig.send(kCluster, "last", {{"bad"}});
  EXPECT_EQ(rig.history.pushes().size(), xds::History::kMost);
  EXPECT_EQ(rig.history.pushes().back().number, 151u);
  EXPECT_EQ(rig.history.pushes().front().removed.front(), "gone");
  const std::string json = rig.history.to_json();
  EXPECT_THAT(json, HasSubstr(R"("type":"CDS","version":"last")"));
  EXPECT_THAT(json, HasSubstr(R"("verdict":"rejected","why":"no \"good\"","answered_after_ms":0)"));
  EXPECT_LT(json.find("\"last\""), json.find("\"v149\""));
}

TEST(XdsStream, HistoryHasWhenAllWorkersHadWhatChanged) {
  Rig rig(Protocol::kSotw);
  std::vector<Function<void()>> waiting;
  rig.history.on_published([&](Function<void()> then) { waiting.push_back(std::move(then)); });
  NotingUser user;
  const auto subscription = rig.plane.subscribe(Rig::everything(kCluster), user);
  rig.send(kCluster, "1", {{"a"}});
  ASSERT_EQ(waiting.size(), 1u);
  EXPECT_THAT(rig.history.to_json(), Not(HasSubstr("in_force_after_us")));
  rig.run(0.0035);
  waiting.front()();
  EXPECT_THAT(rig.history.to_json(), HasSubstr(R"("in_force_after_us":3500})"));
  // Nothing is another, or a rule is broken: there is nothing to wait for.
  rig.send(kCluster, "2", {{"a"}});
  EXPECT_EQ(waiting.size(), 1u);
  // Refused, but what its users did take is published.
  user.refuse_with = "no";
  rig.send(kCluster, "3", {{"a", "svc"}, {"b"}});
  EXPECT_EQ(waiting.size(), 2u);
  // It may be forgotten before.
  user.refuse_with = "";
  for (size_t i = 0; i < xds::History::kMost; ++i) rig.send(kCluster, cat("v", i), {{cat("c", i)}});
  waiting[1]();
  EXPECT_THAT(rig.history.to_json(), Not(HasSubstr("in_force_after_us")));
}

TEST(XdsStream, HistorySaysWhatIsDifferent) {
  Rig rig(Protocol::kSotw);
  NotingUser user;
  const auto clusters = rig.plane.subscribe(Rig::everything(kCluster), user);
  const auto secrets = rig.plane.subscribe(Rig::named(kSecret, {"s"}), user);
  const auto lines = [&] { return rig.history.pushes().back().lines; };
  rig.send(kCluster, "1", {{"a", "svc"}, {"b"}});
  EXPECT_THAT(lines(), ElementsAre("a: new", "b: new"));
  rig.send(kCluster, "2", {{"a", "other"}, {"c"}});
  EXPECT_THAT(lines(), ElementsAre("a: eds_cluster_config.service_name: \"svc\" -> \"other\"", "c: new", "b: gone"));
  EXPECT_THAT(rig.history.pushes().back().changed, ElementsAre("a", "c"));
  EXPECT_THAT(rig.history.pushes().back().removed, ElementsAre("b"));
  rig.send(kCluster, "2", {{"a", "other"}, {"c"}});
  EXPECT_THAT(lines(), IsEmpty());
  EXPECT_EQ(rig.history.pushes().back().resources, 2u);
  EXPECT_EQ(rig.history.pushes().back().changes, 0u);
  rig.send(kSecret, "1", {{"s"}});
  rig.send(kSecret, "2", {Res{.name = "s", .broken = true}});
  EXPECT_THAT(lines(), ElementsAre("s: changed"));
  std::vector<Res> many;
  for (int i = 0; i < 1000; ++i) many.push_back({cat("c", i)});
  rig.send(kCluster, "3", many);
  EXPECT_EQ(lines().size(), xds::History::kMostLines);
  EXPECT_EQ(rig.history.pushes().back().changed.size(), xds::History::kMostNames);
  EXPECT_EQ(rig.history.pushes().back().changes, 1000u);
}

TEST(XdsStream, PlanesDoNotKnowOfEachOther) {
  Rig rig(Protocol::kSotw);
  FakeTransport other_transport;
  Options separate;
  separate.streams = Options::Streams::kSeparate;
  xds::ControlPlane other(rig.loop, rig.random, other_transport, separate, rig.history);
  other.start();
  Owners clusters(rig.plane, kCluster, Duration(0));
  NotingUser listeners;
  std::unique_ptr<config::Subscription> routes;
  NotingUser tables;
  listeners.hook = [&](const config::ResourceUpdate&) {
    routes = rig.plane.subscribe(Rig::named(kRoutes, {"r1"}), tables);
  };
  const auto subscription = other.subscribe(Rig::everything(kListener), listeners);
  rig.plane.pause(kListener);
  EXPECT_EQ(other_transport.streams.front()->path,
            "/envoy.service.listener.v3.ListenerDiscoveryService/StreamListeners");
  other_transport.streams.front()->owner->on_message(rig.response(kListener, "1", {{"main", "r1"}}, {}, "x1"));
  EXPECT_EQ(other_transport.streams.front()->sent.size(), 2u);
  EXPECT_THAT(rig.sent(), ElementsAre("CDS v= [] -", "RDS v= [r1] -"));
  rig.end();
  EXPECT_THAT(listeners.take(), ElementsAre("v=1 [main] complete"));
  EXPECT_EQ(other.numbers().open_streams, 1u);
}

// ---- REST

TEST(XdsRest, PollsWithTheVersionThatWasTaken) {
  Rig rig(Protocol::kRest, [](Options& options) { options.refresh_delay = std::chrono::milliseconds(500); });
  NotingUser user;
  const auto subscription = rig.plane.subscribe(Rig::everything(kCluster, std::chrono::seconds(15)), user);
  const auto newest = [&]() -> FakeTransport::Fetch& { return *rig.transport.fetches.back(); };
  EXPECT_EQ(newest().request.path, "/v3/discovery:clusters");
  EXPECT_EQ(newest().request.timeout, std::chrono::seconds(1));
  EXPECT_EQ(newest().request.body,
            R"({"node":{"id":"node"},"type_url":"type.googleapis.com/envoy.config.cluster.v3.Cluster"})");
  const auto answer = [&](uint32_t status, std::string_view body) {
    const size_t before = rig.transport.fetches.size();
    rig.transport.answer(newest(), status, body);
    rig.run(0.45);
    EXPECT_EQ(rig.transport.fetches.size(), before);
    rig.run(0.6);
    EXPECT_EQ(rig.transport.fetches.size(), before + 1);
  };
  answer(200, R"({"version_info": "1", "resources": [
      {"@type": "type.googleapis.com/envoy.config.cluster.v3.Cluster", "name": "c1", "connect_timeout": "1s", "new": 1}]})");
  EXPECT_THAT(user.take(), ElementsAre("v=1 [c1] complete"));
  EXPECT_THAT(newest().request.body, HasSubstr(R"("version_info":"1")"));
  answer(304, "");
  EXPECT_THAT(user.take(), IsEmpty());
  answer(503, "");
  answer(200, "{");
  answer(200, R"({"version_info": "2", "resources": [{"@type": "type.googleapis.com/test.Unknown"}]})");
  answer(200, R"({"version_info": "2", "resources": [
      {"@type": "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment", "cluster_name": "c1"}]})");
  EXPECT_THAT(user.take(), ElementsAre("failed", "rejected", "rejected", "rejected"));
  user.refuse_with = "no";
  answer(200, R"({"version_info": "3"})");
  EXPECT_THAT(newest().request.body, HasSubstr(R"("version_info":"1")"));
  EXPECT_EQ(rig.history.pushes().back().refused, "no");
}

TEST(XdsRest, NamesAndFailures) {
  Rig rig(Protocol::kRest);
  NotingUser user;
  auto subscription = rig.plane.subscribe(Rig::named(kRoutes, {"a", "b"}), user);
  EXPECT_EQ(rig.transport.fetches.back()->request.path, "/v3/discovery:routes");
  EXPECT_THAT(rig.transport.fetches.back()->request.body, HasSubstr(R"("resource_names":["a","b"])"));
  xds::AdsFetchOwner* const owner = std::exchange(rig.transport.fetches.back()->owner, nullptr);
  owner->on_fetch_failed("timeout");
  EXPECT_THAT(user.take(), ElementsAre("failed"));
  rig.run(2.1);
  EXPECT_EQ(rig.transport.fetches.size(), 2u);
  subscription.reset();
  EXPECT_EQ(rig.transport.fetches.back()->owner, nullptr);
  rig.run(10);
  EXPECT_EQ(rig.transport.fetches.size(), 2u);
}

}  // namespace
}  // namespace sluice::test
