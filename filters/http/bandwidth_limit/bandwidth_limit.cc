#include "filters/http/bandwidth_limit/bandwidth_limit.h"

#include <algorithm>
#include <map>

#include "base/strings.h"
#include "proxy/exchange.h"

// Prefix "STAT_PREFIX.http_bandwidth_limit."; the members of one direction stand in the order of Direction::Member.
// clang-format off
#define SLUICE_BANDWIDTH_STATS(X) \
  X(kCounter, kRequestEnabled, "request_enabled") X(kCounter, kRequestEnforced, "request_enforced") \
  X(kGauge, kRequestPending, "request_pending") X(kGauge, kRequestIncomingSize, "request_incoming_size") \
  X(kGauge, kRequestAllowedSize, "request_allowed_size") \
  X(kCounter, kRequestIncomingTotalSize, "request_incoming_total_size") \
  X(kCounter, kRequestAllowedTotalSize, "request_allowed_total_size") \
  X(kHistogram, kRequestTransferDuration, "request_transfer_duration") \
  X(kCounter, kResponseEnabled, "response_enabled") X(kCounter, kResponseEnforced, "response_enforced") \
  X(kGauge, kResponsePending, "response_pending") X(kGauge, kResponseIncomingSize, "response_incoming_size") \
  X(kGauge, kResponseAllowedSize, "response_allowed_size") \
  X(kCounter, kResponseIncomingTotalSize, "response_incoming_total_size") \
  X(kCounter, kResponseAllowedTotalSize, "response_allowed_total_size") \
  X(kHistogram, kResponseTransferDuration, "response_transfer_duration")
// clang-format on

namespace sluice::filters::bandwidth_limit {
SLUICE_STAT_BLOCK(BandwidthStat, SLUICE_BANDWIDTH_STATS)

namespace {

using buffer::Buffer;
using http::End;
using proxy::Exchange;
using proxy::Step;

// Thread: its worker's.
class BandwidthLocal final : public proxy::FilterLocal {
 public:
  BandwidthLocal(const proxy::FilterPlace& place, const Settings& settings)
      : registry_(place.local.registry), cells_(place.local.cells) {
    (void)block(settings);
  }
  ~BandwidthLocal() override {
    for (const auto& [prefix, stats] : blocks_) registry_.release_block(stats.id);
  }
  // Routes have counters of their own, made when they are first needed.
  stats::Block<BandwidthStat>& block(const Settings& settings) {
    Stats& stats = blocks_[settings.stat_prefix];
    if (!stats.id.valid()) {
      stats.id = registry_.add_block<BandwidthStat>(cat(settings.stat_prefix, ".http_bandwidth_limit."));
      stats.block = cells_.block<BandwidthStat>(stats.id);
    }
    return stats.block;
  }

 private:
  struct Stats {
    stats::BlockId id;
    stats::Block<BandwidthStat> block;
  };
  stats::Registry& registry_;
  stats::WorkerCells& cells_;
  std::map<std::string, Stats, std::less<>> blocks_;
};

// One direction of an exchange: what waits at the filter goes on as the bucket fills. Part of its filter.
class Direction {
 public:
  enum class Member : uint16_t {
    kEnabled,
    kEnforced,
    kPending,
    kIncoming,
    kAllowed,
    kIncomingTotal,
    kAllowedTotal,
    kDuration
  };

  Direction(Exchange& exchange, BandwidthStat first)
      : exchange_(exchange), first_(first), timer_(exchange.local().loop.timers(), [this] { on_tick(); }) {}

  // Limits from now on.
  void begin(const Settings& settings, stats::Block<BandwidthStat>& stats) {
    settings_ = &settings;
    stats_ = &stats;
    inc(Member::kEnabled);
  }

  Step on_data(Buffer& data) {
    if (settings_ == nullptr || data.empty()) return Step::next();
    if (began_ == format::kUnset) {
      began_ = exchange_.local().loop.now();
      inc(Member::kPending);
    }
    waiting_ = data.size();
    stats_->set(stat(Member::kIncoming), waiting_);
    stats_->add(stat(Member::kIncomingTotal), waiting_);
    if (!timer_.armed()) timer_.arm(Duration::zero());
    return Step::pause(resumer_);
  }

