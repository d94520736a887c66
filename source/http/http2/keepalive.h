// KeepAlive: pings an HTTP/2 peer at intervals and says when it does not answer (connection_keepalive).
#pragma once

#include "base/function.h"
#include "base/random.h"
#include "event/timer_wheel.h"
#include "http/http2_options.h"

namespace sluice::http::http2 {

// Owned by its connection, which only has one when pings are configured. Thread: worker.
class KeepAlive {
 public:
  // `ping` sends one; `dead` closes the connection.
  KeepAlive(const Http2Options& options, event::TimerWheel& timers, Random& random, Function<void()> ping,
            Function<void()> dead);

  void on_ack();
  // A stream is about to begin. After long silence it is not sent into a connection that may be dead unnoticed.
  void before_stream(MonotonicTime now);
  void on_received(MonotonicTime now) { last_ = now; }
  void stop();

 private:
  void wait();
  void send();

  const Http2Options& options_;
  Random& random_;
  Function<void()> ping_;
  Function<void()> dead_;
  MonotonicTime last_{};
  event::Timer interval_;
  event::Timer answer_;
};

}  // namespace sluice::http::http2
