// Fields that concern one connection and are not forwarded (RFC 9110 7.6.1).
#pragma once

#include "http/message.h"

namespace sluice::http {

// What the codecs do to a request when its Connection field names other fields: those go. False: it names what must
// not be taken away, which is an attack: x-forwarded-for, -host or -proto, a pseudo header, or ten names and more
// (Envoy's rule; `http1.connection_header_rejected`). Content-Length and Transfer-Encoding frame the message and stay
// whatever Connection says; naming Host takes the authority away. Of TE, "trailers" stays even when named.
bool remove_nominated(RequestHeaders& headers);

// For exchanges, before a request is routed: Connection, Keep-Alive, Proxy-Connection, Upgrade and HTTP2-Settings go,
// and TE keeps "trailers" alone. A request that asks for a tunnel by Upgrade keeps it, and `connection: upgrade`.
void remove_hop_by_hop(RequestHeaders& headers);
// For exchanges, before a response is answered: Connection and what it names, Keep-Alive and Proxy-Connection go, and
// Upgrade, which only stays in a 101 and a 426. (Envoy leaves what Connection names; RFC 9110 7.6.1 says that it must
// go, and so does the corpus of hostile input, rs-hd-nominated, which wins over a recording.)
void remove_hop_by_hop(ResponseHeaders& headers);

}  // namespace sluice::http
