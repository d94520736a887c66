#include "config/access_log_compiler.h"

#include <gmock/gmock.h>
#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>

#include <deque>

#include "api/messages.h"
#include "base/strings.h"
#include "config/format_compiler.h"
#include "envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.pb.h"
#include "proxy/access_log/access_log.h"
#include "proxy/access_log/log_files.h"
#include "test/format/sample_facts.h"
#include "test/support/sim_files.h"

namespace sluice::config {
namespace {

using envoy::extensions::filters::network::http_connection_manager::v3::HttpConnectionManager;
using testing::ElementsAre;
using testing::HasSubstr;

class AccessLogCompiler : public testing::Test, public format::SampleFacts {
 protected:
  AccessLogCompiler() {
    (void)api::use_all_messages();
    scope.log_files = &files;
  }

  // `logs` is the list as JSON. The messages live as long as the map, which knows them by their addresses.
  model::AccessLogSetPtr compile(const std::string& logs) {
    HttpConnectionManager& manager = managers.emplace_back();
    const auto status = google::protobuf::util::JsonStringToMessage("{\"access_log\":" + logs + "}", &manager);
    EXPECT_TRUE(status.ok()) << std::string(status.message());
    return compile_access_logs(manager.access_log(), scope);
  }
  std::string first_error() const { return findings.errors().empty() ? "none" : findings.errors().front().text; }
  // The lines of one log for the sample exchange.
  std::vector<std::string> lines(const std::string& logs, const std::string& path) {
    const auto set = compile(logs);
    EXPECT_EQ(first_error(), "none");
    proxy::AccessLog(set, nullptr).log(facts);
    files.flush();
    return disk.lines(path);
  }

  static std::string file(const std::string& rest, const std::string& filter = "") {
    return R"([{"name":"f",)" + filter +
           R"("typed_config":{"@type":"type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog","path":"/a.log")" +
           rest + "}}]";
  }

