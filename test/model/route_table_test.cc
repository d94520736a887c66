// Which virtual host and which route a request gets. Most expectations are what Envoy was seen to do.
#include "model/route_table.h"

#include <gtest/gtest.h>

#include <random>

#include "base/strings.h"
#include "http/path.h"
#include "test/model/messages.h"

namespace sluice::model {
namespace {

RouteMatch path_match(PathKind kind, std::string_view path, bool case_sensitive = true) {
  RouteMatch match;
  match.kind = kind;
  match.case_sensitive = case_sensitive;
  if (kind == PathKind::kRegex) {
    auto regex = match::Regex::compile(path);
    EXPECT_TRUE(regex.ok()) << path;
    match.regex = *regex;
  } else {
    match.path = path;
  }
  return match;
}

class RouteTableTest : public ModelTest {
 protected:
  VirtualHost& host(std::string_view name, std::initializer_list<std::string_view> domains) {
    auto& added = *table_.hosts.emplace_back(std::make_unique<VirtualHost>());
    added.name = name;
    added.domains.assign(domains.begin(), domains.end());
    return added;
  }
  static Route& route(VirtualHost& host, std::string_view name, RouteMatch match) {
    Route& added = host.routes.emplace_back();
    added.name = name;
    added.match = std::move(match);
    added.action = DirectResponseAction{};
    return added;
  }
  // Every host gets one route that matches everything; the name of the chosen host, "-" for none.
  std::string chosen_host(std::string_view authority) {
    const RouteChoice choice = table_.find(request("/", authority), {});
    return choice.host == nullptr ? "-" : choice.host->name;
  }
  std::string chosen_route(const http::RequestHeaders& headers, const MatchInputs& inputs = {}) {
    const RouteChoice choice = table_.find(headers, inputs);
    return choice.route == nullptr ? "-" : choice.route->name;
  }
  std::string chosen_route(std::string_view path) { return chosen_route(request(path)); }

