// AccessLogPlan: one access log as the configuration describes it, compiled.
#pragma once

#include <memory>
#include <optional>
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

// The compiled configuration of an access log that is no file: a proxy::AccessLoggerFactory. Immutable. Thread: any.
class AccessLoggerPlan {
 public:
  virtual ~AccessLoggerPlan() = default;
};

// Lines of text for a file, or entries for a logger. Immutable. Thread: any.
struct AccessLogPlan {
  std::shared_ptr<const AccessLogFilter> filter;   // null: every line is written
  std::optional<format::Formatter> format;         // of a file; none: there is a logger
  std::string path;                                // "/dev/stdout" and "/dev/stderr" for the streams
  std::shared_ptr<event::AppendFile> file;         // open; null when the configuration was only validated
  std::shared_ptr<const AccessLoggerPlan> logger;  // null: a file
  Origin origin;
};

// The access logs of one connection manager, TCP proxy or listener, in their order. Immutable. Thread: any.
class AccessLogSet {
 public:
  std::vector<AccessLogPlan> logs;
};

using AccessLogSetPtr = std::shared_ptr<const AccessLogSet>;

}  // namespace sluice::model
