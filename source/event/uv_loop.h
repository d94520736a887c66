// UvLoop: the Loop of production. One for each worker and one for the main thread.
//
// Its thread waits in an epoll set of ours. Sockets are members of the set, and so is libuv's whole loop, as one
// descriptor: libuv gives the wake-ups from other threads, signals and file events (docs/decisions/0002). Deadlines
// live in our own wheel and become the time-out of the wait, so arming one costs no call.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "event/epoll_set.h"
#include "event/loop.h"

struct uv_loop_s;

namespace sluice::event {

// A turn: wait; read the clock, once; events; due timers; posted work; the hook of the turn's end; deferred
// destruction. An idle loop sleeps. Objects that use the loop are destroyed before it; what waits in destroy_later() is
// destroyed with it. Thread: the one that calls run(), but post() and stop() are for any.
class UvLoop final : public Loop {
 public:
  UvLoop();
  ~UvLoop() override;

  // The clock of now(), as it is this moment. Thread: any.
  static MonotonicTime clock_now();
  WallTime wall_now() const override;
  void post(Function<void()> work) override;
  void run() override;
  void stop() override;

  // For net/uv_*: where descriptors are waited for.
  EpollSet& epoll_set() { return set_; }
  // Tells of every turn how long it took, and by how much the wait after it was longer than it should be; none: it was
  // a wait without an end, for an event. Set before it runs, or when it has stopped. Costs a look at the clock.
  using TellTurn = Function<void(Duration took, std::optional<Duration> late)>;
  void time_turns(TellTurn tell) { tell_turn_ = std::move(tell); }
  // For the other uv_* files: libuv's loop. Whoever starts or closes a handle of it says so with uv_changed(), so that
  // libuv gets a chance to tell the kernel before the next wait.
  uv_loop_s* handle();
  void uv_changed() { uv_changed_ = true; }

 protected:
  void wake_for_turn_end() override { wants_turn_ |= !in_turn_; }

 private:
  struct Handles;  // hides uv.h

  // libuv's descriptor in the set.
  class Member final : public Pollable {
   public:
    explicit Member(UvLoop& loop) : loop_(loop) {}
    void on_events(uint32_t) override { loop_.run_uv(); }

   private:
    UvLoop& loop_;
  };

  void read_clock();
  void run_uv();
  int wait_ms();
  void turn();
  void timed_wait(int ms);
  void run_posted();

  EpollSet set_;
  std::unique_ptr<Handles> uv_;
  Member member_{*this};
  bool uv_changed_ = true;
  bool in_turn_ = false;
  bool wants_turn_ = false;    // something is to be destroyed although no event will come
  bool posted_ready_ = false;  // the wake-up for posted work arrived

  TellTurn tell_turn_;

  std::atomic<bool> stopping_{false};
  std::mutex posted_mutex_;
  std::vector<Function<void()>> posted_;  // guarded by posted_mutex_
  std::vector<Function<void()>> running_;
};

}  // namespace sluice::event
