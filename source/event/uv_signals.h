// UvSignals: process signals as calls on the main thread.
#pragma once

#include <initializer_list>
#include <memory>

#include "base/function.h"
#include "event/uv_loop.h"

namespace sluice::event {

// Calls `on_signal` with the number of each signal that arrives (several of one kind may be merged), until destroyed.
// The first UvSignals makes the process ignore SIGPIPE for good. One for the process, made by main before the workers
// start. Thread: main.
class UvSignals {
 public:
  UvSignals(UvLoop& loop, std::initializer_list<int> signals, Function<void(int)> on_signal);
  ~UvSignals();
  UvSignals(const UvSignals&) = delete;
  UvSignals& operator=(const UvSignals&) = delete;

 private:
  struct State;  // outlives us until libuv has closed the handles
  std::unique_ptr<State> state_;
};

}  // namespace sluice::event
