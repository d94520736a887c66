#include "filters/http/local_ratelimit/local_ratelimit.h"

#include <charconv>
#include <map>

#include "base/strings.h"
#include "proxy/exchange.h"

namespace sluice::filters::local_ratelimit {
namespace {

using http::End;
using proxy::Exchange;
using proxy::Step;

// Thread: its worker's.
class RateLimitLocal final : public proxy::FilterLocal {
 public:
  RateLimitLocal(const proxy::FilterPlace& place, const Settings& settings)
      : registry_(place.local.registry), cells_(place.local.cells) {
    (void)block(settings);
  }
  ~RateLimitLocal() override {
    for (const auto& [prefix, stats] : blocks_) registry_.release_block(stats.id);
  }

  // Routes have counters of their own, made when they are first needed. By name: they outlive route tables.
  stats::Block<LocalRateLimitStat>& block(const Settings& settings) {
    const auto known = blocks_.find(settings.stat_prefix);
    if (known != blocks_.end()) {
      return known->second.block;
    }
    Stats& stats = blocks_[settings.stat_prefix];
    stats.id = registry_.add_block<LocalRateLimitStat>(cat(settings.stat_prefix, ".http_local_rate_limit."));
    stats.block = cells_.block<LocalRateLimitStat>(stats.id);
    return stats.block;
  }

 private:
  struct Stats {
    stats::BlockId id;
    stats::Block<LocalRateLimitStat> block;
  };
  stats::Registry& registry_;
  stats::WorkerCells& cells_;
  std::map<std::string, Stats, std::less<>> blocks_;
};

// The buckets of one connection. It keeps the settings that it is found by: route tables may go while it lives.
struct ConnectionLimiter final : proxy::FilterLocal {
  explicit ConnectionLimiter(const Settings& of) : settings(of.shared_from_this()), limiter(of.limiter) {}
  const std::shared_ptr<const Settings> settings;
  Limiter limiter;
};

std::vector<model::Descriptor> describe(const Settings& settings, Exchange& exchange) {
  std::vector<model::Descriptor> out;
  const model::RouteChoice& choice = exchange.route();
  const auto* const forward =
      choice.route == nullptr ? nullptr : std::get_if<model::ForwardAction>(&choice.route->action);
  const model::DescriptorInputs inputs{
      *exchange.request(), exchange.facts(),
      forward == nullptr ? std::string_view() : forward->cluster_name(exchange.weighted(), *exchange.request()),
      exchange.arena()};
  if (settings.rate_limits) {
    model::describe(*settings.rate_limits, settings.stage, inputs, out);
    return out;
  }
  if (forward == nullptr) {
    return out;
  }
  model::describe(forward->rate_limits, settings.stage, inputs, out);
  const bool of_host = forward->include_vh_rate_limits || settings.host_limits == HostLimits::kAlso ||
                       (settings.host_limits == HostLimits::kWhenRouteHasNone && forward->rate_limits.empty());
  if (of_host && choice.host != nullptr) {
    model::describe(choice.host->rate_limits, settings.stage, inputs, out);
  }
  return out;
}

// Lives in the exchange's arena. Thread: its exchange's.
class LocalRateLimit final : public proxy::HttpFilter {
 public:
  LocalRateLimit(const LocalRateLimitFactory& factory, RateLimitLocal& local) : factory_(factory), local_(local) {}

  Step on_request_headers(Exchange& exchange, http::RequestHeaders& headers, End) override {
    const Settings& settings = factory_.settings(exchange);
    Random& random = exchange.local().random;
    if (!settings.enabled.includes(random.next())) {
      return Step::next();
    }
    stats::Block<LocalRateLimitStat>& stats = local_.block(settings);
    stats.inc(LocalRateLimitStat::kEnabled);
    const MonotonicTime now = exchange.local().loop.now();
    const Limiter::Verdict verdict = limiter(settings, exchange).ask(describe(settings, exchange), now);
    if (settings.show_headers) {
      bucket_ = verdict.bucket;
    }
    if (verdict.shadowed) {
      stats.inc(LocalRateLimitStat::kShadowMode);
    }
    if (verdict.allowed) {
      stats.inc(LocalRateLimitStat::kOk);
      return Step::next();
    }
    stats.inc(LocalRateLimitStat::kRateLimited);
    if (!settings.enforced.includes(random.next())) {
      settings.request_headers.apply(headers, exchange.facts());
      return Step::next();
    }
    stats.inc(LocalRateLimitStat::kEnforced);
    return refuse(settings, exchange);
  }

  Step on_response_headers(Exchange& exchange, http::ResponseHeaders& headers, End) override {
    if (bucket_ != nullptr) {
      const MonotonicTime now = exchange.local().loop.now();
      const auto seconds = std::chrono::ceil<std::chrono::seconds>(bucket_->until_next(now));
      set_number(headers.fields, "x-ratelimit-limit", bucket_->max());
      set_number(headers.fields, "x-ratelimit-remaining", bucket_->left(now));
      set_number(headers.fields, "x-ratelimit-reset", static_cast<uint64_t>(seconds.count()));
    }
    return Step::next();
  }

 private:
  static Limiter& limiter(const Settings& settings, Exchange& exchange) {
    if (!settings.per_connection) {
      return *settings.shared;
    }
    std::unique_ptr<proxy::FilterLocal>& kept = exchange.connection_local(settings);
    if (kept == nullptr) {
      kept = std::make_unique<ConnectionLimiter>(settings);
    }
    return static_cast<ConnectionLimiter&>(*kept).limiter;
  }

  static Step refuse(const Settings& settings, Exchange& exchange) {
    proxy::LocalReply reply;
    reply.status = settings.status;
    reply.body = "local_rate_limited";
    reply.details = "local_rate_limited";
    reply.flag = format::Flag::kRateLimited;
    if (settings.resource_exhausted) {
      reply.grpc_status = 8;
    } else if (settings.status == 429) {
      reply.grpc_status = 14;
    }
    http::HeaderMap fields(exchange.arena());
    if (!settings.response_headers.empty()) {
      settings.response_headers.apply(fields, exchange.facts());
      reply.fields = &fields;
    }
    return exchange.reply(reply);
  }

  static void set_number(http::HeaderMap& fields, std::string_view name, uint64_t number) {
    char digits[20];
    const auto end = std::to_chars(digits, digits + sizeof(digits), number).ptr;
    fields.set_copy(name, {digits, static_cast<size_t>(end - digits)});
  }

  const LocalRateLimitFactory& factory_;
  RateLimitLocal& local_;
  std::shared_ptr<const TokenBucket> bucket_;
};

}  // namespace

std::unique_ptr<proxy::FilterLocal> LocalRateLimitFactory::on_worker(const proxy::FilterPlace& place) const {
  return std::make_unique<RateLimitLocal>(place, *settings_);
}

proxy::HttpFilter* LocalRateLimitFactory::create(Exchange& exchange, proxy::FilterLocal* local) const {
  return exchange.arena().create<LocalRateLimit>(*this, static_cast<RateLimitLocal&>(*local));
}

uint8_t LocalRateLimitFactory::hooks() const { return proxy::hooks_of<LocalRateLimit>(); }

const Settings& LocalRateLimitFactory::settings(const Exchange& exchange) const {
  const auto* const route = exchange.settings_for<Settings>(name_);
  return route == nullptr ? *settings_ : *route;
}

}  // namespace sluice::filters::local_ratelimit
