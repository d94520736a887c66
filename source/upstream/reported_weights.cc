#include "upstream/reported_weights.h"

#include <algorithm>
#include <limits>
#include <map>

#include "upstream/cluster_shared.h"
#include "upstream/load_report.h"

namespace sluice::upstream {
namespace {

// The number of requests that the host would serve if it had all it can take. None: the report says too little.
std::optional<uint32_t> weight_of(const model::ReportedWeightsPlan& plan, const LoadReport& report) {
  if (report.rps_fractional <= 0) return std::nullopt;
  double utilization = report.greatest(plan.metrics);
  if (!(utilization > 0)) utilization = report.application_utilization;
  if (!(utilization > 0)) utilization = report.cpu_utilization;
  utilization += plan.error_penalty * report.eps / report.rps_fractional;
  if (utilization <= 0) return std::nullopt;
  const double weight = report.rps_fractional / utilization;
  if (weight >= std::numeric_limits<uint32_t>::max()) return std::numeric_limits<uint32_t>::max();
  return weight >= 1 ? static_cast<uint32_t>(weight) : 1;
}

// Of at least one.
uint32_t median(std::vector<uint32_t>& weights) {
  const auto middle = weights.begin() + static_cast<std::ptrdiff_t>(weights.size() / 2);
  std::nth_element(weights.begin(), middle, weights.end());
  if (weights.size() % 2 == 1) return *middle;
  return static_cast<uint32_t>((uint64_t{*middle} + *std::max_element(weights.begin(), middle)) / 2);
}

}  // namespace

bool take_load_report(const model::ReportedWeightsPlan& plan, Host& host, const http::HeaderMap& fields,
                      MonotonicTime now) {
  const std::optional<LoadReport> report = read_load_report(fields);
  if (!report) return false;
  const std::optional<uint32_t> weight = weight_of(plan, *report);
  if (!weight) return true;
  ReportedWeight& reported = *host.reported_weight;
  reported.weight.store(*weight, std::memory_order_relaxed);
  reported.last.store(now, std::memory_order_relaxed);
  if (reported.since.load(std::memory_order_relaxed) == ReportedWeight::kNever) {
    reported.since.store(now, std::memory_order_release);  // `last` was known before
  }
  return true;
}

ReportedWeights::ReportedWeights(ClusterShared& cluster, event::Loop& loop)
    : cluster_(cluster),
      plan_(*cluster.plan->lb.reported_weights),
      loop_(loop),
      update_(loop.timers(), [this] { on_update(); }) {
  update_.arm(plan_.update_period);
}

void ReportedWeights::on_update() {
  std::map<uint32_t, std::vector<Host*>> priorities;
  for (const std::shared_ptr<Host>& host : cluster_.hosts()->hosts) {
    priorities[host->place->priority].push_back(host.get());
  }
  bool changed = false;
  for (const auto& [priority, hosts] : priorities) changed = judge(hosts) || changed;
  if (changed) cluster_.refresh();
  update_.arm(plan_.update_period);
}

bool ReportedWeights::judge(const std::vector<Host*>& hosts) {
  bool changed = false;
  const auto set = [&changed](Host& host, uint32_t weight) {
    changed = changed || host.weight() != weight;
    host.reported_weight->in_force = weight;
  };
  std::vector<uint32_t> known;
  std::vector<Host*> others;
  for (Host* host : hosts) {
    ReportedWeight& reported = *host->reported_weight;
    const MonotonicTime since = reported.since.load(std::memory_order_acquire);
    const MonotonicTime last = reported.last.load(std::memory_order_relaxed);
    if (since == ReportedWeight::kNever || loop_.now() - since < plan_.blackout) {
      others.push_back(host);
    } else if (loop_.now() - last > plan_.expiration) {
      reported.since.store(ReportedWeight::kNever, std::memory_order_relaxed);
      others.push_back(host);
    } else {
      known.push_back(reported.weight.load(std::memory_order_relaxed));
      set(*host, known.back());
    }
  }
  const uint32_t usual = known.empty() ? 1 : median(known);
  for (Host* host : others) set(*host, usual);
  return changed;
}

}  // namespace sluice::upstream
