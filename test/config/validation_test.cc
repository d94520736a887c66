#include "config/validation.h"

#include <google/protobuf/descriptor.pb.h>
#include <gtest/gtest.h>

#include <set>

#include "api/messages.h"
#include "base/strings.h"
#include "config/validation_rules.h"
#include "envoy/config/cluster/v3/cluster.pb.h"
#include "envoy/config/core/v3/address.pb.h"
#include "envoy/config/core/v3/health_check.pb.h"
#include "envoy/config/endpoint/v3/endpoint.pb.h"
#include "envoy/config/listener/v3/listener_components.pb.h"
#include "envoy/config/route/v3/route_components.pb.h"
#include "envoy/type/v3/percent.pb.h"
#include "test/config/reader_support.h"

namespace sluice::config {
namespace {

using envoy::config::cluster::v3::Cluster;
using envoy::config::core::v3::Address;
using envoy::config::route::v3::Route;

template <typename T>
std::string error(std::string_view text) {
  return read_and_validate<T>(text)->error();
}

TEST(Validation, Presence) {
  EXPECT_EQ(error<Route>("{name: x}"), "1:1: match: must be set")
      << "the rule of the field comes before that of the choice";
  EXPECT_EQ(error<Address>("{}"), "1:1: one of \"socket_address\", \"pipe\" or \"envoy_internal_address\" must be set");
  EXPECT_EQ(error<Address>("socket_address: {address: a}"),
            "1:1: socket_address: one of \"port_value\" or \"named_port\" must be set");
  EXPECT_EQ(error<Address>("socket_address: {address: a, port_value: 0}"), "(none)");
}

TEST(Validation, Numbers) {
  using envoy::type::v3::Percent;
  EXPECT_EQ(error<Percent>("value: 100"), "(none)");
  EXPECT_EQ(error<Percent>("value: 100.5"), "1:8: value: must be at least 0 and at most 100, is 100.5");
  EXPECT_EQ(error<Percent>("value: Infinity"), "1:8: value: must be at least 0 and at most 100, is inf");
  EXPECT_EQ(error<Percent>("value: NaN"), "1:8: value: must be at least 0 and at most 100, is nan");
  EXPECT_EQ(error<Address>("socket_address: {address: a, port_value: 65536}"),
            "1:42: socket_address.port_value: must be at most 65535, is 65536");
  EXPECT_EQ(error<Cluster>("{name: a, lb_policy: RING_HASH, ring_hash_lb_config: {maximum_ring_size: 8388609}}"),
            "1:74: ring_hash_lb_config.maximum_ring_size: must be at most 8388608, is 8388609");
}

TEST(Validation, Texts) {
  EXPECT_EQ(error<Cluster>("name: ''"), "1:7: name: must not be empty");
  EXPECT_EQ(error<Cluster>("{}"), "1:1: name: must not be empty");
  constexpr std::string_view kRoute = "{match: {prefix: /}, redirect: {}, request_headers_to_remove: [";
  EXPECT_EQ(error<Route>(cat(kRoute, "x, 'a b']}")), "(none)") << "not strict";
  EXPECT_EQ(error<Route>(cat(kRoute, "x, \"a\\n\"]}")),
            "1:67: request_headers_to_remove[1]: must be the name of a header, is \"a\\n\"");
  EXPECT_EQ(error<Route>(cat(kRoute, "x, ~]}")), "1:67: request_headers_to_remove[1]: must not be empty");
  EXPECT_EQ(error<Route>("{match: {path_separated_prefix: /a/}, redirect: {}}"),
            "1:33: match.path_separated_prefix: must match the pattern ^[^?#]+[^?#/]$, is \"/a/\"");
  EXPECT_EQ(error<Route>("{match: {path_separated_prefix: /a}, redirect: {}}"), "(none)");
}

// Of messages that no text was read for, as those of control planes.
TEST(Validation, EntriesOfMapsInTheOrderOfTheirKeys) {
  envoy::config::endpoint::v3::ClusterLoadAssignment message;
  message.set_cluster_name("c");
  for (const char key : std::string_view("hcfbgdae")) {
    (*message.mutable_named_endpoints())[std::string(1, key)].mutable_address()->mutable_socket_address()->set_address(
        "x");
  }
  for (int i = 0; i < 5; ++i) {
    const auto copy = message;  // each map has an order of its own
    Findings findings;
    const SourceMap map;
    validate(copy, map, findings);
    ASSERT_FALSE(findings.ok());
    EXPECT_NE(findings.errors().front().to_string().find("named_endpoints[\"a\"]"), std::string::npos);
  }
}

TEST(Validation, LengthsAreCodePoints) {
  validate::FieldRules rules;
  rules.mutable_string()->set_max_len(3);
  EXPECT_EQ(complaint(rules, std::string("\u65e5\u672c\u8a9e"), nullptr), "");
  EXPECT_EQ(complaint(rules, std::string("abcd"), nullptr), "must have at most 3 characters, has 4");
  rules.mutable_string()->set_max_bytes(8);
  EXPECT_EQ(complaint(rules, std::string("\u65e5\u672c\u8a9e"), nullptr), "must have at most 8 bytes, has 9");
}

TEST(Validation, RulesThatFewFieldsHave) {
  const auto text = [](auto set, const std::string& value) {
    validate::FieldRules rules;
    set(*rules.mutable_string());
    return complaint(rules, value, nullptr);
  };
  EXPECT_EQ(text([](auto& r) { r.set_const_("a"); }, "b"), "must be \"a\"");
  EXPECT_EQ(text([](auto& r) { r.set_len(2); }, "b"), "must have 2 characters, has 1");
  EXPECT_EQ(text([](auto& r) { r.set_prefix("/"); }, "b"), "must begin with \"/\", is \"b\"");
  EXPECT_EQ(text([](auto& r) { r.set_suffix("-bin"); }, "bin"), "must end with \"-bin\", is \"bin\"");
  EXPECT_EQ(text([](auto& r) { r.set_contains("x"); }, "b"), "must contain \"x\", is \"b\"");
  EXPECT_EQ(text([](auto& r) { r.set_not_contains("x"); }, "axb"), "must not contain \"x\", is \"axb\"");
  EXPECT_EQ(text(
                [](auto& r) {
                  r.add_in("x");
                  r.add_in("y");
                },
                "b"),
            "must be one of \"x\", \"y\", is \"b\"");
  EXPECT_EQ(text([](auto& r) { r.add_not_in("x"); }, "x"), "must not be \"x\"");
  EXPECT_EQ(text(
                [](auto& r) {
                  r.set_min_len(2);
                  r.set_ignore_empty(true);
                },
                ""),
            "");
  validate::FieldRules number;
  number.mutable_int32()->set_lt(0);
  number.mutable_int32()->set_gt(10);
  EXPECT_EQ(complaint(number, int64_t{5}, nullptr), "must be above 10 or below 0, is 5");
  EXPECT_EQ(complaint(number, int64_t{-1}, nullptr), "");
  EXPECT_EQ(complaint(number, int64_t{11}, nullptr), "");
}

TEST(Validation, HeaderNamesAndValues) {
  const auto header = [](validate::KnownRegex kind, bool strict, const std::string& value) {
    validate::FieldRules rules;
    rules.mutable_string()->set_well_known_regex(kind);
    rules.mutable_string()->set_strict(strict);
    return complaint(rules, value, nullptr).empty();
  };
  EXPECT_TRUE(header(validate::HTTP_HEADER_NAME, true, ":path"));
  EXPECT_TRUE(header(validate::HTTP_HEADER_NAME, true, "x-A_9,."));
  EXPECT_FALSE(header(validate::HTTP_HEADER_NAME, true, ""));
  EXPECT_FALSE(header(validate::HTTP_HEADER_NAME, true, ":"));
  EXPECT_FALSE(header(validate::HTTP_HEADER_NAME, true, "a b"));
  EXPECT_FALSE(header(validate::HTTP_HEADER_NAME, true, "a:b"));
  EXPECT_TRUE(header(validate::HTTP_HEADER_NAME, false, "a b"));
  EXPECT_FALSE(header(validate::HTTP_HEADER_NAME, false, "a\r"));
  EXPECT_TRUE(header(validate::HTTP_HEADER_VALUE, true, "a\tb \xc3\xa9"));
  EXPECT_FALSE(header(validate::HTTP_HEADER_VALUE, true, "a\x01"));
  EXPECT_FALSE(header(validate::HTTP_HEADER_VALUE, true, "a\x7f"));
  EXPECT_TRUE(header(validate::HTTP_HEADER_VALUE, false, "a\x01"));
  EXPECT_FALSE(header(validate::HTTP_HEADER_VALUE, false, std::string("a\0", 2)));
}

TEST(Validation, Enums) {
  EXPECT_EQ(error<Cluster>("{name: a, lb_policy: 99}"), "1:22: lb_policy: must be a value of LbPolicy, is 99");
  EXPECT_EQ(error<Cluster>("{name: a, lb_policy: 4}"), "1:22: lb_policy: must be a value of LbPolicy, is 4");
}

TEST(Validation, Durations) {
  EXPECT_EQ(error<Cluster>("{name: a, connect_timeout: 0s}"), "1:28: connect_timeout: must be above 0s, is 0s");
  EXPECT_EQ(error<Cluster>("{name: a, connect_timeout: 0.000000001s}"), "(none)");
  EXPECT_EQ(error<Cluster>("{name: a, dns_refresh_rate: 0.0005s}"),
            "1:29: dns_refresh_rate: must be above 0.001s, is 0.0005s");
  EXPECT_EQ(error<Cluster>("{name: a, connect_timeout: -1s}"),
            "1:28: connect_timeout: a duration must not be negative");
  EXPECT_EQ(error<Cluster>("{name: a, connect_timeout: 9223372035s}"), "(none)");
  EXPECT_EQ(error<Cluster>("{name: a, connect_timeout: 9223372036s}"),
            "1:28: connect_timeout: a duration must be below 9223372036s");
  EXPECT_EQ(error<Cluster>("{name: a, connect_timeout: {seconds: 1, nanos: 1000000000}}"),
            "1:11: connect_timeout: a duration has at most 999999999 nanos");
}

TEST(Validation, ListsAndMaps) {
  using envoy::config::route::v3::VirtualHost;
  EXPECT_EQ(error<VirtualHost>("{name: a, domains: []}"), "1:20: domains: must not be empty");
  EXPECT_EQ(error<VirtualHost>("name: a"), "1:1: domains: must not be empty");
  EXPECT_EQ(error<Cluster>("{name: a, health_checks: [~]}").substr(0, 23), "1:27: health_checks[0].");
  using envoy::config::core::v3::HealthCheck;
  const std::string http =
      "{timeout: 1s, interval: 1s, unhealthy_threshold: 1, healthy_threshold: 1, http_health_check: {path: /, ";
  EXPECT_EQ(error<HealthCheck>(cat(http, "request_headers_to_add: [{header: {key: ''}}]}}")),
            "1:144: http_health_check.request_headers_to_add[0].header.key: must not be empty");
}

TEST(Validation, InsideOfAnyButNotOfMetadata) {
  const std::string address = "{\"@type\": x/envoy.config.core.v3.SocketAddress}";
  EXPECT_EQ(error<Cluster>(cat("{name: a, metadata: {typed_filter_metadata: {x: ", address, "}}}")), "(none)");
  EXPECT_EQ(error<Cluster>("{name: a, metadata: {filter_metadata: {'': {}}}}"),
            "1:39: metadata.filter_metadata[\"\"]: the key must not be empty");
  EXPECT_EQ(error<Cluster>(cat("{name: a, typed_extension_protocol_options: {x: ", address, "}}")),
            "1:46: typed_extension_protocol_options[\"x\"].address: must not be empty");
}

TEST(Validation, WhatReadingRefusedIsNotToldAgain) {
  const auto parsed = read_and_validate<Route>("match: {prefix: 5}\nredirect: {}\n");
  EXPECT_EQ(parsed->errors(),
            (std::vector<std::string>{"1:17: match.prefix: expected a text, got the number 5; put it in quotes"}));
}

// Rules that no code checks would pass in silence: walk over everything that api/ declares.
class UnknownRules {
 public:
  std::set<std::string> found;

