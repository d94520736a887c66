// RouteTable: a compiled RouteConfiguration: virtual hosts by domain, their routes in order, and what to do on a match.
// Immutable, shared by all workers. https://www.envoyproxy.io/docs/envoy/v1.36.0/api-v3/config/route/v3/route.proto
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/metadata.h"
#include "base/result.h"
#include "http/message.h"
#include "model/config_source.h"
#include "model/fact_inputs.h"
#include "model/filter_plan.h"
#include "model/header_rules.h"
#include "model/origin.h"
#include "model/route_action.h"
#include "model/route_index.h"
#include "model/route_match.h"

namespace sluice::model {

class HostsOnDemand;
struct RouteTracing;
struct VirtualHost;
class RouteTable;

// Thread: any (immutable).
struct Route {
  std::string name;
  RouteMatch match;
  RouteAction action;
  HeaderRules request_headers, response_headers;
  FilterOverrides overrides;
  std::string stat_prefix;
  std::string stats;  // "vhost.HOST.route.STAT_PREFIX.", by RouteTable::build(); empty: none
  MetadataPtr metadata;
  std::shared_ptr<const RouteTracing> tracing;  // null: it says nothing
  const VirtualHost* host = nullptr;            // null in the redirect of require_tls
  Origin origin;
};

// What a matcher tree of a virtual host leads to: routes of it, by number, of which the first that matches counts.
// Immutable. Thread: any.
class RouteList final : public match::Action {
 public:
  std::vector<uint32_t> routes;
};

// Requests that have statistics of their own. Thread: any (immutable).
struct VirtualCluster {
  std::string name;                          // empty: what no other one matches
  std::vector<http::HeaderMatcher> headers;  // all of them
  std::string stats;                         // "vhost.HOST.vcluster.NAME.", by RouteTable::build()
};

enum class RequireTls : uint8_t { kNone, kExternalOnly, kAll };

// Thread: any (immutable).
struct VirtualHost {
  std::string name;
  std::vector<std::string> domains;
  std::vector<Route> routes;
  std::unique_ptr<const FactTree> tree;          // chooses among them instead of their order; null: none
  std::vector<VirtualCluster> virtual_clusters;  // the first one that matches counts; the last one, which has no
                                                 // matchers, is for the rest
  RequireTls require_tls = RequireTls::kNone;
  HeaderRules request_headers, response_headers;
  FilterOverrides overrides;
  RateLimits rate_limits;
  bool include_attempt_count = false;  // include_request_attempt_count
  bool include_attempt_count_in_response = false;
  MetadataPtr metadata;
  bool include_is_timeout_retry = false;  // include_is_timeout_retry_header
  const RouteTable* table = nullptr;
  Origin origin;
  RouteIndex index;  // by RouteTable::build()

  // Null when there are none.
  const VirtualCluster* virtual_cluster(const http::RequestHeaders& request) const;
};

// What a look-up found. No host: no virtual host matched. With a virtual host that requires TLS, `route` may be a
// redirect that belongs to no host (its `host` is null): its answer gets no header rules. Thread: its exchange's.
struct RouteChoice {
  const VirtualHost* host = nullptr;
  const Route* route = nullptr;
};

// Thread: any once built.
class RouteTable {
 public:
  std::string name;
  std::vector<std::unique_ptr<VirtualHost>> hosts;
  HeaderRules request_headers, response_headers;
  FilterOverrides overrides;
  std::vector<std::string> internal_only_headers;  // lower case
  bool most_specific_header_mutations_wins = false;
  bool ignore_port_in_host_matching = false;
  bool ignore_path_parameters = false;
  std::string vhost_header;  // the header that chooses the virtual host instead of the authority; empty: none
  ConfigSource vhds;         // where further virtual hosts come from; kNone: nowhere
  std::shared_ptr<const HostsOnDemand> on_demand;  // who is asked for them, by the authority of a request; null: nobody
  Origin origin;

  RouteTable();
  ~RouteTable();
  RouteTable(const RouteTable&) = delete;
  RouteTable& operator=(const RouteTable&) = delete;

  // Two virtual hosts want one domain.
  struct DuplicateDomain {
    const VirtualHost* host;  // the later one
    size_t domain;            // in its domains
    const VirtualHost* first;
  };
  // To be called once, when all hosts are in: builds the look-up by domain and by path, and the links upwards.
  std::vector<DuplicateDomain> build();

  // The virtual host by domain (exact, then the longest "*suffix", the longest "prefix*", then "*"), in it the first
  // route of the list that matches.
  RouteChoice find(const http::RequestHeaders& request, const MatchInputs& inputs) const;

 private:
  struct Domains;
  const VirtualHost* find_host(const http::RequestHeaders& request) const;

  std::unique_ptr<const Domains> domains_;
};

using RouteTablePtr = std::shared_ptr<const RouteTable>;

}  // namespace sluice::model
