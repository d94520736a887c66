#include "exporters/log_batch.h"

namespace sluice::exporters {

using stats::AccessLogsStat;

LogBatch::LogBatch(const BatchPlan& plan, const proxy::ProxyLocal& proxy, std::string_view stat_prefix)
    : plan_(plan),
      proxy_(proxy),
      stats_(proxy.local.registry.add_block<AccessLogsStat>(stat_prefix)),
      block_(proxy.local.cells.block<AccessLogsStat>(stats_)),
      timer_(proxy.local.loop.timers(), [this] { flush(); }) {}

LogBatch::~LogBatch() { proxy_.local.registry.release_block(stats_); }

bool LogBatch::has_room() {
  if (waiting_.size() >= plan_.size_bytes) flush();
  const bool room = waiting_.empty() || waiting_.size() < plan_.size_bytes;
  block_.inc(room ? AccessLogsStat::kLogsWritten : AccessLogsStat::kLogsDropped);
  return room;
}

void LogBatch::added() {
  ++count_;
  if (waiting_.size() >= plan_.size_bytes) {
    flush();
  } else if (!timer_.armed()) {
    timer_.arm(plan_.interval);
  }
}

void LogBatch::flush() {
  timer_.cancel();
  if (waiting_.empty()) return;
  if (deliver(waiting_, count_)) {
    waiting_.clear();
    count_ = 0;
  } else {
    timer_.arm(plan_.interval);
  }
}

}  // namespace sluice::exporters
