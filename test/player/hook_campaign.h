// Hooks of cases: a case is played whole, and then with probe filters that do in every hook all that a filter may.
// Whatever its steps then see, the proxy lives, keeps nothing, ends when it is told to, and every message is whole or
// shows that it is not.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "test/player/spec.h"

namespace sluice::player {

struct HooksPlayed {
  uint64_t passed = 0;
  uint64_t stops = 0;                 // that the probes made
  std::vector<std::string> failures;  // each with the seed of its probes
};

// `count` times, with other probes each time. Says on stdout what it begins, so that a crash has a name.
HooksPlayed play_hooks(const Spec& spec, uint64_t seed, uint64_t count);

}  // namespace sluice::player
