// LogBatch: entries of access logs that wait until there are enough of them, or for a while.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/time.h"
#include "event/loop.h"
#include "proxy/access_log/access_logger.h"
#include "stats/names_access_logs.h"

namespace sluice::exporters {

// Envoy's defaults. A plain value.
struct BatchPlan {
  uint64_t size_bytes = 16384;  // buffer_size_bytes; 0: every entry is sent at once
  Duration interval = std::chrono::seconds(1);
};

// Entries stand behind each other as one text, which is kept for its memory. While the collector does not take them no
// more than size_bytes wait (and what the entry that passed it has): further ones are dropped and counted. Thread:
// worker.
class LogBatch : public proxy::LogSink {
 public:
  LogBatch(const BatchPlan& plan, const proxy::ProxyLocal& proxy, std::string_view stat_prefix);
  ~LogBatch() override;

  // Appends one entry: write(text).
  template <typename Write>
  void add(Write&& write) {
    if (!has_room()) return;
    write(waiting_);
    added();
  }
  void flush() final;

 protected:
  // Sends the entries, or says that they must wait on.
  virtual bool deliver(std::string_view entries, uint64_t count) = 0;
  // Entries that were delivered did not arrive.
  void lost(uint64_t count) { block_.add(stats::AccessLogsStat::kLogsDropped, count); }
  const proxy::ProxyLocal& proxy() const { return proxy_; }
  const BatchPlan& plan() const { return plan_; }

 private:
  bool has_room();
  void added();

  const BatchPlan plan_;
  const proxy::ProxyLocal& proxy_;
  stats::BlockId stats_;
  stats::Block<stats::AccessLogsStat> block_;
  std::string waiting_;
  uint64_t count_ = 0;  // of entries in it
  event::Timer timer_;
};

}  // namespace sluice::exporters
