// Cuts of cases: a case is played whole, and then with one of its connections ended at a seeded place, again and again.
// Whatever its steps then see, the proxy lives, keeps nothing, ends when it is told to, and no message that was cut
// looks whole.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "test/player/cut.h"
#include "test/player/spec.h"

namespace sluice::player {

struct CutsPlayed {
  uint64_t passed = 0;
  std::vector<std::string> failures;  // each with the cut
};

// `count` of them; 0: at every byte that passed. Says on stdout what it begins, so that a crash has a name.
CutsPlayed play_cuts(const Spec& spec, uint64_t seed, uint64_t count);
// One of them: empty when all holds.
std::string play_cut(const Spec& spec, uint64_t seed, const Cut& cut, const Value::Map& whole);

}  // namespace sluice::player