  void look(const google::protobuf::Descriptor& type) {
    if (!seen_.insert(&type).second) return;
    for (int i = 0; i < type.field_count(); ++i) {
      const auto* field = type.field(i);
      rules(field->options().GetExtension(validate::rules), field->full_name());
      if (field->message_type() != nullptr) look(*field->message_type());
    }
    for (int i = 0; i < type.nested_type_count(); ++i) look(*type.nested_type(i));
  }

 private:
  void rules(const validate::FieldRules& rules, const std::string& where) {
    const auto& text = rules.string();
    const bool form =
        text.well_known_case() != validate::StringRules::WELL_KNOWN_NOT_SET && !text.has_well_known_regex();
    const auto& bytes = rules.bytes();
    if (form || bytes.well_known_case() != validate::BytesRules::WELL_KNOWN_NOT_SET || rules.has_timestamp() ||
        rules.any().in_size() > 0 || rules.any().not_in_size() > 0 || rules.duration().in_size() > 0 ||
        rules.duration().not_in_size() > 0 || rules.map().no_sparse()) {
      found.insert(where);
    }
    if (rules.repeated().has_items()) this->rules(rules.repeated().items(), where);
    if (rules.map().has_keys()) this->rules(rules.map().keys(), where);
    if (rules.map().has_values()) this->rules(rules.map().values(), where);
  }
  std::set<const google::protobuf::Descriptor*> seen_;
};

TEST(Validation, ChecksEveryRuleThatTheApiHas) {
  ASSERT_GT(sluice::api::use_all_messages(), 50);
  UnknownRules unknown;
  unknown.look(*envoy::config::bootstrap::v3::Bootstrap::descriptor());
  const auto* pool = google::protobuf::DescriptorPool::generated_pool();
  for (const char* name :
       {"envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "envoy.extensions.filters.http.router.v3.Router", "envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        "envoy.extensions.filters.http.header_mutation.v3.HeaderMutation",
        "envoy.extensions.access_loggers.stream.v3.StdoutAccessLog"}) {
    ASSERT_NE(pool->FindMessageTypeByName(name), nullptr) << name;
    unknown.look(*pool->FindMessageTypeByName(name));
  }
  EXPECT_TRUE(unknown.found.empty()) << *unknown.found.begin();
}

}  // namespace
}  // namespace sluice::config
