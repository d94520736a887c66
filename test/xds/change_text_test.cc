// What the history says about a change.
#include "xds/change_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "envoy/config/cluster/v3/cluster.pb.h"
#include "envoy/config/endpoint/v3/endpoint.pb.h"
#include "envoy/config/route/v3/route.pb.h"
#include "envoy/extensions/transport_sockets/tls/v3/tls.pb.h"

namespace sluice::xds {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> change(const google::protobuf::Message& before, const google::protobuf::Message& after,
                                size_t most = 20) {
  return describe_change("type.googleapis.com/" + before.GetDescriptor()->full_name(), before.SerializeAsString(),
                         after.SerializeAsString(), most);
}

TEST(ChangeText, ValuesOfFields) {
  envoy::config::route::v3::RouteConfiguration before;
  before.set_name("r");
  auto* const clusters = before.add_virtual_hosts()->add_routes()->mutable_route()->mutable_weighted_clusters();
  clusters->add_clusters()->mutable_weight()->set_value(90);
  auto after = before;
  after.mutable_virtual_hosts(0)
      ->mutable_routes(0)
      ->mutable_route()
      ->mutable_weighted_clusters()
      ->mutable_clusters(0)
      ->mutable_weight()
      ->set_value(80);
  EXPECT_THAT(change(before, after),
              ElementsAre("virtual_hosts[0].routes[0].route.weighted_clusters.clusters[0].weight.value: 90 -> 80"));
  EXPECT_THAT(change(before, before), IsEmpty());
}

TEST(ChangeText, ElementsThatComeAndGo) {
  envoy::config::route::v3::RouteConfiguration before;
  for (const char* name : {"a", "b", "c", "d", "e"}) before.add_virtual_hosts()->set_name(name);
  auto after = before;
  after.mutable_virtual_hosts()->DeleteSubrange(1, 1);
  EXPECT_THAT(change(before, after), ElementsAre("virtual_hosts[1] is gone: {name: \"b\"}"));
  EXPECT_THAT(change(after, before), ElementsAre("virtual_hosts[1] is new: {name: \"b\"}"));
}

TEST(ChangeText, SecretsAreNotShown) {
  envoy::extensions::transport_sockets::tls::v3::UpstreamTlsContext tls;
  tls.mutable_common_tls_context()->add_tls_certificates()->mutable_private_key()->set_inline_string("key one");
  envoy::config::cluster::v3::Cluster before;
  before.mutable_transport_socket()->mutable_typed_config()->PackFrom(tls);
  auto after = before;
  tls.mutable_common_tls_context()->mutable_tls_certificates(0)->mutable_private_key()->set_inline_string("key two");
  after.mutable_transport_socket()->mutable_typed_config()->PackFrom(tls);
  for (const auto& [one, two] : {std::pair(before, after),
                                 {envoy::config::cluster::v3::Cluster(), after},
                                 {before, envoy::config::cluster::v3::Cluster()}}) {
    const auto lines = change(one, two);
    ASSERT_FALSE(lines.empty());
    for (const auto& line : lines) EXPECT_THAT(line, testing::Not(testing::HasSubstr("key "))) << line;
  }
}

TEST(ChangeText, Bounds) {
  envoy::config::endpoint::v3::ClusterLoadAssignment before;
  auto after = before;
  for (int i = 0; i < 50; ++i) {
    after.add_endpoints()->set_priority(static_cast<uint32_t>(i));
  }
  const auto lines = change(before, after, 3);
  EXPECT_EQ(lines.size(), 4u);
  EXPECT_EQ(lines.back(), "and 47 more");
  after.set_cluster_name(std::string(kMostToCompare, 'x'));
  EXPECT_THAT(change(before, after), ElementsAre("changed"));
  EXPECT_THAT(describe_change("x/test.v1.Unknown", "a", "b", 3), ElementsAre("changed"));
  EXPECT_THAT(describe_change("x/envoy.config.cluster.v3.Cluster", "\xff", "b", 3), ElementsAre("changed"));
}

}  // namespace
}  // namespace sluice::xds
