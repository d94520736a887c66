// Hooks: probe filters at seeded places of every HTTP filter chain of a case, those that tries pass too, which stop at
// every hook in every way that a filter has (proxy/filter.h). Those that only pause change nothing but time, for
// clients and origins; whatever the others do, each exchange ends, whole or with an error that shows, and leaves
// nothing behind.
#pragma once

#include <cstdint>

#include "config/extensions.h"
#include "test/support/sim_random.h"

namespace sluice::player {

// Of the case that plays; outlives its proxy. Only one at a time. Thread: the simulation's.
class Hooks {
 public:
  enum class Manner : uint8_t {
    kPauses,  // pauses for up to some milliseconds, or resumes before the hook returns. (A response only does the
              // latter until the request is complete: how much of a request came before its answer can be seen.)
    kAll,     // also holds, collects, replies, and forgets what it paused
  };
  Hooks(uint64_t seed, Manner manner) : random_(seed), manner_(manner) {}
  ~Hooks();
  Hooks(const Hooks&) = delete;
  Hooks& operator=(const Hooks&) = delete;

  // `extensions`, with which chains are compiled to have probes as long as this lives.
  config::Extensions with_probes(const config::Extensions& extensions);

  test::SimRandom& random() { return random_; }
  Manner manner() const { return manner_; }
  // How often a probe did anything but let pass.
  uint64_t stops = 0;

 private:
  test::SimRandom random_;
  const Manner manner_;
};

}  // namespace sluice::player
