// Buggify (FoundationDB's word): points where the code takes another way by chance, which is rare in production and as
// right as the usual one, so that every run of the simulation meets what else one in a million would. A point breaks no
// promise: who calls that code cannot tell it from bad luck. In production nothing decides: a load and a compare.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sluice::buggify {

enum class Point : uint8_t {
  kPoolConnects,       // a pool that has a connection with room reports none, and opens another
  kLeaseLate,          // a connection whose stream has ended goes back to its pool a moment later
  kWriteTakesNothing,  // a transport takes no byte, as if its peer had not read
  kGateShutsEarly,     // an outbox that could not send everything is full below its high mark
  kBodyByByte,         // a codec hands on one byte of a body by itself
  kTimerLate,          // a loop wakes up a millisecond after its timer
  kCount
};

inline constexpr size_t kPoints = static_cast<size_t>(Point::kCount);

// Whether the point acts now. Thread: each thread has its own.
using Decide = bool (*)(Point);
inline thread_local constinit Decide decide = nullptr;

inline bool here(Point point) { return __builtin_expect(decide != nullptr, 0) && decide(point); }

}  // namespace sluice::buggify
