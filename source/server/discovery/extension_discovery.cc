#include "server/discovery/extension_discovery.h"

#include <algorithm>
#include <utility>

#include "base/strings.h"

namespace sluice::server {

using config::Verdict;
using stats::ExtensionStat;

namespace {

std::string prefix_of(const model::ExtensionSubscription& wanted) {
  return cat("extension_config_discovery.http_filter.", wanted.name, ".");
}

}  // namespace

ExtensionDiscovery::ExtensionDiscovery(const model::ExtensionSubscription& wanted, const DiscoveryTools& tools,
                                       Function<void()> on_known)
    : wanted_(wanted),
      tools_(tools),
      on_known_(std::move(on_known)),
      version_{wanted.name, {}, {}, {}},
      counts_(prefix_of(wanted), wanted.source, tools, DiscoveryCounts::Reloads::kCounted),
      failures_id_(tools.registry.add_block<ExtensionStat>(prefix_of(wanted))),
      failures_(tools.cells.block<ExtensionStat>(failures_id_)) {
  subscription_ = tools.subscriber.subscribe(
      wanted.source, interest_in(config::ResourceType::kExtension, wanted.name, wanted.source), *this);
  if (!wanted.waits) {
    fall_back();
    known();
  }
}

ExtensionDiscovery::~ExtensionDiscovery() { tools_.registry.release_block(failures_id_); }

std::string ExtensionDiscovery::on_resources(const config::ResourceUpdate& update) {
  config::Batch<model::FilterConfig> batch = tools_.compiler.filters(update, wanted_.types);
  take(batch);
  counts_.count(batch.verdict, batch.version);
  if (std::find(update.removed.begin(), update.removed.end(), wanted_.name) != update.removed.end()) {
    version_.bytes.clear();
    publish(wanted_.fallback);
  }
  std::string answer = tell(wanted_.name, batch, tools_);
  if (batch.verdict != Verdict::kTaken) {
    failures_.inc(update.known ? ExtensionStat::kConfigConflict : ExtensionStat::kConfigFail);
    fall_back();
  }
  known();
  return answer;
}

void ExtensionDiscovery::take(config::Batch<model::FilterConfig>& batch) {
  if (batch.verdict == Verdict::kPartly) {
    batch.verdict = Verdict::kRejected;
  }
  if (batch.verdict != Verdict::kTaken || batch.resources.empty()) {
    return;
  }
  config::Compiled<model::FilterConfig>& one = batch.resources.front();
  if (one.name != wanted_.name) {
    batch.verdict = Verdict::kRejected;
    batch.why = cat("the configuration is '", one.name, "'; meant is '", wanted_.name, "'");
    return;
  }
  version_.version = std::move(one.version);
  version_.updated = tools_.loop.wall_now();
  if (one.bytes != version_.bytes) {
    version_.bytes = std::move(one.bytes);
    publish(std::move(one.plan));
    counts_.reloaded();
  }
}

// Nothing better is there.
void ExtensionDiscovery::fall_back() {
  if (wanted_.fallback == nullptr) {
    return;
  }
  tools_.fence.behind([slot = wanted_.slot, fallback = wanted_.fallback]() mutable {
    if (!slot->filled()) {
      slot->publish(std::move(fallback));
    }
  });
}

void ExtensionDiscovery::publish(model::FilterSlot::Pointer filter) {
  tools_.fence.behind(
      [slot = wanted_.slot, filter = std::move(filter)]() mutable { slot->publish(std::move(filter)); });
}

void ExtensionDiscovery::on_rejected(std::string_view) {
  counts_.count(Verdict::kRejected, {});
  failures_.inc(ExtensionStat::kConfigFail);
  fall_back();
  known();
}

void ExtensionDiscovery::on_timeout() {
  counts_.timed_out();
  failures_.inc(ExtensionStat::kConfigFail);
  fall_back();
  known();
}

void ExtensionDiscovery::known() {
  if (Function<void()> hook = std::exchange(on_known_, nullptr)) {
    hook();
  }
}

}  // namespace sluice::server
