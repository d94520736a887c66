// How much memory the process has, for /memory and the server.memory_* gauges.
#pragma once

#include <cstdint>

namespace sluice::server::admin {

struct ProcessMemory {
  uint64_t allocated = 0;  // in use, by malloc's account
  uint64_t heap = 0;       // taken from the system by malloc
  uint64_t heap_free = 0;
  uint64_t physical = 0;   // resident pages
};

// Thread: any.
ProcessMemory process_memory();

}  // namespace sluice::server::admin
