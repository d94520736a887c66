// Resources that come while the process runs: what is taken of an update, and what is not.
#include "config/resources.h"

#include <gtest/gtest.h>

#include "config/compile_scope.h"
#include "config/message_tree.h"
#include "envoy/config/cluster/v3/cluster.pb.h"
#include "envoy/config/endpoint/v3/endpoint.pb.h"
#include "envoy/config/listener/v3/listener.pb.h"
#include "envoy/config/route/v3/route.pb.h"
#include "envoy/extensions/upstreams/http/v3/http_protocol_options.pb.h"

namespace sluice::config {
namespace {

using envoy::config::cluster::v3::Cluster;
using envoy::config::route::v3::RouteConfiguration;
using envoy::config::route::v3::VirtualHost;

// Out of a file.
ResourceUpdate in_file(const std::string& text) {
  ResourceUpdate out;
  out.complete = true;
  out.file = "some.yaml";
  out.text = text;
  return out;
}

// From a control plane.
void add(ResourceUpdate& to, const std::string& name, const google::protobuf::Message& message) {
  Resource& one = to.resources.emplace_back();
  one.name = name;
  one.type_url = "type.googleapis.com/" + message.GetDescriptor()->full_name();
  one.body = bytes_of(message);
}

Cluster cluster_named(const std::string& name) {
  Cluster out;
  out.set_name(name);
  return out;
}

class Resources : public testing::Test {
 protected:
  static ScopeSettings settings() {
    ScopeSettings out;
    out.node = {"proxy", "test"};
    return out;
  }
  static std::string cluster(const std::string& name, const std::string& more = "") {
    return "  - {\"@type\": type.googleapis.com/envoy.config.cluster.v3.Cluster, name: " + name + more + "}\n";
  }
  static std::string endpoints(const std::string& name, const std::string& more = "") {
    return "  - {\"@type\": type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment, cluster_name: " + name +
           more + "}\n";
  }
  static std::string table(const std::string& name, const std::string& hosts = "[]") {
    return "  - {\"@type\": type.googleapis.com/envoy.config.route.v3.RouteConfiguration, name: " + name +
           ", virtual_hosts: " + hosts + "}\n";
  }

