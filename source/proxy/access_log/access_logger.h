// AccessLogger: an access log that is no file, on one worker; and the sinks that several of them share.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>

#include "base/function.h"
#include "event/loop.h"
#include "format/facts.h"
#include "model/access_log_plan.h"
#include "proxy/chain_server.h"

namespace sluice::proxy {

// Owned by its AccessLog. Thread: worker.
class AccessLogger {
 public:
  virtual ~AccessLogger() = default;
  // Takes what it needs of the facts; never blocks.
  virtual void log(const format::Facts& facts) = 0;
};

// Where the entries of all loggers with one configuration go: a collector, with what waits for it. Owned by the
// LogSinks of its worker. Thread: worker.
class LogSink {
 public:
  virtual ~LogSink() = default;
  // Sends what waits.
  virtual void flush() = 0;

 private:
  friend class LogSinks;
  size_t users_ = 0;
};

// The sinks of one worker. A sink whose last logger has gone sends what it has and stays for a moment, so that the last
// entries of a listener arrive. Owned by the worker; ends before its clusters. Thread: worker.
class LogSinks {
 public:
  static constexpr Duration kLinger = std::chrono::seconds(5);

  explicit LogSinks(const ProxyLocal& proxy);
  ~LogSinks() { clear(); }
  LogSinks(const LogSinks&) = delete;
  LogSinks& operator=(const LogSinks&) = delete;

  struct Leave {
    LogSinks* sinks;
    void operator()(LogSink* sink) const { sinks->leave(*sink); }
  };
  using User = std::unique_ptr<LogSink, Leave>;

  // The sink of that key; made when there is none. Keys are the kind of sink and its whole configuration as text.
  User use(const std::string& key, Function<std::unique_ptr<LogSink>()> make);
  const ProxyLocal& proxy() const { return proxy_; }
  void flush();
  // Nobody uses one any more.
  void clear() { sinks_.clear(); }

 private:
  void leave(LogSink& sink);
  void bury();

  const ProxyLocal& proxy_;
  std::map<std::string, std::unique_ptr<LogSink>> sinks_;
  event::Timer bury_;
};

// Immutable, shared by all workers. Thread: any.
class AccessLoggerFactory : public model::AccessLoggerPlan {
 public:
  virtual std::unique_ptr<AccessLogger> on_worker(LogSinks& sinks) const = 0;
};

}  // namespace sluice::proxy
