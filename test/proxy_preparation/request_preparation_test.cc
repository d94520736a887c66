// The tables are what Envoy was seen to do: test/conformance/behaviour/cases/connection_manager, headers, protocol.
#include "proxy/request_preparation.h"

#include <gtest/gtest.h>

#include <functional>

#include "test/proxy_preparation/message_bench.h"

namespace sluice::proxy {
namespace {

using test::Bench;
using test::Lines;
using Change = std::function<void(model::HttpPlan&)>;

constexpr uint16_t kListenerPort = 10000;

// One request through prepare_request(); ids are shown as "<id>" when they were made here.
struct Trial {
  Trial(const Change& change, std::string_view peer_ip, std::string_view path, const Lines& sent,
        const std::function<void(http::RequestHeaders&)>& with = {}) {
    change(plan);
    remote = test::ip(peer_ip);
    request = bench.request(path, sent);
    if (with) with(*request);
    const std::string id_before(request->fields.get(http::Token::kXRequestId));
    prepared = prepare_request(plan, *request, Peer{remote, local, tls, false, false, "192.0.2.1"}, {}, bench.random);
    fields = test::lines_of(request->fields);
    for (auto& [name, value] : fields) {
      if (name == "x-request-id" && value != id_before && value.size() == 36) value = "<id>";
    }
  }

