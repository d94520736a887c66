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

#include "base/rare.h"
#include "base/time.h"
#include "format/formatter.h"
#include "http/message.h"
#include "match/path_template.h"
#include "model/filter_plan.h"
#include "model/hash_policy.h"
#include "model/header_mutations.h"
#include "model/header_rules.h"
#include "model/local_reply_plan.h"
#include "model/origin.h"
#include "model/rate_limit.h"
#include "model/retry_policy.h"
#include "model/route_match.h"
#include "model/subset_plan.h"
#include "runtime/key.h"

namespace sluice::model {

// One entry of weighted_clusters.
struct WeightedCluster {
  std::string name;            // set, or:
  std::string cluster_header;  // the header that names the cluster
  uint32_t weight = 0;
  runtime::Number live_weight;  // with runtime_key_prefix: what counts now
  HeaderRules request_headers, response_headers;
  std::string host_rewrite;
  LbMatchPtr match;  // metadata_match, merged with the route's; null: all hosts
  FilterOverrides overrides;
  Origin origin;
};

// How the path and host of a forwarded request are rewritten; at most one of the path forms, and one of the host forms,
// is set.
struct Rewrite {
  std::string prefix;  // prefix_rewrite
  bool has_prefix = false;
  std::shared_ptr<const RegexRewrite> path_regex;                   // on the path without its query
  std::shared_ptr<const format::Formatter> path_format;             // the new path; the query stays
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
  bool ends_here = false;   // connect_config: the upstream gets what is in the tunnel, not the CONNECT
  bool allow_post = false;  // ... and the body of a POST, not the POST
};

// One entry of request_mirror_policies.
struct MirrorPolicy {
  std::string cluster;         // set, or:
  std::string cluster_header;  // the header that names the cluster (lower case)
  std::optional<Fraction> fraction;
  bool keep_host = false;  // no "-shadow" behind the host's name
  std::string host;        // host_rewrite_literal
  HeaderMutations mutations;
};

using MirrorPoliciesPtr = std::shared_ptr<const std::vector<MirrorPolicy>>;

// Redirects of the upstream that are followed here.
struct InternalRedirectPolicy {
  uint32_t max_redirects = 1;
  std::vector<uint16_t> codes = {302};
  bool allow_cross_scheme = false;
  bool no_previous_routes = false;  // predicate previous_routes
  bool safe_cross_scheme = false;   // predicate safe_cross_scheme
  bool has_allowed_routes = false;  // predicate allow_listed_routes
  std::vector<std::string> allowed_routes;
  std::vector<std::string> headers_to_copy;  // of the redirect, into the next request; lower case
};

// How long a request may take beside the route's timeout. A route with max_stream_duration has no other timeout.
struct StreamDurations {
  bool set = false;                         // max_stream_duration is there
  std::optional<Duration> max;              // unset: the connection manager's; 0: none
  std::optional<Duration> grpc_header_max;  // unset: grpc-timeout counts for nothing; 0: without a limit
  std::optional<Duration> grpc_header_offset;
  std::optional<Duration> old_grpc_max;  // max_grpc_timeout, deprecated: grpc-timeout is the route's timeout
  std::optional<Duration> old_grpc_offset;
};

// `route:` forwards to a cluster.
struct ForwardAction {
  std::string cluster;         // set, or:
  std::string cluster_header;  // the header that names the cluster, or:
  std::vector<WeightedCluster> weighted;
  uint64_t total_weight = 0;
  bool live_weights = false;    // the runtime may change them
  bool weight_by_hash = false;  // use_hash_policy: a request's hash chooses, when it has one
  std::string weight_header;    // weighted_clusters.header_name: a number there is used instead of chance
  uint16_t cluster_not_found_status = 503;
  Rare<Rewrite> rewrite;
  std::optional<Duration> timeout;       // unset: 15 s; 0: none
  std::optional<Duration> idle_timeout;  // unset: the connection manager's stream_idle_timeout
  LbMatchPtr match;                      // metadata_match; null: all hosts
  Rare<StreamDurations> durations;
  RetryPolicyPtr retry;  // of the route or its virtual host; null: none
  bool hedge_on_per_try_timeout = false;
  std::optional<uint64_t> body_buffer_limit;  // of bytes that are kept for retries; unset: the listener's limit
  MirrorPoliciesPtr mirrors;                  // of the most specific level that has any; null: none
  std::shared_ptr<const InternalRedirectPolicy> internal_redirect;
  uint8_t priority = 0;  // 0 default, 1 high
  std::vector<Upgrade> upgrades;
  std::vector<HashPolicy> hash_policies;
  RateLimits rate_limits;
  bool include_vh_rate_limits = false;
  Origin origin;

  // The upstream gets the bytes of this CONNECT, or of this POST, and no request around them.
  bool ends(const http::RequestHeaders& request) const {
    for (const Upgrade& one : upgrades) {
      const bool meant = request.tunnel == http::Tunnel::kConnect || (one.allow_post && request.method == "POST");
      if (one.ends_here && meant) return true;
    }
    return false;
  }
  // The weighted cluster for a random number (or the weight header's); null when there are none.
  const WeightedCluster* pick(const http::RequestHeaders& request, uint64_t random) const;
  // The name of the cluster; empty when a header should name it and does not.
  std::string_view cluster_name(const WeightedCluster* chosen, const http::RequestHeaders& request) const;
};

// `direct_response:`
struct DirectResponseAction {
  uint16_t status = 200;
  std::string body;
  std::shared_ptr<const BodyFormat> format;  // writes the body; LOCAL_REPLY_BODY is `body`
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
