// RouteTable: a compiled RouteConfiguration: virtual hosts by domain, their routes in order, and what to do on a match.
// Immutable, shared by all workers. https://www.envoyproxy.io/docs/envoy/v1.36.0/api-v3/config/route/v3/route.proto
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/time.h"
#include "http/message.h"
#include "model/filter_plan.h"
#include "model/header_rules.h"
#include "model/origin.h"
#include "model/route_match.h"

namespace sluice::model {

struct VirtualHost;
class RouteTable;

// One entry of weighted_clusters.
struct WeightedCluster {
  std::string name;
  uint32_t weight = 0;
  HeaderRules request_headers, response_headers;
  std::string host_rewrite;
  FilterOverrides overrides;
};

// How the path and host of a forwarded request are rewritten; at most one of the path forms is set.
struct Rewrite {
  std::string prefix;          // prefix_rewrite
  bool has_prefix = false;
  std::shared_ptr<const RegexRewrite> path_regex;
  std::string host_literal;
  std::string host_header;     // host_rewrite_header
  std::shared_ptr<const RegexRewrite> host_path_regex;
  bool host_auto = false;      // from the chosen endpoint's hostname
  bool append_forwarded_host = false;
};

struct Upgrade {
  std::string type;  // lower case
  bool enabled = true;
};

// `route:` forwards to a cluster.
struct ForwardAction {
  std::string cluster;         // set, or:
  std::string cluster_header;  // the header that names the cluster, or:
  std::vector<WeightedCluster> weighted;
  uint64_t total_weight = 0;
  uint16_t cluster_not_found_status = 503;
  Rewrite rewrite;
  std::optional<Duration> timeout;       // unset: 15 s; 0: none
  std::optional<Duration> idle_timeout;  // unset: the connection manager's stream_idle_timeout
  uint8_t priority = 0;                  // 0 default, 1 high
  std::vector<Upgrade> upgrades;
};

// `direct_response:`
struct DirectResponseAction {
  uint16_t status = 200;
  std::string body;
};

// `redirect:`
struct RedirectAction {
  uint16_t status = 301;
  bool https = false;
  std::string scheme, host, path, prefix;
  uint32_t port = 0;
  bool strip_query = false;
  std::shared_ptr<const RegexRewrite> path_regex;
};

struct NonForwardingAction {};

struct Route {
  std::string name;
  RouteMatch match;
  std::variant<ForwardAction, DirectResponseAction, RedirectAction, NonForwardingAction> action;
  HeaderRules request_headers, response_headers;
  FilterOverrides overrides;
  std::string stat_prefix;
  const VirtualHost* host = nullptr;
  Origin origin;
};

enum class RequireTls : uint8_t { kNone, kExternalOnly, kAll };

struct VirtualHost {
  std::string name;
  std::vector<std::string> domains;
  std::vector<Route> routes;
  RequireTls require_tls = RequireTls::kNone;
  HeaderRules request_headers, response_headers;
  FilterOverrides overrides;
  bool include_attempt_count = false;              // include_request_attempt_count
  bool include_attempt_count_in_response = false;
  const RouteTable* table = nullptr;
  Origin origin;
};

// What a look-up found. No host: no virtual host matched. Thread: its exchange's.
struct RouteChoice {
  const VirtualHost* host = nullptr;
  const Route* route = nullptr;
};

// Thread: any.
class RouteTable {
 public:
  std::string name;
  std::vector<std::unique_ptr<VirtualHost>> hosts;
  HeaderRules request_headers, response_headers;
  FilterOverrides overrides;
  std::vector<std::string> internal_only_headers;
  bool most_specific_header_mutations_wins = false;
  bool ignore_port_in_host_matching = false;
  Origin origin;

  // To be called once, when all hosts are in: builds the look-up by domain. An error names a domain that stands twice.
  Result<void> build();

  RouteChoice find(const http::RequestHeaders& request, const MatchInputs& inputs) const;

 private:
  const VirtualHost* find_host(std::string_view authority) const;

  struct Domains;
  std::shared_ptr<const Domains> domains_;
};

using RouteTablePtr = std::shared_ptr<const RouteTable>;

}  // namespace sluice::model