  Bench bench;
  model::HttpPlan plan;
  net::Address remote;
  net::Address local = test::ip("127.0.0.1", kListenerPort);
  bool tls = false;
  http::RequestHeaders* request = nullptr;
  Prepared prepared;
  Lines fields;
};

void nothing(model::HttpPlan&) {}
void edge(model::HttpPlan& plan) { plan.use_remote_address = true; }
void edge_internal(model::HttpPlan& plan) {
  plan.use_remote_address = true;
  plan.internal_ranges.push_back(*net::Cidr::from("127.0.0.5", 32));
  plan.internal_ranges.push_back(*net::Cidr::from("10.0.0.0", 8));
}

TEST(PrepareRequest, ByDefaultItAddsProtoAndIdAlone) {
  const Trial run(nothing, "127.0.0.5", "/p?q=1", {{"accept", "*/*"}});
  EXPECT_EQ(run.fields, (Lines{{"accept", "*/*"}, {"x-forwarded-proto", "http"}, {"x-request-id", "<id>"}}));
  EXPECT_EQ(run.request->scheme, "http");
  EXPECT_EQ(run.prepared.reply, nullptr);
  EXPECT_EQ(run.prepared.client, &run.remote);
  EXPECT_FALSE(run.prepared.internal);
  EXPECT_TRUE(run.prepared.upgrade.empty());
}

struct Refused {
  const char* name;
  Change plan;
  std::string path;
  Lines sent;
  uint16_t status;
  std::string details;
  std::optional<stats::HttpStat> stat;
  std::string location;
  std::string path_after;
};

void slashes(model::HttpPlan& plan, model::EscapedSlashes action) {
  plan.normalize_path = true;
  plan.escaped_slashes = action;
}
void redirect_slashes(model::HttpPlan& plan) { slashes(plan, model::EscapedSlashes::kUnescapeAndRedirect); }
void reject_slashes(model::HttpPlan& plan) { slashes(plan, model::EscapedSlashes::kReject); }

TEST(PrepareRequest, RefusesWhatCannotBeRouted) {
  using stats::HttpStat;
  const Refused table[] = {
      {"asterisk", nothing, "*", {}, 404, "absolute_path_rejected", HttpStat::kDownstreamRqNonRelativePath, "", "*"},
      {"query only",
       nothing,
       "?q",
       {},
       404,
       "absolute_path_rejected",
       HttpStat::kDownstreamRqNonRelativePath,
       "",
       "?q"},
      {"absolute",
       nothing,
       "http://abs.test/p",
       {},
       404,
       "absolute_path_rejected",
       HttpStat::kDownstreamRqNonRelativePath,
       "",
       "http://abs.test/p"},
      {"no path", nothing, "", {}, 404, "missing_path_rejected", {}, "", ""},
      {"fragment",
       nothing,
       "/a#b",
       {},
       400,
       "path_normalization_failed",
       HttpStat::kDownstreamRqFailedPathNormalization,
       "",
       "/a#b"},
      {"fragment in the query",
       nothing,
       "/a?b=1#c",
       {},
       400,
       "path_normalization_failed",
       HttpStat::kDownstreamRqFailedPathNormalization,
       "",
       "/a?b=1#c"},
      {"escaped slash",
       reject_slashes,
       "/a%2Fb",
       {},
       400,
       "path_normalization_failed",
       HttpStat::kDownstreamRqFailedPathNormalization,
       "",
       "/a/b"},
      {"redirect",
       redirect_slashes,
       "/x%2f..%2Fadmin?q=%2f",
       {},
       307,
       "path_normalization_failed",
       HttpStat::kDownstreamRqRedirectedWithNormalizedPath,
       "/admin?q=%2f",
       "/admin?q=%2f"},
      {"redirect of gRPC",
       redirect_slashes,
       "/a%2Fb",
       {{"content-type", "application/grpc"}},
       400,
       "path_normalization_failed",
       HttpStat::kDownstreamRqFailedPathNormalization,
       "",
       "/a/b"},
  };
  for (const Refused& row : table) {
    SCOPED_TRACE(row.name);
    const Trial run(row.plan, "127.0.0.5", row.path, row.sent);
    ASSERT_NE(run.prepared.reply, nullptr);
    EXPECT_EQ(run.prepared.reply->status, row.status);
    EXPECT_EQ(run.prepared.reply->details, row.details);
    EXPECT_EQ(run.prepared.reply->location, row.location);
    EXPECT_FALSE(run.prepared.reply->flag.has_value());
    EXPECT_EQ(run.prepared.stat, row.stat);
    EXPECT_EQ(run.request->path, row.path_after);
    EXPECT_EQ(run.prepared.client, &run.remote);
  }
}

TEST(PrepareRequest, AHostIsNeeded) {
  const auto without_host = [](http::RequestHeaders& request) { request.authority = {}; };
  const Trial run(nothing, "127.0.0.5", "/", {}, without_host);
  ASSERT_NE(run.prepared.reply, nullptr);
  EXPECT_EQ(run.prepared.reply->status, 400);
  EXPECT_EQ(run.prepared.reply->details, "missing_host_header");
  EXPECT_TRUE(run.prepared.reply->body.empty());

  const auto empty_host = [](http::RequestHeaders& request) { request.authority = ""; };
  EXPECT_EQ(Trial(nothing, "127.0.0.5", "/", {}, empty_host).prepared.reply, nullptr);
  const auto http10 = [](http::RequestHeaders& request) {
    request.authority = "";
    request.protocol = http::Protocol::kHttp10;
  };
  EXPECT_NE(Trial(nothing, "127.0.0.5", "/", {}, http10).prepared.reply, nullptr);
}

TEST(PrepareRequest, PathsAreMadeCanonical) {
  const auto forward = [](model::HttpPlan& plan) {
    slashes(plan, model::EscapedSlashes::kUnescapeAndForward);
    plan.merge_slashes = true;
  };
  const auto merge = [](model::HttpPlan& plan) { plan.merge_slashes = true; };
  const auto normalize = [](model::HttpPlan& plan) { plan.normalize_path = true; };
  const struct {
    Change plan;
    std::string sent, forwarded;
  } table[] = {
      {nothing, "/x/../admin", "/x/../admin"},
      {nothing, "/a%2fb?x=%2f", "/a%2fb?x=%2f"},
      {normalize, "/x/%2e%2E/admin", "/admin"},
      {normalize, "/a/./b/../c/?q=/../x%2e", "/a/c/?q=/../x%2e"},
      {normalize, "/a%2fb/..%2fadmin", "/a%2fb/..%2fadmin"},
      {merge, "//admin//x", "/admin/x"},
      {merge, "/a///b//?q=//x", "/a/b/?q=//x"},
      {forward, "/x%2f..%2Fadmin", "/admin"},
      {forward, "/%2f%2fadmin", "/admin"},
      {forward, "/a%252fb", "/a%252fb"},
      {redirect_slashes, "/x/../plain", "/plain"},
  };
  for (const auto& row : table) {
    SCOPED_TRACE(row.sent);
    const Trial run(row.plan, "127.0.0.5", row.sent, {});
    EXPECT_EQ(run.prepared.reply, nullptr);
    EXPECT_EQ(run.request->path, row.forwarded);
  }
}

TEST(PrepareRequest, HostsLosePortsAndDots) {
  const auto any = [](model::HttpPlan& plan) { plan.strip_any_host_port = plan.strip_trailing_host_dot = true; };
  const auto matching = [](model::HttpPlan& plan) { plan.strip_matching_host_port = true; };
  const struct {
    Change plan;
    std::string sent, forwarded;
  } table[] = {
      {any, "one.test:8081", "one.test"},
      {any, "one.test:", "one.test:"},
      {any, "one.test.:99", "one.test"},
      {any, "one.test..", "one.test."},
      {any, "[::1]:99", "[::1]"},
      {any, "ONE.test:1", "ONE.test"},
      {matching, "one.test:10000", "one.test"},
      {matching, "one.test:8081", "one.test:8081"},
      {matching, "[::1]:10000", "[::1]"},
      {nothing, "one.test.:10000", "one.test.:10000"},
  };
  for (const auto& row : table) {
    SCOPED_TRACE(row.sent);
    const Trial run(row.plan, "127.0.0.5", "/", {},
                    [&](http::RequestHeaders& request) { request.authority = row.sent; });
    EXPECT_EQ(run.request->authority, row.forwarded);
  }
}

TEST(PrepareRequest, HopByHopFieldsGo) {
  const Trial run(nothing, "127.0.0.5", "/",
                  {{"connection", "keep-alive"},
                   {"keep-alive", "3"},
                   {"proxy-connection", "x"},
                   {"te", "trailers, gzip"},
                   {"upgrade", "h2c"},
                   {"http2-settings", "AAMAAABk"},
                   {"proxy-authorization", "Basic"},
                   {"trailer", "x-t"}});
  EXPECT_EQ(run.fields, (Lines{{"proxy-authorization", "Basic"},
                               {"te", "trailers"},
                               {"trailer", "x-t"},
                               {"x-forwarded-proto", "http"},
                               {"x-request-id", "<id>"}}));
  EXPECT_TRUE(run.prepared.upgrade.empty());
}

TEST(PrepareRequest, AnUpgradeKeepsItsFields) {
  const auto as_upgrade = [](http::RequestHeaders& request) { request.tunnel = http::Tunnel::kUpgrade; };
  const Trial run(nothing, "127.0.0.5", "/ws", {{"connection", "Upgrade"}, {"upgrade", "websocket"}}, as_upgrade);
  EXPECT_EQ(run.prepared.upgrade, "websocket");
  EXPECT_EQ(run.fields, (Lines{{"connection", "Upgrade"},
                               {"upgrade", "websocket"},
                               {"x-forwarded-proto", "http"},
                               {"x-request-id", "<id>"}}));
  const auto as_connect = [](http::RequestHeaders& request) {
    request.method = "CONNECT";
    request.tunnel = http::Tunnel::kConnect;
  };
  const Trial connect(nothing, "127.0.0.5", "", {}, as_connect);
  EXPECT_EQ(connect.prepared.reply, nullptr);
  EXPECT_EQ(connect.prepared.upgrade, "CONNECT");
}

TEST(PrepareRequest, SchemeFollowsTheTargetThenTheHeaderThenTheConnection) {
  const struct {
    std::string scheme, sent, expected, header;
  } table[] = {
      {"", "https", "https", "https"},  {"", "HTTPS", "https", "HTTPS"},
      {"", "gopher", "http", "gopher"}, {"", "https,http", "http", "https,http"},
      {"https", "", "https", "http"},   {"https", "http", "https", "http"},
      {"ftp", "", "http", "http"},      {"HTTP", "", "http", "http"},
  };
  for (const auto& row : table) {
    SCOPED_TRACE(row.scheme + "/" + row.sent);
    const Lines sent = row.sent.empty() ? Lines{} : Lines{{"x-forwarded-proto", row.sent}};
    const Trial run(nothing, "127.0.0.5", "/", sent,
                    [&](http::RequestHeaders& request) { request.scheme = row.scheme; });
    EXPECT_EQ(run.request->scheme, row.expected);
    EXPECT_EQ(run.request->fields.get(http::Token::kXForwardedProto), row.header);
  }
  const auto overwrite = [](model::HttpPlan& plan) { plan.scheme_to_overwrite = "https"; };
  const Trial run(overwrite, "127.0.0.5", "/", {{"x-forwarded-proto", "http"}});
  EXPECT_EQ(run.request->scheme, "https");
  EXPECT_EQ(run.request->fields.get(http::Token::kXForwardedProto), "https");
}

TEST(PrepareRequest, AtTheEdgeClaimsAreNotBelieved) {
  const Trial run(edge, "127.0.0.5", "/claims",
                  {{"x-envoy-internal", "true"},
                   {"x-envoy-external-address", "10.9.9.9"},
                   {"x-forwarded-proto", "https"},
                   {"x-forwarded-host", "evil.test"},
                   {"x-forwarded-port", "1"}});
  EXPECT_EQ(run.fields, (Lines{{"x-envoy-external-address", "127.0.0.5"},
                               {"x-forwarded-for", "127.0.0.5"},
                               {"x-forwarded-host", "evil.test"},
                               {"x-forwarded-port", "1"},
                               {"x-forwarded-proto", "http"},
                               {"x-request-id", "<id>"}}));
  EXPECT_EQ(run.request->scheme, "http");
}

TEST(PrepareRequest, WithTrustedHopsProtoAndPortAreBelieved) {
  const auto hops = [](model::HttpPlan& plan) {
    plan.use_remote_address = plan.append_x_forwarded_port = true;
    plan.xff_num_trusted_hops = 1;
  };
  const Trial run(hops, "127.0.0.5", "/", {{"x-forwarded-proto", "https"}, {"x-forwarded-port", "4443"}});
  EXPECT_EQ(run.request->fields.get(http::Token::kXForwardedProto), "https");
  EXPECT_EQ(run.request->fields.get(http::Token::kXForwardedPort), "4443");
  EXPECT_EQ(run.request->scheme, "https");
}

TEST(PrepareRequest, ForwardedPortIsTheListenersAtTheEdge) {
  const auto with_port = [](model::HttpPlan& plan) { plan.use_remote_address = plan.append_x_forwarded_port = true; };
  for (const Lines& sent : {Lines{}, Lines{{"x-forwarded-port", "4443"}}}) {
    EXPECT_EQ(Trial(with_port, "127.0.0.5", "/", sent).request->fields.get(http::Token::kXForwardedPort), "10000");
  }
  const auto mesh = [](model::HttpPlan& plan) { plan.append_x_forwarded_port = true; };
  EXPECT_EQ(Trial(mesh, "127.0.0.5", "/", {}).request->fields.get(http::Token::kXForwardedPort), "10000");
  EXPECT_EQ(Trial(mesh, "127.0.0.5", "/", {{"x-forwarded-port", "4443"}}).request->fields.get("x-forwarded-port"),
            "4443");
}

// connection_manager/sanitise_external.
const Lines kEverything = {
    {"x-envoy-retry-on", "5xx"},
    {"x-envoy-retry-grpc-on", "cancelled"},
    {"x-envoy-max-retries", "2"},
    {"x-envoy-upstream-alt-stat-name", "alt"},
    {"x-envoy-upstream-rq-timeout-alt-response", "1"},
    {"x-envoy-upstream-rq-timeout-ms", "900"},
    {"x-envoy-upstream-rq-per-try-timeout-ms", "800"},
    {"x-envoy-upstream-stream-duration-ms", "950"},
    {"x-envoy-expected-rq-timeout-ms", "5"},
    {"x-envoy-hedge-on-per-try-timeout", "false"},
    {"x-envoy-retriable-status-codes", "418"},
    {"x-envoy-retriable-header-names", "x-r"},
    {"x-envoy-force-trace", "1"},
    {"x-envoy-ip-tags", "tag"},
    {"x-envoy-original-url", "/o"},
    {"x-envoy-original-path", "/p"},
    {"x-envoy-original-host", "h.test"},
    {"x-envoy-decorator-operation", "op"},
    {"x-envoy-downstream-service-cluster", "peer"},
    {"x-envoy-downstream-service-node", "node-1"},
    {"x-envoy-internal", "true"},
    {"x-envoy-external-address", "9.9.9.9"},
    {"x-envoy-attempt-count", "7"},
    {"x-envoy-is-timeout-retry", "true"},
    {"x-envoy-overloaded", "true"},
    {"x-envoy-degraded", "true"},
    {"x-envoy-immediate-health-check-fail", "1"},
    {"x-envoy-upstream-canary", "true"},
    {"x-envoy-unknown", "kept"},
    {"x-forwarded-client-cert", "Hash=abc"},
    {"x-forwarded-host", "fh.test"},
    {"x-client-trace-id", "trace-me"},
    {"x-secret", "s"},
};

TEST(PrepareRequest, OutsideRequestsLoseWhatSteersUs) {
  const Trial run(edge_internal, "127.0.0.6", "/outside", kEverything);
  EXPECT_FALSE(run.prepared.internal);
  EXPECT_EQ(run.fields, (Lines{{"x-client-trace-id", "trace-me"},
                               {"x-envoy-attempt-count", "7"},
                               {"x-envoy-degraded", "true"},
                               {"x-envoy-external-address", "127.0.0.6"},
                               {"x-envoy-immediate-health-check-fail", "1"},
                               {"x-envoy-is-timeout-retry", "true"},
                               {"x-envoy-overloaded", "true"},
                               {"x-envoy-unknown", "kept"},
                               {"x-envoy-upstream-canary", "true"},
                               {"x-forwarded-for", "127.0.0.6"},
                               {"x-forwarded-host", "fh.test"},
                               {"x-forwarded-proto", "http"},
                               {"x-request-id", "<id>"},
                               {"x-secret", "s"}}));
}

TEST(PrepareRequest, InsideRequestsKeepAllButTheCertificate) {
  const Trial run(edge_internal, "127.0.0.5", "/inside", kEverything);
  EXPECT_TRUE(run.prepared.internal);
  Lines expected = kEverything;
  std::erase_if(expected, [](const auto& line) { return line.first == "x-forwarded-client-cert"; });
  expected.insert(expected.end(),
                  {{"x-forwarded-for", "127.0.0.5"}, {"x-forwarded-proto", "http"}, {"x-request-id", "<id>"}});
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(run.fields, expected);
}

TEST(PrepareRequest, InAMeshOnlyInternalHeadersGo) {
  const Trial run(nothing, "127.0.0.5", "/",
                  {{"x-forwarded-for", "203.0.113.9"},
                   {"x-envoy-max-retries", "2"},
                   {"x-envoy-retry-on", "5xx"},
                   {"x-envoy-force-trace", "1"},
                   {"x-envoy-downstream-service-cluster", "peer"},
                   {"x-envoy-original-path", "/p"}});
  EXPECT_EQ(run.fields, (Lines{{"x-envoy-downstream-service-cluster", "peer"},
                               {"x-envoy-original-path", "/p"},
                               {"x-forwarded-for", "203.0.113.9"},
                               {"x-forwarded-proto", "http"},
                               {"x-request-id", "<id>"}}));
  EXPECT_EQ(run.prepared.client->ip_to_string(), "203.0.113.9");
}

TEST(PrepareRequest, AddUserAgentNamesTheNode) {
  const auto named = [](model::HttpPlan& plan) {
    edge_internal(plan);
    plan.add_user_agent = true;
    plan.node_cluster = "mesh";
    plan.node_id = "node";
  };
  for (const char* peer : {"127.0.0.5", "127.0.0.6"}) {
    const Trial run(named, peer, "/", {});
    EXPECT_EQ(run.request->fields.get(http::Token::kUserAgent), "mesh");
    EXPECT_EQ(run.request->fields.get(http::Token::kXEnvoyDownstreamServiceCluster), "mesh");
    EXPECT_EQ(run.request->fields.get(http::Token::kXEnvoyDownstreamServiceNode), "node");
    const Trial own(named, peer, "/", {{"user-agent", "curl"}, {"x-envoy-downstream-service-cluster", "theirs"}});
    EXPECT_EQ(own.request->fields.get(http::Token::kUserAgent), "curl");
    EXPECT_EQ(own.request->fields.get(http::Token::kXEnvoyDownstreamServiceCluster), "mesh");
  }
}

TEST(PrepareRequest, ViaIsAppended) {
  const auto via = [](model::HttpPlan& plan) { plan.via = "edge"; };
  EXPECT_EQ(Trial(via, "127.0.0.5", "/", {}).request->fields.get(http::Token::kVia), "edge");
  EXPECT_EQ(Trial(via, "127.0.0.5", "/", {{"via", "a"}, {"via", "b"}}).request->fields.get(http::Token::kVia),
            "a,b, edge");
}

TEST(PrepareRequest, RequestIds) {
  const auto off = [](model::HttpPlan& plan) { plan.generate_request_id = false; };
  const auto preserve = [](model::HttpPlan& plan) {
    plan.use_remote_address = plan.preserve_external_request_id = true;
  };
  const struct {
    const char* name;
    Change plan;
    const char* peer;
    Lines sent;
    std::string expected;
  } table[] = {
      {"made", nothing, "127.0.0.6", {}, "<id>"},
      {"kept in a mesh", nothing, "127.0.0.6", {{"x-request-id", "mine"}}, "mine"},
      {"outside", edge_internal, "127.0.0.6", {{"x-request-id", "mine"}}, "<id>"},
      {"inside", edge_internal, "127.0.0.5", {{"x-request-id", "mine"}}, "mine"},
      {"inside, empty", edge_internal, "127.0.0.5", {{"x-request-id", ""}}, "<id>"},
      {"preserved", preserve, "127.0.0.6", {{"x-request-id", "mine"}}, "mine"},
      {"preserved, none", preserve, "127.0.0.6", {}, "<id>"},
      {"off", off, "127.0.0.6", {}, ""},
      {"off, sent", off, "127.0.0.6", {{"x-request-id", "mine"}}, "mine"},
  };
  for (const auto& row : table) {
    SCOPED_TRACE(row.name);
    const Trial run(row.plan, row.peer, "/", row.sent);
    const auto found = std::find_if(run.fields.begin(), run.fields.end(),
                                    [](const auto& line) { return line.first == "x-request-id"; });
    EXPECT_EQ(found == run.fields.end() ? "" : found->second, row.expected);
  }
}

TEST(PrepareRequest, RepeatedListsAreJoined) {
  const Trial run(nothing, "127.0.0.5", "/",
                  {{"accept", "a/a"},
                   {"accept", "b/b"},
                   {"via", "a"},
                   {"via", "b"},
                   {"user-agent", "a"},
                   {"user-agent", "b"},
                   {"cookie", "a=1"},
                   {"cookie", "b=2"},
                   {"x-k", "a"},
                   {"x-k", "b"},
                   {"forwarded", "for=a"},
                   {"forwarded", "for=b"},
                   {"origin", "http://a"},
                   {"origin", "http://b"}});
  EXPECT_EQ(run.fields, (Lines{{"accept", "a/a,b/b"},
                               {"cookie", "a=1"},
                               {"cookie", "b=2"},
                               {"forwarded", "for=a"},
                               {"forwarded", "for=b"},
                               {"origin", "http://a,http://b"},
                               {"user-agent", "a,b"},
                               {"via", "a,b"},
                               {"x-forwarded-proto", "http"},
                               {"x-k", "a"},
                               {"x-k", "b"},
                               {"x-request-id", "<id>"}}));
  const Trial others(nothing, "127.0.0.5", "/",
                     {{"if-match", "a"},
                      {"pragma", "a"},
                      {"age", "1"},
                      {"if-match", "b"},
                      {"if-match", "c"},
                      {"pragma", ""},
                      {"age", "2"},
                      {"etag", "a"},
                      {"etag", "b"}});
  EXPECT_EQ(others.fields, (Lines{{"age", "1"},
                                  {"age", "2"},
                                  {"etag", "a"},
                                  {"etag", "b"},
                                  {"if-match", "a,b,c"},
                                  {"pragma", "a"},
                                  {"x-forwarded-proto", "http"},
                                  {"x-request-id", "<id>"}}));
}

// As Envoy 1.40 was seen to keep and to remove them.
TEST(PrepareRequest, OnlyGoodReferersAreForwarded) {
  for (const char* good : {"http://a/b", "HTTP://a",   "/rel",         "a.b",
                           "//a/b",      "a/b",        "ftp://x/y",    "android-app://com.x/",
                           "",           "/a?b=c",     "/a@b",         "//u@a/",
                           "/a:b",       "?q",         "http://a/\"",  "http://a/<x>",
                           "/a%zz",      "/a[b]",      "http://a:80/", "http://[::1]/",
                           "*",          "/~",         "/a'b",         "http://a?x",
                           "http://-/",  "HTTP+x://a/"}) {
    EXPECT_EQ(Trial(nothing, "127.0.0.5", "/", {{"referer", good}}).request->fields.get("referer"), good);
  }
  for (const char* bad : {"about:blank", "http://u:p@a/", "http://a/#f", "http://", "http://a b/", "a:b",
                          "a?x:y",       "/\"",           "/a|b",        "/a^b",    "/<a>",        "/a{b}",
                          "/\\",         "http://a:b/",   "1http://a",   "http:/a", "mailto:x@y",  "/a`b",
                          "http://a#",   "http://a_b/",   "http://%41/", "/a\tb",   "/\xff"}) {
    EXPECT_FALSE(Trial(nothing, "127.0.0.5", "/", {{"referer", bad}}).request->fields.has(http::Token::kReferer))
        << bad;
  }
  const Trial twice(nothing, "127.0.0.5", "/", {{"referer", "http://a"}, {"referer", "http://a"}});
  EXPECT_FALSE(twice.request->fields.has(http::Token::kReferer));
}

TEST(PrepareRequest, ClientCertificateFieldByMode) {
  using Mode = model::ClientCertDetails;
  const struct {
    Mode mode;
    bool without, with;  // kept on a connection without, with a client certificate
  } table[] = {{Mode::kSanitize, false, false},
               {Mode::kSanitizeSet, false, false},
               {Mode::kForwardOnly, false, true},
               {Mode::kAppendForward, false, true},
               {Mode::kAlwaysForwardOnly, true, true}};
  for (const auto& row : table) {
    for (const bool certificate : {false, true}) {
      Bench bench;
      model::HttpPlan plan;
      plan.client_cert = row.mode;
      const net::Address remote = test::ip("127.0.0.5");
      http::RequestHeaders* request = bench.request("/", {{"x-forwarded-client-cert", "Hash=abc"}});
      prepare_request(plan, *request, Peer{remote, remote, true, certificate, false, {}}, {}, bench.random);
      EXPECT_EQ(request->fields.has(http::Token::kXForwardedClientCert), certificate ? row.with : row.without);
      EXPECT_EQ(request->scheme, "https");
    }
  }
}

TEST(UpgradeAllowed, TheRouteDecidesWhenItNamesTheType) {
  const model::Upgrade on{"websocket", true};
  const model::Upgrade off{"websocket", false};
  const std::vector<model::Upgrade> none;
  EXPECT_FALSE(upgrade_allowed("websocket", none, none));
  EXPECT_TRUE(upgrade_allowed("WebSocket", none, std::vector{on}));
  EXPECT_FALSE(upgrade_allowed("websocket", std::vector{off}, std::vector{on}));
  EXPECT_TRUE(upgrade_allowed("websocket", std::vector{on}, none));
  EXPECT_FALSE(upgrade_allowed("CONNECT", std::vector{on}, std::vector{on}));
  EXPECT_TRUE(upgrade_allowed("CONNECT", none, std::vector{model::Upgrade{"connect", true}}));
}

}  // namespace
}  // namespace sluice::proxy
