// ClientDetection: how a connection manager finds the client's address by other rules than its own
// (original_ip_detection_extensions).
// https://www.envoyproxy.io/docs/envoy/v1.36.0/configuration/http/http_conn_man/headers#x-forwarded-for
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "net/address.h"

namespace sluice::model {

// Element `hops` + 1 of X-Forwarded-For, from the right; or, with trusted networks, the first one from the right that
// is in none of them, when the peer is.
struct ForwardedForDetection {
  uint32_t hops = 0;
  std::vector<net::Cidr> trusted;
  bool append = false;  // the peer to X-Forwarded-For
};

struct HeaderDetection {
  std::string name;              // lower case
  bool may_be_internal = false;  // the address that it gives
  uint16_t reject_status = 0;    // when it gives none; 0: the next rule is asked
};

// Immutable. Thread: any.
using ClientDetection = std::variant<ForwardedForDetection, HeaderDetection>;

}  // namespace sluice::model
