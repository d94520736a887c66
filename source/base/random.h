// Random numbers as a seam: production seeds from the kernel, the simulation from its seed.
#pragma once

#include <cstdint>

namespace sluice {

// One for each worker and one for the main thread. Thread: its owner's.
class Random {
 public:
  virtual ~Random() = default;
  virtual uint64_t next() = 0;

  // Uniform in [0, bound); bound > 0.
  uint64_t below(uint64_t bound) {
    return static_cast<uint64_t>((static_cast<unsigned __int128>(next()) * bound) >> 64);
  }
};

// xoshiro256** with its state from splitmix64 (Blackman and Vigna, public domain algorithms): fast, and
// repeatable for a given seed. Not for secrets. Thread: its owner's.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(uint64_t seed);
  uint64_t next() override;

  static uint64_t seed_from_kernel();

 private:
  uint64_t state_[4];
};

}  // namespace sluice
