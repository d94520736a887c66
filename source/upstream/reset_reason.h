// Why an upstream stream ended without a complete response.
#pragma once

#include <cstdint>
#include <string_view>

namespace sluice::upstream {

enum class ResetReason : uint8_t {
  kConnectFailure,         // refused, unreachable, TLS failed
  kLocalConnectFailure,    // our own address cannot be used
  kConnectTimeout,         // connect_timeout passed
  kConnectionTermination,  // the connection ended while the stream was on it
  kOverflow,               // a circuit breaker is full
  kProtocolError,          // the peer broke HTTP
  kRemoteReset,
  kRemoteRefused,  // HTTP/2: the peer says that it did nothing of it
  kLocalReset,
};

// Envoy's words, as in local reply bodies ("remote connection failure").
constexpr std::string_view words_of(ResetReason reason) {
  switch (reason) {
    case ResetReason::kConnectFailure:
      return "remote connection failure";
    case ResetReason::kLocalConnectFailure:
      return "local connection failure";
    case ResetReason::kConnectTimeout:
      return "connection timeout";
    case ResetReason::kConnectionTermination:
      return "connection termination";
    case ResetReason::kOverflow:
      return "overflow";
    case ResetReason::kProtocolError:
      return "protocol error";
    case ResetReason::kRemoteReset:
      return "remote reset";
    case ResetReason::kRemoteRefused:
      return "remote refused stream reset";
    case ResetReason::kLocalReset:
      return "local reset";
  }
  return "";
}

}  // namespace sluice::upstream
