#include "filters/http/rbac/rbac.h"

#include <algorithm>
#include <map>

#include "base/strings.h"
#include "proxy/exchange.h"

namespace sluice::filters::rbac {
namespace {

using proxy::Exchange;
using proxy::Step;
using Verdict = model::Rbac::Verdict;

constexpr std::string_view kSpace = "envoy.filters.http.rbac";

// Its counters on one worker. Thread: its worker's.
class RbacLocal final : public proxy::FilterLocal {
 public:
  RbacLocal(const proxy::FilterPlace& place, const Settings& settings)
      : cells_(place.local.cells),
        stats_(place.stats),
        prefix_(prefix_of(settings.stat_prefix)),
        shadow_prefix_(prefix_of(settings.shadow_stat_prefix)),
        allowed_(cells_.counter(cat(prefix_, "allowed"), stats_)),
        denied_(cells_.counter(cat(prefix_, "denied"), stats_)),
        shadow_allowed_(cells_.counter(cat(shadow_prefix_, "shadow_allowed"), stats_)),
        shadow_denied_(cells_.counter(cat(shadow_prefix_, "shadow_denied"), stats_)) {}

  enum class By : uint8_t { kRules, kShadow };
  void count(By by, const Verdict& verdict, bool track) {
    const bool shadow = by == By::kShadow;
    (shadow ? verdict.allowed ? shadow_allowed_ : shadow_denied_ : verdict.allowed ? allowed_ : denied_).inc();
    if (!track || verdict.policy.empty()) return;
    const std::string name = cat(shadow ? shadow_prefix_ : prefix_, "policy.", verdict.policy,
                                 shadow ? ".shadow_" : ".", verdict.allowed ? "allowed" : "denied");
    stats::Single& counter = policies_[name];
    if (!counter) counter = cells_.counter(name, stats_);
    counter.inc();
  }

 private:
  // Below the prefix of the connection manager.
  static std::string prefix_of(std::string_view own) {
    return own.empty() ? "rbac." : cat("rbac.", own, own.ends_with('.') ? "" : ".");
  }

  stats::WorkerCells& cells_;
  const stats::BlockId stats_;
  const std::string prefix_, shadow_prefix_;
  stats::Single allowed_, denied_, shadow_allowed_, shadow_denied_;
  std::map<std::string, stats::Single> policies_;
};

// Lives in the exchange's arena. Thread: its exchange's.
class RbacFilter final : public proxy::HttpFilter {
 public:
  RbacFilter(const RbacFactory& factory, RbacLocal& local) : factory_(factory), local_(local) {}

  Step on_request_headers(Exchange& exchange, http::RequestHeaders&, http::End) override {
    const auto* const route = exchange.settings_for<Settings>(factory_.name());
    const Settings& settings = route == nullptr ? factory_.own() : *route;
    if (settings.shadow_rules != nullptr) {
      const Verdict verdict = settings.shadow_rules->ask(exchange.facts());
      local_.count(RbacLocal::By::kShadow, verdict, settings.track_rules);
      tell(exchange, cat(settings.shadow_stat_prefix, "shadow_"), verdict);
    }
    if (settings.rules == nullptr) return Step::next();
    const Verdict verdict = settings.rules->ask(exchange.facts());
    local_.count(RbacLocal::By::kRules, verdict, settings.track_rules);
    tell(exchange, cat(settings.stat_prefix, "enforced_"), verdict);
    if (verdict.log_hint) exchange.metadata().set("envoy.common", "access_log_hint", Value::boolean(*verdict.log_hint));
    return verdict.allowed ? Step::next() : deny(exchange, verdict.policy);
  }

 private:
  static void tell(Exchange& exchange, const std::string& prefix, const Verdict& verdict) {
    Value::Map& fields = exchange.metadata().space(kSpace);
    if (!verdict.policy.empty()) fields.set(cat(prefix, "effective_policy_id"), verdict.policy);
    fields.set(cat(prefix, "engine_result"), verdict.allowed ? "allowed" : "denied");
  }

  static Step deny(Exchange& exchange, std::string_view policy) {
    // The access log shows no blanks.
    std::string details = cat("rbac_access_denied_matched_policy[", policy.empty() ? "none" : policy, "]");
    std::replace_if(
        details.begin(), details.end(), [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }, '_');
    proxy::LocalReply reply;
    reply.status = 403;
    reply.body = "RBAC: access denied";
    reply.details = exchange.arena().copy(details);
    return exchange.reply(reply);
  }

  const RbacFactory& factory_;
  RbacLocal& local_;
};

}  // namespace

std::unique_ptr<proxy::FilterLocal> RbacFactory::on_worker(const proxy::FilterPlace& place) const {
  return std::make_unique<RbacLocal>(place, *settings_);
}

proxy::HttpFilter* RbacFactory::create(Exchange& exchange, proxy::FilterLocal* local) const {
  return exchange.arena().create<RbacFilter>(*this, static_cast<RbacLocal&>(*local));
}

uint8_t RbacFactory::hooks() const { return proxy::hooks_of<RbacFilter>(); }

}  // namespace sluice::filters::rbac
