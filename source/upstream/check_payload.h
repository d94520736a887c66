// What the answer to a health check must have.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sluice::upstream {

// All of them, one behind the other, with anything between. Thread: any.
inline bool has_payloads(std::string_view text, const std::vector<std::string>& payloads) {
  for (const std::string& payload : payloads) {
    const size_t at = text.find(payload);
    if (at == std::string_view::npos) return false;
    text.remove_prefix(at + payload.size());
  }
  return true;
}

}  // namespace sluice::upstream
