// What the connection manager does to a request before it is routed: refuses what cannot be routed, makes path and host
// canonical, removes what is not for the next hop or not to be believed, and adds what the next hop shall know.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/configuration/http/http_conn_man/headers and .../header_sanitizing
//
// In this order:  host there? -> path relative? -> path rules -> host rules -> early mutations -> hop-by-hop -> client
// address and x-forwarded-* -> scheme -> internal or edge -> x-envoy-* -> user agent, via -> x-request-id -> client
// certificate
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "base/arena.h"
#include "base/random.h"
#include "format/facts.h"
#include "http/message.h"
#include "model/http_plan.h"
#include "proxy/client_address.h"
#include "proxy/local_reply.h"
#include "stats/names_http.h"

namespace sluice::proxy {

// What became of the request.
struct Prepared {
  const LocalReply* reply = nullptr;     // in the arena; null: go on and route it
  std::optional<stats::HttpStat> stat;   // to be counted, with a reply
  const net::Address* client = nullptr;  // for Facts::remote; the peer's or one in the arena
  bool internal = false;                 // false: the route table's internal_only_headers are to be removed too
  std::string_view upgrade;              // "websocket", "CONNECT" ...: needs an entry in upgrade_configs; empty: none
};

// An `authority` without data is a missing Host field (400); an empty one is let through. Takes memory from the
// request's arena, nothing else.
// `facts` are for the formats of early mutations.
Prepared prepare_request(const model::HttpPlan& plan, http::RequestHeaders& request, const Peer& peer,
                         const format::Facts& facts, Random& random);

// What a request that was prepared wants its connection to become: as Prepared::upgrade.
std::string_view wanted_upgrade(const http::RequestHeaders& request);

// Whether upgrades to `type` (in any letters) are on: by the route's list when it names the type, else by the plan's.
bool upgrade_allowed(std::string_view type, std::span<const model::Upgrade> of_route,
                     std::span<const model::Upgrade> of_plan);

}  // namespace sluice::proxy