  void end() {
    timer_.cancel();
    if (began_ == format::kUnset) return;
    stats_->dec(stat(Member::kPending));
    stats_->record(stat(Member::kDuration), static_cast<uint64_t>(to_ms(exchange_.local().loop.now() - began_)));
    began_ = format::kUnset;
  }

 private:
  BandwidthStat stat(Member member) const {
    return static_cast<BandwidthStat>(static_cast<uint16_t>(first_) + static_cast<uint16_t>(member));
  }
  void inc(Member member) { stats_->inc(stat(member)); }

  void on_tick() {
    const MonotonicTime now = exchange_.local().loop.now();
    const size_t bytes = std::min<size_t>(settings_->bytes->left(now), waiting_);
    if (bytes == 0 || !settings_->bytes->take(bytes, now)) {
      inc(Member::kEnforced);
      timer_.arm(settings_->fill_interval);
      return;
    }
    stats_->set(stat(Member::kAllowed), bytes);
    stats_->add(stat(Member::kAllowedTotal), bytes);
    waiting_ -= bytes;
    if (resumer_.pass(bytes) > 0) {
      timer_.arm(settings_->fill_interval);
    } else {
      resumer_.resume();
    }
  }

  Exchange& exchange_;
  const BandwidthStat first_;
  const Settings* settings_ = nullptr;
  stats::Block<BandwidthStat>* stats_ = nullptr;
  size_t waiting_ = 0;
  MonotonicTime began_ = format::kUnset;
  event::Timer timer_;
  proxy::Resumer resumer_;
};

// Lives in the exchange's arena. Thread: its exchange's.
class BandwidthLimit final : public proxy::HttpFilter {
 public:
  BandwidthLimit(const BandwidthLimitFactory& factory, BandwidthLocal& local, Exchange& exchange)
      : factory_(factory),
        local_(local),
        request_(exchange, BandwidthStat::kRequestEnabled),
        response_(exchange, BandwidthStat::kResponseEnabled) {}

  Step on_request_headers(Exchange& exchange, http::RequestHeaders&, End) override {
    settings_ = &factory_.settings(exchange);
    if (limits(settings_->requests)) request_.begin(*settings_, local_.block(*settings_));
    return Step::next();
  }
  Step on_request_data(Exchange&, Buffer& data, End) override { return request_.on_data(data); }
  Step on_response_headers(Exchange& exchange, http::ResponseHeaders&, End) override {
    if (settings_ == nullptr) settings_ = &factory_.settings(exchange);
    if (limits(settings_->responses)) response_.begin(*settings_, local_.block(*settings_));
    return Step::next();
  }
  Step on_response_data(Exchange&, Buffer& data, End) override { return response_.on_data(data); }
  void on_complete(Exchange&, const format::Facts&) noexcept override {
    request_.end();
    response_.end();
  }

 private:
  bool limits(bool direction) const { return direction && settings_->bytes != nullptr && settings_->enabled.now(); }

  const BandwidthLimitFactory& factory_;
  BandwidthLocal& local_;
  const Settings* settings_ = nullptr;
  Direction request_, response_;
};

}  // namespace

std::unique_ptr<proxy::FilterLocal> BandwidthLimitFactory::on_worker(const proxy::FilterPlace& place) const {
  return std::make_unique<BandwidthLocal>(place, *settings_);
}

proxy::HttpFilter* BandwidthLimitFactory::create(Exchange& exchange, proxy::FilterLocal* local) const {
  return exchange.arena().create<BandwidthLimit>(*this, static_cast<BandwidthLocal&>(*local), exchange);
}

uint8_t BandwidthLimitFactory::hooks() const { return proxy::hooks_of<BandwidthLimit>(); }

const Settings& BandwidthLimitFactory::settings(const Exchange& exchange) const {
  const auto* const route = exchange.settings_for<Settings>(name_);
  return route == nullptr ? *settings_ : *route;
}

}  // namespace sluice::filters::bandwidth_limit
