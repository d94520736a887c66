// The key exchanges of ecdh_curves: those that Envoy knows by name, of which the OpenSSL at hand may lack some.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/api-v3/extensions/transport_sockets/tls/v3/common.proto
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/result.h"

namespace sluice::net::tls {

// In the order of the list. A plain value.
struct Groups {
  std::vector<std::string> here;     // this OpenSSL can agree on them
  std::vector<std::string> lacking;  // it cannot: peers agree on one of the others
};

// Each of `names` is a name, or several with a colon between; nothing but one empty name is no list. An error for a
// name that is none of Envoy's, and for one that stands twice. Thread: any.
Result<Groups> read_groups(std::span<const std::string> names);

}  // namespace sluice::net::tls
