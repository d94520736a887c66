// What a chosen route does to messages: header rules of all levels, rewrites of path and host, the Location of a
// redirect. Used by the router and by whoever answers for a route.
#pragma once

#include <cstdint>
#include <string_view>

#include "format/facts.h"
#include "http/message.h"
#include "model/route_table.h"

namespace sluice::model {

// Whether x-envoy-original-path and x-envoy-original-host are set (no with the router's suppress_envoy_headers).
enum class Originals : uint8_t { kOmit, kSet };

// Calls visit(level) with the rules in force, in the order in which they act: the weighted cluster's first, then route,
// virtual host, table; or, with most_specific_header_mutations_wins, table, virtual host, route. `rules` says which
// member of a level is meant.
template <typename Rules, typename Visit>
void for_each_level(const RouteChoice& choice, const WeightedCluster* weighted, Rules&& rules, Visit&& visit) {
  if (choice.route == nullptr || choice.route->host == nullptr) return;
  if (weighted != nullptr) visit(rules(*weighted));
  const VirtualHost& host = *choice.route->host;
  if (host.table->most_specific_header_mutations_wins) {
    visit(rules(*host.table));
    visit(rules(host));
    visit(rules(*choice.route));
  } else {
    visit(rules(*choice.route));
    visit(rules(host));
    visit(rules(*host.table));
  }
}

// Makes of a client's request the one that goes to the cluster: header rules of all levels, then the host, then the
// path. `action` is the route's; `upstream_hostname` that of the chosen endpoint, for auto_host_rewrite (empty: the
// host stays). New texts stand in the message's arena.
void rewrite_request(const RouteChoice& choice, const ForwardAction& action, const WeightedCluster* weighted,
                     http::RequestHeaders& request, const format::Facts& facts, std::string_view upstream_hostname,
                     Originals originals = Originals::kSet);

// Header rules of all levels on a response: of an upstream, or of the proxy itself for a route that was found.
void finalize_response(const RouteChoice& choice, const WeightedCluster* weighted, http::ResponseHeaders& response,
                       const format::Facts& facts);

// The Location of a redirect, in the message's arena. A redirect that rewrites prefix, pattern or format changes
// request.path first and sets x-envoy-original-path, as Envoy does and logs show. `route` is the redirect's.
std::string_view build_location(const RedirectAction& redirect, const Route& route, http::RequestHeaders& request,
                                const format::Facts& facts, Originals originals = Originals::kSet);

}  // namespace sluice::model
