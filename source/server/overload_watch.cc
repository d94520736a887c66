#include "server/overload_watch.h"

#include <malloc.h>

#include <algorithm>
#include <charconv>

#include "base/log.h"
#include "base/strings.h"
#include "server/admin/process_memory.h"

namespace sluice::server {

namespace {

using What = model::OverloadActionPlan::What;

constexpr std::string_view kPrefix = "overload.";
constexpr Duration kBetweenShrinks = std::chrono::seconds(10);

// What a file says; none when it is no number from 0 to 1.
std::optional<double> read_pressure(event::Files& files, const std::string& path) {
  const Result<std::string> text = files.read(path);
  if (!text) {
    return std::nullopt;
  }
  double value = 0;
  const char* end = text->data() + text->size();
  const auto [at, error] = std::from_chars(text->data(), end, value);
  const bool rest = std::any_of(at, end, [](char c) { return c != ' ' && c != '\n' && c != '\r' && c != '\t'; });
  return error != std::errc() || rest || value < 0 || value > 1 ? std::nullopt : std::optional(value);
}

}  // namespace

OverloadWatch::OverloadWatch(Platform& platform, std::shared_ptr<const model::OverloadPlan> plan,
                             proxy::Overload& overload, stats::WorkerCells& cells,
                             Function<void(proxy::Accepting)> accept)
    : platform_(platform),
      plan_(std::move(plan)),
      overload_(overload),
      accept_(std::move(accept)),
      timer_(platform.main_loop().timers(), [this] { refresh(); }) {
  if (plan_ == nullptr) {
    return;
  }
  using stats::Kind;
  if (plan_->max_connections) {
    overload_.connection_limit = runtime::Number{*plan_->max_connections, nullptr};
    const std::string_view name = "overload.envoy.resource_monitors.global_downstream_max_connections.";
    connections_ = cells.single(Kind::kGauge, cat(name, "pressure"));
    (void)cells.counter(cat(name, "failed_updates"));
  }
  for (const model::OverloadMonitor& monitor : plan_->monitors) {
    const std::string name = cat(kPrefix, monitor.name, ".");
    monitors_.push_back(
        {cells.single(Kind::kGauge, cat(name, "pressure")), cells.counter(cat(name, "failed_updates"))});
    (void)cells.counter(cat(name, "skipped_updates"));
  }
  for (const model::OverloadActionPlan& action : plan_->actions) {
    const std::string name = cat(kPrefix, action.name, ".");
    actions_.push_back(
        {cells.single(Kind::kGauge, cat(name, "active")), cells.single(Kind::kGauge, cat(name, "scale_percent"))});
    if (action.what == What::kShrinkHeap) {
      shrinks_ = cells.counter(cat(name, "shrink_count"));
    }
  }
  delay_ = cells.single(Kind::kHistogram, "overload.refresh_interval_delay");
}

void OverloadWatch::start() {
  if (plan_ != nullptr) {
    refreshed_ = platform_.main_loop().now();
    shrunk_ = refreshed_;
    timer_.arm(plan_->refresh);
  }
}

void OverloadWatch::refresh() {
  const MonotonicTime now = platform_.main_loop().now();
  delay_.record(static_cast<uint64_t>(to_ms(now - refreshed_)));
  refreshed_ = now;
  for (size_t i = 0; i < monitors_.size(); ++i) {
    measure(i);
  }
  if (plan_->max_connections) {
    const uint64_t open = overload_.connections.load(std::memory_order_relaxed);
    connections_.set(open * 100 / *plan_->max_connections);
  }
  for (size_t i = 0; i < actions_.size(); ++i) {
    double value = 0;
    for (const model::OverloadTrigger& trigger : plan_->actions[i].triggers) {
      value = std::max(value, trigger.value(monitors_[trigger.monitor].value));
    }
    act(plan_->actions[i], actions_[i], value);
  }
  timer_.arm(plan_->refresh);
}

// What cannot be measured stays what it was.
void OverloadWatch::measure(size_t index) {
  const model::OverloadMonitor& plan = plan_->monitors[index];
  Monitor& monitor = monitors_[index];
  if (plan.kind == model::OverloadMonitor::Kind::kHeap) {
    monitor.value = static_cast<double>(admin::process_memory().allocated) /
                    static_cast<double>(std::max<uint64_t>(1, plan.max_heap.now()));
  } else if (const std::optional<double> pressure = read_pressure(platform_.files(), plan.file)) {
    monitor.value = *pressure;
  } else {
    monitor.failed.inc();
    return;
  }
  monitor.pressure.set(static_cast<uint64_t>(monitor.value * 100));
}

void OverloadWatch::act(const model::OverloadActionPlan& plan, Action& action, double value) {
  const bool full = value >= 1;
  const bool was_full = action.value >= 1;
  if (full != was_full) {
    SLUICE_LOG(kWarning, kMain, plan.name, full ? " is in force" : " is not in force any more");
  }
  action.value = value;
  action.active.set(full ? 1 : 0);
  action.scale_percent.set(static_cast<uint64_t>(value * 100));
  switch (plan.what) {
    case What::kRefuseRequests:
      overload_.refuse_requests.set(value);
      break;
    case What::kNoKeepalive:
      overload_.no_keepalive.set(value);
      break;
    case What::kRefuseConnections:
      overload_.refuse_connections.set(value);
      break;
    case What::kPauseAccepting:
      if (full != was_full) {
        accept_(full ? proxy::Accepting::kPaused : proxy::Accepting::kOn);
      }
      break;
    case What::kShrinkHeap:
      if (full && refreshed_ - shrunk_ >= kBetweenShrinks) {
        shrunk_ = refreshed_;
        malloc_trim(0);
        shrinks_.inc();
      }
      break;
  }
}

}  // namespace sluice::server
