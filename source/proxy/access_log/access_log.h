// AccessLog: writes the lines of a set of access logs, one worker's part of it.
#pragma once

#include <string>

#include "format/facts.h"
#include "model/access_log_plan.h"

namespace sluice::proxy {

// A line costs one append into a kept string and one hand-over to the file, which writes elsewhere: never blocks. Lines
// that find the file's queue full are dropped and counted there (event/files.h). Owned by whoever serves with the set
// (an HttpServer). Thread: worker.
class AccessLog {
 public:
  // `set` may be null: nothing is written.
  explicit AccessLog(model::AccessLogSetPtr set) : set_(std::move(set)) {}

  // facts.log_type says why; all logs whose filter passes get their line.
  void log(const format::Facts& facts);
  bool empty() const { return set_ == nullptr || set_->logs.empty(); }

 private:
  model::AccessLogSetPtr set_;
  std::string line_;  // kept for its memory
};

}  // namespace sluice::proxy
