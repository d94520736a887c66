#include "http/http2/keepalive.h"

namespace sluice::http::http2 {

KeepAlive::KeepAlive(const Http2Options& options, event::TimerWheel& timers, Random& random, Function<void()> ping,
                     Function<void()> dead)
    : options_(options),
      random_(random),
      ping_(std::move(ping)),
      dead_(std::move(dead)),
      last_(timers.now()),
      interval_(timers, [this] { send(); }),
      answer_(timers, [this] { dead_(); }) {
  wait();
}

void KeepAlive::wait() {
  if (options_.ping_interval.count() <= 0) {
    return;
  }
  const auto spread =
      static_cast<uint64_t>(static_cast<double>(options_.ping_interval.count()) * options_.ping_jitter_percent / 100);
  interval_.arm(options_.ping_interval + Duration(spread == 0 ? 0 : static_cast<int64_t>(random_.below(spread))));
}

void KeepAlive::send() {
  if (!answer_.armed()) {
    answer_.arm(options_.ping_timeout);
    ping_();
  }
}

void KeepAlive::on_ack() {
  answer_.cancel();
  wait();
}

void KeepAlive::before_stream(MonotonicTime now) {
  if (options_.ping_when_idle.count() > 0 && now - last_ > options_.ping_when_idle) {
    send();
  }
}

void KeepAlive::stop() {
  interval_.cancel();
  answer_.cancel();
}

}  // namespace sluice::http::http2
