#include "event/uv_loop.h"

#include <limits.h>
#include <time.h>
#include <uv.h>

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace sluice::event {

namespace {

int64_t clock_ns(clockid_t clock) {
  timespec t;
  clock_gettime(clock, &t);
  return int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

}  // namespace

struct UvLoop::Handles {
  uv_loop_t loop;
  uv_async_t wake;
};

UvLoop::UvLoop() : Loop(MonotonicTime{clock_ns(CLOCK_MONOTONIC)}), uv_(std::make_unique<Handles>()) {
  SLUICE_CHECK(uv_loop_init(&uv_->loop) == 0);
  SLUICE_CHECK(uv_async_init(&uv_->loop, &uv_->wake, [](uv_async_t* handle) {
                 static_cast<UvLoop*>(handle->data)->posted_ready_ = true;
               }) == 0);
  uv_->wake.data = this;
  SLUICE_CHECK(set_.add(uv_backend_fd(&uv_->loop), EPOLLIN, member_));
}

UvLoop::~UvLoop() {
  at_turn_end(nullptr);
  finish_turn();  // what waits for its destruction may own handles of libuv's loop
  uv_close(reinterpret_cast<uv_handle_t*>(&uv_->wake), nullptr);
  uv_run(&uv_->loop, UV_RUN_DEFAULT);  // lets the closing handles finish, those of our former users too
  SLUICE_CHECK(uv_loop_close(&uv_->loop) == 0);
}

uv_loop_s* UvLoop::handle() { return &uv_->loop; }

MonotonicTime UvLoop::clock_now() { return MonotonicTime{clock_ns(CLOCK_MONOTONIC)}; }

void UvLoop::read_clock() { wheel_.set_now(clock_now()); }

WallTime UvLoop::wall_now() const { return WallTime{clock_ns(CLOCK_REALTIME) / 1000}; }

void UvLoop::post(Function<void()> work) {
  bool first;
  {
    std::lock_guard lock(posted_mutex_);
    first = posted_.empty();
    posted_.push_back(std::move(work));
  }
  if (first) {
    uv_async_send(&uv_->wake);
  }
}

void UvLoop::stop() {
  stopping_.store(true, std::memory_order_release);
  uv_async_send(&uv_->wake);
}

void UvLoop::run() {
  do {
    turn();
  } while (!stopping_.load(std::memory_order_acquire));
  stopping_.store(false, std::memory_order_relaxed);
}

void UvLoop::run_uv() {
  uv_changed_ = false;
  uv_run(&uv_->loop, UV_RUN_NOWAIT);
}

// How long the next wait may last. libuv's own timers and closing handles count (we use none of the first); what its
// callbacks do here is followed by a turn at once.
int UvLoop::wait_ms() {
  if (uv_changed_ || uv_backend_timeout(&uv_->loop) == 0) {
    run_uv();
    wants_turn_ = true;
  }
  if (wants_turn_) {
    return 0;
  }
  const int uv_timeout = uv_backend_timeout(&uv_->loop);
  const MonotonicTime wanted = wheel_.next_wakeup();
  if (wanted == TimerWheel::kNever) {
    return uv_timeout;
  }
  read_clock();
  const int64_t ms = (std::max<int64_t>((wanted - now()).count(), 0) + 999'999) / 1'000'000;
  const int ours = static_cast<int>(std::min<int64_t>(ms, INT_MAX));
  return uv_timeout < 0 ? ours : std::min(uv_timeout, ours);
}

void UvLoop::turn() {
  const MonotonicTime last = now();
  const int wait = wait_ms();  // reads the clock when a deadline is armed; without one nobody waits for us
  note_turn(now() - last);
  if (tell_turn_) [[unlikely]] {
    timed_wait(wait);
  } else {
    slow_turns_.turn_began.store(0, std::memory_order_relaxed);
    set_.wait(wait);
    read_clock();
  }
  in_turn_ = true;
  slow_turns_.turn_began.store(now().ns, std::memory_order_relaxed);
  set_.dispatch();
  wheel_.run_due();
  run_posted();
  wants_turn_ = false;
  finish_turn();
  in_turn_ = false;
}

void UvLoop::timed_wait(int ms) {
  const MonotonicTime ended = clock_now();
  // Not now(), which may have been read since. The first turn follows none.
  const int64_t turn_began = slow_turns_.turn_began.exchange(0, std::memory_order_relaxed);
  const MonotonicTime began = turn_began == 0 ? ended : MonotonicTime{turn_began};
  set_.wait(ms);
  read_clock();
  const Duration late = now() - ended - std::chrono::milliseconds(ms);
  tell_turn_(ended - began, ms < 0 ? std::nullopt : std::optional(std::max(late, Duration::zero())));
}

void UvLoop::run_posted() {
  if (!posted_ready_) {
    return;
  }
  posted_ready_ = false;
  {
    std::lock_guard lock(posted_mutex_);
    running_.swap(posted_);
  }
  for (auto& work : running_) {
    work();
  }
  running_.clear();
}

}  // namespace sluice::event
