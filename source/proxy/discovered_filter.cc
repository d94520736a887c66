#include "proxy/discovered_filter.h"

#include <string>

#include "base/arena.h"
#include "proxy/exchange.h"
#include "proxy/local_reply.h"

namespace sluice::proxy {

namespace {

// One configuration with what it keeps on this worker: lives until its last exchange. Thread: worker.
struct InForce {
  std::shared_ptr<const model::FilterConfig> config;
  std::unique_ptr<FilterLocal> local;
};

// Thread: worker.
class Local final : public FilterLocal {
 public:
  Local(const FilterPlace& place, const model::FilterSlot& slot)
      : worker_(place.local),
        clusters_(place.clusters),
        prefix_(place.stat_prefix),
        stats_(place.stats),
        log_sinks_(place.log_sinks),
        slot_(slot) {}

  // Null: none came yet.
  const std::shared_ptr<InForce>& now() {
    if (const model::FilterSlot::Pointer& config = slot_.read(held_);
        config != (now_ == nullptr ? nullptr : now_->config)) {
      now_ = nullptr;
      if (config != nullptr) {
        const auto& factory = static_cast<const HttpFilterFactory&>(*config);
        now_ = std::make_shared<InForce>(
            InForce{config, factory.on_worker({worker_, clusters_, prefix_, stats_, nullptr, log_sinks_})});
      }
    }
    return now_;
  }

 private:
  upstream::WorkerLocal& worker_;
  upstream::ClusterSet& clusters_;
  const std::string prefix_;
  const stats::BlockId stats_;
  LogSinks* const log_sinks_;
  const model::FilterSlot& slot_;
  model::FilterSlot::Held held_;
  std::shared_ptr<InForce> now_;
};

// Thread: its exchange's.
class Missing final : public HttpFilter {
 public:
  Step on_request_headers(Exchange& exchange, http::RequestHeaders&, http::End) override {
    return exchange.reply(reply_of(Reason::kFilterConfigMissing));
  }
};

}  // namespace

std::unique_ptr<FilterLocal> DiscoveredFilter::on_worker(const FilterPlace& place) const {
  return std::make_unique<Local>(place, *slot_);
}

HttpFilter* DiscoveredFilter::create(Exchange& exchange, FilterLocal* local) const {
  const std::shared_ptr<InForce>& now = static_cast<Local*>(local)->now();
  if (now == nullptr) {
    return exchange.arena().create<Missing>();
  }
  exchange.arena().create<std::shared_ptr<InForce>>(now);  // pins it
  return static_cast<const HttpFilterFactory&>(*now->config).create(exchange, now->local.get());
}

}  // namespace sluice::proxy
