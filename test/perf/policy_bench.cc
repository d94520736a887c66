// What the decisions of a request cost: its route out of small and large tables, header rules, RBAC. Budgets: 100,000
// routes within 2x of 10, 20 header rules 0.5 us, 100 policies 1 us, on a release build.
//
//   build/release/test/perf/policy_bench --benchmark_min_time=0.5
#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <vector>

#include "base/arena.h"
#include "base/owner.h"
#include "base/strings.h"
#include "format/facts.h"
#include "model/header_rules.h"
#include "model/rbac.h"
#include "model/route_table.h"

namespace sluice::model {
namespace {

Owner& memory() {
  static Owner owner("bench");
  return owner;
}

// Paths in a scattered order, so that no table is asked for its neighbours only.
size_t scattered(size_t i, size_t count) { return i * 7919 % count; }

http::RequestHeaders& request(Arena& arena, std::string_view path, std::string_view host) {
  auto& headers = *arena.create<http::RequestHeaders>(arena);
  headers.method = "GET";
  headers.scheme = "http";
  headers.path = path;
  headers.authority = host;
  headers.fields.add("user-agent", "wrk");
  headers.fields.add("accept", "*/*");
  headers.fields.add("x-tenant", "tenant-42");
  return headers;
}

enum class Split : uint8_t { kOneHost, kTenRoutesEach };

void table(benchmark::State& state, PathKind kind, Split split) {
  const size_t count = static_cast<size_t>(state.range(0));
  const size_t per_host = split == Split::kOneHost ? count : 10;
  RouteTable table;
  for (size_t i = 0; i < count; ++i) {
    if (i % per_host == 0) {
      auto& host = *table.hosts.emplace_back(std::make_unique<VirtualHost>());
      host.name = cat("h", i / per_host);
      host.domains = {cat("host", i / per_host, ".test")};
    }
    Route& route = table.hosts.back()->routes.emplace_back();
    route.match.kind = kind;
    route.match.path = cat("/service/", i, "/v1");
    route.action = DirectResponseAction{};
  }
  table.build();
  ChunkPool chunks(memory());
  Arena arena(chunks);
  std::vector<http::RequestHeaders*> requests;
  for (size_t i = 0; i < 64; ++i) {
    const size_t wanted = scattered(i, count);
    requests.push_back(&request(arena, arena.copy(cat("/service/", wanted, "/v1/item?q=1")),
                                arena.copy(cat("host", wanted / per_host, ".test"))));
    if (kind == PathKind::kExact) requests.back()->path = arena.copy(cat("/service/", wanted, "/v1"));
  }
  size_t next = 0;
  for (auto _ : state) {
    const RouteChoice choice = table.find(*requests[next++ % requests.size()], {});
    if (choice.route == nullptr) state.SkipWithError("no route");
    benchmark::DoNotOptimize(choice);
  }
}
BENCHMARK_CAPTURE(table, prefixes_of_one_host, PathKind::kPrefix, Split::kOneHost)->Arg(10)->Arg(100'000);
BENCHMARK_CAPTURE(table, paths_of_one_host, PathKind::kExact, Split::kOneHost)->Arg(10)->Arg(100'000);
BENCHMARK_CAPTURE(table, ten_prefixes_a_host, PathKind::kPrefix, Split::kTenRoutesEach)->Arg(10)->Arg(100'000);

HeaderRule rule(std::string name, std::string_view value, AppendAction action) {
  auto formatter = format::Formatter::parse(value, {.unset = format::ParseOptions::Unset::kNothing});
  const http::Token token = http::token_of(name);
  return {std::move(name), token, std::move(*formatter), action, false};
}

// A message is made each time: without rules that is all. Half of the 20 are plain texts, five have an operator, five
// remove.
void header_rules(benchmark::State& state) {
  HeaderRules rules;
  for (int64_t i = 0; i < state.range(0) / 4; ++i) {
    rules.add.push_back(rule(cat("x-plain-", i), "a plain value", AppendAction::kAppendIfExistsOrAdd));
    rules.add.push_back(rule(cat("x-over-", i), "another", AppendAction::kOverwriteIfExistsOrAdd));
    rules.add.push_back(rule(cat("x-from-", i), "%REQ(x-tenant)%", AppendAction::kOverwriteIfExistsOrAdd));
    rules.remove.push_back(cat("x-gone-", i));
  }
  ChunkPool chunks(memory());
  Arena arena(chunks);
  format::Facts facts;
  for (auto _ : state) {
    http::RequestHeaders& headers = request(arena, "/", "h");
    facts.request = &headers;
    rules.apply(headers, facts);
    benchmark::DoNotOptimize(headers.fields.size());
    arena.clear();
  }
}
BENCHMARK(header_rules)->Arg(0)->Arg(20);

// The last one is the one that allows.
void rbac(benchmark::State& state) {
  std::vector<Rbac::Policy> policies;
  for (int64_t i = 0; i < state.range(0); ++i) {
    Rbac::Policy policy{cat("policy-", 1000 + i), {}, {}};
    policy.permissions.push_back({RbacRule::Path{match::StringMatcher::prefix(cat("/service/", i, "/"))}});
    policy.principals.push_back(
        {http::HeaderMatcher("x-tenant", match::StringMatcher::exact(cat("tenant-", i == 99 ? 42 : 1000 + i)))});
    policies.push_back(std::move(policy));
  }
  const Rbac rules(RbacAction::kAllow, std::move(policies));
  ChunkPool chunks(memory());
  Arena arena(chunks);
  format::Facts facts;
  facts.request = &request(arena, "/service/99/x", "h");
  for (auto _ : state) {
    const Rbac::Verdict verdict = rules.ask(facts);
    if (!verdict.allowed) state.SkipWithError("denied");
    benchmark::DoNotOptimize(verdict);
  }
}
BENCHMARK(rbac)->Arg(100);

}  // namespace
}  // namespace sluice::model
