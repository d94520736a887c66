// Routes: what is compiled into which action, and what is refused.
#include <gtest/gtest.h>

#include "test/filters/bootstrap_support.h"

namespace sluice::filters {
namespace {

using std::chrono::seconds;

Compiled action(const std::string& text) { return Compiled{Pieces{.routes = "{match: {prefix: /}, " + text + "}"}}; }
Compiled forward(const std::string& fields) { return action("route: {cluster: a, " + fields + "}"); }

TEST(RouteCompiler, Matches) {
  const Compiled c{Pieces{.routes = "{name: r, match: {path: /x, case_sensitive: false, headers: [{name: X-K, "
                                    "string_match: {prefix: v, ignore_case: true}}, "
                                    "{name: u, present_match: false}, {name: z, range_match: {start: 1, end: 5}, "
                                    "invert_match: true, treat_missing_header_as_empty: true}], "
                                    "query_parameters: [{name: q, present_match: false}], cookies: [{name: c, "
                                    "string_match: {exact: d}, invert_match: true}], grpc: {}, "
                                    "tls_context: {presented: true}, runtime_fraction: {default_value: {numerator: 5, "
                                    "denominator: TEN_THOUSAND}}}, non_forwarding_action: {}}, "
                                    "{match: {path_separated_prefix: /sep}, route: {cluster: a}}, {match: "
                                    "{connect_matcher: {}}, route: {cluster: a}}"}};
  ASSERT_TRUE(c.ok()) << c.errors();
  const model::RouteMatch& m = c.route().match;
  EXPECT_EQ(m.kind, model::PathKind::kExact);
  EXPECT_FALSE(m.case_sensitive);
  ASSERT_EQ(m.conditions->headers.size(), 3u);
  EXPECT_EQ(m.conditions->headers[0].describe(), "x-k prefix \"v\" ignoring case");
  EXPECT_EQ(m.conditions->headers[1].describe(), "not u present");
  EXPECT_EQ(m.conditions->headers[2].describe(), "not z in [1, 5) (missing counts as empty)");
  EXPECT_TRUE(m.conditions->query.at(0).absent);
  EXPECT_TRUE(m.conditions->cookies.at(0).invert);
  EXPECT_TRUE(m.grpc);
  EXPECT_EQ(m.conditions->tls_presented, true);
  EXPECT_EQ(m.conditions->tls_validated, std::nullopt);
  EXPECT_EQ(m.conditions->fraction->denominator, 10000u);
  EXPECT_TRUE(std::holds_alternative<model::NonForwardingAction>(c.route().action));
  EXPECT_EQ(c.route(1).match.kind, model::PathKind::kSeparatedPrefix);
  EXPECT_EQ(c.route(2).match.kind, model::PathKind::kConnect);
  EXPECT_EQ(c.route().host, c.http().routes->hosts[0].get());
}

TEST(RouteCompiler, DeprecatedHeaderMatchers) {
  const Compiled c{Pieces{
      .routes =
          "{match: {prefix: /, headers: [{name: a, exact_match: x}, {name: b, prefix_match: x}, {name: c, "
          "suffix_match: x}, "
          "{name: d, contains_match: x}, {name: e, safe_regex_match: {regex: x}}, {name: f}]}, route: {cluster: a}}"}};
  ASSERT_TRUE(c.ok()) << c.errors();
  std::string all;
  for (const auto& matcher : c.route().match.conditions->headers) append(all, matcher.describe(), "; ");
  EXPECT_EQ(all, "a exact \"x\"; b prefix \"x\"; c suffix \"x\"; d contains \"x\"; e regex \"x\"; f present; ");
}

TEST(RouteCompiler, Forwarding) {
  const Compiled c = forward(
      "timeout: 0s, idle_timeout: 3s, priority: HIGH, cluster_not_found_response_code: NOT_FOUND, prefix_rewrite: "
      "/new, "
      "host_rewrite_header: X-Host, append_x_forwarded_host: true, upgrade_configs: [{upgrade_type: websocket, "
      "enabled: false}]");
  ASSERT_TRUE(c.ok()) << c.errors();
  const model::ForwardAction& f = c.forward();
  EXPECT_EQ(f.timeout, seconds(0));
  EXPECT_EQ(f.idle_timeout, seconds(3));
  EXPECT_EQ(f.priority, 1);
  EXPECT_EQ(f.cluster_not_found_status, 404);
  EXPECT_TRUE(f.rewrite->has_prefix);
  EXPECT_EQ(f.rewrite->prefix, "/new");
  EXPECT_EQ(f.rewrite->host_header, "x-host");
  EXPECT_TRUE(f.rewrite->append_forwarded_host);
  EXPECT_FALSE(f.upgrades.at(0).enabled);
}

TEST(RouteCompiler, AnUnsetTimeoutStaysUnset) {
  const Compiled c{Pieces{}};
  EXPECT_EQ(c.forward().timeout, std::nullopt);
  EXPECT_EQ(c.forward().idle_timeout, std::nullopt);
}

TEST(RouteCompiler, OneRewriteOfThePath) {
  EXPECT_TRUE(forward("prefix_rewrite: /b, path_rewrite: /x").fails("route", "only one of"));
  EXPECT_TRUE(forward("regex_rewrite: {pattern: {regex: \"a(b)\"}, substitution: '\\2'}").ok());
  EXPECT_FALSE(forward("regex_rewrite: {pattern: {regex: \"a(b\"}, substitution: x}").ok());
  EXPECT_FALSE(forward("path_rewrite: \"%NOPE%\"").ok());
}

TEST(RouteCompiler, WeightedClusters) {
  const auto weighted = [](const std::string& clusters) {
    return action("route: {weighted_clusters: {" + clusters + "}}");
  };
  const Compiled c = weighted(
      "header_name: X-Pick, total_weight: 10, clusters: [{name: a, weight: 3, host_rewrite_literal: h}, "
      "{cluster_header: X-To, weight: 4}, {name: a}]");
  ASSERT_TRUE(c.ok()) << c.errors();
  EXPECT_EQ(c.forward().total_weight, 7u);
  EXPECT_EQ(c.forward().weight_header, "x-pick");
  EXPECT_EQ(c.forward().weighted[0].host_rewrite, "h");
  EXPECT_EQ(c.forward().weighted[1].cluster_header, "x-to");
  EXPECT_TRUE(weighted("clusters: [{name: a, weight: 0}]").fails("clusters", "more than 0"));
  EXPECT_TRUE(weighted("clusters: [{name: a, weight: 4294967295}, {name: a, weight: 1}]")
                  .fails("clusters", "at most 4294967295"));
  EXPECT_TRUE(weighted("clusters: [{name: a, cluster_header: x, weight: 1}]")
                  .fails("clusters[0]", "both name and cluster_header"));
  EXPECT_TRUE(weighted("clusters: [{weight: 1}]").fails("clusters[0]", "needs a name or a cluster_header"));
  const Compiled live = weighted("runtime_key_prefix: x, use_hash_policy: true, clusters: [{name: a, weight: 1}]");
  ASSERT_TRUE(live.ok()) << live.errors();
  EXPECT_TRUE(live.forward().live_weights);
  EXPECT_TRUE(live.forward().weight_by_hash);
  EXPECT_EQ(live.forward().weighted.at(0).live_weight.now(), 1u);
}

TEST(RouteCompiler, Redirects) {
  const Compiled c = action(
      "redirect: {https_redirect: true, host_redirect: h, port_redirect: 8443, path_redirect: \"/p?q\", response_code: "
      "SEE_OTHER, strip_query: true}");
  ASSERT_TRUE(c.ok()) << c.errors();
  const auto& r = std::get<model::RedirectAction>(c.route().action);
  EXPECT_EQ(r.status, 303);
  EXPECT_TRUE(r.https);
  EXPECT_EQ(r.host, "h");
  EXPECT_EQ(r.port, 8443u);
  EXPECT_EQ(r.path, "/p?q");
  EXPECT_TRUE(r.strip_query);
  EXPECT_FALSE(action("redirect: {path_redirect: /a, prefix_rewrite: /b}").ok());
}

TEST(RouteCompiler, DirectResponses) {
  const Compiled c = action("direct_response: {status: 418, body: {inline_string: teapot}}");
  ASSERT_TRUE(c.ok()) << c.errors();
  EXPECT_EQ(std::get<model::DirectResponseAction>(c.route().action).status, 418);
  EXPECT_EQ(std::get<model::DirectResponseAction>(c.route().action).body, "teapot");
  EXPECT_TRUE(action("direct_response: {status: 200, body: {inline_string: " + std::string(4097, 'x') + "}}")
                  .fails("body", "at most 4096"));
  EXPECT_TRUE(Compiled(Pieces{.route_config = ", max_direct_response_body_size_bytes: 5000",
                              .routes = "{match: {prefix: /}, direct_response: {status: 200, body: {inline_string: " +
                                        std::string(4097, 'x') + "}}}"})
                  .ok());
  EXPECT_TRUE(action("direct_response: {status: 200, body: {filename: /no/such/file}}")
                  .fails("filename", "cannot read '/no/such/file'"));
  EXPECT_TRUE(action("direct_response: {status: 200, body: {environment_variable: SLUICE_NO_SUCH_VARIABLE}}")
                  .fails("environment_variable", "no variable"));
}

TEST(RouteCompiler, HeaderRules) {
  const auto with = [](const std::string& fields) { return action("route: {cluster: a}, " + fields); };
  const Compiled c = with(
      "request_headers_to_add: [{header: {key: X-A, value: \"%REQ(x)%\"}, append_action: ADD_IF_ABSENT}, {header: "
      "{key: b, raw_value: Yg==}, append: false, keep_empty_value: true}], "
      "request_headers_to_remove: [X-Gone], response_headers_to_add: [{header: {key: User-Agent, value: c}}]");
  ASSERT_TRUE(c.ok()) << c.errors();
  const model::HeaderRules& rules = c.route().request_headers;
  ASSERT_EQ(rules.add.size(), 2u);
  EXPECT_EQ(rules.add[0].name, "x-a");
  EXPECT_EQ(rules.add[0].action, model::AppendAction::kAddIfAbsent);
  EXPECT_EQ(rules.add[1].action, model::AppendAction::kOverwriteIfExistsOrAdd);
  EXPECT_EQ(rules.add[1].value.format({}), "b");
  EXPECT_TRUE(rules.add[1].keep_empty_value);
  EXPECT_EQ(rules.remove, std::vector<std::string>{"x-gone"});
  EXPECT_EQ(c.route().response_headers.add.at(0).token, http::Token::kUserAgent);

  for (const char* name : {"host", "Host", ":authority", ":path", ":method", ":scheme"}) {
    EXPECT_FALSE(with(cat("request_headers_to_add: [{header: {key: \"", name, "\", value: x}}]")).ok()) << name;
    EXPECT_FALSE(with(cat("request_headers_to_remove: [\"", name, "\"]")).ok()) << name;
  }
  EXPECT_TRUE(with("request_headers_to_add: [{header: {key: a, value: \"%NO_SUCH_THING%\"}}]")
                  .fails("header.value", "NO_SUCH_THING"));
  EXPECT_TRUE(with("request_headers_to_add: [{header: {key: a, value: b}, append: true, append_action: ADD_IF_ABSENT}]")
                  .fails("append", "append_action"));
}

TEST(RouteCompiler, LevelsOfATable) {
  const Compiled c{Pieces{
      .route_config =
          ", internal_only_headers: [X-Secret], most_specific_header_mutations_wins: true, vhost_header: X-Vh, "
          "ignore_port_in_host_matching: true, ignore_path_parameters_in_path_matching: true, "
          "response_headers_to_remove: [x]",
      .virtual_hosts = "{name: v, domains: [a.test], require_tls: EXTERNAL_ONLY, include_request_attempt_count: true, "
                       "include_attempt_count_in_response: true, request_headers_to_remove: [z]}"}};
  ASSERT_TRUE(c.ok()) << c.errors();
  const model::RouteTable& table = *c.http().routes;
  EXPECT_EQ(table.internal_only_headers, std::vector<std::string>{"x-secret"});
  EXPECT_TRUE(table.most_specific_header_mutations_wins);
  EXPECT_EQ(table.vhost_header, "x-vh");
  EXPECT_TRUE(table.ignore_port_in_host_matching);
  EXPECT_TRUE(table.ignore_path_parameters);
  EXPECT_EQ(table.response_headers.remove, std::vector<std::string>{"x"});
  const model::VirtualHost& host = *table.hosts.at(0);
  EXPECT_EQ(host.require_tls, model::RequireTls::kExternalOnly);
  EXPECT_TRUE(host.include_attempt_count);
  EXPECT_TRUE(host.include_attempt_count_in_response);
  EXPECT_EQ(host.request_headers.remove, std::vector<std::string>{"z"});
  EXPECT_EQ(host.table, &table);
}

TEST(RouteCompiler, StatisticsOfRoutesAndVirtualClusters) {
  const auto host = [](const std::string& clusters) {
    return Compiled{
        Pieces{.virtual_hosts = "{name: 'v:1', domains: [a.test], virtual_clusters: [" + clusters +
                                "], routes: [{match: {prefix: /}, stat_prefix: all, route: {cluster: a}}]}"}};
  };
  const Compiled c = host("{name: w, headers: [{name: ':method', string_match: {exact: POST}}]}");
  ASSERT_TRUE(c.ok()) << c.errors();
  const model::VirtualHost& made = *c.http().routes->hosts.at(0);
  ASSERT_EQ(made.virtual_clusters.size(), 2u);
  EXPECT_EQ(made.virtual_clusters[0].stats, "vhost.v_1.vcluster.w.");
  EXPECT_EQ(made.virtual_clusters[1].stats, "vhost.v_1.vcluster.other.");
  EXPECT_EQ(made.routes.at(0).stats, "vhost.v_1.route.all.");
  EXPECT_TRUE(host("{name: w}").fails("virtual_clusters[0]", "needs headers"));
}

}  // namespace
}  // namespace sluice::filters
