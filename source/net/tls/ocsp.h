// OCSP responses that stand beside a certificate, to be stapled (RFC 6960, RFC 6066 8). Only for this folder.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "net/tls/openssl.h"
#include "net/tls/tls_options.h"

namespace sluice::net::tls {

// Who signed it, and what it says of the certificate, is for the client to judge. Immutable. Thread: any.
struct OcspResponse {
  std::string bytes;  // DER
  WallTime valid_from;
  std::optional<WallTime> expires;  // without one it is old at once

  // A successful answer about this one certificate, by its serial number.
  static Result<OcspResponse> read(std::string_view der, const X509& certificate);
  bool valid(WallTime now) const { return expires && now.us <= expires->us; }
};

// The certificate says that it is good only with a staple (RFC 7633).
bool must_staple(const X509& certificate);

enum class Staple : uint8_t { kGiven, kOmitted, kFailed };  // kFailed: the handshake ends

// For a client that asked. `response` may be null.
Staple staple_of(StaplePolicy policy, const OcspResponse* response, WallTime now);

}  // namespace sluice::net::tls
