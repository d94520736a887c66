// What the status page says: what is served, and what each client made of it.
#pragma once

#include <cstdint>
#include <string>

#include "tools/control_plane/clients.h"

namespace sluice::control_plane {

// How the last reading of the directory went. A plain value.
struct Reading {
  std::string directory;
  size_t files = 0;
  uint64_t taken = 0;    // readings that brought a new world
  uint64_t refused = 0;  // readings that did not, for errors
  std::string errors;    // of the last one; the world of the one before is served
};

// Thread: main.
std::string status_text(const Reading& reading, const Clients& clients);
std::string status_json(const Reading& reading, const Clients& clients);

}  // namespace sluice::control_plane
