// Overload: what the overload manager says, as the data path asks for it.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/random.h"
#include "runtime/key.h"

namespace sluice::proxy {

enum class Accepting : uint8_t { kOn, kPaused };

// How strongly an action is in force: not at all, always, or for a share of the cases. Written by main. Thread: any
// (relaxed atomics).
class OverloadAction {
 public:
  static constexpr uint32_t kAlways = UINT32_MAX;
  // `value` from 0 to 1.
  void set(double value) {
    share_.store(value >= 1 ? kAlways : static_cast<uint32_t>(value * kAlways), std::memory_order_relaxed);
  }
  bool hits(Random& random) const {
    const uint32_t share = share_.load(std::memory_order_relaxed);
    return share != 0 && (share == kAlways || random.below(kAlways) < share);
  }

 private:
  std::atomic<uint32_t> share_{0};
};

// One for each server.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/configuration/operations/overload_manager/overload_manager
// Thread: any; set up before the workers run.
struct Overload {
  OverloadAction refuse_requests;     // stop_accepting_requests: 503
  OverloadAction no_keepalive;        // disable_http_keepalive
  OverloadAction refuse_connections;  // reject_incoming_connections: closed once they were accepted

  // Of all listeners that do not ignore it, together; the runtime's key is asked where no monitor says anything.
  runtime::Number connection_limit{UINT64_MAX, nullptr};
  std::atomic<uint64_t> connections{0};
};

}  // namespace sluice::proxy
