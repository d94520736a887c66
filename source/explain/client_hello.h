// The first bytes of a TLS client, for listener filters to look at.
#pragma once

#include <string>
#include <string_view>

namespace sluice::explain {

// A ClientHello in one record, with the name (unless empty) as SNI and "http/1.1" as ALPN.
std::string client_hello(std::string_view server_name);

}  // namespace sluice::explain
