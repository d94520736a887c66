// The addresses of internal listeners, which connections reach without leaving the process: envoy://LISTENER/ID. They
// stand in Address like the paths of unix sockets, but no system knows them.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/configuration/other_features/internal_listener
#pragma once

#include <string_view>

#include "base/result.h"
#include "net/address.h"

namespace sluice::net {

inline constexpr std::string_view kInternalScheme = "envoy://";

// `endpoint` tells apart what goes to one listener; empty: it is the listener itself. Error: names with a zero byte.
Result<Address> internal_address(std::string_view listener, std::string_view endpoint);
bool is_internal(const Address& address);
// What every connection to an internal listener comes from.
const Address& internal_client();

}  // namespace sluice::net