  Extensions extensions_;
  ResourceCompiler compiler_{extensions_, settings(), UnknownFields::kPass};
};

TEST_F(Resources, AClusterThatCannotBeBuiltLeavesTheOthers) {
  const auto batch = compiler_.clusters(in_file("version_info: v1\nresources:\n" + cluster("a") +
                                                cluster("b", ", type: ORIGINAL_DST, lb_policy: RING_HASH")));
  EXPECT_EQ(batch.verdict, Verdict::kPartly);
  EXPECT_EQ(batch.version, "v1");
  ASSERT_EQ(batch.resources.size(), 2u);
  EXPECT_NE(batch.resources[0].plan, nullptr);
  EXPECT_EQ(batch.resources[1].plan, nullptr);
  EXPECT_NE(batch.why.find("some.yaml:4:"), std::string::npos) << batch.why;
}

TEST_F(Resources, WhatAControlPlaneSentIsNamedInErrorsWithTheField) {
  ResourceUpdate update;
  update.version = "7";
  add(update, "a", cluster_named("a"));
  Cluster bad = cluster_named("b");
  bad.set_lb_policy(Cluster::CLUSTER_PROVIDED);
  add(update, "b", bad);
  const auto batch = compiler_.clusters(update);
  EXPECT_EQ(batch.verdict, Verdict::kPartly);
  ASSERT_EQ(batch.resources.size(), 2u);
  EXPECT_NE(batch.resources[0].plan, nullptr);
  EXPECT_EQ(batch.resources[0].version, "7");
  EXPECT_EQ(batch.why.find("'b': lb_policy: "), 0u) << batch.why;
}

TEST_F(Resources, OfTwoClustersOfOneNameTheFirstCounts) {
  const auto batch = compiler_.clusters(in_file("resources:\n" + cluster("a") + cluster("a", ", connect_timeout: 1s")));
  EXPECT_EQ(batch.verdict, Verdict::kPartly);
  ASSERT_EQ(batch.resources.size(), 1u);
  EXPECT_EQ(batch.resources[0].plan->connect_timeout, std::chrono::seconds(5));
}

TEST_F(Resources, OfTwoAssignmentsOfOneNameTheFirstCountsAndNobodyComplains) {
  const auto batch = compiler_.assignments(in_file("resources:\n" + endpoints("svc") + endpoints("svc")), "c");
  EXPECT_EQ(batch.verdict, Verdict::kTaken);
  EXPECT_EQ(batch.resources.size(), 1u);
}

TEST_F(Resources, ABrokenRuleRefusesTheWholeUpdate) {
  const auto batch = compiler_.clusters(
      in_file("resources:\n" + cluster("a") + cluster("b", ", ring_hash_lb_config: {minimum_ring_size: 9000000}")));
  EXPECT_EQ(batch.verdict, Verdict::kRejected);
  EXPECT_TRUE(batch.resources.empty());
  ResourceUpdate update;
  add(update, "a", cluster_named("a"));
  Cluster bad = cluster_named("b");
  bad.mutable_ring_hash_lb_config()->mutable_minimum_ring_size()->set_value(9000000);
  add(update, "b", bad);
  const auto sent = compiler_.clusters(update);
  EXPECT_EQ(sent.verdict, Verdict::kRejected);
  EXPECT_NE(sent.why.find("'b': ring_hash_lb_config.minimum_ring_size"), std::string::npos) << sent.why;
}

// One in a list, one in a map: the resource is not built, and what comes beside it is.
TEST_F(Resources, ABrokenRuleOfAnExtensionRefusesItsResource) {
  const std::string in_list =
      ", transport_socket: {name: tls, typed_config: {\"@type\": type.googleapis.com/"
      "envoy.extensions.transport_sockets.proxy_protocol.v3.ProxyProtocolUpstreamTransport}}";
  const std::string in_map =
      ", typed_extension_protocol_options: {envoy.extensions.upstreams.http.v3.HttpProtocolOptions: {\"@type\": "
      "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions}}";
  for (const std::string& more : {in_list, in_map}) {
    const auto batch = compiler_.clusters(in_file("resources:\n" + cluster("a") + cluster("b", more)));
    EXPECT_EQ(batch.verdict, Verdict::kPartly);
    ASSERT_EQ(batch.resources.size(), 2u);
    EXPECT_NE(batch.resources[0].plan, nullptr);
    EXPECT_EQ(batch.resources[1].plan, nullptr);
    EXPECT_NE(batch.why.find("must be set"), std::string::npos) << batch.why;
  }
  ResourceUpdate update;
  add(update, "a", cluster_named("a"));
  Cluster bad = cluster_named("b");
  envoy::extensions::upstreams::http::v3::HttpProtocolOptions options;
  (*bad.mutable_typed_extension_protocol_options())["http"].PackFrom(options);
  add(update, "b", bad);
  const auto sent = compiler_.clusters(update);
  EXPECT_EQ(sent.verdict, Verdict::kPartly);
  ASSERT_EQ(sent.resources.size(), 2u);
  EXPECT_NE(sent.resources[0].plan, nullptr);
  EXPECT_EQ(sent.why.find("'b': typed_extension_protocol_options[\"http\"]"), 0u) << sent.why;
  EXPECT_NE(sent.why.find("must be set"), std::string::npos) << sent.why;
}

TEST_F(Resources, WhatIsNoResponseIsUnreadable) {
  EXPECT_EQ(compiler_.clusters(in_file("resources: [ this is broken")).verdict, Verdict::kUnreadable);
  EXPECT_EQ(compiler_.assignments(in_file(""), "c").verdict, Verdict::kUnreadable);
  EXPECT_EQ(compiler_.routes(in_file("resources:\n  - {\"@type\": type.googleapis.com/no.such.Type}\n")).verdict,
            Verdict::kUnreadable);
}

TEST_F(Resources, WhatIsOfAnotherTypeIsRejected) {
  EXPECT_EQ(compiler_.clusters(in_file("resources:\n" + endpoints("svc"))).verdict, Verdict::kRejected);
  ResourceUpdate update;
  add(update, "svc", envoy::config::endpoint::v3::ClusterLoadAssignment());
  EXPECT_EQ(compiler_.clusters(update).verdict, Verdict::kRejected);
  update.resources[0].type_url = "type.googleapis.com/no.such.Type";
  EXPECT_EQ(compiler_.clusters(update).verdict, Verdict::kRejected);
  update.resources[0].type_url = "type.googleapis.com/envoy.config.cluster.v3.Cluster";
  update.resources[0].body = "\xff\xff\xff";
  EXPECT_EQ(compiler_.clusters(update).verdict, Verdict::kRejected);
}

TEST_F(Resources, UnknownFieldsPassAndAreToldUnlessTheyAreRefused) {
  ResourceCompiler strict(extensions_, settings(), UnknownFields::kRefuse);
  const ResourceUpdate file = in_file("resources:\n" + cluster("a", ", no_such_field: 1"));
  EXPECT_EQ(compiler_.clusters(file).verdict, Verdict::kTaken);
  EXPECT_EQ(strict.clusters(file).verdict, Verdict::kUnreadable);
  ResourceUpdate update;
  add(update, "a", cluster_named("a"));
  update.resources[0].body += std::string("\xb8\xbb\x01\x05", 4);  // field 2999: 5
  const auto batch = compiler_.clusters(update);
  EXPECT_EQ(batch.verdict, Verdict::kTaken);
  EXPECT_EQ(batch.unknown, std::vector<std::string>{"a: field 2999 of envoy.config.cluster.v3.Cluster"});
  EXPECT_EQ(strict.clusters(update).verdict, Verdict::kRejected);
}

TEST_F(Resources, AnAccessLoggerThatNobodyKnowsIsLeftOutOfAListenerThatWasSent) {
  envoy::config::listener::v3::Listener listener;
  listener.set_name("l");
  listener.mutable_address()->mutable_socket_address()->set_address("127.0.0.1");
  listener.mutable_address()->mutable_socket_address()->set_port_value(80);
  listener.add_filter_chains();
  auto& log = *listener.add_access_log();
  log.set_name("als");
  log.mutable_typed_config()->set_type_url("type.googleapis.com/some.Logger");
  ResourceUpdate update;
  add(update, "l", listener);
  const auto batch = compiler_.listeners(update);
  EXPECT_EQ(batch.verdict, Verdict::kTaken) << batch.why;
  ASSERT_EQ(batch.unknown.size(), 1u);
  EXPECT_EQ(batch.unknown[0], "l: access_log[0].typed_config: not supported yet: some.Logger");
}

TEST_F(Resources, RoutesMayNameClustersThatDoNotExist) {
  const auto batch = compiler_.routes(
      in_file("resources:\n" +
              table("dyn", "[{name: v, domains: ['*'], routes: [{match: {prefix: /}, route: {cluster: nowhere}}]}]")));
  EXPECT_EQ(batch.verdict, Verdict::kTaken) << batch.why;
  ASSERT_EQ(batch.resources.size(), 1u);
  EXPECT_EQ(batch.resources[0].name, "dyn");
  EXPECT_NE(batch.resources[0].plan, nullptr);
  const auto twice = compiler_.routes(in_file(
      "resources:\n" + table("dyn", "[{name: v, domains: ['*'], routes: []}, {name: w, domains: ['*'], routes: []}]")));
  EXPECT_EQ(twice.verdict, Verdict::kPartly);
  EXPECT_EQ(twice.resources[0].plan, nullptr);
}

TEST_F(Resources, TheSameContentHasTheSameBytes) {
  const std::string metadata = ", metadata: {filter_metadata: {x: {}, y: {}, z: {}, a: {}, b: {}}}";
  const ResourceUpdate update = in_file("resources:\n" + cluster("a", metadata));
  EXPECT_EQ(compiler_.clusters(update).resources[0].bytes, compiler_.clusters(update).resources[0].bytes);
}

VirtualHost host_named(const std::string& name, const std::string& domain) {
  VirtualHost out;
  out.set_name(name);
  out.add_domains(domain);
  return out;
}

RouteConfiguration table_with_vhds() {
  RouteConfiguration out;
  out.set_name("r");
  *out.add_virtual_hosts() = host_named("fixed", "fixed.test");
  out.mutable_vhds()->mutable_config_source()->mutable_ads();
  return out;
}

TEST_F(Resources, HostsOfVhdsStandBesideThoseOfTheTable) {
  const auto batch =
      compiler_.routes(bytes_of(table_with_vhds()), {{"r/a", bytes_of(host_named("a", "a.test"))}}, nullptr);
  ASSERT_EQ(batch.verdict, Verdict::kTaken) << batch.why;
  const model::RouteTable& table = *batch.resources.at(0).plan;
  ASSERT_EQ(table.hosts.size(), 2u);
  EXPECT_EQ(table.hosts[0]->name, "fixed");
  EXPECT_EQ(table.hosts[1]->name, "a");
  EXPECT_EQ(table.vhds.kind, model::ConfigSource::Kind::kAds);
}

TEST_F(Resources, TwoHostsOfOneDomainRefuseTheTable) {
  const auto batch = compiler_.routes(
      bytes_of(table_with_vhds()),
      {{"r/a", bytes_of(host_named("a", "A.test"))}, {"r/b", bytes_of(host_named("b", "a.test"))}}, nullptr);
  EXPECT_EQ(batch.verdict, Verdict::kPartly);
  EXPECT_NE(batch.why.find("'a.test' stands twice"), std::string::npos) << batch.why;
}

TEST_F(Resources, VhdsTakesAControlPlaneThatTellsChanges) {
  RouteConfiguration polled = table_with_vhds();
  polled.mutable_vhds()->mutable_config_source()->mutable_path_config_source()->set_path(
      "test/config/resources_test.cc");
  ResourceUpdate update;
  add(update, "r", polled);
  const auto batch = compiler_.routes(update);
  EXPECT_EQ(batch.verdict, Verdict::kPartly);
  EXPECT_NE(batch.why.find("vhds.config_source: must be a control plane that speaks DELTA_GRPC"), std::string::npos)
      << batch.why;
}

}  // namespace
}  // namespace sluice::config
