// Campaigns: whole runs of a world by seed, with invariants after every step. The tests play some seeds of each;
// `tools/dev sim` plays as many as one likes, and replays one with its trace.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "test/sim/sim_traffic.h"

namespace sluice::test {

enum class Trace : uint8_t { kKept, kPrinted };

// What came of one seed.
struct Played {
  uint64_t hash = 0;  // of the trace: equal on every run of the seed
  uint64_t steps = 0;
  Duration time{0};  // virtual
  TrafficClient::Outcomes outcomes;
  std::array<uint64_t, buggify::kPoints> buggified{};  // how often each point acted
  std::string violation;                               // the first one, with the end of the trace; empty: all held

  // At the end of the run.
  void take(const SimWorld& world, MonotonicTime began, const Violations& violations);
};

// Whether requests fail in a campaign, or all are answered whatever happens to the hosts.
enum class Fails : uint8_t { kSome, kNever };

struct Campaign {
  std::string_view name;
  std::string_view what;
  Played (*play)(uint64_t seed, Trace trace);
  uint64_t seeds;  // that the tests play
  Fails fails = Fails::kSome;
};

std::span<const Campaign> all_campaigns();

}  // namespace sluice::test
