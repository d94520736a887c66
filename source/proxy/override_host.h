// OverrideHost: the host that a filter wants a request to go to, left in the exchange's filter state for the router.
#pragma once

#include <string>
#include <string_view>

#include "base/filter_state.h"

namespace sluice::proxy {

inline constexpr std::string_view kOverrideHostKey = "sluice.override_host";

// Whether another host may be chosen when that one is not there or not healthy.
enum class OverrideMode : uint8_t { kPreferred, kStrict };

inline void set_override_host(FilterState& state, std::string_view address, OverrideMode mode) {
  (void)state.set({.key = std::string(kOverrideHostKey),
                   .factory = mode == OverrideMode::kStrict ? "strict" : "preferred",
                   .text = std::string(address)});
}

}  // namespace sluice::proxy
