#include "upstream/endpoint_stats.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "base/strings.h"

namespace sluice::upstream {

using stats::EndpointStat;

namespace {
constexpr EndpointStat kCounterOf[] = {EndpointStat::kCxConnectFail, EndpointStat::kCxTotal,   EndpointStat::kRqError,
                                       EndpointStat::kRqSuccess,     EndpointStat::kRqTimeout, EndpointStat::kRqTotal};
}  // namespace

EndpointStats::~EndpointStats() {
  for (const auto& [address, shown] : shown_) {
    registry_.release_block(shown.id);
  }
}

void EndpointStats::add(const Host& host, Now& now) {
  const auto read = [](const auto& count) { return count.load(std::memory_order_relaxed); };
  const HostState& state = host.state;
  const Counts counts = {read(state.cx_connect_fail), read(state.cx_total),   read(state.rq_error),
                         read(state.rq_success),      read(state.rq_timeout), read(state.rq_total)};
  for (size_t i = 0; i < kCounters; ++i) {
    now.counts[i] += counts[i];
  }
  now.cx_active += read(state.cx_active);
  now.rq_active += read(state.rq_active);
  now.rq_pending += read(state.rq_pending);
  const model::HealthStatus status = host.status();
  now.healthy = now.healthy && (status == model::HealthStatus::kUnknown || status == model::HealthStatus::kHealthy);
  if (now.hostname.empty()) now.hostname = host.hostname();
}

void EndpointStats::show(const HostSet& hosts) {
  std::map<std::string, Now> now;
  for (const auto& host : hosts.hosts) {
    add(*host, now[host->address().to_string()]);
  }
  std::erase_if(shown_, [&](const auto& one) {
    if (now.contains(one.first)) return false;
    registry_.release_block(one.second.id);
    return true;
  });
  for (const auto& [address, counts] : now) {
    show(address, counts);
  }
}

void EndpointStats::show(const std::string& address, const Now& now) {
  Shown& shown = shown_[address];
  // Fewer than before: another host has the address.
  const bool same = std::equal(now.counts.begin(), now.counts.end(), shown.counts.begin(), std::greater_equal<>());
  if (shown.id.valid() && !same) {
    registry_.release_block(shown.id);
    shown = {};
  }
  if (!shown.id.valid()) shown.id = begin(address, now.hostname);
  auto block = cells_.block<EndpointStat>(shown.id);
  for (size_t i = 0; i < kCounters; ++i) {
    block.add(kCounterOf[i], now.counts[i] - std::exchange(shown.counts[i], now.counts[i]));
  }
  block.set(EndpointStat::kCxActive, now.cx_active);
  block.set(EndpointStat::kRqActive, now.rq_active);
  block.set(EndpointStat::kRqPendingActive, now.rq_pending);
  block.set(EndpointStat::kHealthy, now.healthy ? 1 : 0);
}

// An address has dots and colons, so no rule finds it in the name.
stats::BlockId EndpointStats::begin(const std::string& address, const std::string& hostname) {
  std::string in_name = address;
  std::replace(in_name.begin(), in_name.end(), ':', '_');
  const stats::BlockId id = registry_.add_block<EndpointStat>(cat(plan_.stat_prefix(), "endpoint.", in_name, "."));
  stats::FixedTags tags{"cluster.endpoint.",
                        {{"envoy.cluster_name", plan_.observable_name()}, {"envoy.endpoint_address", address}}};
  if (!hostname.empty()) tags.tags.emplace_back("envoy.endpoint_hostname", hostname);
  registry_.fix_tags(id, std::move(tags));
  return id;
}

}  // namespace sluice::upstream
