#include "cel/expression.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <utility>

#include "base/strings.h"
#include "test/format/sample_facts.h"

namespace sluice::cel {
namespace {

using testing::HasSubstr;

class ExpressionTest : public testing::Test, public format::SampleFacts {
 protected:
  // "true", "false", "error" (neither it nor its opposite holds), or "refused".
  std::string verdict(std::string_view text) {
    auto expression = Expression::parse(text);
    if (!expression) return "refused";
    if (expression->holds(facts)) return "true";
    auto opposite = Expression::parse(cat("!(", text, "\n)"));
    return opposite && opposite->holds(facts) ? "false" : "error";
  }
  static std::string why(std::string_view text) {
    auto expression = Expression::parse(text);
    return expression ? "accepted" : expression.error();
  }
};

// Each line of the file: a verdict, and an expression.
TEST_F(ExpressionTest, TheLanguageAsEnvoyHasIt) {
  std::ifstream file("test/cel/expressions.txt");
  ASSERT_TRUE(file);
  int count = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') continue;
    EXPECT_EQ(verdict(line.substr(8)), trim(line.substr(0, 8))) << line.substr(8) << "   " << why(line.substr(8));
    ++count;
  }
  EXPECT_GT(count, 300);
}

TEST_F(ExpressionTest, WhatARequestWas) {
  request.fields.add("x-a", "one");
  request.fields.add("x-a", "");
  request.fields.add("user-agent", "curl/8");
  response.fields.add("x-r", "\xff");
  for (
      const std::string_view text : {
          R"(request.path == "/x?k=value&b=1" && request.url_path == "/x" && request.query == "k=value&b=1")",
          R"(request.method == "GET" && request.host == "example.test" && request.scheme == "http")",
          R"(request.headers["x-a"] == "one," && request.headers["X-a"] == "one," && request.useragent == "curl/8")",
          R"(request.headers[":authority"] == request.headers.host && response.headers[":status"] == "200")",
          R"(size(request.headers) == 6 && size(response.headers) == 2 && size(response.trailers) == 0)",
          R"(request.headers_bytes == 7 + 3 + 5 + 14 + 10 + 12 + 7 + 4 + 3 + 3 + 3 + 10 + 6)",
          R"(response.headers["x-r"].size() == 1)",
          R"(request.time == timestamp("2026-11-22T23:10:06.253067Z") && request.duration == duration("5ms"))",
          R"(request.protocol == "HTTP/1.1" && request.size == 0 && response.size == 2)",
          R"(response.code == 200 && response.code_details == "via_upstream" && response.backend_latency == duration("3ms"))",
          R"(source.address == "127.0.0.1:40000" && source.port == 40000 && destination.port == 10000)",
          R"(upstream.address == "10.1.2.3:8080" && upstream.port == 8080 && !has(upstream.local_address))",
          R"(xds.cluster_name == "a" && xds.route_name == "" && xds.upstream_host_metadata == null)",
          R"(has(request.path) && !has(request.referer) && !has(request.nothing) && !has(response.headers.nothing))",
      }) {
    EXPECT_EQ(verdict(text), "true") << text << "   " << why(text);
  }
}

TEST_F(ExpressionTest, WhatIsNotThereIsAnError) {
  facts = format::Facts();
  for (const std::string_view text :
       {"request.path", "request.headers['a']", "response.code", "response.grpc_status", "upstream.address",
        "source.port", "xds.route_name", "connection.tls_version", "request.duration", "request['path']"}) {
    EXPECT_EQ(verdict(cat(text, " == 1")), "error") << text;
  }
  EXPECT_EQ(verdict("metadata.filter_metadata == metadata.filter_metadata && size(metadata.filter_metadata) == 0"),
            "true");
  EXPECT_EQ(verdict("'a' in filter_state || 'a' in request.headers"), "false");
}

TEST_F(ExpressionTest, Flags) {
  facts.flags.set(format::Flag::kNoRouteFound);
  EXPECT_EQ(verdict("response.flags == 0x100"), "true");
  facts.flags.set(format::Flag::kNoHealthyUpstream);
  EXPECT_EQ(verdict("response.flags == 0x102"), "true");
}

TEST_F(ExpressionTest, WhatIsRefusedIsNamed) {
  EXPECT_EQ(why("response.code >="), "column 17: there must be a value");
  EXPECT_THAT(why("xds.node.id == 'a'"), HasSubstr("xds.node is not supported"));
  EXPECT_THAT(why("xds['node'].id == 'a'"), HasSubstr("xds.node is not supported"));
  EXPECT_THAT(why("has(upstream.locality)"), HasSubstr("upstream.locality is not supported"));
  EXPECT_THAT(why("upstream_filter_state['a'] == b'a'"), HasSubstr("upstream_filter_state is not supported"));
  EXPECT_THAT(why("[1].all(x, x > 0)"), HasSubstr("all() is not supported"));
  EXPECT_THAT(why("string(1) == '1'"), HasSubstr("string()"));
  EXPECT_THAT(why("'a'.matches(request.path)"), HasSubstr("others are not supported"));
  EXPECT_THAT(why("'a'.matches('(')"), HasSubstr("does not compile"));
  EXPECT_THAT(why("'a'.matches('a)|(b')"), HasSubstr("does not compile"));
  EXPECT_THAT(why("'a'.matches('[a-z]{200}')"), HasSubstr("more than the allowed 100"));
  EXPECT_THAT(why("timestamp(0).getHours(request.path) == 1"), HasSubstr("of time zones"));
  EXPECT_THAT(why("\xff"), HasSubstr("UTF-8"));
}

std::string repeated(std::string_view text, size_t times) {
  std::string out;
  for (size_t i = 0; i < times; ++i) out += text;
  return out;
}

TEST_F(ExpressionTest, HasLimits) {
  const auto nested = [](size_t times) { return cat(repeated("(", times), "true", repeated(")", times)); };
  EXPECT_EQ(verdict(nested(240)), "true");
  EXPECT_THAT(why(nested(250)), HasSubstr("nested more than 250 deep"));
  EXPECT_THAT(why(nested(40'000)), HasSubstr("nested more than 250 deep"));
  EXPECT_THAT(why(cat("1", repeated("+1", 300), " == 301")), HasSubstr("nested more than 250 deep"));
  EXPECT_EQ(verdict(cat("1", repeated("+1", 200), " == 201")), "true");
  EXPECT_THAT(why(cat("a", repeated(".a", 300))), HasSubstr("nested more than 250 deep"));
  EXPECT_THAT(why(cat("a", repeated("[0]", 300))), HasSubstr("nested more than 250 deep"));
  EXPECT_THAT(why(repeated("[", 30'000)), HasSubstr("nested more than 250 deep"));
  EXPECT_THAT(why(cat(repeated("true ? true : ", 300), "true")), HasSubstr("nested more than 250 deep"));
  EXPECT_EQ(verdict(cat(repeated("true && ", 5'000), "true")), "true");
  EXPECT_EQ(verdict(cat(repeated("!!", 5'000), "true")), "true");
  EXPECT_EQ(verdict(cat(repeated("-", 5'001), "1 == -1")), "true");
  EXPECT_THAT(why(repeated(" ", 100'001)), HasSubstr("more than 100000 bytes"));
}

}  // namespace
}  // namespace sluice::cel
