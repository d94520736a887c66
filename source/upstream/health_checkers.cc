#include "upstream/health_checkers.h"

#include <algorithm>

#include "upstream/outlier_detector.h"

namespace sluice::upstream {

namespace {

bool fails_checks(const Host& host) { return (host.failing.load(std::memory_order_relaxed) & kActiveCheck) != 0; }

bool is_degraded_by_check(const Host& host) {
  return (host.degraded.load(std::memory_order_relaxed) & kActiveCheck) != 0;
}

void set(std::atomic<uint8_t>& bits, bool check_says) {
  if (check_says) {
    bits.fetch_or(kActiveCheck, std::memory_order_relaxed);
  } else {
    bits.fetch_and(static_cast<uint8_t>(~kActiveCheck), std::memory_order_relaxed);
  }
}

}  // namespace

HealthCheckers::HealthCheckers(ClusterShared& cluster, OutlierDetector* outliers, WorkerLocal& local)
    : cluster_(cluster),
      outliers_(outliers),
      local_(local),
      let_go_(local.loop.timers(), [this] { cluster_.let_go_removed(); }) {
  for (const auto& plan : *cluster.plan->health_checks) {
    checkers_.push_back(std::make_unique<HealthChecker>(*this, *plan, local));
  }
  if (checkers_.size() > 1) {
    healthy_ = local.cells.single(stats::Kind::kGauge, "health_check.healthy", cluster.stats);
    degraded_ = local.cells.single(stats::Kind::kGauge, "health_check.degraded", cluster.stats);
  }
  cluster_.goodbyes = std::make_shared<GoodbyeInbox>(local.loop, *this);
  cluster_.on_members([this] { follow_members(); });
  follow_members();
}

HealthCheckers::~HealthCheckers() {
  cluster_.goodbyes->close();
  cluster_.on_members(nullptr);
}

void HealthCheckers::follow_members() {
  if (seen_ == cluster_.hosts()->assignment) {
    return;
  }
  seen_ = cluster_.hosts()->assignment;
  for (const auto& checker : checkers_) {
    checker->follow_members();
  }
  show_counts();
}

void HealthCheckers::settle(Host& host) {
  CheckVerdict all;
  for (const auto& checker : checkers_) {
    all |= checker->verdict_on(host);
  }
  const bool failed = fails_checks(host);
  const bool was_degraded = is_degraded_by_check(host);
  const bool said_goodbye = host.says_goodbye;
  host.says_goodbye = all.says_goodbye;
  host.check_timed_out = all.timed_out;
  set(host.degraded, all.degraded);
  set(host.failing, all.failing);
  if (failed && !all.failing) {
    host.noted_at.store(local_.loop.now(), std::memory_order_relaxed);
  }
  if (!failed && all.failing) {
    // Its connections go with the news of it.
    host.drains.fetch_add(1, std::memory_order_relaxed);
    if (host.plan->removed) let_go_.arm(Duration(0));
  }
  if (failed != all.failing || was_degraded != all.degraded || said_goodbye != all.says_goodbye) {
    show_counts();
    cluster_.refresh();
  }
}

void HealthCheckers::passed(Host& host) {
  if (outliers_ != nullptr && !fails_checks(host)) outliers_->on_check_passed(host);
}

void GoodbyeInbox::tell(Host& host) {
  if (fails_checks(host)) {
    return;  // it is known
  }
  main_.post([self = shared_from_this(), host = host.shared_from_this()] {
    if (self->checkers_ != nullptr) self->checkers_->says_goodbye(*host);
  });
}

void HealthCheckers::says_goodbye(Host& host) { checkers_.back()->says_goodbye(host); }

void HealthCheckers::show_counts() {
  if (checkers_.size() < 2) {
    return;
  }
  uint64_t healthy = 0;
  uint64_t degraded = 0;
  for (const std::shared_ptr<Host>& host : cluster_.hosts()->hosts) {
    if (host->plan->extra->check != nullptr && host->plan->extra->check->off) continue;
    healthy += fails_checks(*host) ? 0 : 1;
    degraded += !fails_checks(*host) && is_degraded_by_check(*host) ? 1 : 0;
  }
  healthy_.set(healthy);
  degraded_.set(degraded);
}

void HealthCheckers::when_checked(Function<void()> hook) {
  when_checked_ = std::move(hook);
  check_first_round();
}

void HealthCheckers::check_first_round() {
  if (!when_checked_) return;
  const auto done = [](const auto& checker) { return checker->checked_all_once(); };
  if (!std::all_of(checkers_.begin(), checkers_.end(), done)) return;
  Function<void()> hook = std::move(when_checked_);
  when_checked_ = nullptr;
  hook();
}

}  // namespace sluice::upstream
