#include <gtest/gtest.h>

#include "base/strings.h"
#include "config/any.h"
#include "envoy/config/cluster/v3/cluster.pb.h"
#include "envoy/extensions/access_loggers/file/v3/file.pb.h"
#include "envoy/extensions/upstreams/http/v3/http_protocol_options.pb.h"
#include "test/config/reader_support.h"

namespace sluice::config {
namespace {

using envoy::config::cluster::v3::Cluster;
using envoy::extensions::access_loggers::file::v3::FileAccessLog;
using envoy::extensions::upstreams::http::v3::HttpProtocolOptions;

constexpr std::string_view kUrl = "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

// A cluster whose protocol options (under the key "k") are `content`, a map in flow style.
std::unique_ptr<Read<Cluster>> cluster(std::string_view content) {
  return read<Cluster>(cat("typed_extension_protocol_options:\n  k: ", content, "\n"));
}

TEST(ReaderAny, AcceptsWhatEnvoyAccepts) {
  const std::string fields = "explicit_http_config: {http_protocol_options: {}}";
  for (const std::string& content : {
           cat("{\"@type\": ", kUrl, ", ", fields, "}"),
           cat("{", fields, ", \"@type\": ", kUrl, "}"),
           cat("{\"@type\": a/b/envoy.extensions.upstreams.http.v3.HttpProtocolOptions, ", fields, "}"),
           std::string("{}"),
           std::string("null"),
           cat("{\"@type\": ", kUrl, "}"),
           std::string("{\"@type\": x/google.protobuf.Duration, value: 1s}"),
           std::string("{\"@type\": x/google.protobuf.Duration}"),
           std::string("{\"@type\": x/google.protobuf.StringValue, value: x}"),
           std::string("{\"@type\": x/google.protobuf.Struct, value: {a: 1}}"),
           std::string("{\"@type\": x/google.protobuf.Value, value: 1}"),
           std::string("{\"@type\": x/google.protobuf.Empty}"),
           std::string("{\"@type\": x/google.protobuf.ListValue, value: [1, a]}"),
           std::string("{\"@type\": x/google.protobuf.FieldMask, value: \"a.b,cD\"}"),
           std::string("{\"@type\": x/google.protobuf.Any, value: {\"@type\": x/google.protobuf.Empty}}"),
           std::string("{\"@type\": x/xds.type.v3.TypedStruct}"),
           std::string("{\"@type\": x/xds.type.v3.TypedStruct, type_url: x/nobody.knows, value: {a: 1}}"),
       }) {
    EXPECT_EQ(cluster(content)->error(), "(none)") << content;
  }
}

TEST(ReaderAny, RefusesWhatEnvoyRefuses) {
  for (const std::string& content : {
           std::string("{\"@type\": envoy.extensions.upstreams.http.v3.HttpProtocolOptions}"),
           std::string("{\"@type\": /envoy.extensions.upstreams.http.v3.HttpProtocolOptions}"),
           std::string("{\"@type\": 5}"),
           std::string("{\"@type\": \"\"}"),
           std::string("[]"),
           std::string("text"),
           std::string("{explicit_http_config: {}}"),
           cat("{type_url: ", kUrl, ", value: \"\"}"),
           cat("{\"@type\": ", kUrl, ", nope: 1}"),
           cat("{\"@type\": ", kUrl, ", value: {}}"),
           std::string("{\"@type\": x/google.protobuf.Duration, seconds: 1}"),
           std::string("{\"@type\": x/google.protobuf.Duration, value: 1x}"),
           std::string("{\"@type\": x/google.protobuf.StringValue, value: x, y: 1}"),
           std::string("{\"@type\": x/google.protobuf.Empty, x: 1}"),
           cat("{\"@type\": x/xds.type.v3.TypedStruct, type_url: ", kUrl, ", value: {nope: 1}}"),
       }) {
    EXPECT_NE(cluster(content)->error(), "(none)") << content;
  }
}

TEST(ReaderAny, ErrorsSayWhatToDo) {
  EXPECT_EQ(cluster("{\"@type\": x/\xff}")->error(),
            "2:16: typed_extension_protocol_options[\"k\"]: as the name of a type: this text is not UTF-8");
  EXPECT_EQ(cluster("{a: 1}")->error(),
            "2:6: typed_extension_protocol_options[\"k\"]: \"@type\" is missing; it names the message, like "
            "type.googleapis.com/envoy...");
  EXPECT_EQ(cluster("{\"@type\": x/envoy.nope.v3.Nope}")->error(),
            "2:16: typed_extension_protocol_options[\"k\"]: unknown type envoy.nope.v3.Nope; not supported yet: "
            "envoy.nope.v3.Nope");
  EXPECT_EQ(cluster("{\"@type\": x/envoy.api.v2.Cluster}")->error(),
            "2:16: typed_extension_protocol_options[\"k\"]: unknown type envoy.api.v2.Cluster (only v3 of the API is "
            "read); not "
            "supported yet: envoy.api.v2.Cluster");
}

TEST(ReaderAny, KeepsTheContentTypedWithItsPlaces) {
  const auto parsed = cluster(cat("{\"@type\": ", kUrl, ", common_http_protocol_options: {idle_timeout: 5s}}"));
  const auto& any = parsed->message.typed_extension_protocol_options().at("k");
  const auto* content = parsed->map.unpacked(any);
  ASSERT_NE(content, nullptr);
  const auto& options = static_cast<const HttpProtocolOptions&>(*content);
  EXPECT_EQ(options.common_http_protocol_options().idle_timeout().seconds(), 5);
  EXPECT_EQ(parsed->map.at(options).line, 2u);
  EXPECT_EQ(parsed->map.path(options.common_http_protocol_options(), 1),
            "typed_extension_protocol_options[\"k\"].common_http_protocol_options.idle_timeout");
  EXPECT_EQ(parsed->map.at(options.common_http_protocol_options().idle_timeout()).column, 123u);
  HttpProtocolOptions from_bytes;
  ASSERT_TRUE(any.UnpackTo(&from_bytes));
  EXPECT_EQ(from_bytes.DebugString(), options.DebugString());
}

TEST(ReaderAny, ATypedStructOfAKnownTypeIsThatType) {
  const auto parsed =
      cluster(cat("{\"@type\": x/udpa.type.v1.TypedStruct, typeUrl: ", kUrl,
                  ", value: {explicitHttpConfig: {http2_protocol_options: {max_concurrent_streams: 7}}}}"));
  ASSERT_TRUE(parsed->ok()) << parsed->error();
  const auto& any = parsed->message.typed_extension_protocol_options().at("k");
  const auto content = unpack_as<HttpProtocolOptions>(any, parsed->map, parsed->findings);
  ASSERT_TRUE(content);
  const auto& http2 = (*content)->explicit_http_config().http2_protocol_options();
  EXPECT_EQ(http2.max_concurrent_streams().value(), 7u);
  EXPECT_EQ(parsed->map.path(http2, 2),
            "typed_extension_protocol_options[\"k\"].explicit_http_config.http2_protocol_options."
            "max_concurrent_streams");
  EXPECT_EQ(any.type_url(), "type.googleapis.com/udpa.type.v1.TypedStruct");
  EXPECT_FALSE(any.value().empty());
}

// Builds without NDEBUG notice it; what is told otherwise is of the past.
TEST(ReaderAnyDeathTest, AnAnyThatIsFilledAnew) {
  SourceMap map;
  FileAccessLog log;
  log.set_path("one");
  google::protobuf::Any any;
  any.PackFrom(log);
  ASSERT_TRUE(unpack(any, map));
  log.set_path("two");
  any.PackFrom(log);
  EXPECT_DEBUG_DEATH(map.unpacked(any), "is_content");
  any.PackFrom(HttpProtocolOptions());
  EXPECT_DEBUG_DEATH(map.unpacked(any), "is_content");
}

TEST(ReaderAny, UnpacksBytesToo) {
  SourceMap map;
  Findings findings;
  google::protobuf::Any any;
  EXPECT_EQ(unpack(any, map).error(), "an extension needs a configuration with \"@type\"");
  FileAccessLog log;
  log.set_path("/x");
  any.PackFrom(log);
  const auto content = unpack_as<FileAccessLog>(any, map, findings);
  ASSERT_TRUE(content);
  EXPECT_EQ((*content)->path(), "/x");
  EXPECT_EQ(map.unpacked(any), *content);
  EXPECT_EQ(unpack_as<HttpProtocolOptions>(any, map, findings).error(),
            "expected the type envoy.extensions.upstreams.http.v3.HttpProtocolOptions, got "
            "envoy.extensions.access_loggers.file.v3.FileAccessLog");
  google::protobuf::Any broken = any;
  broken.set_value("\xff");
  EXPECT_EQ(unpack(broken, map).error(), "these bytes are no envoy.extensions.access_loggers.file.v3.FileAccessLog");
  broken.set_type_url("x/nope");
  EXPECT_EQ(unpack(broken, map).error(), "unknown type nope; not supported yet: nope");
}

TEST(ReaderAny, TurnsAStructIntoWhatIsWanted) {
  SourceMap map;
  Findings findings;
  google::protobuf::Any any;
  google::protobuf::Struct fields;
  (*fields.mutable_fields())["path"].set_string_value("/x");
  any.PackFrom(fields);
  const auto content = unpack_as<FileAccessLog>(any, map, findings);
  ASSERT_TRUE(content);
  EXPECT_EQ((*content)->path(), "/x");
  (*fields.mutable_fields())["path"].set_number_value(5);
  google::protobuf::Any wrong;
  wrong.PackFrom(fields);
  EXPECT_TRUE(unpack_as<FileAccessLog>(wrong, map, findings));
  ASSERT_EQ(findings.errors().size(), 1u);
  EXPECT_EQ(findings.errors()[0].to_string(), "path: expected a text, got the number 5; put it in quotes");
}

}  // namespace
}  // namespace sluice::config
