// ClusterPlan: one upstream service as the configuration describes it, compiled.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/metadata.h"
#include "base/rare.h"
#include "base/time.h"
#include "http/codec.h"
#include "http/http2_options.h"
#include "model/config_source.h"
#include "model/origin.h"
#include "model/subset_plan.h"
#include "net/address.h"
#include "net/network.h"
#include "net/resolver.h"
#include "net/transport_socket.h"
#include "runtime/key.h"

namespace sluice::model {

enum class HealthStatus : uint8_t { kUnknown, kHealthy, kUnhealthy, kDraining, kTimeout, kDegraded };

struct Locality {
  std::string region, zone, sub_zone;
  friend bool operator==(const Locality&, const Locality&) = default;
};

struct DnsCachePlan;   // model/dns_cache_plan.h
struct EndpointCheck;  // model/health_plan.h
struct FilterPlan;     // model/filter_plan.h
struct HealthCheckPlan;
struct OutlierPlan;
struct RequestPolicies;  // model/request_policies.h

// What an endpoint may have beside its address: of most there is nothing.
struct EndpointExtra {
  std::string hostname;
  std::string hash_key;      // metadata envoy.lb hash_key: stands for the endpoint in hash rings; empty: its address
  LbLabelsPtr labels;        // metadata envoy.lb; null: none
  MetadataPtr metadata;      // all of it, for logs; null: none
  net::AddressesPtr others;  // additional_addresses: tried when its address does not answer; null: none
  std::shared_ptr<const EndpointCheck> check;  // health_check_config; null: none
};

// Immutable. Thread: any.
struct EndpointPlan {
  net::Address address;
  uint32_t weight = 1;
  HealthStatus health = HealthStatus::kUnknown;
  bool canary = false;        // metadata envoy.lb canary
  bool removed = false;       // no assignment has it any more; it stays while its checks pass
  uint16_t socket_match = 0;  // ClusterPlan::socket_matches: 1 is the first one; 0: none matches
  Rare<EndpointExtra> extra;
};

// The endpoints of one locality and priority.
struct LocalityPlan {
  Locality locality;
  uint32_t priority = 0;
  uint32_t weight = 0;  // 0: not set; counts with locality-weighted balancing only, and gets nothing there
  std::vector<EndpointPlan> endpoints;
};

// Which endpoints a cluster has: out of its own configuration, of EDS, or of DNS. Immutable. Thread: any.
struct AssignmentPlan {
  std::vector<LocalityPlan> localities;
  uint32_t overprovisioning_factor = 140;
  bool weighted_priority_health = false;  // the health of a priority is counted in weights, not in hosts
  Duration stale_after{0};                // EDS: gone when nothing newer came until then; 0: never
  double drop_share = 0;                  // drop_overloads: of the requests, before a host is chosen; 1: all
};
using AssignmentPtr = std::shared_ptr<const AssignmentPlan>;

// The one without endpoints: many clusters share it.
inline const AssignmentPtr& no_endpoints() {
  static const AssignmentPtr none = std::make_shared<const AssignmentPlan>();
  return none;
}

// A name among the endpoints of a DNS cluster; `locality` and `endpoint` say where its answers go.
struct DnsName {
  std::string name;
  uint16_t port = 0;
  size_t locality = 0;
  size_t endpoint = 0;
};

// One limit set of circuit_breakers.thresholds; Envoy's defaults.
struct BreakerLimits {
  uint32_t max_connections = 1024;
  uint32_t max_pending_requests = 1024;
  uint32_t max_requests = 1024;
  uint32_t max_retries = 3;
  uint64_t max_connection_pools = UINT64_MAX;
  bool has_retry_budget = false;     // ... which then takes the place of max_retries:
  double retry_budget_percent = 20;  // of active and pending requests
  Duration budget_interval{0};       // ... of those that began in the last so long instead; 0: none
  uint32_t min_retry_concurrency = 3;
  bool track_remaining = false;  // remaining_* gauges
};

// How names are asked for, and how often.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/intro/arch_overview/upstream/dns_resolution
struct DnsPlan {
  std::vector<DnsName> names;
  net::ResolverOptions resolver;
  net::DnsFamily family = net::DnsFamily::kAuto;
  Duration refresh_rate = std::chrono::seconds(5);
  Duration min_refresh_rate = std::chrono::seconds(1);  // with respect_ttl
  Duration jitter{0};                                   // up to so much is added to each wait
  Duration failure_base{0};                             // 0: refresh_rate, without growth
  Duration failure_max{0};
  bool respect_ttl = false;
};

// ORIGINAL_DST: what may say where to go beside the connection itself, and how.
struct OriginalDstPlan {
  std::string header;          // use_http_header: the name of the header with "IP:PORT"; empty: none is looked at
  std::string metadata_space;  // metadata_key; empty: none
  std::vector<std::string> metadata_path;
  std::optional<uint16_t> port;  // upstream_port_override
  Duration cleanup_interval = std::chrono::seconds(5);
};

// Another transport socket for the endpoints whose metadata match.
struct SocketMatch {
  std::string name;
  net::TransportSocketPlanPtr socket;  // null: plain
};

// kAggregate: the hosts of other clusters. kForward: a host for each name that a request asked for.
enum class Discovery : uint8_t { kStatic, kStrictDns, kLogicalDns, kEds, kOriginalDst, kAggregate, kForward };
enum class LbPolicy : uint8_t { kRoundRobin, kLeastRequest, kRandom, kRingHash, kMaglev };

// Hosts that are new, or well again, get their share of the requests little by little: after `t` of the window the part
// (t / window) ^ (1 / aggression) of it, at least `least`.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/intro/arch_overview/upstream/load_balancing/slow_start
struct SlowStart {
  Duration window{0};  // 0: none
  runtime::Decimal aggression{1.0, nullptr};
  double least = 0.1;
};

// Requests stay in the zone of the proxy as far as its hosts there can take them. Only with
// cluster_manager.local_cluster_name.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/intro/arch_overview/upstream/load_balancing/zone_aware
struct ZoneAware {
  runtime::Fraction routing_enabled{100, 100, {}, nullptr};
  runtime::Number min_cluster_size{6, nullptr};
  std::optional<uint32_t> force_local_size;  // force_local_zone: with so many hosts here all requests stay
  bool by_weight = false;                    // locality_basis: hosts count by their weights
};

constexpr uint8_t status_bit(HealthStatus status) { return static_cast<uint8_t>(1u << static_cast<uint8_t>(status)); }
constexpr uint8_t kDefaultOverrides =
    status_bit(HealthStatus::kUnknown) | status_bit(HealthStatus::kHealthy) | status_bit(HealthStatus::kDegraded);

// client_side_weighted_round_robin: weights out of what answers say of the load of their hosts.
struct ReportedWeightsPlan {
  Duration blackout = std::chrono::seconds(10);     // a host that begins to report is believed after that
  Duration expiration = std::chrono::seconds(180);  // what was reported is believed so long
  Duration update_period = std::chrono::seconds(1);
  double error_penalty = 0;          // so much of a host's load is the share of its answers that are errors
  std::vector<std::string> metrics;  // the greatest of these is the load; else application_utilization, else the CPU's
};

// Tables of the policies that hash; Envoy's defaults.
struct HashPlan {
  uint64_t min_ring_size = 1024;
  uint64_t max_ring_size = 8 * 1024 * 1024;
  bool murmur = false;  // MURMUR_HASH_2 instead of XX_HASH
  uint32_t maglev_table_size = 65537;
  bool by_hostname = false;     // use_hostname_for_hashing
  uint32_t balance_factor = 0;  // percent of the mean load that a host may have; 0: no bound
};

// How a host is chosen; Envoy's defaults.
struct LbPlan {
  LbPolicy policy = LbPolicy::kRoundRobin;
  uint32_t choice_count = 2;         // LEAST_REQUEST: so many random hosts are compared
  bool full_scan = false;            // ... or all of them
  double active_request_bias = 1.0;  // ... with unequal weights
  Rare<HashPlan> hash;               // RING_HASH and MAGLEV
  bool locality_weighted = false;
  double panic_threshold = 50;  // percent; below it all hosts of a priority are used
  bool fail_traffic_on_panic = false;
  bool ignore_unchecked = false;  // ignore_new_hosts_until_first_hc: until then they do not count at all
  uint8_t override_statuses = kDefaultOverrides;  // override_host_status: bits by HealthStatus
  double preconnect_ratio = 1;                    // predictive_preconnect_ratio; above 1 hosts are picked ahead
  Rare<SlowStart> slow_start;                     // ROUND_ROBIN and LEAST_REQUEST
  Rare<ZoneAware> zone_aware;                     // unless locality_weighted; not for policies that hash
  std::shared_ptr<const SubsetPlan> subsets;      // null: none
  std::shared_ptr<const ReportedWeightsPlan> reported_weights;  // ROUND_ROBIN only; null: the endpoints' count

