#include <gmock/gmock.h>
#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <deque>

#include "api/messages.h"
#include "base/strings.h"
#include "config/config_error.h"
#include "config/extensions.h"
#include "envoy/config/trace/v3/opentelemetry.pb.h"
#include "exporters/otel_extensions_config.h"

namespace sluice::exporters {
namespace {

using envoy::config::trace::v3::OpenTelemetryConfig;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

// Compiles the samplers and resource detectors that a JSON text has.
class OtelExtensions : public testing::Test {
 protected:
  OtelExtensions() { (void)api::use_all_messages(); }
  ~OtelExtensions() override { unsetenv("OTEL_RESOURCE_ATTRIBUTES"); }

  // The map knows messages by their addresses: what was read stays as long as the map.
  const OpenTelemetryConfig& read(const std::string& json) {
    OpenTelemetryConfig& proto = protos.emplace_back();
    const auto status = google::protobuf::util::JsonStringToMessage(json, &proto);
    EXPECT_TRUE(status.ok()) << std::string(status.message());
    return proto;
  }
  std::vector<std::pair<std::string, std::string>> resource(const std::string& detectors) {
    const OpenTelemetryConfig& proto = read(cat("{\"resource_detectors\":[", detectors, "]}"));
    std::vector<std::pair<std::string, std::string>> out = {{"service.name", "front"}};
    compile_detectors(proto.resource_detectors(), out, scope);
    return out;
  }
  std::shared_ptr<const OtelSampler> sampler(const std::string& json) {
    return compile_sampler(read(cat("{\"sampler\":", json, "}")).sampler(), scope);
  }
  static std::string any(std::string_view type, std::string_view rest = "") {
    return cat(R"({"name":"x","typed_config":{"@type":"type.googleapis.com/envoy.extensions.tracers.opentelemetry.)",
               type, "\"", rest, "}}");
  }
  std::vector<std::string> errors() const {
    std::vector<std::string> out;
    for (const auto& error : findings.errors()) out.push_back(error.text);
    return out;
  }

  std::deque<OpenTelemetryConfig> protos;
  config::SourceMap map;
  config::Findings findings;
  config::Extensions extensions;
  config::CompileScope scope{map, findings, extensions};
};

constexpr std::string_view kStatic = "resource_detectors.v3.StaticConfigResourceDetectorConfig";
constexpr std::string_view kEnvironment = "resource_detectors.v3.EnvironmentResourceDetectorConfig";

TEST_F(OtelExtensions, TheLastDetectorWins) {
  setenv("OTEL_RESOURCE_ATTRIBUTES", "zone=a,service.name=from-the-environment,empty=", 1);
  EXPECT_THAT(resource(cat(any(kStatic, R"(,"attributes":{"zone":"b","host":"h"})"), ",", any(kEnvironment))),
              ElementsAre(Pair("service.name", "from-the-environment"), Pair("host", "h"), Pair("zone", "a"),
                          Pair("empty", "")));
  EXPECT_THAT(errors(), IsEmpty());
}

TEST_F(OtelExtensions, AnEnvironmentThatCannotBeReadIsAnError) {
  EXPECT_THAT(resource(any(kEnvironment)), ElementsAre(Pair("service.name", "front")));
  EXPECT_THAT(errors(), IsEmpty());  // the variable may be missing
  for (const char* wrong : {"zone", "=a", "a=b,c", "a=b=c"}) {
    setenv("OTEL_RESOURCE_ATTRIBUTES", wrong, 1);
    const size_t before = errors().size();
    resource(any(kEnvironment));
    ASSERT_EQ(errors().size(), before + 1) << wrong;
    EXPECT_THAT(errors().back(), HasSubstr("name=value"));
  }
}

TEST_F(OtelExtensions, Samplers) {
  const trace::Context context{.trace_high = 0x3200000000000000, .trace_low = 1, .span = 1, .parent = std::nullopt};
  const auto half =
      sampler(any("samplers.v3.TraceIdRatioBasedSamplerConfig", R"(,"sampling_percentage":{"numerator":50})"));
  EXPECT_FALSE(half->takes(context, true));
  const auto more =
      sampler(any("samplers.v3.TraceIdRatioBasedSamplerConfig", R"(,"sampling_percentage":{"numerator":51})"));
  EXPECT_TRUE(more->takes(context, false));
  const auto parent = sampler(any("samplers.v3.ParentBasedSamplerConfig",
                                  cat(",\"wrapped_sampler\":", any("samplers.v3.AlwaysOnSamplerConfig"))));
  EXPECT_FALSE(parent->takes(context, false));
  EXPECT_TRUE(parent->takes(context, true));
  EXPECT_TRUE(parent->takes(context, std::nullopt));
  EXPECT_THAT(errors(), IsEmpty());
}

TEST_F(OtelExtensions, WhatIsNoneOfThemIsRefused) {
  EXPECT_EQ(sampler(any("samplers.v3.ParentBasedSamplerConfig")), nullptr);
  EXPECT_EQ(sampler(any(kStatic)), nullptr);
  resource(any("samplers.v3.AlwaysOnSamplerConfig"));
  EXPECT_THAT(errors(), ElementsAre(HasSubstr("where there is no parent"), HasSubstr("is not a sampler"),
                                    HasSubstr("detects no resource")));
}

}  // namespace
}  // namespace sluice::exporters
