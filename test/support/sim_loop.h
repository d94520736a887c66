// SimLoop: the Loop of the simulation. Its turns are events of a SimWorld.
#pragma once

#include <vector>

#include "event/loop.h"
#include "test/support/sim_world.h"

namespace sluice::test {

// Something that can have news for its loop: an end of a connection, an acceptor. Thread: the simulation's.
class SimPollable {
 public:
  // Called in a turn after SimLoop::ready(). May destroy itself and others.
  virtual void dispatch() = 0;
  bool in_ready_list = false;  // kept by SimLoop

 protected:
  ~SimPollable() = default;
};

// One "thread". Its turns come a few microseconds (seeded) after their cause; within a turn the ready ones run in
// seeded order, some only in the next turn; timers run before or after them. Destroyed after what uses it and before
// the world. Thread: the simulation's.
class SimLoop final : public event::Loop {
 public:
  static constexpr Duration kShortestDelay = std::chrono::microseconds(1);
  static constexpr Duration kLongestDelay = std::chrono::microseconds(30);

  explicit SimLoop(SimWorld& world);
  ~SimLoop() override;

  WallTime wall_now() const override { return world_.wall_now(); }
  void post(Function<void()> work) override;
  // Steps the world (all its loops) until stop().
  void run() override;
  void stop() override { stopping_ = true; }

  SimWorld& world() { return world_; }
  // Has dispatch() called in one of the next turns.
  void ready(SimPollable& pollable);
  // No dispatch() follows.
  void forget(SimPollable& pollable);

 protected:
  void wake_for_turn_end() override;

 private:
  friend class SimWorld;

  void read_clock() { wheel_.set_now(world_.now()); }
  void schedule_timers();
  void schedule_turn(MonotonicTime earliest);
  void turn();
  void dispatch_ready();
  void run_posted();

  SimWorld& world_;
  const uint64_t id_;
  bool in_turn_ = false;
  bool stopping_ = false;
  MonotonicTime next_turn_{INT64_MAX};
  MonotonicTime turn_wanted_{INT64_MAX};  // what next_turn_ was scheduled for, without its delay
  uint64_t turn_generation_ = 0;
  std::vector<SimPollable*> ready_;
  std::vector<SimPollable*> batch_;
  std::vector<Function<void()>> posted_;
};

}  // namespace sluice::test
