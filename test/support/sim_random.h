// SimRandom: all randomness of a simulation, from its seed.
#pragma once

#include <utility>

#include "base/random.h"
#include "base/time.h"

namespace sluice::test {

// Repeats exactly for a given seed, on every compiler. Thread: the simulation's.
class SimRandom final : public Random {
 public:
  explicit SimRandom(uint64_t seed) : source_(seed) {}
  uint64_t next() override { return source_.next(); }

  // True with a probability of `permille` / 1000.
  bool chance(uint32_t permille) { return permille > 0 && below(1000) < permille; }
  // Uniform in [low, high].
  uint64_t between(uint64_t low, uint64_t high) { return low + below(high - low + 1); }
  Duration between(Duration low, Duration high) {
    return low + Duration(static_cast<int64_t>(below(static_cast<uint64_t>((high - low).count()) + 1)));
  }
  // Puts the elements of a vector into a random order.
  template <typename Vector>
  void shuffle(Vector& elements) {
    for (size_t i = elements.size(); i > 1; --i) {
      std::swap(elements[i - 1], elements[below(i)]);
    }
  }
  // A seed for another source whose draws must not disturb ours.
  uint64_t fork() { return next(); }

 private:
  SeededRandom source_;
};

}  // namespace sluice::test
