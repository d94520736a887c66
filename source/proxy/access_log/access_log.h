// AccessLog: writes the lines of a set of access logs, one worker's part of it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "format/facts.h"
#include "model/access_log_plan.h"

namespace sluice::proxy {

class AccessLogger;
class LogSinks;

// A line costs one append into a kept string and one hand-over to the file, which writes elsewhere: never blocks. Lines
// that find the file's queue full are dropped and counted there (event/files.h). What is no file has a logger
// (access_logger.h). Owned by whoever serves with the set (an HttpServer). Thread: worker.
class AccessLog {
 public:
  // `set` may be null: nothing is written. Without `sinks` nothing goes to loggers.
  AccessLog(model::AccessLogSetPtr set, LogSinks* sinks);
  ~AccessLog();

  // facts.log_type says why; all logs whose filter passes get their line.
  void log(const format::Facts& facts);
  bool empty() const { return set_ == nullptr || set_->logs.empty(); }
  // A line tells what the exchange took on the client's connection: whoever fills the facts counts it before.
  bool tells_wire_bytes() const { return tells_wire_bytes_; }

 private:
  model::AccessLogSetPtr set_;
  std::vector<std::unique_ptr<AccessLogger>> loggers_;  // parallel to the set's logs, null for files; empty: all are
  std::string line_;                                    // kept for its memory
  bool tells_wire_bytes_ = false;
};

}  // namespace sluice::proxy
