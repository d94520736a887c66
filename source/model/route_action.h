// What a route does with a request that it matched.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/api-v3/config/route/v3/route_components.proto
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/time.h"
#include "format/formatter.h"
#include "http/message.h"
#include "match/path_template.h"
#include "model/filter_plan.h"
#include "model/hash_policy.h"
#include "model/header_rules.h"
#include "model/rate_limit.h"
#include "model/route_match.h"

namespace sluice::model {

// One entry of weighted_clusters.
struct WeightedCluster {
  std::string name;            // set, or:
  std::string cluster_header;  // the header that names the cluster
  uint32_t weight = 0;
  HeaderRules request_headers, response_headers;
  std::string host_rewrite;
  FilterOverrides overrides;
};

// How the path and host of a forwarded request are rewritten; at most one of the path forms, and one of the host forms,
// is set.
struct Rewrite {
  std::string prefix;  // prefix_rewrite
  bool has_prefix = false;
  std::shared_ptr<const RegexRewrite> path_regex;        // on the path without its query
  std::shared_ptr<const format::Formatter> path_format;  // the new path; the query stays
  std::shared_ptr<const match::PathRewriteTemplate> path_template;  // of a route that matches by a template
  std::string host_literal;
  std::string host_header;                              // host_rewrite_header: its value, when there is one
  std::shared_ptr<const RegexRewrite> host_path_regex;  // the path, replaced, is the host
  std::shared_ptr<const format::Formatter> host_format;
  bool host_auto = false;  // from the chosen endpoint's hostname
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
  std::string weight_header;  // weighted_clusters.header_name: a number there is used instead of chance
  uint16_t cluster_not_found_status = 503;
  Rewrite rewrite;
  std::optional<Duration> timeout;       // unset: 15 s; 0: none
  std::optional<Duration> idle_timeout;  // unset: the connection manager's stream_idle_timeout
  uint8_t priority = 0;                  // 0 default, 1 high
  std::vector<Upgrade> upgrades;
  std::vector<HashPolicy> hash_policies;
  RateLimits rate_limits;
  bool include_vh_rate_limits = false;

  // The weighted cluster for a random number (or the weight header's); null when there are none.
  const WeightedCluster* pick(const http::RequestHeaders& request, uint64_t random) const;
  // The name of the cluster; empty when a header should name it and does not.
  std::string_view cluster_name(const WeightedCluster* chosen, const http::RequestHeaders& request) const;
};

// `direct_response:`
struct DirectResponseAction {
  uint16_t status = 200;
  std::string body;
};

// `redirect:`; build_location() makes the Location.
struct RedirectAction {
  uint16_t status = 301;
  bool https = false;
  std::string scheme, host;
  std::string path;    // path_redirect: with its own query when it has a '?'
  std::string prefix;  // prefix_rewrite
  bool has_prefix = false;
  uint32_t port = 0;
  bool strip_query = false;
  std::shared_ptr<const RegexRewrite> path_regex;
  std::shared_ptr<const format::Formatter> path_format;
  bool require_tls = false;  // the answer of a virtual host that wants TLS: https, and not even port 80 goes
};

// The router has no cluster for it: 503.
struct NonForwardingAction {};

using RouteAction = std::variant<ForwardAction, DirectResponseAction, RedirectAction, NonForwardingAction>;

}  // namespace sluice::model
