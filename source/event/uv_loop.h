// UvLoop: the Loop of production, on libuv. One for each worker and one for the main thread.
//
// libuv gives the wait, the wake-ups, signals and file events; deadlines live in our own wheel, which needs one
// uv_timer for the whole loop, so arming a deadline costs no libuv call. Sockets do not go through libuv
// (net/uv_poller.h).
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "event/loop.h"

struct uv_loop_s;

namespace sluice::event {

// A turn begins with the first event that libuv reports (begin_turn() reads the clock, once) and ends before libuv may
// sleep again: due timers, posted work, the hook of the turn's end, deferred destruction. An idle loop sleeps in
// epoll_wait. Objects that use the loop are destroyed before it; what waits in destroy_later() is destroyed with it.
// Thread: the one that calls run(), but post() and stop() are for any.
class UvLoop final : public Loop {
 public:
  UvLoop();
  ~UvLoop() override;

  WallTime wall_now() const override;
  void post(Function<void()> work) override;
  void run() override;
  void stop() override;

  // For the other uv_* files only: libuv's loop, and what each of their libuv callbacks calls before anything else.
  uv_loop_s* handle();
  void begin_turn() {
    if (!in_turn_) {
      in_turn_ = true;
      read_clock();
    }
  }

 protected:
  void wake_for_turn_end() override { wants_turn_ = true; }

 private:
  struct Handles;  // hides uv.h

  void read_clock();
  void end_turn();
  void run_posted();
  void arm_uv_timer();

  std::unique_ptr<Handles> uv_;
  bool in_turn_ = false;
  bool wants_turn_ = false;             // something is to be destroyed although no event came
  bool posted_ready_ = false;           // the wake-up for posted work arrived
  MonotonicTime uv_timer_at_ = TimerWheel::kNever;  // when the uv_timer will fire

  std::atomic<bool> stopping_{false};
  std::mutex posted_mutex_;
  std::vector<Function<void()>> posted_;  // guarded by posted_mutex_
  std::vector<Function<void()>> running_;
};

}  // namespace sluice::event
