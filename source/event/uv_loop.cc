#include "event/uv_loop.h"

#include <time.h>
#include <uv.h>

#include <utility>

#include "base/check.h"

namespace sluice::event {

namespace {

int64_t clock_ns(clockid_t clock) {
  timespec t;
  clock_gettime(clock, &t);
  return int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

template <typename Handle>
uv_handle_t* as_handle(Handle& handle) {
  return reinterpret_cast<uv_handle_t*>(&handle);
}

}  // namespace

struct UvLoop::Handles {
  uv_loop_t loop;
  uv_timer_t timer;
  uv_async_t wake;
  uv_prepare_t before_sleep;
  uv_check_t after_events;
};

UvLoop::UvLoop() : Loop(MonotonicTime{clock_ns(CLOCK_MONOTONIC)}), uv_(std::make_unique<Handles>()) {
  SLUICE_CHECK(uv_loop_init(&uv_->loop) == 0);
  uv_timer_init(&uv_->loop, &uv_->timer);
  uv_prepare_init(&uv_->loop, &uv_->before_sleep);
  uv_check_init(&uv_->loop, &uv_->after_events);
  SLUICE_CHECK(uv_async_init(&uv_->loop, &uv_->wake, [](uv_async_t* handle) {
                 auto* loop = static_cast<UvLoop*>(handle->data);
                 loop->begin_turn();
                 loop->posted_ready_ = true;
               }) == 0);
  uv_->timer.data = uv_->wake.data = uv_->before_sleep.data = uv_->after_events.data = this;
  // libuv runs timers before it sleeps and all other events after; a turn ends after either.
  uv_prepare_start(&uv_->before_sleep, [](uv_prepare_t* handle) {
    auto* loop = static_cast<UvLoop*>(handle->data);
    if (loop->wants_turn_) {
      loop->begin_turn();
    }
    loop->end_turn();
  });
  uv_check_start(&uv_->after_events, [](uv_check_t* handle) { static_cast<UvLoop*>(handle->data)->end_turn(); });
}

UvLoop::~UvLoop() {
  at_turn_end(nullptr);
  finish_turn();  // what waits for its destruction may own handles of this loop
  uv_close(as_handle(uv_->timer), nullptr);
  uv_close(as_handle(uv_->wake), nullptr);
  uv_close(as_handle(uv_->before_sleep), nullptr);
  uv_close(as_handle(uv_->after_events), nullptr);
  uv_run(&uv_->loop, UV_RUN_DEFAULT);  // lets the closing handles finish, those of our former users too
  SLUICE_CHECK(uv_loop_close(&uv_->loop) == 0);
}

uv_loop_s* UvLoop::handle() { return &uv_->loop; }

void UvLoop::read_clock() { wheel_.set_now(MonotonicTime{clock_ns(CLOCK_MONOTONIC)}); }

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
  read_clock();  // perhaps long after the constructor: delays count from now
  // Without a stop() it never returns: the wake-up handle keeps libuv's loop alive.
  uv_run(&uv_->loop, UV_RUN_DEFAULT);
  stopping_.store(false, std::memory_order_relaxed);
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

void UvLoop::end_turn() {
  if (in_turn_) {
    wheel_.run_due();
    run_posted();
    wants_turn_ = false;
    finish_turn();
    in_turn_ = false;
    if (stopping_.load(std::memory_order_acquire)) {
      uv_stop(&uv_->loop);
    }
  }
  arm_uv_timer();
}

// An earlier wake-up than needed is left alone (it does nothing and arms the next one), so in steady state this is a
// compare.
void UvLoop::arm_uv_timer() {
  const MonotonicTime wanted = wheel_.next_wakeup();
  if (wanted >= uv_timer_at_) {
    return;
  }
  uv_timer_at_ = wanted;
  // libuv counts milliseconds of the same clock, rounded down.
  const int64_t delay = wanted.ns / TimerWheel::kTickNs - static_cast<int64_t>(uv_now(&uv_->loop));
  uv_timer_start(
      &uv_->timer,
      [](uv_timer_t* handle) {
        auto* loop = static_cast<UvLoop*>(handle->data);
        loop->uv_timer_at_ = TimerWheel::kNever;
        loop->begin_turn();
      },
      delay > 0 ? static_cast<uint64_t>(delay) : 0, 0);
}

}  // namespace sluice::event
