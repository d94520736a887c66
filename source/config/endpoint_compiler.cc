#include "config/endpoint_compiler.h"

#include <algorithm>
#include <unordered_set>

#include "base/strings.h"
#include "config/core_compiler.h"
#include "config/health_compiler.h"
#include "config/metadata_compiler.h"
#include "config/subset_compiler.h"
#include "net/internal_address.h"

namespace sluice::config {
namespace {

namespace core = envoy::config::core::v3;
namespace endpoint = envoy::config::endpoint::v3;

// envoy.lb, hash_key: what stands for the host in hash rings and tables.
std::string hash_key_of(const core::Metadata& metadata) {
  const auto lb = metadata.filter_metadata().find("envoy.lb");
  if (lb == metadata.filter_metadata().end()) return {};
  const auto key = lb->second.fields().find("hash_key");
  return key == lb->second.fields().end() ? std::string() : key->second.string_value();
}

uint16_t socket_of(const core::Metadata& metadata, const CompileScope& scope) {
  if (scope.socket_matches == nullptr) return 0;
  const auto found = metadata.filter_metadata().find("envoy.transport_socket_match");
  const google::protobuf::Struct none;
  return match_socket(found == metadata.filter_metadata().end() ? none : found->second, *scope.socket_matches);
}

bool is_canary(const core::Metadata& metadata) {
  const auto lb = metadata.filter_metadata().find("envoy.lb");
  if (lb == metadata.filter_metadata().end()) return false;
  const auto canary = lb->second.fields().find("canary");
  return canary != lb->second.fields().end() && canary->second.bool_value();
}

// One assignment, piece by piece.
class AssignmentCompiler {
 public:
  AssignmentCompiler(Names names, Repeated repeated, std::vector<model::DnsName>& found, CompileScope& scope)
      : names_(names), repeated_(repeated), found_(found), scope_(scope) {}

  model::AssignmentPtr compile(const endpoint::ClusterLoadAssignment& proto) {
    using A = endpoint::ClusterLoadAssignment;
    using P = A::Policy;
    // named_endpoints: which Envoy does not read either.
    scope_.only(proto, {A::kClusterNameFieldNumber, A::kEndpointsFieldNumber, A::kPolicyFieldNumber,
                        A::kNamedEndpointsFieldNumber});
    scope_.only(proto.policy(), {P::kOverprovisioningFactorFieldNumber, P::kWeightedPriorityHealthFieldNumber,
                                 P::kEndpointStaleAfterFieldNumber, P::kDropOverloadsFieldNumber});
    compile_drops(proto.policy());
    if (proto.policy().has_endpoint_stale_after()) {
      out_->stale_after = to_duration(proto.policy().endpoint_stale_after());
    }
    if (proto.policy().has_overprovisioning_factor()) {
      out_->overprovisioning_factor = proto.policy().overprovisioning_factor().value();
    }
    out_->weighted_priority_health = proto.policy().weighted_priority_health();
    out_->localities.reserve(static_cast<size_t>(proto.endpoints_size()));
    for (const auto& locality : proto.endpoints()) compile_locality(locality);
    if (out_->localities.empty() && !proto.has_policy()) return model::no_endpoints();
    return out_;
  }

 private:
  // As in Envoy there is one category at most, and the runtime may set a limit when the assignment comes.
  void compile_drops(const endpoint::ClusterLoadAssignment::Policy& proto) {
    using P = endpoint::ClusterLoadAssignment::Policy;
    if (proto.drop_overloads_size() == 0) return;
    if (proto.drop_overloads_size() > 1) {
      scope_.error(proto, P::kDropOverloadsFieldNumber, "has more than one category", 1);
      return;
    }
    const auto& share = proto.drop_overloads(0).drop_percentage();
    const double whole = share.denominator() == envoy::type::v3::FractionalPercent::MILLION        ? 1'000'000
                         : share.denominator() == envoy::type::v3::FractionalPercent::TEN_THOUSAND ? 10'000
                                                                                                   : 100;
    if (share.numerator() > whole) {
      scope_.error(proto, P::kDropOverloadsFieldNumber, "drops more than everything", 0);
      return;
    }
    const double limit =
        static_cast<double>(scope_.runtime.number("load_balancing_policy.drop_overload_limit").value_or(100)) / 100;
    out_->drop_share = std::min(share.numerator() / whole, limit);
  }

  void compile_locality(const endpoint::LocalityLbEndpoints& proto) {
    using L = endpoint::LocalityLbEndpoints;
    // proximity: which Envoy does not read either.
    scope_.only(proto, {L::kLocalityFieldNumber, L::kMetadataFieldNumber, L::kLbEndpointsFieldNumber,
                        L::kLoadBalancingWeightFieldNumber, L::kPriorityFieldNumber, L::kProximityFieldNumber});
    model::LocalityPlan& locality = out_->localities.emplace_back();
    locality.locality = {proto.locality().region(), proto.locality().zone(), proto.locality().sub_zone()};
    locality.priority = proto.priority();
    locality.weight = proto.load_balancing_weight().value();
    locality.endpoints.reserve(static_cast<size_t>(proto.lb_endpoints_size()));
    for (const auto& one : proto.lb_endpoints()) compile_endpoint(one, locality);
  }

