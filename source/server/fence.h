// Fence: nothing that refers to a cluster is seen by a worker that has not taken the cluster yet.
//
//   Clusters --posts a cluster to each worker, raise()--> the worker takes it --post--> main: one more has passed
//   tables, scopes, filters, ready listeners --behind()--> run when all workers have passed what was raised before
//
// A table in a slot is seen by all workers at once, a cluster when a worker's turn comes to it; a control plane may
// send both in one go.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "base/function.h"
#include "event/loop.h"
#include "server/worker.h"

namespace sluice::server {

// Owned by the server; the workers outlive it. Thread: main.
class Fence {
 public:
  Fence(event::Loop& main, const std::vector<std::unique_ptr<Worker>>& workers) : main_(main), workers_(workers) {}

  // Their threads run from now on; before, they take everything at once.
  void workers_run();
  // Told whenever all have passed all.
  void on_down(Function<void()> hook) { on_down_ = std::move(hook); }

  // Something was just posted to the workers.
  void raise();
  bool is_down() const { return passed_ == raised_; }
  // At once when it is down; in the order of the calls.
  void behind(Function<void()> work);
  // Once each worker has taken what was posted to it until now, and what waits behind the fence by now is seen by it;
  // never before they run. This does not raise it.
  void when_taken(Function<void()> work);
  // What waits is not done any more.
  void clear() { waiting_.clear(); }

 private:
  struct Waiting {
    uint64_t after;
    Function<void()> work;
  };
  void pass(size_t worker, uint64_t number);

  event::Loop& main_;
  const std::vector<std::unique_ptr<Worker>>& workers_;
  Function<void()> on_down_;
  uint64_t raised_ = 0, passed_ = 0;  // the latter by all workers
  std::vector<uint64_t> passed_by_;   // each worker; empty: none runs yet
  std::deque<Waiting> waiting_;
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // what the workers post back outlives us
};

}  // namespace sluice::server
