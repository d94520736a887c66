// Every spelling of a protected path, under every combination of path options: RBAC and routing decide on the bytes
// that the upstream gets, and with all options on nothing that is let through means the protected path.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "http/path.h"
#include "model/rbac.h"
#include "model/route_table.h"
#include "proxy/request_preparation.h"
#include "test/proxy_preparation/message_bench.h"

namespace sluice::proxy {
namespace {

using test::Bench;

const char* const kSpellings[] = {
    "/admin",
    "/admin/",
    "/admin/x",
    "/admin?q",
    "/admin/x?y=/open",
    "//admin",
    "///admin",
    "/./admin",
    "/././admin",
    "/x/../admin",
    "/x/y/../../admin",
    "/../admin",
    "/%2e/admin",
    "/%2E/admin",
    "/%2e%2e/admin",
    "/x/%2e%2e/admin",
    "/x/.%2e/admin",
    "/x/%2e./admin",
    "/x%2f..%2fadmin",
    "/x%2F..%2Fadmin",
    "/%2fadmin",
    "/%2f%2fadmin",
    "/x%5c..%5cadmin",
    "/x%5C..%5Cadmin",
    "/%5cadmin",
    "/x\\..\\admin",
    "/\\admin",
    "\\admin",
    "/admin\\x",
    "/admin;a=b",
    "/admin;a=b/x",
    "/;a/admin",
    "/x/..;/admin",
    "/x/..;a=b/admin",
    "/x/;/../admin",
    "/x;/../admin",
    "/admin#f",
    "/x#/admin",
    "/x?y#/admin",
    "/x?/admin",
    "/x?y=//admin/..",
    "/Admin",
    "/ADMIN",
    "/%61dmin",
    "/%41dmin",
    "/adm%69n",
    "/%2561dmin",
    "/%252e%252e/admin",
    "/x/%252e%252e/admin",
    "/x%252f..%252fadmin",
    "/admin%00",
    "/admin%20",
    "/admin/..",
    "/admin/../open",
    "/admin/%2e%2e/open",
    "/administrator",
    "/open/admin",
    "/open",
    "/",
    "*",
    "/.admin",
    "/..admin",
    "/x/...//admin",
    "/admin/.",
    "/x/../../../admin",
    "/x//../admin",
    "/x/./../admin",
    "/%2f..%2fadmin",
    "/x/..%2fadmin",
    "/x/..%5cadmin",
    "/.//admin",
};

model::Rbac deny_admin() {
  model::Rbac::Policy policy{"admin", {}, {}};
  policy.permissions.push_back({model::RbacRule::Path{match::StringMatcher::prefix("/admin")}});
  policy.principals.push_back({model::RbacRule::Any{}});
  std::vector<model::Rbac::Policy> policies;
  policies.push_back(std::move(policy));
  return model::Rbac(model::RbacAction::kDeny, std::move(policies));
}

// Two routes: the protected prefix, and the rest.
struct Routes {
  Routes() {
    auto& host = *table.hosts.emplace_back(std::make_unique<model::VirtualHost>());
    host.domains = {"*"};
    for (const char* prefix : {"/admin", "/"}) {
      model::Route& route = host.routes.emplace_back();
      route.name = prefix;
      route.match.path = prefix;
      route.action = model::DirectResponseAction{};
    }
    EXPECT_TRUE(table.build().empty());
  }
  model::RouteTable table;
};

// What became of one spelling. `path`: as it goes upstream; empty when it was answered here.
struct Outcome {
  std::string path;
  bool allowed = false;
  std::string route;
};

Outcome run(const model::HttpPlan& plan, std::string_view spelling, const model::Rbac& rules,
            const model::RouteTable& routes) {
  Bench bench;
  http::RequestHeaders& request = *bench.request(spelling);
  const net::Address peer = test::ip("192.0.2.1");
  const net::Address local = test::ip("127.0.0.1", 80);
  format::Facts facts;
  facts.request = &request;
  const Prepared prepared = prepare_request(plan, request, {peer, local}, facts, bench.random);
  if (prepared.reply != nullptr) return {};
  const model::RouteChoice choice = routes.find(request, {});
  return {std::string(request.path), rules.ask(facts).allowed, choice.route == nullptr ? "-" : choice.route->name};
}

model::HttpPlan plan_of(unsigned options) {
  model::HttpPlan plan;
  plan.normalize_path = (options & 1) != 0;
  plan.merge_slashes = (options & 2) != 0;
  plan.escaped_slashes = static_cast<model::EscapedSlashes>(options >> 2 & 3);
  plan.fragment = (options & 16) != 0 ? http::Fragment::kStrip : http::Fragment::kReject;
  return plan;
}

// What a lenient origin makes of a path: escapes decoded once, backslashes turned, dots resolved, slashes merged.
// Written apart from the proxy's own code.
std::string meaning(std::string_view target) {
  std::string decoded;
  const std::string_view path = target.substr(0, target.find_first_of("?#"));
  for (size_t i = 0; i < path.size(); ++i) {
    if (path[i] == '%' && i + 2 < path.size() && std::isxdigit(path[i + 1]) != 0 && std::isxdigit(path[i + 2]) != 0) {
      decoded += static_cast<char>(std::stoi(std::string(path.substr(i + 1, 2)), nullptr, 16));
      i += 2;
    } else {
      decoded += path[i];
    }
  }
  std::vector<std::string> segments;
  std::string segment;
  const auto close = [&] {
    if (segment.substr(0, segment.find(';')) == "..") {
      if (!segments.empty()) segments.pop_back();
    } else if (!segment.empty() && segment != ".") {
      segments.push_back(segment);
    }
    segment.clear();
  };
  for (const char c : decoded) c == '/' || c == '\\' ? close() : segment.push_back(c);
  close();
  std::string out;
  for (const std::string& one : segments) out += "/" + one;
  return out.empty() ? "/" : out;
}

TEST(PathSpelling, DecisionsAreMadeOnTheBytesThatAreForwarded) {
  const model::Rbac rules = deny_admin();
  const Routes routes;
  size_t forwarded = 0;
  for (unsigned options = 0; options < 32; ++options) {
    const model::HttpPlan plan = plan_of(options);
    for (const char* spelling : kSpellings) {
      const Outcome once = run(plan, spelling, rules, routes.table);
      if (once.path.empty()) continue;
      ++forwarded;
      SCOPED_TRACE(std::string(spelling) + " as " + once.path + " with options " + std::to_string(options));
      const std::string path = once.path.substr(0, once.path.find('?'));
      EXPECT_EQ(once.allowed, !path.starts_with("/admin"));
      EXPECT_EQ(once.route, path.starts_with("/admin") ? "/admin" : "/");
      // A second proxy with the same options decides the same, and forwards the same bytes.
      const Outcome twice = run(plan, once.path, rules, routes.table);
      EXPECT_EQ(twice.path, once.path);
      EXPECT_EQ(twice.allowed, once.allowed);
      EXPECT_EQ(twice.route, once.route);
    }
  }
  EXPECT_GT(forwarded, 1000u);
}

TEST(PathSpelling, WithAllOptionsNothingProtectedIsLetThrough) {
  const model::Rbac rules = deny_admin();
  const Routes routes;
  for (const auto escaped : {http::EscapedSlashes::kReject, http::EscapedSlashes::kUnescapeAndForward}) {
    model::HttpPlan plan;
    plan.normalize_path = plan.merge_slashes = true;
    plan.escaped_slashes = escaped;
    for (const char* spelling : kSpellings) {
      const Outcome outcome = run(plan, spelling, rules, routes.table);
      if (outcome.path.empty() || !outcome.allowed) continue;
      EXPECT_FALSE(meaning(outcome.path).starts_with("/admin")) << spelling << " goes upstream as " << outcome.path;
    }
  }
}

}  // namespace
}  // namespace sluice::proxy
