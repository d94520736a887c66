// Picker: one worker's way to pick a host out of one group: the policies of lb_policy.
#pragma once

#include <cstdint>
#include <memory>

#include "base/random.h"
#include "event/loop.h"
#include "upstream/breakers.h"
#include "upstream/host_set.h"

namespace sluice::upstream {

// What a pick may depend on.
struct PickRequest {
  uint64_t hash = 0;     // of the request's hash policies, or random
  uint32_t attempt = 0;  // 0, or the number of a retry
};

// Knows only its group, which outlives it and is not empty. Thread: worker.
class Picker {
 public:
  virtual ~Picker() = default;
  virtual Host* pick(const PickRequest& request) = 0;
  // The host that a pick to come will be, one pick further with each call; null: nobody knows, or all were told.
  virtual Host* peek() { return nullptr; }
};

// `breakers` know how many requests the cluster has (bounded load), `loop` the time (slow start).
std::unique_ptr<Picker> make_picker(const model::LbPlan& lb, const HostGroup& group, const Breakers& breakers,
                                    Random& random, const event::Loop& loop);

}  // namespace sluice::upstream
