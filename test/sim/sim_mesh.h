// A mesh: sidecars with clients on one side and origins on the other. A request goes from a client through the sidecar
// of its own machine, through that of the origin, to the origin. How large a world the simulation carries, and what it
// costs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/time.h"

namespace sluice::test {

struct MeshSize {
  size_t sidecars = 50;
  size_t origins = 200;                       // shared out among the sidecars
  size_t clients = 10'000;                    // connections, shared out among the sidecars
  Duration pause = std::chrono::seconds(10);  // between two requests of a client, on average
  Duration time = std::chrono::minutes(10);

  // The same for the same time, with so much less of everything.
  MeshSize divided_by(size_t by) const { return {sidecars / by, origins / by, clients / by, pause, time}; }
};

// What came of it.
struct MeshRun {
  uint64_t hash = 0;  // of the trace
  uint64_t steps = 0;
  uint64_t whole = 0, failed = 0;  // requests
  uint64_t resets = 0;             // of an origin: those who wait for it just then fail
  size_t bytes_per_proxy = 0;      // from the heap, once it serves; 0 where the heap does not say
  std::string violation;           // empty: all held
};

MeshRun play_mesh(uint64_t seed, const MeshSize& size);

}  // namespace sluice::test
