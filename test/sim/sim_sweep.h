// A sweep: seeds of all campaigns, one seed of each after the other, until its time is over. Each seed has a process of
// its own, so that a crash or a hang is a failure as any other, and all processors are used.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>

#include "test/sim/sim_campaigns.h"

namespace sluice::test {

struct Sweep {
  std::chrono::duration<double> time{0};  // real; what has begun then still ends
  uint64_t first_seed = 1;
  uint32_t processes = 1;
  std::chrono::seconds limit{300};  // for one seed: who needs more hangs
  std::string failures;             // a file: a line is added for each seed that fails, "CAMPAIGN SEED what was seen"
};

// What came of it. The next sweep may begin behind `last_seed`.
struct Swept {
  uint64_t passed = 0;
  uint64_t failed = 0;
  uint64_t last_seed = 0;
};

// Prints each failure as it comes, and at the end a line for each campaign. The process must have no other threads and
// no other children. Thread: the simulation's.
Swept sweep(std::span<const Campaign> campaigns, const Sweep& wanted);

}  // namespace sluice::test
