// The authority of a request target or a Host field: uri-host [ ":" port ] (RFC 9110 7.2, RFC 3986 3.2).
#pragma once

#include <string_view>

namespace sluice::http {

// Whether a port must stand there, as in the target of CONNECT.
enum class Port : bool { kOptional, kRequired };

// True for a registered name of the characters of RFC 3986 3.2.2 with whole percent escapes, an IPv4 address, or an
// IPv6 address in brackets (no zone), and an optional port of at most 65535. No user information, no empty host, and
// no comma, though the RFC's grammar has it: a list of hosts is none.
bool is_authority(std::string_view text, Port port = Port::kOptional);

// What may stand in a registered name as it is: unreserved and sub-delims (RFC 3986 2) but ','. '%' begins an escape.
bool is_reg_name_char(char c);

// An IPv6 address without brackets (RFC 4291 2.2).
bool is_ipv6_address(std::string_view text);

}  // namespace sluice::http
