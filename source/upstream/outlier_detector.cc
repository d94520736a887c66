#include "upstream/outlier_detector.h"

#include <algorithm>
#include <cmath>
#include <unordered_set>

#include "base/strings.h"
#include "upstream/timestamp.h"

namespace sluice::upstream {

OutlierDetector::OutlierDetector(ClusterShared& cluster, event::Loop& loop, Random& random, stats::WorkerCells& cells)
    : cluster_(cluster),
      plan_(*cluster.plan->outlier),
      loop_(loop),
      random_(random),
      block_id_(cluster.registry.add_block<stats::OutlierStat>(cat(cluster.plan->stat_prefix(), "outlier_detection."))),
      stats_(cells.block<stats::OutlierStat>(block_id_)),
      inbox_(std::make_shared<OutlierInbox>(plan_, loop, *this)),
      interval_(loop.timers(), [this] { on_interval(); }) {
  cluster_.watch_outliers(inbox_);
  interval_.arm(plan_.interval);
}

OutlierDetector::~OutlierDetector() {
  inbox_->close();
  cluster_.registry.release_block(block_id_);
}

void OutlierDetector::on_interval() {
  for (const std::shared_ptr<Host>& host : cluster_.hosts()->hosts) {
    check_back(*host);
    check_degraded(*host);
  }
  judge_rates(Origin::kAnswers);
  judge_rates(Origin::kLocal);
  forget_removed();
  show_active();
  interval_.arm(plan_.interval);
}

void OutlierDetector::forget_removed() {
  if (records_.empty()) {
    return;
  }
  std::unordered_set<const Host*> present;
  for (const std::shared_ptr<Host>& host : cluster_.hosts()->hosts) {
    present.insert(host.get());
  }
  std::erase_if(records_, [&](const auto& entry) { return !present.contains(entry.first); });
}

// A host that was well for an interval is forgiven one step of its growing ejection time.
void OutlierDetector::check_back(Host& host) {
  const auto found = records_.find(&host);
  if (found == records_.end()) {
    return;
  }
  Record& record = found->second;
  if (!is_ejected(host)) {
    record.multiplier -= record.multiplier > 0 ? 1 : 0;
    return;
  }
  const Duration time = std::min<Duration>(plan_.base_ejection_time * record.multiplier, plan_.max_ejection_time);
  if (time + record.jitter <= loop_.now() - record.ejected_at) {
    let_back(host);
  }
}

// It takes part again after base_ejection_time, which does not grow, and no share of the cluster limits it.
void OutlierDetector::check_degraded(Host& host) {
  if ((host.degraded.load(std::memory_order_relaxed) & kOutlier) == 0 ||
      loop_.now() - records_[&host].degraded_at < plan_.base_ejection_time) {
    return;
  }
  host.degraded.fetch_and(static_cast<uint8_t>(~kOutlier), std::memory_order_relaxed);
  cluster_.refresh();
}

OutlierDetector::Rates OutlierDetector::take_rates(Origin origin) {
  Rates out;
  for (const std::shared_ptr<Host>& host : cluster_.hosts()->hosts) {
    OutlierCounts& counts = *host->outlier;
    const bool local = origin == Origin::kLocal;
    const uint32_t all = (local ? counts.tries : counts.answers).exchange(0, std::memory_order_relaxed);
    const uint32_t good = (local ? counts.good_tries : counts.good_answers).exchange(0, std::memory_order_relaxed);
    std::atomic<double>& shown = local ? counts.local_success_rate : counts.success_rate;
    shown.store(-1, std::memory_order_relaxed);
    if (all == 0 || is_ejected(*host)) {
      continue;
    }
    const double rate = 100.0 * std::min(good, all) / all;
    const bool enough_for_rate = all >= plan_.success_rate_volume;
    const bool enough_for_percentage = all >= plan_.failure_percentage_volume;
    if (enough_for_rate || enough_for_percentage) {
      shown.store(rate, std::memory_order_relaxed);
    }
    if (enough_for_rate) {
      out.for_success_rate.emplace_back(host.get(), rate);
    }
    if (enough_for_percentage) {
      out.for_failure_percentage.emplace_back(host.get(), rate);
    }
  }
  return out;
}

void OutlierDetector::judge_rates(Origin origin) {
  const Rates rates = take_rates(origin);
  const bool local = origin == Origin::kLocal;
  const size_t hosts = cluster_.hosts()->hosts.size();
  if (hosts < plan_.success_rate_hosts && hosts < plan_.failure_percentage_hosts) {
    return;
  }
  const auto& list = rates.for_success_rate;
  if (!list.empty() && list.size() >= plan_.success_rate_hosts) {
    double sum = 0;
    for (const auto& [host, rate] : list) {
      sum += rate;
    }
    Threshold threshold;
    threshold.average = sum / static_cast<double>(list.size());
    double variance = 0;
    for (const auto& [host, rate] : list) {
      variance += (rate - threshold.average) * (rate - threshold.average);
    }
    variance /= static_cast<double>(list.size());
    threshold.limit = threshold.average - plan_.success_rate_stdev_factor / 1000.0 * std::sqrt(variance);
    for (const auto& [host, rate] : list) {
      if (rate < threshold.limit) {
        stats_.inc(Stat::kEjectionsSuccessRate);
        const OutlierKind kind = local ? OutlierKind::kLocalSuccessRate : OutlierKind::kSuccessRate;
        detected(kind);
        try_eject(*host, kind, rate, threshold);
      }
    }
  }
  if (rates.for_failure_percentage.size() < plan_.failure_percentage_hosts) {
    return;
  }
  for (const auto& [host, rate] : rates.for_failure_percentage) {
    if (100.0 - rate >= plan_.failure_percentage) {
      const OutlierKind kind = local ? OutlierKind::kLocalFailurePercentage : OutlierKind::kFailurePercentage;
      detected(kind);
      try_eject(*host, kind, rate, Threshold());
    }
  }
}

void OutlierDetector::on_consecutive(Host& host, OutlierKind kind) {
  if (host.removed.load(std::memory_order_relaxed) || is_ejected(host)) {
    return;
  }
  detected(kind);
  OutlierCounts& counts = *host.outlier;
  if (kind == OutlierKind::kConsecutive5xx) {
    stats_.inc(Stat::kEjectionsConsecutive5xx);
  }
  try_eject(host, kind, -1, Threshold());
  // The next run counts from here, with or without an ejection.
  switch (kind) {
    case OutlierKind::kConsecutive5xx:
      counts.consecutive_5xx.store(0, std::memory_order_relaxed);
      break;
    case OutlierKind::kConsecutiveGateway:
      counts.consecutive_gateway.store(0, std::memory_order_relaxed);
      break;
    default:
      counts.consecutive_local.store(0, std::memory_order_relaxed);
      break;
  }
}

void OutlierDetector::on_degraded(Host& host) {
  if (host.removed.load(std::memory_order_relaxed) || (host.degraded.load(std::memory_order_relaxed) & kOutlier) != 0) {
    return;
  }
  stats_.inc(Stat::kEjectionsDetectedDegradation);
  records_[&host].degraded_at = loop_.now();
  host.degraded.fetch_or(kOutlier, std::memory_order_relaxed);
  cluster_.refresh();
}

void OutlierDetector::on_check_passed(Host& host) {
  if (plan_.uneject_by_check && is_ejected(host)) {
    let_back(host);
  }
}

void OutlierDetector::detected(OutlierKind kind) {
  switch (kind) {
    case OutlierKind::kConsecutive5xx:
      stats_.inc(Stat::kEjectionsDetectedConsecutive5xx);
      break;
    case OutlierKind::kConsecutiveGateway:
      stats_.inc(Stat::kEjectionsDetectedConsecutiveGatewayFailure);
      break;
    case OutlierKind::kSuccessRate:
      stats_.inc(Stat::kEjectionsDetectedSuccessRate);
      break;
    case OutlierKind::kConsecutiveLocalOrigin:
      stats_.inc(Stat::kEjectionsDetectedConsecutiveLocalOriginFailure);
      break;
    case OutlierKind::kLocalSuccessRate:
      stats_.inc(Stat::kEjectionsDetectedLocalOriginSuccessRate);
      break;
    case OutlierKind::kFailurePercentage:
      stats_.inc(Stat::kEjectionsDetectedFailurePercentage);
      break;
    case OutlierKind::kLocalFailurePercentage:
      stats_.inc(Stat::kEjectionsDetectedLocalOriginFailurePercentage);
      break;
  }
}

bool OutlierDetector::enforces(OutlierKind kind) {
  uint32_t percent = 0;
  switch (kind) {
    case OutlierKind::kConsecutive5xx:
      percent = plan_.enforcing_5xx;
      break;
    case OutlierKind::kConsecutiveGateway:
      percent = plan_.enforcing_gateway;
      break;
    case OutlierKind::kSuccessRate:
      percent = plan_.enforcing_success_rate;
      break;
    case OutlierKind::kConsecutiveLocalOrigin:
      percent = plan_.enforcing_local;
      break;
    case OutlierKind::kLocalSuccessRate:
      percent = plan_.enforcing_local_success_rate;
      break;
    case OutlierKind::kFailurePercentage:
      percent = plan_.enforcing_failure_percentage;
      break;
    case OutlierKind::kLocalFailurePercentage:
      percent = plan_.enforcing_local_failure_percentage;
      break;
  }
  return random_.next() % 100 < percent;
}

uint32_t OutlierDetector::active() const {
  const auto& hosts = cluster_.hosts()->hosts;
  return static_cast<uint32_t>(
      std::count_if(hosts.begin(), hosts.end(), [this](const auto& host) { return is_ejected(*host); }));
}

// A cluster never loses more than its share: with the default of 10 % one of less than ten hosts is none.
void OutlierDetector::try_eject(Host& host, OutlierKind kind, double rate, Threshold threshold) {
  if (is_ejected(host)) {
    return;
  }
  const uint32_t out = active();
  const double share = 100.0 * (out + 1) / static_cast<double>(cluster_.hosts()->hosts.size());
  if (share > std::min(plan_.max_ejection_percent, 100u) && !(plan_.always_eject_one && out == 0)) {
    stats_.inc(Stat::kEjectionsOverflow);
    return;
  }
  if (kind == OutlierKind::kConsecutive5xx || kind == OutlierKind::kSuccessRate) {
    stats_.inc(Stat::kEjectionsTotal);  // deprecated, and never told of the later kinds
  }
  const bool enforced = enforces(kind);
  if (enforced) {
    eject(host, kind);
  }
  log_ejection(host, kind, enforced, rate, threshold);
}

void OutlierDetector::eject(Host& host, OutlierKind kind) {
  stats_.inc(Stat::kEjectionsEnforcedTotal);
  switch (kind) {
    case OutlierKind::kConsecutive5xx:
      stats_.inc(Stat::kEjectionsEnforcedConsecutive5xx);
      break;
    case OutlierKind::kConsecutiveGateway:
      stats_.inc(Stat::kEjectionsEnforcedConsecutiveGatewayFailure);
      break;
    case OutlierKind::kSuccessRate:
      stats_.inc(Stat::kEjectionsEnforcedSuccessRate);
      break;
    case OutlierKind::kConsecutiveLocalOrigin:
      stats_.inc(Stat::kEjectionsEnforcedConsecutiveLocalOriginFailure);
      break;
    case OutlierKind::kLocalSuccessRate:
      stats_.inc(Stat::kEjectionsEnforcedLocalOriginSuccessRate);
      break;
    case OutlierKind::kFailurePercentage:
      stats_.inc(Stat::kEjectionsEnforcedFailurePercentage);
      break;
    case OutlierKind::kLocalFailurePercentage:
      stats_.inc(Stat::kEjectionsEnforcedLocalOriginFailurePercentage);
      break;
  }
  Record& record = records_[&host];
  ++record.ejections;
  record.ejected_at = loop_.now();
  record.jitter = Duration(0);
  if (plan_.max_ejection_jitter.count() > 0) {
    record.jitter =
        Duration(static_cast<int64_t>(random_.next() % static_cast<uint64_t>(plan_.max_ejection_jitter.count() + 1)));
  }
  // It grows with each ejection, up to the maximum.
  if (plan_.base_ejection_time * record.multiplier < plan_.max_ejection_time + plan_.base_ejection_time) {
    ++record.multiplier;
  }
  host.failing.fetch_or(kOutlier, std::memory_order_relaxed);
  show_active();
  cluster_.refresh();
}

void OutlierDetector::let_back(Host& host) {
  host.failing.fetch_and(static_cast<uint8_t>(~kOutlier), std::memory_order_relaxed);
  host.outlier->reset_consecutive();
  Record& record = records_[&host];
  record.back_at = loop_.now();
  record.was_back = true;
  show_active();
  cluster_.refresh();
  log_return(host);
}

namespace {

constexpr std::string_view kKindNames[] = {"CONSECUTIVE_5XX",
                                           "CONSECUTIVE_GATEWAY_FAILURE",
                                           "SUCCESS_RATE",
                                           "CONSECUTIVE_LOCAL_ORIGIN_FAILURE",
                                           "SUCCESS_RATE_LOCAL_ORIGIN",
                                           "FAILURE_PERCENTAGE",
                                           "FAILURE_PERCENTAGE_LOCAL_ORIGIN"};

std::string percent_text(double rate) { return cat(static_cast<uint32_t>(std::max(rate, 0.0))); }

}  // namespace

void OutlierDetector::log_ejection(Host& host, OutlierKind kind, bool enforced, double rate, Threshold threshold) {
  if (plan_.event_log == nullptr) {
    return;
  }
  const Record& record = records_[&host];
  std::string line = cat("{\"type\":\"", kKindNames[static_cast<size_t>(kind)], "\",\"timestamp\":\"",
                         timestamp_text(loop_.wall_now()), "\",");
  if (record.was_back) {
    append(line, "\"secs_since_last_action\":\"", to_ms(loop_.now() - record.back_at) / 1000, "\",");
  }
  append(line, "\"cluster_name\":", json_quote(cluster_.plan->name),
         ",\"upstream_url\":", json_quote(host.address().to_string()),
         ",\"action\":\"EJECT\",\"num_ejections\":", record.ejections, ",\"enforced\":", enforced ? "true" : "false",
         ",");
  switch (kind) {
    case OutlierKind::kSuccessRate:
    case OutlierKind::kLocalSuccessRate:
      append(line, "\"eject_success_rate_event\":{\"host_success_rate\":", percent_text(rate),
             ",\"cluster_average_success_rate\":", percent_text(threshold.average),
             ",\"cluster_success_rate_ejection_threshold\":", percent_text(threshold.limit), "}}\n");
      break;
    case OutlierKind::kFailurePercentage:
    case OutlierKind::kLocalFailurePercentage:
      append(line, "\"eject_failure_percentage_event\":{\"host_success_rate\":", percent_text(rate), "}}\n");
      break;
    default:
      line += "\"eject_consecutive_event\":{}}\n";
  }
  (void)plan_.event_log->append(line);
}

void OutlierDetector::log_return(Host& host) {
  if (plan_.event_log == nullptr) {
    return;
  }
  const Record& record = records_[&host];
  (void)plan_.event_log->append(cat("{\"type\":\"CONSECUTIVE_5XX\",\"timestamp\":\"", timestamp_text(loop_.wall_now()),
                                    "\",\"secs_since_last_action\":\"", to_ms(loop_.now() - record.ejected_at) / 1000,
                                    "\",\"cluster_name\":", json_quote(cluster_.plan->name),
                                    ",\"upstream_url\":", json_quote(host.address().to_string()),
                                    ",\"action\":\"UNEJECT\",\"num_ejections\":", record.ejections,
                                    ",\"enforced\":false}\n"));
}

}  // namespace sluice::upstream
