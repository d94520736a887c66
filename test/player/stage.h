// Stage: where the clients and origins of a case play, in the virtual time of a SimWorld. They are coroutines; after
// every step of the world those go on whose condition holds or whose time is over.
#pragma once

#include <cstring>
#include <optional>
#include <vector>

#include "base/time.h"
#include "test/player/cut.h"
#include "test/player/task.h"
#include "test/support/sim_world.h"

namespace sluice::player {

class Stage;

// A callable without a destructor (task.h says why): it captures references, pointers and numbers. Thread: any.
template <typename R>
class Call {
 public:
  Call() = default;
  template <typename F>
  requires(!std::is_same_v<F, Call> && std::is_invocable_r_v<R, const F&>) Call(F f)
      : call_([](const void* space) -> R { return (*static_cast<const F*>(space))(); }) {
    static_assert(std::is_trivially_copyable_v<F> && sizeof(F) <= sizeof(space_) && alignof(F) <= alignof(void*));
    std::memcpy(space_, &f, sizeof(F));
  }
  R operator()() const { return call_(space_); }
  explicit operator bool() const { return call_ != nullptr; }

 private:
  R (*call_)(const void*) = nullptr;
  alignas(void*) unsigned char space_[4 * sizeof(void*)] = {};
};

// co_await stage.until(...): whether the condition held in the end. Thread: the simulation's.
class Until {
 public:
  using Condition = Call<bool>;
  // `over`: nothing more will come, so that waiting ends whether the condition holds or not; may be empty.
  Until(Stage& stage, Condition condition, Condition over, std::optional<Duration> limit);
  ~Until();
  Until(const Until&) = delete;
  Until& operator=(const Until&) = delete;

  bool await_ready() const { return holds(); }
  void await_suspend(std::coroutine_handle<> waiting);
  bool await_resume() const { return condition_(); }

 private:
  friend class Stage;
  bool holds() const { return condition_() || (over_ && over_()); }

  Stage& stage_;
  const Condition condition_, over_;
  const std::optional<Duration> limit_;
  MonotonicTime deadline_{INT64_MAX};
  std::coroutine_handle<> waiting_;
};

// Outlives all tasks on it; takes the world's after_step(). Thread: the simulation's.
class Stage {
 public:
  explicit Stage(test::SimWorld& world);
  ~Stage();

  test::SimWorld& world() { return world_; }
  Passed passed;  // by the connections of clients and origins

  Until until(Until::Condition condition, std::optional<Duration> limit = std::nullopt) {
    return Until(*this, condition, {}, limit);
  }
  Until sleep(Duration time) {
    return Until(
        *this, [] { return false; }, {}, time);
  }
  // Runs beside the others until it ends, or the stage does.
  void spawn(Task<void> task);
  // Ends all that were spawned.
  void clear() { tasks_.clear(); }
  // Does it as an event of the world: for what arms timers of a server's loop.
  Task<void> outside(Call<void> work);

 private:
  friend class Until;
  void after_step();

  test::SimWorld& world_;
  std::vector<Until*> waiting_;
  std::vector<Task<void>> tasks_;
};

}  // namespace sluice::player