  test::SimWorld world{1};
  test::SimLoop loop{world};
  test::SimFiles disk{loop};
  proxy::LogFiles files{disk};
  std::deque<HttpConnectionManager> managers;
  SourceMap map;
  Findings findings;
  Extensions extensions;
  CompileScope scope{map, findings, extensions};
};

TEST_F(AccessLogCompiler, Formats) {
  EXPECT_THAT(
      lines(file(R"(,"log_format":{"text_format_source":{"inline_string":"%RESPONSE_CODE% %PROTOCOL%\n"}})"), "/a.log"),
      ElementsAre("200 HTTP/1.1"));
}

TEST_F(AccessLogCompiler, JsonFormat) {
  EXPECT_THAT(
      lines(file(R"(,"log_format":{"json_format":{"code":"%RESPONSE_CODE%","list":[1,true,null,{"p":"%PROTOCOL%"}]}})"),
            "/a.log"),
      ElementsAre(R"({"code":200,"list":[1,true,null,{"p":"HTTP/1.1"}]})"));
}

TEST_F(AccessLogCompiler, OmitEmptyValues) {
  EXPECT_THAT(
      lines(
          file(
              R"(,"log_format":{"omit_empty_values":true,"text_format_source":{"inline_string":"[%REQ(x-none)%]\n"}})"),
          "/a.log"),
      ElementsAre("[]"));
}

TEST_F(AccessLogCompiler, FormatterExtension) {
  EXPECT_THAT(
      lines(
          file(
              R"(,"log_format":{"text_format_source":{"inline_string":"%REQ_WITHOUT_QUERY(:PATH)%\n"},"formatters":[{"name":"x",)"
              R"("typed_config":{"@type":"type.googleapis.com/envoy.extensions.formatter.req_without_query.v3.ReqWithoutQuery"}}]})"),
          "/a.log"),
      ElementsAre("/x"));
}

TEST_F(AccessLogCompiler, OldFormats) {
  EXPECT_THAT(lines(file(R"(,"format":"old %PROTOCOL%\n")"), "/a.log"), ElementsAre("old HTTP/1.1"));
}

TEST_F(AccessLogCompiler, DefaultFormat) {
  EXPECT_THAT(lines(file(""), "/a.log"), ElementsAre(HasSubstr("\"GET /x?k=value&b=1 HTTP/1.1\" 200 - 0 2 5")));
}

TEST_F(AccessLogCompiler, Streams) {
  EXPECT_THAT(
      lines(
          R"([{"name":"s","typed_config":{"@type":"type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StdoutAccessLog",)"
          R"("log_format":{"text_format_source":{"inline_string":"OUT\n"}}}}])",
          "/dev/stdout"),
      ElementsAre("OUT"));
}

TEST_F(AccessLogCompiler, Filters) {
  const std::string no_404 =
      R"("filter":{"and_filter":{"filters":[{"status_code_filter":{"comparison":{"op":"NE","value":{"default_value":404}}}},)"
      R"({"not_health_check_filter":{}}]}},)";
  const std::string format = R"(,"log_format":{"text_format_source":{"inline_string":"%RESPONSE_CODE%\n"}})";
  EXPECT_THAT(lines(file(format, no_404), "/a.log"), ElementsAre("200"));
  facts.response_code = 404;
  EXPECT_THAT(lines(file(format, no_404), "/a.log"), ElementsAre("200"));
}

TEST_F(AccessLogCompiler, EveryKindOfFilter) {
  for (const char* filter :
       {R"({"duration_filter":{"comparison":{"op":"GE","value":{"default_value":1}}}})",
        R"({"runtime_filter":{"runtime_key":"k","percent_sampled":{"numerator":1000000,"denominator":"MILLION"}}})",
        R"({"or_filter":{"filters":[{"traceable_filter":{}},{"not_health_check_filter":{}}]}})",
        R"({"header_filter":{"header":{"name":":method","string_match":{"exact":"GET"}}}})",
        R"({"grpc_status_filter":{"statuses":["UNKNOWN"]}})", R"({"log_type_filter":{"types":["DownstreamEnd"]}})"}) {
    const auto set = compile(file("", cat("\"filter\":", filter, ",")));
    ASSERT_EQ(first_error(), "none") << filter;
    EXPECT_TRUE(set->logs.front().filter->passes(facts)) << filter;
  }
  const auto flags = compile(file("", R"("filter":{"response_flag_filter":{"flags":["NR"]}},)"));
  EXPECT_FALSE(flags->logs.front().filter->passes(facts));
  facts.flags.set(format::Flag::kNoRouteFound);
  EXPECT_TRUE(flags->logs.front().filter->passes(facts));
}

TEST_F(AccessLogCompiler, ErrorsInWords) {
  struct Case {
    std::string logs;
    const char* error;
  };
  for (const Case& c :
       {Case{file(R"(,"format":"%NOPE%")"), "unknown operator NOPE"},
        Case{file(R"(,"format":"%CEL(a)%")"), "not supported yet: CEL"},
        Case{file(R"(,"log_format":{"json_format":{"k":"%REQ%"}})"), "k: operator REQ needs an argument"},
        Case{R"([{"name":"x"}])", "needs a typed_config"},
        Case{file("", R"("filter":{"extension_filter":{"name":"x"}},)"),
             "the access log filter 'x' needs a typed_config"},
        Case{R"([{"name":"x","typed_config":{"@type":"type.googleapis.com/envoy.config.cluster.v3.Cluster"}}])",
             "is not an access logger"}}) {
    findings = {};
    (void)compile(c.logs);
    EXPECT_THAT(first_error(), HasSubstr(c.error));
  }
}

TEST_F(AccessLogCompiler, FilesThatCannotBeOpened) {
  disk.fail("/a.log", "permission denied");
  (void)compile(file(""));
  EXPECT_THAT(first_error(), HasSubstr("permission denied"));
  // Only validating touches no file.
  scope.log_files = nullptr;
  findings = {};
  const auto set = compile(file(""));
  EXPECT_EQ(first_error(), "none");
  EXPECT_EQ(set->logs.front().file, nullptr);
}

TEST_F(AccessLogCompiler, NoLogs) { EXPECT_EQ(compile("[]"), nullptr); }

}  // namespace
}  // namespace sluice::config
