#include "filters/network/rbac/network_rbac.h"

#include <algorithm>
#include <optional>

#include "base/strings.h"
#include "proxy/filtered_transport.h"
#include "stats/stats.h"

namespace sluice::filters::network_rbac {

using proxy::FilteredTransport;
using proxy::NetworkStep;
using Verdict = model::Rbac::Verdict;

namespace {

constexpr std::string_view kSpace = "envoy.filters.network.rbac";

// clang-format off
#define SLUICE_NETWORK_RBAC_STATS(X) \
  X(kCounter, kAllowed, "allowed") X(kCounter, kDenied, "denied") X(kCounter, kShadowAllowed, "shadow_allowed") \
  X(kCounter, kShadowDenied, "shadow_denied")
// clang-format on
SLUICE_STAT_BLOCK(RbacStat, SLUICE_NETWORK_RBAC_STATS)

// Owned by its connection. Thread: worker.
class Filter final : public proxy::NetworkFilter {
 public:
  Filter(const Settings& settings, stats::Block<RbacStat> block) : settings_(settings), block_(block) {}

  NetworkStep on_data(FilteredTransport& connection, buffer::Buffer&) override {
    if (asked_ && !settings_.each_time) {
      return NetworkStep::next();
    }
    asked_ = true;
    format::Facts facts;
    connection.accepted().describe(facts);
    facts.downstream_tls = connection.tls();
    if (settings_.shadow_rules != nullptr) {
      const Verdict verdict = settings_.shadow_rules->ask(facts);
      block_.inc(verdict.allowed ? RbacStat::kShadowAllowed : RbacStat::kShadowDenied);
      tell(connection, cat(settings_.shadow_prefix, "shadow_"), verdict);
    }
    if (settings_.rules == nullptr) {
      return NetworkStep::next();
    }
    const Verdict verdict = settings_.rules->ask(facts);
    block_.inc(verdict.allowed ? RbacStat::kAllowed : RbacStat::kDenied);
    tell(connection, "enforced_", verdict);
    if (verdict.log_hint) {
      connection.accepted().found().metadata.set("envoy.common", "access_log_hint", Value::boolean(*verdict.log_hint));
    }
    return verdict.allowed ? NetworkStep::next() : deny(connection, verdict.policy);
  }
  void on_close(FilteredTransport&) override { delay_.reset(); }

 private:
  static void tell(FilteredTransport& connection, const std::string& prefix, const Verdict& verdict) {
    Value::Map& fields = connection.accepted().found().metadata.space(kSpace);
    if (!verdict.policy.empty()) fields.set(cat(prefix, "effective_policy_id"), verdict.policy);
    fields.set(cat(prefix, "engine_result"), verdict.allowed ? "allowed" : "denied");
  }

  NetworkStep deny(FilteredTransport& connection, std::string_view policy) {
    details_ = cat("rbac_access_denied_matched_policy[", policy.empty() ? "none" : policy, "]");
    // The access log shows no blanks.
    std::replace_if(
        details_.begin(), details_.end(), [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }, '_');
    if (settings_.delay.count() <= 0) {
      return NetworkStep::close(details_);
    }
    delay_.emplace(connection.worker().loop.timers(), [this, &connection] { connection.close_now(details_); });
    delay_->arm(settings_.delay);
    return NetworkStep::pause();
  }

  const Settings& settings_;
  stats::Block<RbacStat> block_;
  bool asked_ = false;
  std::string details_;
  std::optional<event::Timer> delay_;
};

// Owned by its Listener. Thread: worker.
class Maker final : public proxy::NetworkFilterMaker {
 public:
  Maker(std::shared_ptr<const Settings> settings, const proxy::ProxyLocal& proxy)
      : settings_(std::move(settings)),
        registry_(proxy.local.registry),
        stats_(registry_.add_block<RbacStat>(settings_->stat_prefix)),
        block_(proxy.local.cells.block<RbacStat>(stats_)) {}
  ~Maker() override { registry_.release_block(stats_); }

  std::unique_ptr<proxy::NetworkFilter> make(proxy::Accepted&) override {
    return std::make_unique<Filter>(*settings_, block_);
  }

 private:
  std::shared_ptr<const Settings> settings_;
  stats::Registry& registry_;
  stats::BlockId stats_;
  stats::Block<RbacStat> block_;
};

}  // namespace

std::unique_ptr<proxy::NetworkFilterMaker> NetworkRbac::on_worker(const proxy::ProxyLocal& proxy,
                                                                  const proxy::ListenerFacts&) const {
  return std::make_unique<Maker>(settings_, proxy);
}

}  // namespace sluice::filters::network_rbac
