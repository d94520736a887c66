#include "test/support/sim_loop.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace sluice::test {

SimLoop::SimLoop(SimWorld& world) : Loop(world.now()), world_(world), id_(world.loops_.size()) { world.add(*this); }

SimLoop::~SimLoop() {
  at_turn_end(nullptr);
  finish_turn();
  world_.remove(*this);
}

void SimLoop::post(Function<void()> work) {
  posted_.push_back(std::move(work));
  schedule_turn(world_.now());
}

void SimLoop::run() {
  SLUICE_CHECK(!in_turn_);
  while (!std::exchange(stopping_, false)) {
    SLUICE_CHECK(world_.take_step());  // otherwise it would wait for ever
  }
}

void SimLoop::ready(SimPollable& pollable) {
  if (!pollable.in_ready_list) {
    pollable.in_ready_list = true;
    ready_.push_back(&pollable);
    schedule_turn(world_.now());
  }
}

void SimLoop::forget(SimPollable& pollable) {
  if (std::exchange(pollable.in_ready_list, false)) {
    std::erase(ready_, &pollable);
  }
  std::replace(batch_.begin(), batch_.end(), &pollable, static_cast<SimPollable*>(nullptr));
}

void SimLoop::wake_for_turn_end() {
  if (!in_turn_) {
    schedule_turn(world_.now());
  }
}

void SimLoop::schedule_timers() {
  const MonotonicTime next = wheel_.next_wakeup();
  if (next != event::TimerWheel::kNever) {
    const bool late = buggify::here(buggify::Point::kTimerLate);
    schedule_turn(late ? next + Duration(event::TimerWheel::kTickNs) : next);
  }
}

void SimLoop::schedule_turn(MonotonicTime earliest) {
  earliest = std::max(earliest, world_.now());
  if (earliest >= turn_wanted_) {
    return;
  }
  const MonotonicTime at = earliest + world_.random().between(kShortestDelay, kLongestDelay);
  if (at >= next_turn_) {
    return;
  }
  turn_wanted_ = earliest;
  next_turn_ = at;
  const uint64_t generation = ++turn_generation_;
  SimWorld& world = world_;
  world_.after_inside(at - world_.now(), [&world, id = id_, generation] {
    SimLoop* loop = world.loops_[id];
    if (loop != nullptr && loop->turn_generation_ == generation) {
      loop->turn();
    }
  });
}

void SimLoop::turn() {
  next_turn_ = turn_wanted_ = MonotonicTime{INT64_MAX};
  read_clock();
  in_turn_ = true;
  int fired = 0;
  if (world_.random().chance(500)) {
    fired += wheel_.run_due();
  }
  dispatch_ready();
  fired += wheel_.run_due();
  if (fired > 0) {
    world_.trace("timers", id_, static_cast<uint64_t>(fired));
  }
  run_posted();
  finish_turn();
  in_turn_ = false;
  if (!ready_.empty() || !posted_.empty()) {
    schedule_turn(world_.now());
  } else {
    schedule_timers();
  }
}

void SimLoop::dispatch_ready() {
  if (ready_.empty()) {
    return;
  }
  world_.random().shuffle(ready_);
  size_t now = ready_.size();
  if (now > 1 && world_.random().chance(200)) {  // the rest in the next turn
    now = world_.random().between(1, now);
  }
  batch_.assign(ready_.begin(), ready_.begin() + static_cast<std::ptrdiff_t>(now));
  ready_.erase(ready_.begin(), ready_.begin() + static_cast<std::ptrdiff_t>(now));
  for (SimPollable* pollable : batch_) {
    pollable->in_ready_list = false;
  }
  for (size_t i = 0; i < batch_.size(); ++i) {
    if (batch_[i] != nullptr) {
      batch_[i]->dispatch();
    }
  }
  batch_.clear();
}

void SimLoop::run_posted() {
  if (posted_.empty()) {
    return;
  }
  world_.trace("posted", id_, posted_.size());
  // What this turn posted may run in it or in the next one; order is kept.
  std::vector<Function<void()>> batch;
  batch.swap(posted_);
  for (auto& work : batch) {
    work();
  }
}

}  // namespace sluice::test
