// YAML -> messages: what is accepted, what is refused, and what it becomes. The tables were asked of Envoy 1.40.
#include <gtest/gtest.h>

#include <cmath>

#include "base/strings.h"
#include "envoy/config/cluster/v3/cluster.pb.h"
#include "envoy/config/core/v3/base.pb.h"
#include "test/config/reader_support.h"

namespace sluice::config {
namespace {

using envoy::config::cluster::v3::Cluster;
using NodeProto = ::envoy::config::core::v3::Node;

template <typename T>
void accepts(std::initializer_list<const char*> values, std::string_view before, std::string_view after = "") {
  for (const char* value : values) {
    EXPECT_EQ(read<T>(cat(before, value, after))->error(), "(none)") << before << value;
  }
}

template <typename T>
void refuses(std::initializer_list<const char*> values, std::string_view before, std::string_view after = "") {
  for (const char* value : values) {
    EXPECT_NE(read<T>(cat(before, value, after))->error(), "(none)") << before << value;
  }
}

TEST(ReaderYaml, WholeNumbers) {
  accepts<Cluster>(
      {"5",       "0x7fffffff", "0x80000000",       "4294967295", "\"0x8000\"", "\"0X10\"", "\"-0\"",  "-0",
       "\"1e3\"", "\"1.0\"",    "\"1.\"",           "\".5e1\"",   "\"010\"",    "\"08\"",   "08",      "\"0x1p3\"",
       "1e3",     "1.0",        "\"4294967295.0\"", ".0",         "+5",         "\"+5\"",   "!!str 5", "!foo 5",
       "null",    "~",          "{value: 5}",       "{}"},
      "per_connection_buffer_limit_bytes: ");
  refuses<Cluster>({"\"-0x1\"", "\"1_0\"",    "\"0b1\"", "\"inf\"", "\"nan\"",  "\"5 \"",  "\" 5\"",
                    "\"1e-3\"", "\"\"",       "-1",      "\"-1\"",  "0o10",     "1:30",    "many",
                    "true",     "4294967296", "32768.5", "[5]",     "{val: 5}", "\"5\\n\""},
                   "per_connection_buffer_limit_bytes: ");
  const auto limit = [](std::string_view value) {
    return read<Cluster>(cat("per_connection_buffer_limit_bytes: ", value))
        ->message.per_connection_buffer_limit_bytes()
        .value();
  };
  EXPECT_EQ(limit("010"), 8u);
  EXPECT_EQ(limit("\"010\""), 10u);
  EXPECT_EQ(limit("\"0x10\""), 16u);
  EXPECT_EQ(limit("{value: 7}"), 7u);
  const auto socket = read("static_resources: {listeners: [{socket_options: [{int_value: 9223372036854775807}]}]}");
  EXPECT_EQ(socket->message.static_resources().listeners(0).socket_options(0).int_value(), INT64_MAX);
}

TEST(ReaderYaml, Booleans) {
  accepts<Cluster>({"true", "yes", "ON", "n", "Y", "\"TRUE\"", "\"tRuE\"", "tRUE", "\"yes\"", "\"y\"", "\"1\"", "\"t\"",
                    "\"f\"", "\"no\"", "\"0\"", "!!str true", "null"},
                   "ignore_health_on_host_removal: ");
  refuses<Cluster>({"1", "0", "\"\"", "maybe", "\" true\"", "\"on\"", "\"off\"", "[true]", "{}"},
                   "ignore_health_on_host_removal: ");
}

TEST(ReaderYaml, Texts) {
  accepts<NodeProto>({"a", "\"no\"", "oN", "\"123\"", "4294967296", "1.2.3", "1.5", "2020-01-01", "127.0.0.1", "'true'",
                      "! 123", "null", "", "|-\n  123", "\"\\u041f\"", ".inf", "09", "1e3", "0xFFFFFFFFFFFFFFFF"},
                     "id: ");
  refuses<NodeProto>({"no", "y", "Off", "True", "123", "0x10", "-2147483648", "{}", "[]", "[a]", "!!str 5"}, "id: ");
  EXPECT_EQ(read<NodeProto>("id: 0x80000000")->message.id(), "2147483648");
  EXPECT_EQ(read<NodeProto>("id: 1.50")->message.id(), "1.50");
  EXPECT_EQ(read<NodeProto>("id: no")->error(), "1:5: id: expected a text, got the boolean no; put it in quotes");
}

TEST(ReaderYaml, Fractions) {
  constexpr std::string_view kBefore = "round_robin_lb_config: {slow_start_config: {aggression: {default_value: ";
  accepts<Cluster>({"1", "1.5", ".5", "5.", "1E1", "\"0x10\"", "0x10", "\"inf\"", "Infinity", "NaN", "\" 1\"", "+1.5",
                    "1e400", "-0"},
                   kBefore, "}}}");
  refuses<Cluster>({"\"\"", "true", "\"1f\"", "\"0,5\"", ".nan", "[1]", "{}"}, kBefore, "}}}");
  const auto value = [&](std::string_view text) {
    return read<Cluster>(cat(kBefore, text, "}}}"))
        ->message.round_robin_lb_config()
        .slow_start_config()
        .aggression()
        .default_value();
  };
  EXPECT_EQ(value("12.5"), 12.5);
  EXPECT_TRUE(std::isinf(value("1e400")));
}

TEST(ReaderYaml, Enums) {
  accepts<Cluster>(
      {"1", "\"1\"", "\"01\"", "\"+1\"", "\" 1\"", "0x1", "-1", "99", "LEAST_REQUEST", "lEaSt_ReQuEsT", "null"},
      "lb_policy: ");
  refuses<Cluster>({"1.0", "\"1.0\"", "\"1e0\"", "2147483648", "\"LEAST_REQUEST \"", "least-request", "LbPolicy.RANDOM",
                    "\"\"", "true", "[RANDOM]", "{}", "[]"},
                   "lb_policy: ");
  EXPECT_EQ(read<Cluster>("lb_policy: least_request")->message.lb_policy(), Cluster::LEAST_REQUEST);
  EXPECT_EQ(read<Cluster>("lb_policy: RONUD_ROBIN")->error(),
            "1:12: lb_policy: LbPolicy has no value \"RONUD_ROBIN\"; did you mean \"ROUND_ROBIN\"?");
}

TEST(ReaderYaml, Bytes) {
  using envoy::config::core::v3::DataSource;
  accepts<DataSource>({"aGVsbG8=", "aGVsbG8", "aG", "\"aG==\"", "\"a+/-_a\"", "\"-_-_\"", "\"\"", "\"YR==\""},
                      "inline_bytes: ");
  refuses<DataSource>(
      {"\"aG=\"", "\"aG===\"", "\"==\"", "\"aGVsbG8=\\n\"", "12", "\"YQ=a\"", "\" YQ==\"", "a", "\"aGV*bG8=\""},
      "inline_bytes: ");
  EXPECT_EQ(read<DataSource>("inline_bytes: aGVsbG8")->message.inline_bytes(), "hello");
}

TEST(ReaderYaml, Durations) {
  accepts<Cluster>({"1s", "1.000000001s", "\"-1.5s\"", "-0s", "001s", "00.5s", "{seconds: 1, nanos: 5}",
                    "{seconds: \"1\"}", "{}", "null", "315576000000s"},
                   "dns_refresh_rate: ");
  refuses<Cluster>(
      {"1",       "\"1\"",         "100ms", "1m",           "1.s",         ".5s",      "1.0000000001s", "\" 1s\"",
       "\"1s \"", "1 s",           "1S",    "1e1s",         "+1s",         "--1s",     "\"\"",          "s",
       "0x1s",    "315576000001s", "[1s]",  "{minutes: 1}", "{value: 1s}", "\"1.-5s\""},
      "dns_refresh_rate: ");
  const auto parsed = read<Cluster>("dns_refresh_rate: -1.5s");
  EXPECT_EQ(parsed->message.dns_refresh_rate().seconds(), -1);
  EXPECT_EQ(parsed->message.dns_refresh_rate().nanos(), -500'000'000);
  EXPECT_EQ(read<Cluster>("dns_refresh_rate: 100ms")->error(),
            "1:19: dns_refresh_rate: expected a duration in seconds like 1s or 0.25s, got the text \"100ms\"");
}

TEST(ReaderYaml, Timestamps) {
  using google::protobuf::Timestamp;
  constexpr std::string_view kBefore =
      "metadata: {typed_filter_metadata: {x: {\"@type\": type.googleapis.com/google.protobuf.Timestamp, value: ";
  accepts<Cluster>({"\"2020-01-01T00:00:00Z\"", "\"2020-01-01T00:00:00+02:00\"", "\"2020-02-30T00:00:00Z\"",
                    "\"2020-01-01T24:00:00Z\"", "{seconds: 5}"},
                   kBefore, "}}}");
  refuses<Cluster>(
      {"\"2020-01-01 00:00:00Z\"", "\"2020-01-01T00:00:00.5z\"", "2020-01-01", "\"0000-01-01T00:00:00Z\"", "5"},
      kBefore, "}}}");
  const auto parsed = read<Cluster>(cat(kBefore, "\"2020-03-01T01:00:00.25+01:00\"", "}}}"));
  Timestamp time;
  ASSERT_TRUE(parsed->message.metadata().typed_filter_metadata().at("x").UnpackTo(&time));
  EXPECT_EQ(time.seconds(), 1583020800);
  EXPECT_EQ(time.nanos(), 250'000'000);
}

TEST(ReaderYaml, NamesOfFields) {
  accepts<Cluster>({"{connect_timeout: 1s}", "{connectTimeout: 1s}", "{connect_timeout: 1s, connectTimeout: 2s}",
                    "{http2ProtocolOptions: {}}", "{type: STATIC, cluster_type: null}"},
                   "");
  refuses<Cluster>(
      {"{Name: b}", "{LB_POLICY: RANDOM}", "{\"[x]\": 1}", "{type: STATIC, Type: STATIC}", "{\"\": 1}", "{hosts: []}"},
      "");
}

TEST(ReaderYaml, Lists) {
  accepts<NodeProto>({"a", "[a, b]", "[a, ~]", "[]", "[[a, [b]], c]", "[[]]", "~"}, "client_features: ");
  refuses<NodeProto>({"{}", "[a, 1]", "[[1]]", "[{}]", "true"}, "client_features: ");
  const auto parsed = read<NodeProto>("client_features: [a, ~, [b]]");
  ASSERT_EQ(parsed->message.client_features_size(), 3);
  EXPECT_EQ(parsed->message.client_features(1), "");
  EXPECT_EQ(parsed->message.client_features(2), "b");
  const auto clusters = read("static_resources: {clusters: {name: a}}");
  EXPECT_EQ(clusters->message.static_resources().clusters(0).name(), "a");
  EXPECT_EQ(read("static_resources: {clusters: [~]}")->message.static_resources().clusters_size(), 1);
}

TEST(ReaderYaml, MapsAndStructs) {
  accepts<Cluster>(
      {"{x: {a: 1}}", "{x: null}", "null", "{1: {}, true: {}, ~: {}}", "{x: {fields: {a: {string_value: b}}}}"},
      "metadata: {filter_metadata: ", "}");
  refuses<Cluster>({"{x: [1]}", "{x: 5}", "[{x: {}}]", "[]", "a"}, "metadata: {filter_metadata: ", "}");
  const auto parsed = read<NodeProto>("metadata: {a: 1.5, b: 99999999999, c: 0x10, d: yes, e: ~, f: [1, {g: h}]}");
  const auto& fields = parsed->message.metadata().fields();
  EXPECT_EQ(fields.at("a").string_value(), "1.5") << "fractions stay texts in a Struct";
  EXPECT_EQ(fields.at("b").string_value(), "99999999999");
  EXPECT_EQ(fields.at("c").number_value(), 16);
  EXPECT_TRUE(fields.at("d").bool_value());
  EXPECT_TRUE(fields.at("e").has_null_value());
  EXPECT_EQ(fields.at("f").list_value().values(1).struct_value().fields().at("g").string_value(), "h");
  const auto texts = read<NodeProto>("dynamic_parameters: {a: {params: {b: x, 1: z, c: ~}}}");
  const auto& params = texts->message.dynamic_parameters().at("a").params();
  EXPECT_EQ(params.at("b"), "x");
  EXPECT_EQ(params.at("1"), "z");
  EXPECT_EQ(params.at("c"), "");
  EXPECT_EQ(read<NodeProto>("dynamic_parameters: {a: {params: {b: 1}}}")->error(),
            "1:38: dynamic_parameters[\"a\"].params[\"b\"]: expected a text, got the number 1; put it in quotes");
}

TEST(ReaderYaml, Choices) {
  using envoy::config::route::v3::RouteMatch;
  accepts<RouteMatch>({"{prefix: /, path: null}", "{prefix: \"\"}", "{}"}, "");
  refuses<RouteMatch>({"{prefix: /, path: /}", "{prefix: /, safeRegex: {regex: x}}"}, "");
  EXPECT_EQ(
      read<RouteMatch>("prefix: /\ngrpc: {}\npath: /x\n")->error(),
      "3:1: path: only one of \"prefix\" (line 1) and \"path\" may be set: both belong to the choice path_specifier");
}

TEST(ReaderYaml, WholeTexts) {
  accepts<envoy::config::bootstrap::v3::Bootstrap>({"{}", "{}\n...\n", "node:", "--- {}\n---\n}{", "%FOO\n---\n{}"},
                                                   "");
  refuses<envoy::config::bootstrap::v3::Bootstrap>({"", "# c", "---\n", "null", "~", "[]", "a", "- a", "\"a\""}, "");
}

}  // namespace
}  // namespace sluice::config