  bool hashes() const { return policy == LbPolicy::kRingHash || policy == LbPolicy::kMaglev; }
};

// Where an EDS cluster finds its assignment.
struct EdsPlan {
  ConfigSource source;
  std::string service_name;  // of the assignment there
};

// upstream_config: what a request becomes. kGeneric: bytes where its route says that a tunnel ends here, a request
// otherwise. kTcp: the bytes of its body, whatever it is.
enum class UpstreamForm : uint8_t { kGeneric, kHttp, kTcp };

// What is spoken with the hosts: one of them, what the client speaks, or what ALPN agrees on.
enum class UpstreamProtocol : uint8_t { kHttp1, kHttp2, kDownstream, kAuto };

// Immutable, shared by all workers. There may be tens of thousands: what few of them set is Rare. Thread: any.
struct ClusterPlan {
  std::string name;
  Rare<std::string> alt_stat_name;
  Discovery discovery = Discovery::kStatic;
  LbPlan lb;
  Duration connect_timeout = std::chrono::seconds(5);
  Duration idle_timeout = std::chrono::hours(1);  // 0: none
  Duration max_connection_duration{0};            // 0: none
  Duration max_stream_duration{0};                // of one try, from its stream on; 0: none
  uint32_t max_requests_per_connection = 0;       // 0: no limit
  Rare<net::ConnectOptions> connect;
  uint32_t buffer_limit = 1024 * 1024;             // per_connection_buffer_limit_bytes
  Rare<std::array<BreakerLimits, 2>> breakers;     // by routing priority: default, high
  uint32_t max_connections_per_host = UINT32_MAX;  // per_host_thresholds
  UpstreamProtocol protocol = UpstreamProtocol::kHttp1;
  UpstreamForm form = UpstreamForm::kGeneric;
  http::CodecOptions codec;
  Rare<http::Http2Options> http2;
  AssignmentPtr assignment;                      // never null; DNS clusters: with endpoints that have no address yet
  net::TransportSocketPlanPtr transport_socket;  // null: plain
  Rare<std::vector<SocketMatch>> socket_matches;
  bool auto_sni = false;              // the request's host as SNI
  bool auto_san_validation = false;   // ... and as what the certificate must be for
  Rare<std::string> auto_sni_header;  // override_auto_sni_header: where the host is taken from, when it is there
  Rare<DnsPlan> dns;
  Rare<EdsPlan> eds;                            // kEds
  Rare<std::vector<std::string>> members;       // kAggregate: the clusters whose priorities follow each other
  std::shared_ptr<const DnsCachePlan> forward;  // kForward: where its names are looked up
  bool wait_for_warm_on_init = true;
  std::shared_ptr<const OriginalDstPlan> original_dst;  // null unless it is ORIGINAL_DST
  std::shared_ptr<const OutlierPlan> outlier;           // null: no outlier detection
  Rare<std::vector<std::shared_ptr<const HealthCheckPlan>>> health_checks;
  bool ignore_health_on_removal = false;                        // ignore_health_on_host_removal
  bool drain_on_change = false;                                 // close_connections_on_host_set_change
  bool close_on_failure = false;                                // close_connections_on_host_health_failure: of TCP
  double preconnect_ratio = 1;                                  // per_upstream_preconnect_ratio
  bool pool_per_downstream = false;                             // connection_pool_per_downstream_connection
  bool track_sizes = false;                                     // track_cluster_stats.request_response_sizes
  bool track_budgets = false;                                   // track_cluster_stats.timeout_budgets
  bool track_endpoints = false;                                 // track_cluster_stats.per_endpoint_stats
  std::shared_ptr<const std::vector<FilterPlan>> http_filters;  // on each try, without upstream_codec; null: none
  MetadataPtr metadata;                                         // null: none
  std::shared_ptr<const RequestPolicies> policies;              // of HttpProtocolOptions; null: the routes' count
  Origin origin;

  bool checked() const { return !health_checks->empty(); }
  // What logs and headers show.
  const std::string& observable_name() const { return alt_stat_name ? *alt_stat_name : name; }
  // "cluster.NAME.", with which the names of its stats begin.
  std::string stat_prefix() const {
    std::string out = "cluster." + observable_name() + ".";
    std::replace(out.begin(), out.end(), ':', '_');
    return out;
  }
};

using ClusterPlanPtr = std::shared_ptr<const ClusterPlan>;

}  // namespace sluice::model
