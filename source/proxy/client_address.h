// Who the client is: the peer of the connection, or the address that trusted proxies before us wrote into
// X-Forwarded-For; and whether it is one of ours.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/configuration/http/http_conn_man/headers#x-forwarded-for
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/arena.h"
#include "http/header_map.h"
#include "model/http_plan.h"
#include "net/address.h"
#include "net/tls_facts.h"

namespace sluice::proxy {

// The connection that a request came on. Lives as long as its exchanges.
struct Peer {
  const net::Address& remote;
  const net::Address& local;
  bool tls = false;
  bool client_certificate = false;  // presented and accepted
  bool local_restored = false;  // `local` is not the socket's own: a listener filter found out where the client goes
  // What X-Forwarded-For says for a client on this very machine (127.0.0.1, ::1): the address that others know the
  // machine by, as Envoy does. Empty: the peer's address.
  std::string_view machine_ip;
  const net::TlsFacts* tls_facts = nullptr;  // null: not TLS
};

// The address in X-Forwarded-For that is `skip` elements from the right.
struct Forwarded {
  std::optional<net::Address> address;  // none: no such element, or it is no IP address (with a port it is none)
  bool single = false;                  // it is the only element of the list
};
Forwarded address_in_forwarded_for(std::string_view value, uint32_t skip);

struct ClientAddress {
  const net::Address* address;  // the peer's, or one in the arena
  bool internal = false;        // it is in internal_address_config, and no proxy stood between
  uint16_t reject_status = 0;   // not 0: no rule found the client, and such a request is refused
};

// Finds the client and, with use_remote_address, appends the peer to X-Forwarded-For. The rules:
//   use_remote_address      the peer; with N trusted hops element N from the right of what came; internal only when
//                           no X-Forwarded-For came
//   otherwise               element N+1 from the right; else the peer, which then is never internal; internal only when
//                           the list has one element and no hop is trusted
ClientAddress find_client(const model::HttpPlan& plan, const Peer& peer, http::HeaderMap& fields);

// The IP address as text, in the arena (no port, no brackets); the path of a unix address.
std::string_view ip_text(const net::Address& address, Arena& arena);

}  // namespace sluice::proxy
