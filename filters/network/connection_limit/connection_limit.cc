#include "filters/network/connection_limit/connection_limit.h"

#include <optional>

#include "proxy/filtered_transport.h"
#include "stats/stats.h"

namespace sluice::filters::connection_limit {

using proxy::FilteredTransport;
using proxy::NetworkStep;

namespace {

// Prefix "connection_limit.NAME.".
// clang-format off
#define SLUICE_CONNECTION_LIMIT_STATS(X) \
  X(kGauge, kActiveConnections, "active_connections") X(kCounter, kLimitedConnections, "limited_connections")
// clang-format on
SLUICE_STAT_BLOCK(LimitStat, SLUICE_CONNECTION_LIMIT_STATS)

// Owned by its connection. Thread: worker.
class Filter final : public proxy::NetworkFilter {
 public:
  Filter(const Limit& limit, stats::Block<LimitStat> block) : limit_(limit), block_(block) {}

  NetworkStep on_connection(FilteredTransport& connection) override {
    if (limit_.open.fetch_add(1, std::memory_order_relaxed) < limit_.most) {
      counted_ = true;
      block_.inc(LimitStat::kActiveConnections);
      return NetworkStep::next();
    }
    limit_.open.fetch_sub(1, std::memory_order_relaxed);
    block_.inc(LimitStat::kLimitedConnections);
    if (limit_.delay.count() <= 0) {
      return NetworkStep::close();
    }
    delay_.emplace(connection.worker().loop.timers(), [&connection] { connection.close_now({}); });
    delay_->arm(limit_.delay);
    return NetworkStep::pause();
  }
  void on_close(FilteredTransport&) override {
    delay_.reset();
    if (counted_) {
      limit_.open.fetch_sub(1, std::memory_order_relaxed);
      block_.dec(LimitStat::kActiveConnections);
    }
  }

 private:
  const Limit& limit_;
  stats::Block<LimitStat> block_;
  bool counted_ = false;
  std::optional<event::Timer> delay_;
};

// Owned by its Listener. Thread: worker.
class Maker final : public proxy::NetworkFilterMaker {
 public:
  Maker(std::shared_ptr<const Limit> limit, const proxy::ProxyLocal& proxy)
      : limit_(std::move(limit)),
        registry_(proxy.local.registry),
        stats_(registry_.add_block<LimitStat>(limit_->stat_prefix)),
        block_(proxy.local.cells.block<LimitStat>(stats_)) {}
  ~Maker() override { registry_.release_block(stats_); }

  std::unique_ptr<proxy::NetworkFilter> make(proxy::Accepted&) override {
    return limit_->enabled.now() ? std::make_unique<Filter>(*limit_, block_) : nullptr;
  }

 private:
  std::shared_ptr<const Limit> limit_;
  stats::Registry& registry_;
  stats::BlockId stats_;
  stats::Block<LimitStat> block_;
};

}  // namespace

std::unique_ptr<proxy::NetworkFilterMaker> ConnectionLimit::on_worker(const proxy::ProxyLocal& proxy,
                                                                      const proxy::ListenerFacts&) const {
  return std::make_unique<Maker>(limit_, proxy);
}

}  // namespace sluice::filters::connection_limit
