// Steps of the data path, named as in docs/life_of_a_request.md. A test hangs a sink on them and pins their order; with
// no sink (production) a step costs one load and one compare.
#pragma once

namespace sluice::trace {

using Sink = void (*)(const char* step);

// Thread: each thread has its own.
inline thread_local constinit Sink sink = nullptr;

inline void step(const char* name) {
  if (__builtin_expect(sink != nullptr, 0)) {
    sink(name);
  }
}

}  // namespace sluice::trace
