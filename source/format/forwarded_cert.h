// Reads x-forwarded-client-cert, in which proxies tell of the certificates that they saw:
// By=...;Hash=...;URI=..., one such element for each proxy, with commas between.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/configuration/http/http_conn_man/headers#x-forwarded-client-cert
#pragma once

#include <string>
#include <string_view>

namespace sluice::format {

// By, Hash, Cert, Chain, Subject, URI or DNS; their letters' case does not matter.
bool is_forwarded_cert_key(std::string_view key);

// Appends the value of the first `key` in `field`, without its quotes; false when there is none. An element whose
// quotes do not end has nothing, nor has what is behind it. Thread: any.
bool append_forwarded_cert(std::string& to, std::string_view field, std::string_view key);

}  // namespace sluice::format
