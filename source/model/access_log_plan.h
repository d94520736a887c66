// AccessLogPlan: one access log as the configuration describes it, compiled.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "event/files.h"
#include "format/facts.h"
#include "format/formatter.h"
#include "model/origin.h"

namespace sluice::model {

// Decides whether a line is written (and which mapper of a local reply applies). The kinds are in
// proxy/access_log/filters.h. Immutable, shared by all workers. Thread: any.
class AccessLogFilter {
 public:
  virtual ~AccessLogFilter() = default;
  virtual bool passes(const format::Facts& facts) const = 0;
};

// Immutable. Thread: any.
struct AccessLogPlan {
  std::shared_ptr<const AccessLogFilter> filter;  // null: every line is written
  format::Formatter format;
  std::string path;                               // "/dev/stdout" and "/dev/stderr" for the streams
  std::shared_ptr<event::AppendFile> file;        // open; null when the configuration was only validated
  Origin origin;
};

// The access logs of one connection manager, TCP proxy or listener, in their order. Immutable. Thread: any.
class AccessLogSet {
 public:
  std::vector<AccessLogPlan> logs;
};

using AccessLogSetPtr = std::shared_ptr<const AccessLogSet>;

}  // namespace sluice::model