  void compile_endpoint(const endpoint::LbEndpoint& proto, model::LocalityPlan& locality) {
    using L = endpoint::LbEndpoint;
    using E = endpoint::Endpoint;
    scope_.only(proto, {L::kEndpointFieldNumber, L::kHealthStatusFieldNumber, L::kMetadataFieldNumber,
                        L::kLoadBalancingWeightFieldNumber});
    scope_.only(proto.endpoint(), {E::kAddressFieldNumber, E::kHostnameFieldNumber, E::kHealthCheckConfigFieldNumber,
                                   E::kAdditionalAddressesFieldNumber});
    if (!proto.endpoint().has_address()) {
      scope_.error(proto, "needs an endpoint with an address");
      return;
    }
    model::EndpointPlan one;
    model::EndpointExtra extra;
    extra.hostname = proto.endpoint().hostname();
    extra.check = compile_endpoint_check(proto.endpoint(), scope_);
    if (proto.has_metadata()) {
      extra.hash_key = hash_key_of(proto.metadata());
      extra.labels = compile_labels(proto.metadata());
      extra.metadata = compile_metadata(proto.metadata());
    }
    extra.others = compile_others(proto.endpoint());
    if (!extra.hostname.empty() || extra.others != nullptr || extra.check != nullptr || proto.has_metadata()) {
      one.extra.edit() = std::move(extra);
    }
    one.socket_match = socket_of(proto.metadata(), scope_);
    one.weight = proto.has_load_balancing_weight() ? proto.load_balancing_weight().value() : 1;
    one.health = compile_health(proto.health_status());
    one.canary = is_canary(proto.metadata());
    if (!compile_place(proto.endpoint().address(), locality, one)) return;
    if (repeated_ == Repeated::kDropped && !seen_.insert(one.address.to_string()).second) return;
    locality.endpoints.push_back(std::move(one));
  }

  // Names have the addresses that DNS says, and no others, as in Envoy.
  net::AddressesPtr compile_others(const endpoint::Endpoint& proto) {
    std::vector<net::Address> out;
    if (names_ == Names::kAllowed) return nullptr;
    for (const auto& one : proto.additional_addresses()) {
      if (!one.has_address()) {
        scope_.error(one, endpoint::Endpoint::AdditionalAddress::kAddressFieldNumber, "is needed");
      } else if (const auto address = compile_address(one.address(), scope_)) {
        out.push_back(*address);
      }
    }
    return out.empty() ? nullptr : std::make_shared<const std::vector<net::Address>>(std::move(out));
  }

  std::optional<net::Address> compile_internal(const core::Address& proto) {
    const core::EnvoyInternalAddress& internal = proto.envoy_internal_address();
    const auto address = net::internal_address(internal.server_listener_name(), internal.endpoint_id());
    if (address) return *address;
    scope_.error(proto, core::Address::kEnvoyInternalAddressFieldNumber, address.error());
    return std::nullopt;
  }

  // The address, or the name that will be asked for it.
  bool compile_place(const core::Address& proto, const model::LocalityPlan& locality, model::EndpointPlan& one) {
    const core::SocketAddress& socket = proto.socket_address();
    const auto port = static_cast<uint16_t>(socket.port_value());
    if (names_ == Names::kAllowed && proto.has_socket_address() && socket.resolver_name().empty() &&
        socket.named_port().empty()) {
      found_.push_back({socket.address(), port, out_->localities.size() - 1, locality.endpoints.size()});
      // The name is what auto_host_rewrite sends.
      if (one.extra->hostname.empty()) one.extra.edit().hostname = socket.address();
      return true;
    }
    const auto address = proto.has_envoy_internal_address() ? compile_internal(proto) : compile_address(proto, scope_);
    if (address) one.address = *address;
    return address.has_value();
  }

  const Names names_;
  const Repeated repeated_;
  std::unordered_set<std::string> seen_;
  std::vector<model::DnsName>& found_;
  CompileScope& scope_;
  std::shared_ptr<model::AssignmentPlan> out_ = std::make_shared<model::AssignmentPlan>();
};

}  // namespace

uint16_t match_socket(
    const google::protobuf::Struct& metadata,
    const google::protobuf::RepeatedPtrField<envoy::config::cluster::v3::Cluster::TransportSocketMatch>& matches) {
  const auto& values = metadata.fields();
  for (int i = 0; i < matches.size(); ++i) {
    const auto& wanted = matches.Get(i).match().fields();
    const bool all = std::all_of(wanted.begin(), wanted.end(), [&](const auto& entry) {
      const auto at = values.find(entry.first);
      return at != values.end() && at->second.SerializeAsString() == entry.second.SerializeAsString();
    });
    if (all) return static_cast<uint16_t>(i + 1);
  }
  return 0;
}

model::HealthStatus compile_health(core::HealthStatus status) {
  switch (status) {
    case core::HEALTHY:
      return model::HealthStatus::kHealthy;
    case core::UNHEALTHY:
      return model::HealthStatus::kUnhealthy;
    case core::DRAINING:
      return model::HealthStatus::kDraining;
    case core::TIMEOUT:
      return model::HealthStatus::kTimeout;
    case core::DEGRADED:
      return model::HealthStatus::kDegraded;
    default:
      return model::HealthStatus::kUnknown;
  }
}

model::AssignmentPtr compile_assignment(const endpoint::ClusterLoadAssignment& proto, Names names, Repeated repeated,
                                        std::vector<model::DnsName>& found, CompileScope& scope) {
  return AssignmentCompiler(names, repeated, found, scope).compile(proto);
}

}  // namespace sluice::config
