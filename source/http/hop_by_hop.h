// Hop-by-hop fields: those that are for one connection only and are never forwarded (RFC 9110 7.6.1), with the choices
// that Envoy made.
#pragma once

#include <string_view>

#include "http/message.h"

namespace sluice::http {

// Whether the head asks for (request) or agrees to (response) a protocol of its own: Connection names "upgrade" and
// there is an Upgrade field. "h2c" does not count, it is never accepted (RFC 9113 3.1).
bool is_upgrade(const HeaderMap& fields);

// Removes what Connection names from a request. "close", "keep-alive", "upgrade" and "http2-settings" name no field;
// te stays when it holds "trailers"; naming Host leaves the request without an authority. The Connection field keeps
// the tokens that name no field.
//
// False: the list is an attack and the request is to be refused (400 http1.connection_header_rejected): it names
// X-Forwarded-For, -Host or -Proto, a pseudo header, or ten fields or more, or an overlong te.
[[nodiscard]] bool remove_named_by_connection(RequestHeaders& request);

// Removes Connection, Keep-Alive, Proxy-Connection, Transfer-Encoding, Upgrade, HTTP2-Settings, and te unless it holds
// "trailers" (which then is its whole value). An upgrade keeps Connection and Upgrade as they are.
void remove_hop_by_hop(RequestHeaders& request);

// Removes Connection, Keep-Alive, Proxy-Connection, Transfer-Encoding and Upgrade. What Connection names stays, as
// Envoy leaves it. When both the request and the response are upgrades Connection and Upgrade stay.
void remove_hop_by_hop(const RequestHeaders* request, ResponseHeaders& response);

// Repeated lines of fields that hold lists, or that may stand only once, become one line: "a,b" (RFC 9110 5.3). These
// are the fields that Envoy keeps in slots of their own; others keep their lines.
void join_repeated(HeaderMap& fields);

}  // namespace sluice::http
