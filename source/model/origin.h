// Origin: where a piece of compiled configuration came from, so that every decision can be explained.
#pragma once

#include <cstdint>
#include <string_view>

namespace sluice::model {

// `resource` ("static:FILE", or the name of an xDS resource) and `version` are interned for the life of the process.
struct Origin {
  std::string_view resource;
  std::string_view version;
  uint32_t line = 0;
  uint32_t column = 0;
};

}  // namespace sluice::model
