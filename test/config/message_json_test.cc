#include "config/message_json.h"

#include <gmock/gmock.h>
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>

#include "api/messages.h"
#include "config/message_tree.h"
#include "envoy/config/bootstrap/v3/bootstrap.pb.h"

namespace sluice::config {
namespace {

using envoy::config::bootstrap::v3::Bootstrap;
using testing::HasSubstr;

// As protobuf reads it.
template <typename T>
T parsed(const std::string& text) {
  T out;
  const auto status = google::protobuf::util::JsonStringToMessage(text, &out);
  EXPECT_TRUE(status.ok()) << status.ToString() << text;
  return out;
}

// The same text as protobuf's, where there is no map with several keys.
std::string by_protobuf(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  options.preserve_proto_field_names = true;
  std::string out;
  EXPECT_TRUE(google::protobuf::util::MessageToJsonString(message, &out, options).ok());
  return out;
}

TEST(MessageJson, IsWhatProtobufPrints) {
  ASSERT_GT(api::use_all_messages(), 0);
  const auto bootstrap = parsed<Bootstrap>(R"({
    "node": {"id": "a \"quoted\" <id>\n\t\u0001é", "metadata": {"a": {"b": [1, 1.5, -3e40, true, null, "", [], {}]}}},
    "stats_flush_interval": "1.500s", "stats_flush_on_admin": true, "enable_dispatcher_stats": true,
    "stats_config": {"use_all_default_tags": false},
    "static_resources": {"clusters": [{"name": "c", "type": "EDS", "connect_timeout": "0.000001s",
      "per_connection_buffer_limit_bytes": 0, "circuit_breakers": {"thresholds": [{"retry_budget": {"budget_percent": {"value": 0.1}}}]},
      "typed_extension_protocol_options": {"x": {"@type": "type.googleapis.com/google.protobuf.Duration", "value": "-5s"}}}],
      "secrets": [{"name": "s", "generic_secret": {"secret": {"inline_bytes": "AAEC/w=="}}}],
      "listeners": [{"filter_chains": [{"filters": [{"typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy", "stat_prefix": "t",
        "hash_policy": [{}]}}]}]}]}})");
  EXPECT_EQ(to_json(bootstrap), by_protobuf(bootstrap));
  EXPECT_EQ(bytes_of(parsed<Bootstrap>(to_json(bootstrap))), bytes_of(bootstrap));
}

TEST(MessageJson, MapsAreInTheOrderOfTheirKeys) {
  const auto map = parsed<google::protobuf::Struct>(R"({"b": 1, "c": {}, "a": 0.1})");
  EXPECT_EQ(to_json(map), "{\n \"a\": 0.1,\n \"b\": 1,\n \"c\": {}\n}\n");
}

TEST(MessageJson, DeeperThanProtobufPrints) {
  google::protobuf::Struct map;
  google::protobuf::Struct* at = &map;
  for (int i = 0; i < 90; ++i) at = (*at->mutable_fields())["a"].mutable_struct_value();
  (*at->mutable_fields())["end"].set_bool_value(true);
  EXPECT_THAT(to_json(map), HasSubstr("\"end\": true"));
}

TEST(MessageJson, AnAnyThatNobodyKnowsShowsItsBytes) {
  google::protobuf::Any any;
  EXPECT_EQ(to_json(any), "{}\n");
  any.set_type_url("type.googleapis.com/nobody.Knows");
  any.set_value("abc");
  EXPECT_EQ(to_json(any), "{\n \"@type\": \"type.googleapis.com/nobody.Knows\",\n \"value\": \"YWJj\"\n}\n");
}

}  // namespace
}  // namespace sluice::config
