// Rewrites, redirects, weights and the order of header levels. The expectations are what Envoy was seen to do.
#include "model/route_apply.h"

#include <gtest/gtest.h>

#include "test/model/messages.h"

namespace sluice::model {
namespace {

using Lines = std::vector<std::string>;

class RouteApplyTest : public ModelTest {
 protected:
  void SetUp() override {
    host_.domains = {"*"};
    host_.table = &table_;
    route_.host = &host_;
    route_.action = ForwardAction{};
    choice_ = {&host_, &route_};
  }
  ForwardAction& action() { return std::get<ForwardAction>(route_.action); }
  http::RequestHeaders& rewritten(http::RequestHeaders& headers, const WeightedCluster* weighted = nullptr) {
    rewrite_request(choice_, action(), weighted, headers, facts_, "endpoint.test");
    return headers;
  }
  http::RequestHeaders& rewritten(std::string_view path) { return rewritten(request(path)); }
  std::string location(const RedirectAction& redirect, std::string_view path, std::string_view host,
                       std::string_view proto = "http") {
    auto& headers = request(path, host);
    headers.scheme = proto;
    headers.fields.set(http::Token::kXForwardedProto, proto);
    return std::string(build_location(redirect, route_, headers, facts_));
  }

  RouteTable table_;
  VirtualHost host_;
  Route route_;
  RouteChoice choice_;
};

TEST_F(RouteApplyTest, AnUntouchedRequestStaysAsItIs) {
  auto& headers = rewritten("/a?b");
  EXPECT_EQ(headers.path, "/a?b");
  EXPECT_EQ(headers.authority, "example.test");
  EXPECT_EQ(headers.fields.get("x-envoy-original-path").data(), nullptr);
}

TEST_F(RouteApplyTest, APrefixRewriteReplacesThePrefixAndKeepsTheQuery) {
  route_.match.path = "/one";
  action().rewrite.edit().prefix = "/";
  action().rewrite.edit().has_prefix = true;
  EXPECT_EQ(rewritten("/one").path, "/");
  EXPECT_EQ(rewritten("/one/x").path, "//x");
  EXPECT_EQ(rewritten("/onex").path, "/x");
  auto& headers = rewritten("/one?q=/one");
  EXPECT_EQ(headers.path, "/?q=/one");
  EXPECT_EQ(headers.fields.get("x-envoy-original-path"), "/one?q=/one");
}

TEST_F(RouteApplyTest, APrefixRewriteOfAnExactOrRegexMatchReplacesEverything) {
  action().rewrite.edit().prefix = "/new";
  action().rewrite.edit().has_prefix = true;
  route_.match.kind = PathKind::kExact;
  route_.match.path = "/exact/path";
  EXPECT_EQ(rewritten("/exact/path?q").path, "/new?q");
  route_.match.kind = PathKind::kRegex;
  EXPECT_EQ(rewritten("/re/abc/def?q=1").path, "/new?q=1");
}

TEST_F(RouteApplyTest, APrefixRewriteWithoutCaseReplacesItsLength) {
  route_.match.path = "/Pre";
  route_.match.case_sensitive = false;
  action().rewrite.edit().prefix = "/new";
  action().rewrite.edit().has_prefix = true;
  EXPECT_EQ(rewritten("/PRE/Path").path, "/new/Path");
}

TEST_F(RouteApplyTest, APathThatOnlyMatchedWithoutItsParametersIsLeft) {
  route_.match.path = "/pre/x";
  action().rewrite.edit().prefix = "/y";
  action().rewrite.edit().has_prefix = true;
  EXPECT_EQ(rewritten("/pre;a=1/x").path, "/pre;a=1/x");
  EXPECT_EQ(rewritten("/pre/x;a=1/z").path, "/y;a=1/z");
}

TEST_F(RouteApplyTest, ARegexRewriteIsAboutThePathAlone) {
  action().rewrite.edit().path_regex = rewrite("one", "two");
  auto& headers = rewritten("/all/one/one?one");
  EXPECT_EQ(headers.path, "/all/two/two?one");
  auto& unchanged = rewritten("/all/xyz");
  EXPECT_EQ(unchanged.path, "/all/xyz");
  EXPECT_EQ(unchanged.fields.get("x-envoy-original-path"), "/all/xyz");
}

TEST_F(RouteApplyTest, AFormatMayMakeThePath) {
  action().rewrite.edit().path_format = formatter("/f/%REQ(x-k)%");
  EXPECT_EQ(rewritten(request("/a?q", "h", {{"x-k", "v"}})).path, "/f/v?q");
}

TEST_F(RouteApplyTest, OriginalsMayBeSuppressed) {
  action().rewrite.edit().prefix = "/new";
  action().rewrite.edit().has_prefix = true;
  action().rewrite.edit().host_literal = "inner.test";
  route_.match.path = "/";
  auto& headers = request("/a");
  rewrite_request(choice_, action(), nullptr, headers, facts_, "", Originals::kOmit);
  EXPECT_EQ(headers.path, "/newa");
  EXPECT_EQ(headers.authority, "inner.test");
  EXPECT_EQ(lines(headers.fields), Lines{"x-forwarded-proto: http"});
}

TEST_F(RouteApplyTest, TheHostComesFromALiteralAHeaderThePathOrTheEndpoint) {
  action().rewrite.edit().host_literal = "inner.test:81";
  auto& literal = rewritten("/");
  EXPECT_EQ(literal.authority, "inner.test:81");
  EXPECT_EQ(literal.fields.get("x-envoy-original-host"), "example.test");
  EXPECT_EQ(literal.fields.get("x-forwarded-host").data(), nullptr);

  action().rewrite.clear();
  action().rewrite.edit().host_header = "x-host";
  EXPECT_EQ(rewritten(request("/", "h", {{"x-host", "a.test"}, {"x-host", "b.test"}})).authority, "a.test");
  EXPECT_EQ(rewritten(request("/", "h", {{"x-host", ""}})).authority, "h");
  EXPECT_EQ(rewritten("/").fields.get("x-envoy-original-host").data(), nullptr);

  action().rewrite.clear();
  action().rewrite.edit().host_path_regex = rewrite("^/path/([^/?]+).*$", "\\1.test");
  EXPECT_EQ(rewritten("/path/svc/x?y=1").authority, "svc.test");

  action().rewrite.clear();
  action().rewrite.edit().host_auto = true;
  EXPECT_EQ(rewritten("/").authority, "endpoint.test");
}

TEST_F(RouteApplyTest, TheOldHostIsAppendedToForwardedHost) {
  action().rewrite.edit().host_literal = "inner.test";
  action().rewrite.edit().append_forwarded_host = true;
  EXPECT_EQ(rewritten("/").fields.get("x-forwarded-host"), "example.test");
  EXPECT_EQ(
      rewritten(request("/", "example.test", {{"x-forwarded-host", "first.test"}})).fields.get("x-forwarded-host"),
      "first.test,example.test");
  EXPECT_EQ(rewritten(request("/", "example.test", {{"x-forwarded-host", "first.test, example.test"}}))
                .fields.get("x-forwarded-host"),
            "first.test, example.test,example.test");
  EXPECT_EQ(rewritten(request("/", "example.test", {{"x-forwarded-host", "first.test,example.test"}}))
                .fields.get("x-forwarded-host"),
            "first.test,example.test");
  action().rewrite.edit().host_literal = "";
  EXPECT_EQ(rewritten("/").fields.get("x-forwarded-host").data(), nullptr);
}

TEST_F(RouteApplyTest, HeaderLevelsActFromWeightedClusterToTable) {
  WeightedCluster weighted;
  weighted.request_headers.add.push_back(rule("x-all", "weighted"));
  route_.request_headers.add.push_back(rule("x-all", "route"));
  route_.request_headers.add.push_back(rule("x-over", "route", AppendAction::kOverwriteIfExistsOrAdd));
  host_.request_headers.add.push_back(rule("x-all", "vhost"));
  host_.request_headers.remove = {"x-rm"};
  table_.request_headers.add.push_back(rule("x-all", "table"));
  table_.request_headers.add.push_back(rule("x-over", "table", AppendAction::kOverwriteIfExistsOrAdd));
  route_.request_headers.add.push_back(rule("x-rm", "route"));

  auto& headers = rewritten(request("/"), &weighted);
  EXPECT_EQ(lines(headers.fields, "x-all"), (Lines{"weighted", "route", "vhost", "table"}));
  EXPECT_EQ(lines(headers.fields, "x-over"), Lines{"table"});
  EXPECT_EQ(lines(headers.fields, "x-rm"), Lines{});

  table_.most_specific_header_mutations_wins = true;
  auto& specific = rewritten(request("/"), &weighted);
  EXPECT_EQ(lines(specific.fields, "x-all"), (Lines{"weighted", "table", "vhost", "route"}));
  EXPECT_EQ(lines(specific.fields, "x-over"), Lines{"route"});
}

TEST_F(RouteApplyTest, ResponsesGetTheRulesOfTheirRoute) {
  route_.response_headers.add.push_back(rule("x-route", "1"));
  table_.response_headers.add.push_back(rule("x-table", "1"));
  auto& response = *arena_.create<http::ResponseHeaders>(arena_);
  finalize_response(choice_, nullptr, response, facts_);
  EXPECT_EQ(lines(response.fields), (Lines{"x-route: 1", "x-table: 1"}));

  auto& nowhere = *arena_.create<http::ResponseHeaders>(arena_);
  finalize_response({&host_, nullptr}, nullptr, nowhere, facts_);
  EXPECT_TRUE(nowhere.fields.empty());
}

TEST_F(RouteApplyTest, AWeightedClustersHostComesBeforeTheRoutes) {
  WeightedCluster weighted;
  weighted.host_rewrite = "special.test";
  auto& alone = rewritten(request("/"), &weighted);
  EXPECT_EQ(alone.authority, "special.test");
  EXPECT_EQ(alone.fields.get("x-envoy-original-host").data(), nullptr);
  action().rewrite.edit().host_literal = "route.test";
  auto& both = rewritten(request("/"), &weighted);
  EXPECT_EQ(both.authority, "route.test");
  EXPECT_EQ(both.fields.get("x-envoy-original-host"), "special.test");
}

TEST_F(RouteApplyTest, WeightsHaveExactBorders) {
  ForwardAction& forward = action();
  for (const auto& [name, weight] : {std::pair{"a", 30u}, {"zero", 0u}, {"b", 70u}}) {
    forward.weighted.emplace_back();
    forward.weighted.back().name = name;
    forward.weighted.back().weight = weight;
    forward.total_weight += weight;
  }
  const auto pick = [&](uint64_t random) { return forward.pick(request("/"), random)->name; };
  EXPECT_EQ(pick(0), "a");
  EXPECT_EQ(pick(29), "a");
  EXPECT_EQ(pick(30), "b");
  EXPECT_EQ(pick(99), "b");
  EXPECT_EQ(pick(100), "a");

  forward.weight_header = "x-pick";
  EXPECT_EQ(forward.pick(request("/", "h", {{"x-pick", "130"}}), 0)->name, "b");
  EXPECT_EQ(forward.pick(request("/", "h", {{"x-pick", "18446744073709551615"}}), 99)->name, "a");
  EXPECT_EQ(forward.pick(request("/", "h", {{"x-pick", "-1"}}), 99)->name, "b");
  EXPECT_EQ(forward.pick(request("/"), 99)->name, "b");
}

TEST_F(RouteApplyTest, AHeaderMayNameTheCluster) {
  ForwardAction forward;
  forward.cluster_header = "x-to";
  EXPECT_EQ(forward.cluster_name(nullptr, request("/", "h", {{"x-to", "a"}, {"x-to", "b"}})), "a");
  EXPECT_EQ(forward.cluster_name(nullptr, request("/")), "");
  forward.cluster_header = ":authority";
  EXPECT_EQ(forward.cluster_name(nullptr, request("/", "c")), "c");
  WeightedCluster weighted;
  weighted.cluster_header = "x-target";
  EXPECT_EQ(forward.cluster_name(&weighted, request("/", "h", {{"x-target", "w"}})), "w");
}

TEST_F(RouteApplyTest, LocationsTakeSchemeAndPort) {
  RedirectAction https;
  https.https = true;
  EXPECT_EQ(location(https, "/x?a=b", "e.test"), "https://e.test/x?a=b");
  EXPECT_EQ(location(https, "/x", "e.test:80"), "https://e.test/x");
  EXPECT_EQ(location(https, "/x", "e.test:443"), "https://e.test:443/x");
  EXPECT_EQ(location(https, "/x", "e.test:8443"), "https://e.test:8443/x");
  EXPECT_EQ(location(https, "/x", "[::1]:80"), "https://[::1]/x");
  EXPECT_EQ(location(https, "/x", "[::1]"), "https://[::1]/x");
  EXPECT_EQ(location(https, "/x", "e.test:443", "https"), "https://e.test:443/x");
  RedirectAction http;
  http.scheme = "http";
  EXPECT_EQ(location(http, "/x", "e.test:443", "https"), "http://e.test/x");
  EXPECT_EQ(location(http, "/x", "e.test:80", "https"), "http://e.test:80/x");
  RedirectAction port;
  port.port = 8080;
  EXPECT_EQ(location(port, "/x", "[::1]:80"), "http://[::1]:8080/x");
  EXPECT_EQ(location(port, "/x", "e.test", "https"), "https://e.test:8080/x");
  RedirectAction host;
  host.host = "other.test:81";
  EXPECT_EQ(location(host, "/x", "e.test:8080"), "http://other.test:81/x");
  EXPECT_EQ(location({}, "/x", "e.test:8080"), "http://e.test:8080/x");
  RedirectAction tls;
  tls.https = true;
  tls.require_tls = true;
  EXPECT_EQ(location(tls, "/x", "e.test:80"), "https://e.test:80/x");
}

TEST_F(RouteApplyTest, LocationsTakePathsAndQueries) {
  RedirectAction path;
  path.path = "/new";
  EXPECT_EQ(location(path, "/p?a=b", "h"), "http://h/new?a=b");
  path.strip_query = true;
  EXPECT_EQ(location(path, "/p?a=b", "h"), "http://h/new");
  path.path = "/new?own=1";
  EXPECT_EQ(location(path, "/p?a=b", "h"), "http://h/new?own=1");
  RedirectAction prefix;
  prefix.prefix = "/";
  prefix.has_prefix = true;
  route_.match.path = "/pre/";
  EXPECT_EQ(location(prefix, "/pre/a//b%2Fc?a=b", "h"), "http://h/a//b%2Fc?a=b");
  RedirectAction regex;
  regex.path_regex = rewrite("^/re/(\\w+)/(\\w+)", "/\\2/\\1");
  EXPECT_EQ(location(regex, "/re/one/two/three?q=/re/a/b", "h"), "http://h/two/one/three?q=/re/a/b");
  EXPECT_EQ(location(regex, "/re/none", "h"), "http://h/re/none");
  RedirectAction format;
  format.path_format = formatter("/f/%REQ(:path)%");
  EXPECT_EQ(location(format, "/fmt/1?a=b", "h"), "http://h/f//fmt/1?a=b");
}

}  // namespace
}  // namespace sluice::model
