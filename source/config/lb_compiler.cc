#include "config/lb_compiler.h"

#include <cmath>

#include "base/strings.h"
#include "config/any.h"
#include "config/endpoint_compiler.h"
#include "config/subset_compiler.h"
#include "envoy/extensions/clusters/aggregate/v3/cluster.pb.h"
#include "envoy/extensions/clusters/dynamic_forward_proxy/v3/cluster.pb.h"
#include "envoy/extensions/load_balancing_policies/client_side_weighted_round_robin/v3/client_side_weighted_round_robin.pb.h"
#include "envoy/extensions/load_balancing_policies/least_request/v3/least_request.pb.h"
#include "envoy/extensions/load_balancing_policies/maglev/v3/maglev.pb.h"
#include "envoy/extensions/load_balancing_policies/random/v3/random.pb.h"
#include "envoy/extensions/load_balancing_policies/ring_hash/v3/ring_hash.pb.h"
#include "envoy/extensions/load_balancing_policies/round_robin/v3/round_robin.pb.h"
#include "envoy/extensions/load_balancing_policies/wrr_locality/v3/wrr_locality.pb.h"

namespace sluice::config {
namespace {

namespace policies = envoy::extensions::load_balancing_policies;
using envoy::config::cluster::v3::Cluster;
using envoy::config::cluster::v3::LoadBalancingPolicy;
using model::LbPlan;
using model::LbPolicy;
using policies::client_side_weighted_round_robin::v3::ClientSideWeightedRoundRobin;
using policies::wrr_locality::v3::WrrLocality;

// A shorter weight_update_period is this one.
constexpr Duration kLeastUpdatePeriod = std::chrono::milliseconds(100);

bool is_prime(uint64_t n) {
  if (n < 2) return false;
  for (uint64_t i = 2; i * i <= n; ++i) {
    if (n % i == 0) return false;
  }
  return true;
}

double compile_bias(const envoy::config::core::v3::RuntimeDouble& bias, CompileScope& scope) {
  const auto value = scope.runtime.number(bias.runtime_key());
  return value ? static_cast<double>(*value) : bias.default_value();
}

template <typename Message>
void compile_ring_sizes(const Message& proto, LbPlan& out, CompileScope& scope) {
  if (proto.has_minimum_ring_size()) out.hash.edit().min_ring_size = proto.minimum_ring_size().value();
  if (proto.has_maximum_ring_size()) out.hash.edit().max_ring_size = proto.maximum_ring_size().value();
  if (out.hash->min_ring_size > out.hash->max_ring_size) {
    scope.error(proto, cat("the minimum_ring_size ", out.hash->min_ring_size, " is above the maximum_ring_size ",
                           out.hash->max_ring_size));
  }
}

template <typename Message>
void compile_table_size(const Message& proto, LbPlan& out, CompileScope& scope) {
  if (!proto.has_table_size()) return;
  out.hash.edit().maglev_table_size = static_cast<uint32_t>(proto.table_size().value());
  if (!is_prime(proto.table_size().value())) {
    scope.error(proto, Message::kTableSizeFieldNumber, cat(proto.table_size().value(), " is no prime number"));
  }
}

// Zones count whenever there is a local cluster (cluster_manager.local_cluster_name), also without this message.
template <typename ZoneAware>
void compile_zone_aware(const ZoneAware& proto, LbPlan& out) {
  out.fail_traffic_on_panic = proto.fail_traffic_on_panic();
  model::ZoneAware& zones = out.zone_aware.edit();
  if (proto.has_routing_enabled()) {
    zones.routing_enabled.numerator = static_cast<uint32_t>(std::lround(proto.routing_enabled().value()));
  }
  if (proto.has_min_cluster_size()) zones.min_cluster_size.fallback = proto.min_cluster_size().value();
}

void follow_runtime(LbPlan& out, CompileScope& scope) {
  if (!scope.zone_aware) return;
  model::ZoneAware& zones = out.zone_aware.edit();
  zones.routing_enabled.runtime_key = "upstream.zone_routing.enabled";
  zones.routing_enabled = scope.runtime.fraction(zones.routing_enabled);
  zones.min_cluster_size =
      scope.runtime.live_number(zones.min_cluster_size.fallback, "upstream.zone_routing.min_cluster_size");
}

template <typename Consistent>
void compile_consistent(const Consistent& proto, LbPlan& out) {
  if (proto.use_hostname_for_hashing()) out.hash.edit().by_hostname = true;
  if (proto.has_hash_balance_factor()) out.hash.edit().balance_factor = proto.hash_balance_factor().value();
}

void compile_common(const Cluster::CommonLbConfig& proto, LbPlan& out, CompileScope& scope) {
  using C = Cluster::CommonLbConfig;
  scope.only(proto, {C::kHealthyPanicThresholdFieldNumber, C::kZoneAwareLbConfigFieldNumber,
                     C::kLocalityWeightedLbConfigFieldNumber, C::kConsistentHashingLbConfigFieldNumber,
                     C::kUpdateMergeWindowFieldNumber, C::kCloseConnectionsOnHostSetChangeFieldNumber,
                     C::kIgnoreNewHostsUntilFirstHcFieldNumber, C::kOverrideHostStatusFieldNumber});
  out.ignore_unchecked = proto.ignore_new_hosts_until_first_hc();
  if (proto.has_override_host_status()) {
    out.override_statuses = 0;
    for (const int status : proto.override_host_status().statuses()) {
      out.override_statuses |=
          model::status_bit(compile_health(static_cast<envoy::config::core::v3::HealthStatus>(status)));
    }
  }
  if (proto.has_healthy_panic_threshold()) out.panic_threshold = proto.healthy_panic_threshold().value();
  out.locality_weighted = proto.has_locality_weighted_lb_config();
  if (proto.has_zone_aware_lb_config()) compile_zone_aware(proto.zone_aware_lb_config(), out);
  compile_consistent(proto.consistent_hashing_lb_config(), out);
}

// A window of 0 is none.
template <typename SlowStart>
void compile_slow_start(const SlowStart& proto, LbPlan& out, CompileScope& scope) {
  model::SlowStart slow;
  slow.window = to_duration(proto.slow_start_window());
  if (proto.has_aggression()) {
    slow.aggression = scope.runtime.live_decimal(proto.aggression().default_value(), proto.aggression().runtime_key());
  }
  if (proto.has_min_weight_percent()) slow.least = proto.min_weight_percent().value() / 100;
  if (slow.window.count() > 0) out.slow_start.edit() = std::move(slow);
}

// Each lb_config is checked, but only the one of the policy counts.
void compile_old_configs(const Cluster& proto, LbPlan& out, CompileScope& scope) {
  if (out.policy == LbPolicy::kRoundRobin) {
    compile_slow_start(proto.round_robin_lb_config().slow_start_config(), out, scope);
  }
  if (proto.has_least_request_lb_config()) {
    const auto& config = proto.least_request_lb_config();
    if (out.policy == LbPolicy::kLeastRequest) compile_slow_start(config.slow_start_config(), out, scope);
    if (config.has_choice_count()) out.choice_count = config.choice_count().value();
    if (config.has_active_request_bias()) out.active_request_bias = compile_bias(config.active_request_bias(), scope);
  }
  if (proto.has_ring_hash_lb_config() && out.policy == LbPolicy::kRingHash) {
    compile_ring_sizes(proto.ring_hash_lb_config(), out, scope);
    if (proto.ring_hash_lb_config().hash_function() == Cluster::RingHashLbConfig::MURMUR_HASH_2) {
      out.hash.edit().murmur = true;
    }
  }
  if (proto.has_maglev_lb_config() && out.policy == LbPolicy::kMaglev) {
    compile_table_size(proto.maglev_lb_config(), out, scope);
  }
}

// Aggregates and dynamic forward proxies choose in their own way.
bool provides_balancer(const Cluster& proto, CompileScope& scope) {
  if (!proto.has_cluster_type()) return false;
  const auto content = unpack(proto.cluster_type().typed_config(), scope.map());
  if (!content) return false;
  const auto* type = (*content)->GetDescriptor();
  return type == envoy::extensions::clusters::aggregate::v3::ClusterConfig::descriptor() ||
         type == envoy::extensions::clusters::dynamic_forward_proxy::v3::ClusterConfig::descriptor();
}

void compile_policy(const Cluster& proto, LbPlan& out, CompileScope& scope) {
  switch (proto.lb_policy()) {
    case Cluster::ROUND_ROBIN:
      out.policy = LbPolicy::kRoundRobin;
      break;
    case Cluster::LEAST_REQUEST:
      out.policy = LbPolicy::kLeastRequest;
      break;
    case Cluster::RANDOM:
      out.policy = LbPolicy::kRandom;
      break;
    case Cluster::RING_HASH:
      out.policy = LbPolicy::kRingHash;
      break;
    case Cluster::MAGLEV:
      out.policy = LbPolicy::kMaglev;
      break;
    case Cluster::LOAD_BALANCING_POLICY_CONFIG:
      scope.error(proto, Cluster::kLbPolicyFieldNumber, "needs load_balancing_policy");
      break;
    case Cluster::CLUSTER_PROVIDED:
      if (provides_balancer(proto, scope)) return;
      if (proto.type() != Cluster::ORIGINAL_DST || proto.has_cluster_type()) {
        scope.error(proto, Cluster::kLbPolicyFieldNumber, "this type of cluster provides no load balancer of its own");
      } else if (proto.has_lb_subset_config()) {
        scope.error(proto, Cluster::kLbSubsetConfigFieldNumber, "has no meaning with lb_policy CLUSTER_PROVIDED");
      }
      return;
    default:
      scope.error(proto, Cluster::kLbPolicyFieldNumber,
                  cat("not supported yet: lb_policy ", Cluster::LbPolicy_Name(proto.lb_policy())));
  }
  if (provides_balancer(proto, scope)) {
    scope.error(proto, Cluster::kLbPolicyFieldNumber, "this type of cluster needs lb_policy CLUSTER_PROVIDED");
  }
}

// ---- the extension forms

void compile_locality(const policies::common::v3::LocalityLbConfig& proto, LbPlan& out, CompileScope& scope) {
  using Z = policies::common::v3::LocalityLbConfig::ZoneAwareLbConfig;
  out.locality_weighted = proto.has_locality_weighted_lb_config();
  if (!proto.has_zone_aware_lb_config()) return;
  const Z& zone = proto.zone_aware_lb_config();
  scope.only(zone,
             {Z::kRoutingEnabledFieldNumber, Z::kMinClusterSizeFieldNumber, Z::kFailTrafficOnPanicFieldNumber,
              Z::kForceLocalityDirectRoutingFieldNumber, Z::kForceLocalZoneFieldNumber, Z::kLocalityBasisFieldNumber});
  compile_zone_aware(zone, out);
  out.zone_aware.edit().by_weight = zone.locality_basis() == Z::HEALTHY_HOSTS_WEIGHT;
  if (zone.has_force_local_zone()) {
    const auto& force = zone.force_local_zone();
    out.zone_aware.edit().force_local_size = force.has_min_size() ? force.min_size().value() : 1;
  } else if (zone.force_locality_direct_routing()) {
    out.zone_aware.edit().force_local_size = 1;
  }
}

void compile_extension(const policies::round_robin::v3::RoundRobin& proto, LbPlan& out, CompileScope& scope) {
  compile_slow_start(proto.slow_start_config(), out, scope);
  out.policy = LbPolicy::kRoundRobin;
  compile_locality(proto.locality_lb_config(), out, scope);
}

void compile_extension(const policies::random::v3::Random& proto, LbPlan& out, CompileScope& scope) {
  out.policy = LbPolicy::kRandom;
  compile_locality(proto.locality_lb_config(), out, scope);
}

void compile_extension(const policies::least_request::v3::LeastRequest& proto, LbPlan& out, CompileScope& scope) {
  using L = policies::least_request::v3::LeastRequest;
  compile_slow_start(proto.slow_start_config(), out, scope);
  out.policy = LbPolicy::kLeastRequest;
  if (proto.has_choice_count()) out.choice_count = proto.choice_count().value();
  if (proto.has_choice_count() && out.choice_count == 0) {
    scope.error(proto, L::kChoiceCountFieldNumber, "of no host none would ever be chosen; must be at least 1");
  }
  if (proto.has_active_request_bias()) out.active_request_bias = compile_bias(proto.active_request_bias(), scope);
  out.full_scan = proto.selection_method() == L::FULL_SCAN || proto.enable_full_scan().value();
  compile_locality(proto.locality_lb_config(), out, scope);
}

void compile_consistent_extension(const policies::common::v3::ConsistentHashingLbConfig& proto, LbPlan& out,
                                  CompileScope& scope) {
  using C = policies::common::v3::ConsistentHashingLbConfig;
  scope.only(proto, {C::kUseHostnameForHashingFieldNumber, C::kHashBalanceFactorFieldNumber});
  compile_consistent(proto, out);
}

void compile_extension(const policies::ring_hash::v3::RingHash& proto, LbPlan& out, CompileScope& scope) {
  using R = policies::ring_hash::v3::RingHash;
  out.policy = LbPolicy::kRingHash;
  if (proto.hash_function() == R::MURMUR_HASH_2) out.hash.edit().murmur = true;
  out.locality_weighted = proto.has_locality_weighted_lb_config();
  compile_ring_sizes(proto, out, scope);
  compile_consistent(proto, out);
  if (proto.has_consistent_hashing_lb_config()) {
    compile_consistent_extension(proto.consistent_hashing_lb_config(), out, scope);
  }
}

void compile_extension(const policies::maglev::v3::Maglev& proto, LbPlan& out, CompileScope& scope) {
  out.policy = LbPolicy::kMaglev;
  out.locality_weighted = proto.has_locality_weighted_lb_config();
  compile_table_size(proto, out, scope);
  compile_consistent_extension(proto.consistent_hashing_lb_config(), out, scope);
}

// enable_oob_load_report is off or refused, oob_reporting_period says nothing without it.
void compile_extension(const ClientSideWeightedRoundRobin& proto, LbPlan& out, CompileScope& scope) {
  using W = policies::client_side_weighted_round_robin::v3::ClientSideWeightedRoundRobin;
  scope.only(proto, {W::kEnableOobLoadReportFieldNumber, W::kOobReportingPeriodFieldNumber,
                     W::kBlackoutPeriodFieldNumber, W::kWeightExpirationPeriodFieldNumber,
                     W::kWeightUpdatePeriodFieldNumber, W::kErrorUtilizationPenaltyFieldNumber,
                     W::kMetricNamesForComputingUtilizationFieldNumber, W::kSlowStartConfigFieldNumber});
  if (proto.enable_oob_load_report().value()) {
    scope.error(proto, W::kEnableOobLoadReportFieldNumber, "not supported yet: load reports that come by themselves");
  }
  compile_slow_start(proto.slow_start_config(), out, scope);
  out.policy = LbPolicy::kRoundRobin;
  auto weights = std::make_shared<model::ReportedWeightsPlan>();
  if (proto.has_blackout_period()) weights->blackout = to_duration(proto.blackout_period());
  if (proto.has_weight_expiration_period()) weights->expiration = to_duration(proto.weight_expiration_period());
  if (proto.has_weight_update_period()) {
    weights->update_period = std::max<Duration>(to_duration(proto.weight_update_period()), kLeastUpdatePeriod);
  }
  weights->error_penalty = proto.error_utilization_penalty().value();
  weights->metrics.assign(proto.metric_names_for_computing_utilization().begin(),
                          proto.metric_names_for_computing_utilization().end());
  out.reported_weights = std::move(weights);
}

void compile_policies(const LoadBalancingPolicy& proto, LbPlan& out, CompileScope& scope);

// Localities by their weights, and in them by the policy that it holds, which must be the one above.
void compile_extension(const WrrLocality& proto, LbPlan& out, CompileScope& scope) {
  compile_policies(proto.endpoint_picking_policy(), out, scope);
  if (out.reported_weights == nullptr) {
    scope.error(proto, WrrLocality::kEndpointPickingPolicyFieldNumber,
                cat("needs ", ClientSideWeightedRoundRobin::descriptor()->full_name()));
  }
  out.locality_weighted = true;
}

template <typename T>
bool try_extension(const google::protobuf::Message& message, LbPlan& out, CompileScope& scope) {
  if (message.GetDescriptor() != T::descriptor()) return false;
  compile_extension(static_cast<const T&>(message), out, scope);
  return true;
}

// The first policy that is known counts.
void compile_policies(const LoadBalancingPolicy& proto, LbPlan& out, CompileScope& scope) {
  namespace p = policies;
  for (const auto& policy : proto.policies()) {
    const auto content = unpack(policy.typed_extension_config().typed_config(), scope.map());
    if (!content) {
      scope.error(policy.typed_extension_config().typed_config(), content.error());
      return;
    }
    const google::protobuf::Message& message = **content;
    if (try_extension<p::round_robin::v3::RoundRobin>(message, out, scope) ||
        try_extension<p::random::v3::Random>(message, out, scope) ||
        try_extension<p::least_request::v3::LeastRequest>(message, out, scope) ||
        try_extension<p::ring_hash::v3::RingHash>(message, out, scope) ||
        try_extension<p::maglev::v3::Maglev>(message, out, scope) ||
        try_extension<ClientSideWeightedRoundRobin>(message, out, scope) ||
        try_extension<WrrLocality>(message, out, scope)) {
      return;
    }
    if (message.GetDescriptor()->full_name().starts_with("envoy.extensions.load_balancing_policies.")) {
      scope.error(policy, cat("not supported yet: ", message.GetDescriptor()->full_name()));
      return;
    }
  }
  scope.error(proto, "none of the policies is known");
}

}  // namespace

LbPlan compile_lb(const Cluster& proto, CompileScope& scope) {
  LbPlan out;
  out.subsets = compile_subsets(proto, scope);
  if (!proto.has_load_balancing_policy()) {
    compile_policy(proto, out, scope);
    compile_common(proto.common_lb_config(), out, scope);
    compile_old_configs(proto, out, scope);
    if (out.hash->by_hostname && proto.type() == Cluster::STATIC && !proto.has_cluster_type()) {
      scope.error(proto, Cluster::kCommonLbConfigFieldNumber,
                  "cannot hash by hostname: the endpoints of a STATIC cluster are addresses");
    }
    follow_runtime(out, scope);
    return out;
  }
  // The common settings that no policy has still count beside it, the others are refused as in Envoy.
  if (proto.has_common_lb_config()) {
    const auto& common = proto.common_lb_config();
    if (common.has_zone_aware_lb_config() || common.has_locality_weighted_lb_config() ||
        common.has_consistent_hashing_lb_config()) {
      scope.error(proto, Cluster::kCommonLbConfigFieldNumber,
                  "cannot choose localities or hashing beside load_balancing_policy");
    }
    compile_common(common, out, scope);
  }
  compile_policies(proto.load_balancing_policy(), out, scope);
  follow_runtime(out, scope);
  return out;
}

}  // namespace sluice::config