  RouteTable table_;
};

TEST_F(RouteTableTest, SearchesDomainsExactSuffixPrefixAny) {
  host("any", {"*"});
  host("suffix", {"*.foo.test"});
  host("longer", {"*-bar.foo.test"});
  host("prefix", {"www.foo.*"});
  host("exact", {"www.foo.test", "www.foo.test:81"});
  EXPECT_TRUE(table_.build().empty());
  EXPECT_EQ(chosen_host("www.foo.test"), "exact");
  EXPECT_EQ(chosen_host("WWW.Foo.Test"), "exact");
  EXPECT_EQ(chosen_host("www.foo.test:81"), "exact");
  EXPECT_EQ(chosen_host("www.foo.test:82"), "prefix");
  EXPECT_EQ(chosen_host("api.foo.test"), "suffix");
  EXPECT_EQ(chosen_host("x-bar.foo.test"), "longer");
  EXPECT_EQ(chosen_host("www.foo.example"), "prefix");
  EXPECT_EQ(chosen_host("foo.test"), "any");
  EXPECT_EQ(chosen_host(""), "any");
}

TEST_F(RouteTableTest, AWildcardStandsForAtLeastOneCharacter) {
  host("short", {"*.b.test"});
  host("long", {"*a.b.test"});
  host("prefix", {"api.*"});
  host("upper", {"MixedCase.test", "*.UPPER.test"});
  table_.build();
  EXPECT_EQ(chosen_host("x.b.test"), "short");
  EXPECT_EQ(chosen_host(".b.test"), "-");
  EXPECT_EQ(chosen_host("b.test"), "-");
  EXPECT_EQ(chosen_host("xa.b.test"), "long");
  EXPECT_EQ(chosen_host("a.b.test"), "short");
  EXPECT_EQ(chosen_host("api."), "-");
  EXPECT_EQ(chosen_host("api.x"), "prefix");
  EXPECT_EQ(chosen_host("api.verylong.name.b.test"), "short");  // a suffix beats any prefix
  EXPECT_EQ(chosen_host("mixedcase.TEST"), "upper");
  EXPECT_EQ(chosen_host("x.upper.test"), "upper");
  EXPECT_EQ(chosen_host("x.b.test:80"), "-");
}

TEST_F(RouteTableTest, LongHostsAreCompared) {
  const std::string long_name(1000, 'A');
  host("long", {long_name + ".test"});
  host("suffix", {"*." + long_name});
  table_.build();
  EXPECT_EQ(chosen_host(to_lower(long_name) + ".test"), "long");
  EXPECT_EQ(chosen_host("x." + long_name), "suffix");
  EXPECT_EQ(chosen_host("x" + long_name), "-");
}

TEST_F(RouteTableTest, TellsDomainsThatStandTwice) {
  const VirtualHost& first = host("first", {"a.test", "*"});
  const VirtualHost& second = host("second", {"b.test", "A.test", "*"});
  const auto duplicates = table_.build();
  ASSERT_EQ(duplicates.size(), 2u);
  EXPECT_EQ(duplicates[0].host, &second);
  EXPECT_EQ(duplicates[0].first, &first);
  EXPECT_EQ(duplicates[0].domain, 1u);
  EXPECT_EQ(duplicates[1].domain, 2u);
}

TEST_F(RouteTableTest, MayIgnoreThePort) {
  host("plain", {"plain.test"});
  host("ported", {"ported.test:8080"});
  host("six", {"[::1]"});
  host("any", {"*"});
  table_.ignore_port_in_host_matching = true;
  table_.build();
  EXPECT_EQ(chosen_host("plain.test:1234"), "plain");
  EXPECT_EQ(chosen_host("Plain.test:x"), "plain");
  EXPECT_EQ(chosen_host("plain.test:"), "plain");
  EXPECT_EQ(chosen_host("[::1]:99"), "six");
  EXPECT_EQ(chosen_host("ported.test:8080"), "any");
}

TEST_F(RouteTableTest, AHeaderMayChooseTheHost) {
  route(host("one", {"one.test"}), "one", path_match(PathKind::kPrefix, "/"));
  table_.vhost_header = "x-vh";
  table_.build();
  EXPECT_EQ(chosen_route(request("/", "other.test", {{"x-vh", "ONE.test"}})), "one");
  EXPECT_EQ(chosen_route(request("/", "one.test")), "-");
  EXPECT_EQ(chosen_route(request("/", "one.test", {{"x-vh", "nope"}, {"x-vh", "one.test"}})), "-");
}

TEST_F(RouteTableTest, RequiresTls) {
  VirtualHost& all = host("all", {"*"});
  route(all, "r", path_match(PathKind::kPrefix, "/"));
  all.require_tls = RequireTls::kAll;
  table_.build();
  const RouteChoice plain = table_.find(request("/nowhere"), {});
  ASSERT_NE(plain.route, nullptr);
  EXPECT_TRUE(std::get<RedirectAction>(plain.route->action).require_tls);
  EXPECT_EQ(plain.route->host, nullptr);
  auto& secure = request("/");
  secure.fields.set(http::Token::kXForwardedProto, "https");
  EXPECT_EQ(chosen_route(secure), "r");
  auto& internal = request("/", "a", {{"x-envoy-internal", "true"}});
  EXPECT_EQ(chosen_route(internal), "");
  all.require_tls = RequireTls::kExternalOnly;
  EXPECT_EQ(chosen_route(internal), "r");
  EXPECT_EQ(chosen_route(request("/")), "");
}

TEST_F(RouteTableTest, TheFirstRouteThatMatchesWins) {
  VirtualHost& all = host("all", {"*"});
  route(all, "abc", path_match(PathKind::kPrefix, "/abc"));
  route(all, "abcdef", path_match(PathKind::kPrefix, "/abcdef"));
  route(all, "exact", path_match(PathKind::kExact, "/one"));
  route(all, "nocase", path_match(PathKind::kExact, "/Two/Three", false));
  route(all, "regex", path_match(PathKind::kRegex, "/re/[0-9]+"));
  route(all, "deep", path_match(PathKind::kSeparatedPrefix, "/api/v1"));
  route(all, "api", path_match(PathKind::kSeparatedPrefix, "/api"));
  route(all, "query", path_match(PathKind::kPrefix, "/x?y"));
  route(all, "connect", path_match(PathKind::kConnect, ""));
  table_.build();
  EXPECT_EQ(chosen_route("/abcdef"), "abc");
  EXPECT_EQ(chosen_route("/one?a/b"), "exact");
  EXPECT_EQ(chosen_route("/one/"), "-");
  EXPECT_EQ(chosen_route("/tWO/tHREE?q"), "nocase");
  EXPECT_EQ(chosen_route("/re/12?z"), "regex");
  EXPECT_EQ(chosen_route("/re/12/3"), "-");
  EXPECT_EQ(chosen_route("/api"), "api");
  EXPECT_EQ(chosen_route("/api/v1x"), "api");
  EXPECT_EQ(chosen_route("/api/v1/x"), "deep");
  EXPECT_EQ(chosen_route("/apix"), "-");
  EXPECT_EQ(chosen_route("/x?y"), "-");
}

TEST_F(RouteTableTest, ConnectIsMatchedByItsMatcherOnly) {
  VirtualHost& all = host("all", {"*"});
  route(all, "prefix", path_match(PathKind::kPrefix, ""));
  route(all, "regex", path_match(PathKind::kRegex, ".*"));
  route(all, "connect", path_match(PathKind::kConnect, ""));
  table_.build();
  auto& connect = request("");
  connect.method = "CONNECT";
  connect.path = {};
  EXPECT_EQ(chosen_route(connect), "connect");
  EXPECT_EQ(chosen_route("/"), "prefix");
}

TEST_F(RouteTableTest, OtherConditionsOfARoute) {
  VirtualHost& all = host("all", {"*"});
  RouteMatch query = path_match(PathKind::kPrefix, "/q");
  query.conditions.edit().query.push_back({"k", match::StringMatcher::exact("v"), false});
  query.conditions.edit().query.push_back({"no", std::nullopt, true});
  route(all, "query", std::move(query));
  RouteMatch cookie = path_match(PathKind::kPrefix, "/c");
  cookie.conditions.edit().cookies.push_back({"k", match::StringMatcher::exact("v"), true});
  route(all, "cookie", std::move(cookie));
  RouteMatch grpc = path_match(PathKind::kPrefix, "/g");
  grpc.grpc = true;
  route(all, "grpc", std::move(grpc));
  RouteMatch header = path_match(PathKind::kPrefix, "/h");
  header.conditions.edit().headers.emplace_back("x-k", match::StringMatcher::exact("v"));
  route(all, "header", std::move(header));
  RouteMatch half = path_match(PathKind::kPrefix, "/f");
  half.conditions.edit().fraction = Fraction{50, 100, "", nullptr};
  route(all, "half", std::move(half));
  table_.build();

  EXPECT_EQ(chosen_route("/q?k=v"), "query");
  EXPECT_EQ(chosen_route("/q?k=v&no"), "-");
  EXPECT_EQ(chosen_route("/q?k=w"), "-");
  EXPECT_EQ(chosen_route(request("/c", "a", {{"cookie", "k=v"}})), "-");
  EXPECT_EQ(chosen_route("/c"), "cookie");
  EXPECT_EQ(chosen_route(request("/g", "a", {{"content-type", "application/grpc"}})), "grpc");
  EXPECT_EQ(chosen_route(request("/g", "a", {{"content-type", "application/grpc+proto"}})), "grpc");
  EXPECT_EQ(chosen_route(request("/g", "a", {{"content-type", "application/grpc;charset"}})), "-");
  EXPECT_EQ(chosen_route(request("/h", "a", {{"x-k", "v"}})), "header");
  EXPECT_EQ(chosen_route("/h"), "-");
  EXPECT_EQ(chosen_route(request("/f"), {.stable_random = 149}), "half");
  EXPECT_EQ(chosen_route(request("/f"), {.stable_random = 150}), "-");
}

TEST_F(RouteTableTest, TlsConditionsHoldOnPlainConnectionsWhenFalse) {
  VirtualHost& all = host("all", {"*"});
  RouteMatch presented = path_match(PathKind::kPrefix, "/");
  presented.conditions.edit().tls_presented = true;
  route(all, "presented", std::move(presented));
  RouteMatch valid = path_match(PathKind::kPrefix, "/");
  valid.conditions.edit().tls_validated = false;
  route(all, "not-valid", std::move(valid));
  table_.build();
  EXPECT_EQ(chosen_route(request("/")), "not-valid");
  EXPECT_EQ(chosen_route(request("/"), {.tls = true, .tls_client_certificate = true}), "presented");
  EXPECT_EQ(chosen_route(request("/"), {.tls = true, .tls_client_validated = true}), "-");
}

TEST_F(RouteTableTest, MayIgnorePathParameters) {
  VirtualHost& all = host("all", {"*"});
  route(all, "one", path_match(PathKind::kExact, "/one"));
  route(all, "pre", path_match(PathKind::kPrefix, "/pre/x"));
  table_.ignore_path_parameters = true;
  table_.build();
  EXPECT_EQ(chosen_route("/one;v=1?q=3;4"), "one");
  EXPECT_EQ(chosen_route("/one;v=1/two"), "-");
  EXPECT_EQ(chosen_route("/pre;a=1/x"), "pre");
}

// The index must not change which route is found: random lists of routes, compared with a walk over the list.
TEST_F(RouteTableTest, TheIndexFindsWhatAWalkFinds) {
  std::mt19937 random(4711);
  const auto below = [&random](uint32_t n) { return random() % n; };
  const auto some_path = [&] {
    std::string path;
    for (uint32_t i = 0, n = below(4); i <= n; ++i)
      path += cat("/", static_cast<char>('a' + below(3)), below(2) != 0 ? "x" : "");
    return path;
  };
  for (int round = 0; round < 60; ++round) {
    RouteTable table;
    auto& all = *table.hosts.emplace_back(std::make_unique<VirtualHost>());
    all.domains = {"*"};
    const uint32_t routes = RouteIndex::kWorthIt + below(60);
    for (uint32_t i = 0; i < routes; ++i) {
      const auto kind = static_cast<PathKind>(below(4));
      RouteMatch match =
          path_match(kind, kind == PathKind::kRegex ? cat(some_path(), ".*") : some_path(), below(4) != 0);
      if (below(3) == 0)
        match.conditions.edit().headers.emplace_back("x-k", match::StringMatcher::exact(cat(below(2))));
      route(all, cat("r", i), std::move(match));
    }
    table.build();
    for (int k = 0; k < 40; ++k) {
      auto& headers = request(some_path(), "h", {{"x-k", cat(below(2))}});
      const Route* expected = nullptr;
      for (const Route& one : all.routes) {
        if (expected == nullptr && one.match.matches(headers, headers.path, {}, {})) expected = &one;
      }
      EXPECT_EQ(table.find(headers, {}).route, expected) << headers.path;
    }
  }
}

TEST_F(RouteTableTest, SaysWhyARouteLost) {
  RouteMatch match = path_match(PathKind::kPrefix, "/a");
  match.conditions.edit().headers.push_back(http::HeaderMatcher("x-k", match::StringMatcher::prefix("v")));
  match.conditions.edit().query.push_back({"q", std::nullopt, false});
  const auto why = [&](const http::RequestHeaders& headers, const MatchInputs& inputs = {}) {
    const http::Target target = http::split_target(headers.path);
    const auto words = match.why_not(headers, target.path, target.query, inputs);
    EXPECT_EQ(words.has_value(), !match.matches(headers, target.path, target.query, inputs));
    return words.value_or("");
  };
  EXPECT_EQ(why(request("/b")), "path '/b' does not begin with '/a'");
  EXPECT_EQ(why(request("/a")), "header: wants x-k prefix \"v\", is missing");
  EXPECT_EQ(why(request("/a", "h", {{"x-k", "w"}})), "header: wants x-k prefix \"v\", is 'w'");
  EXPECT_EQ(why(request("/a?p", "h", {{"x-k", "v"}})), "query: wants q present, is missing");
  EXPECT_EQ(why(request("/a?q", "h", {{"x-k", "v"}})), "");
  match.conditions.edit().tls_presented = true;
  EXPECT_EQ(why(request("/a?q", "h", {{"x-k", "v"}})), "the client's certificate is not as tls_context wants it");
  EXPECT_EQ(why(request("/a?q", "h", {{"x-k", "v"}}), {.tls = true, .tls_client_certificate = true}), "");
}

TEST_F(RouteTableTest, AMatcherTreeChoosesWhichRoutesAreTried) {
  VirtualHost& all = host("all", {"*"});
  route(all, "post", path_match(PathKind::kPrefix, "/a/x"));
  route(all, "a", path_match(PathKind::kPrefix, "/a"));
  route(all, "never listed", path_match(PathKind::kPrefix, "/"));
  auto list = std::make_shared<RouteList>();
  list->routes = {0, 1};
  FactTree::Map map;
  map.by = FactTree::Map::By::kPrefix;
  map.input = request_header_input(":path");
  map.values.emplace("/a", FactTree::OnMatch{nullptr, std::move(list)});
  all.tree = std::make_unique<const FactTree>(std::move(map), FactTree::OnMatch{});
  EXPECT_TRUE(table_.build().empty());
  EXPECT_EQ(chosen_route(request("/a/x")), "post");
  EXPECT_EQ(chosen_route(request("/a/y")), "a");
  EXPECT_EQ(chosen_route(request("/b")), "-");
}

TEST_F(RouteTableTest, TheFirstVirtualClusterThatMatchesCounts) {
  VirtualHost& all = host("all", {"*"});
  const auto header = [](std::string_view name, std::string_view prefix) {
    return http::HeaderMatcher(name, match::StringMatcher::prefix(prefix));
  };
  all.virtual_clusters.push_back({"write", {header(":path", "/item"), header("x-write", "1")}, {}});
  all.virtual_clusters.push_back({"item", {header(":path", "/item")}, {}});
  EXPECT_EQ(all.virtual_cluster(request("/other")), nullptr);
  all.virtual_clusters.emplace_back();
  EXPECT_TRUE(table_.build().empty());
  EXPECT_EQ(all.virtual_cluster(request("/item/1", "h", {{"x-write", "1"}}))->name, "write");
  EXPECT_EQ(all.virtual_cluster(request("/item/1"))->name, "item");
  EXPECT_EQ(all.virtual_cluster(request("/item/1"))->stats, "vhost.all.vcluster.item.");
  EXPECT_EQ(all.virtual_cluster(request("/other"))->stats, "vhost.all.vcluster.other.");
}

}  // namespace
}  // namespace sluice::model
