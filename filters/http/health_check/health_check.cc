#include "filters/http/health_check/health_check.h"

#include <algorithm>

#include "base/strings.h"
#include "proxy/exchange.h"

namespace sluice::filters::health_check {
namespace {

using http::End;
using proxy::Exchange;
using proxy::Step;

// clang-format off
#define SLUICE_HEALTH_CHECK_FILTER_STATS(X) \
  X(kCounter, kCachedResponse, "cached_response") X(kCounter, kDegraded, "degraded") X(kCounter, kFailed, "failed") \
  X(kCounter, kFailedClusterEmpty, "failed_cluster_empty") \
  X(kCounter, kFailedClusterNotFound, "failed_cluster_not_found") \
  X(kCounter, kFailedClusterUnhealthy, "failed_cluster_unhealthy") X(kCounter, kOk, "ok") \
  X(kCounter, kRequestTotal, "request_total")
// clang-format on
SLUICE_STAT_BLOCK(CheckFilterStat, SLUICE_HEALTH_CHECK_FILTER_STATS)

// Thread: its worker's.
class HealthCheckLocal final : public proxy::FilterLocal {
 public:
  explicit HealthCheckLocal(const proxy::FilterPlace& place)
      : registry_(place.local.registry),
        id_(registry_.add_block<CheckFilterStat>(cat(place.stat_prefix, "health_check."))),
        stats(place.local.cells.block<CheckFilterStat>(id_)) {}
  ~HealthCheckLocal() override { registry_.release_block(id_); }

 private:
  stats::Registry& registry_;
  stats::BlockId id_;

 public:
  stats::Block<CheckFilterStat> stats;
};

// What is answered.
struct Result {
  uint16_t status = 200;
  bool degraded = false;
  std::string_view details = "health_check_ok";
};

// The clusters that must have healthy hosts.
Result ask_clusters(const HealthCheckFactory::Settings& settings, Exchange& exchange,
                    stats::Block<CheckFilterStat>& stats) {
  for (const auto& [name, percent] : settings.min_healthy) {
    upstream::Cluster* cluster = exchange.clusters().find(name);
    if (cluster == nullptr) {
      stats.inc(CheckFilterStat::kFailedClusterNotFound);
      return {.status = 503, .details = "health_check_failed_no_cluster_found"};
    }
    const upstream::HostCounts counts = cluster->hosts() == nullptr ? upstream::HostCounts() : cluster->hosts()->counts;
    if (counts.total == 0) {
      if (percent == 0) continue;
      stats.inc(CheckFilterStat::kFailedClusterEmpty);
      return {.status = 503, .details = "health_check_failed_cluster_empty"};
    }
    if (100.0 * (counts.healthy + counts.degraded) < counts.total * percent) {
      stats.inc(CheckFilterStat::kFailedClusterUnhealthy);
      return {.status = 503, .details = "health_check_failed_cluster_unhealthy"};
    }
  }
  return {.details = "health_check_ok_cluster_healthy"};
}

// Lives in the exchange's arena. Thread: its exchange's.
class HealthCheck final : public proxy::HttpFilter {
 public:
  HealthCheck(const HealthCheckFactory& factory, HealthCheckLocal& local)
      : settings_(factory.settings()), stats_(local.stats) {}

  Step on_request_headers(Exchange& exchange, http::RequestHeaders& headers, End end) override {
    is_check_ = std::all_of(settings_.headers.begin(), settings_.headers.end(),
                            [&](const http::HeaderMatcher& matcher) { return matcher.matches(headers); });
    if (!is_check_) return Step::next();
    exchange.facts().health_check = true;
    if (settings_.cache != nullptr) cached_ = settings_.cache->get(exchange.local().loop.now());
    handles_ = !settings_.pass_through || exchange.health_failed() || cached_.has_value();
    if (!handles_) return Step::next();
    return end == End::kYes ? answer(exchange) : Step::hold();
  }

  Step on_request_data(Exchange& exchange, buffer::Buffer& data, End end) override {
    if (!handles_) return Step::next();
    data.clear();
    return end == End::kYes ? answer(exchange) : Step::hold();
  }

  Step on_request_trailers(Exchange& exchange, http::HeaderMap&) override {
    return handles_ ? answer(exchange) : Step::next();
  }

  Step on_response_headers(Exchange& exchange, http::ResponseHeaders& headers, End) override {
    // Everybody may learn from it (not only who asks) that this server is to be left alone.
    if (exchange.health_failed()) headers.fields.set(http::Token::kXEnvoyImmediateHealthCheckFail, "true");
    if (!is_check_) return Step::next();
    if (settings_.cache != nullptr && !handles_) {
      settings_.cache->set({headers.status, headers.fields.find("x-envoy-degraded") != nullptr},
                           exchange.local().loop.now());
    }
    headers.fields.set("x-envoy-upstream-healthchecked-cluster", settings_.node_cluster);
    return Step::next();
  }

 private:
  Result result(Exchange& exchange) {
    if (exchange.health_failed()) return {.status = 503, .details = "health_check_failed"};
    if (cached_) {
      stats_.inc(CheckFilterStat::kCachedResponse);
      return {.status = cached_->status, .degraded = cached_->degraded, .details = "health_check_cached"};
    }
    return settings_.min_healthy.empty() ? Result() : ask_clusters(settings_, exchange, stats_);
  }

  Step answer(Exchange& exchange) {
    stats_.inc(CheckFilterStat::kRequestTotal);
    const Result result = this->result(exchange);
    stats_.inc(result.status / 100 == 2 ? CheckFilterStat::kOk : CheckFilterStat::kFailed);
    if (result.degraded) stats_.inc(CheckFilterStat::kDegraded);
    proxy::LocalReply reply;
    reply.status = result.status;
    reply.details = result.details;
    if (result.status != 200) reply.flag = format::Flag::kFailedLocalHealthCheck;
    http::HeaderMap fields(exchange.arena());
    if (result.degraded) fields.set("x-envoy-degraded", "");
    reply.fields = &fields;
    return exchange.reply(reply);
  }

  const HealthCheckFactory::Settings& settings_;
  stats::Block<CheckFilterStat>& stats_;
  std::optional<Cache::Answer> cached_;
  bool is_check_ = false;
  bool handles_ = false;
};

}  // namespace

std::optional<Cache::Answer> Cache::get(MonotonicTime now) const {
  if (now.ns >= until_.load(std::memory_order_acquire)) return std::nullopt;
  const uint32_t answer = answer_.load(std::memory_order_relaxed);
  return Answer{static_cast<uint16_t>(answer), answer >> 16 != 0};
}

void Cache::set(Answer answer, MonotonicTime now) {
  answer_.store(answer.status | (answer.degraded ? uint32_t{1} << 16 : 0), std::memory_order_relaxed);
  until_.store((now + life_).ns, std::memory_order_release);
}

std::unique_ptr<proxy::FilterLocal> HealthCheckFactory::on_worker(const proxy::FilterPlace& place) const {
  return std::make_unique<HealthCheckLocal>(place);
}

proxy::HttpFilter* HealthCheckFactory::create(Exchange& exchange, proxy::FilterLocal* local) const {
  return exchange.arena().create<HealthCheck>(*this, static_cast<HealthCheckLocal&>(*local));
}

uint8_t HealthCheckFactory::hooks() const { return proxy::hooks_of<HealthCheck>(); }

}  // namespace sluice::filters::health_check
