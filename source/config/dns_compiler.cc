#include "config/dns_compiler.h"

#include <algorithm>

#include "base/strings.h"
#include "config/core_compiler.h"
#include "envoy/extensions/network/dns_resolver/cares/v3/cares_dns_resolver.pb.h"

namespace sluice::config {
namespace {

namespace core = envoy::config::core::v3;
using Bootstrap = envoy::config::bootstrap::v3::Bootstrap;
using Cares = envoy::extensions::network::dns_resolver::cares::v3::CaresDnsResolverConfig;
using Cluster = envoy::config::cluster::v3::Cluster;
using DnsCluster = envoy::extensions::clusters::dns::v3::DnsCluster;
namespace dns = envoy::extensions::clusters::common::dns::v3;

template <typename List>
void compile_servers(const List& addresses, net::ResolverOptions& out, CompileScope& scope) {
  out.servers.clear();
  for (const core::Address& proto : addresses) {
    const auto address = compile_address(proto, scope);
    if (address && !address->is_ip()) {
      scope.error(proto, "a DNS server needs an IP address");
    } else if (address) {
      out.servers.push_back(*address);
    }
  }
}

void compile_options(const core::DnsResolverOptions& proto, net::ResolverOptions& out) {
  out.use_tcp = proto.use_tcp_for_dns_lookups();
  out.no_default_search_domain = proto.no_default_search_domain();
}

void compile_cares(const Cares& proto, net::ResolverOptions& out, CompileScope& scope) {
  // udp_max_queries says nothing: the sockets are closed whenever no query is on its way, so none of them sees many.
  scope.only(proto, {Cares::kResolversFieldNumber, Cares::kUseResolversAsFallbackFieldNumber,
                     Cares::kDnsResolverOptionsFieldNumber, Cares::kQueryTimeoutSecondsFieldNumber,
                     Cares::kQueryTriesFieldNumber, Cares::kRotateNameserversFieldNumber,
                     Cares::kEdns0MaxPayloadSizeFieldNumber, Cares::kUdpMaxQueriesFieldNumber});
  compile_servers(proto.resolvers(), out, scope);
  out.servers_as_fallback = proto.use_resolvers_as_fallback();
  compile_options(proto.dns_resolver_options(), out);
  if (proto.has_query_timeout_seconds())
    out.query_timeout = std::chrono::seconds(proto.query_timeout_seconds().value());
  if (proto.has_query_tries()) out.tries = proto.query_tries().value();
  out.rotate = proto.rotate_nameservers();
  if (proto.has_edns0_max_payload_size()) {
    out.edns_payload = static_cast<uint16_t>(proto.edns0_max_payload_size().value());
  }
}

void compile_typed(const core::TypedExtensionConfig& proto, net::ResolverOptions& out, CompileScope& scope) {
  const google::protobuf::Message* content = scope.unpack(proto.typed_config());
  if (content == nullptr) return;
  if (content->GetDescriptor() != Cares::descriptor()) {
    scope.error(proto.typed_config(),
                cat("not supported yet: ", content->GetDescriptor()->full_name(), "; names are asked for with c-ares"));
    return;
  }
  out = {};
  compile_cares(static_cast<const Cares&>(*content), out, scope);
}

// The older places for the same: typed wins over dns_resolution_config, and that over the oldest.
template <typename Proto>
void compile_any_resolver(const Proto& proto, net::ResolverOptions& out, CompileScope& scope) {
  if (proto.has_typed_dns_resolver_config()) {
    compile_typed(proto.typed_dns_resolver_config(), out, scope);
  } else if (proto.has_dns_resolution_config()) {
    out = {};
    compile_servers(proto.dns_resolution_config().resolvers(), out, scope);
    compile_options(proto.dns_resolution_config().dns_resolver_options(), out);
  } else if (proto.use_tcp_for_dns_lookups()) {
    out.use_tcp = true;
  }
}

net::DnsFamily family_of(Cluster::DnsLookupFamily family) {
  switch (family) {
    case Cluster::V4_ONLY:
      return net::DnsFamily::kV4Only;
    case Cluster::V6_ONLY:
      return net::DnsFamily::kV6Only;
    case Cluster::V4_PREFERRED:
      return net::DnsFamily::kV4Preferred;
    case Cluster::ALL:
      return net::DnsFamily::kAll;
    default:
      return net::DnsFamily::kAuto;
  }
}

net::DnsFamily family_of(dns::DnsLookupFamily family) {
  switch (family) {
    case dns::V4_ONLY:
      return net::DnsFamily::kV4Only;
    case dns::V6_ONLY:
      return net::DnsFamily::kV6Only;
    case dns::V4_PREFERRED:
      return net::DnsFamily::kV4Preferred;
    case dns::ALL:
      return net::DnsFamily::kAll;
    default:
      return net::DnsFamily::kAuto;
  }
}

// What both messages have under the same names.
template <typename Proto>
void compile_rates(const Proto& proto, model::DnsPlan& out, CompileScope& scope) {
  if (proto.has_dns_refresh_rate()) out.refresh_rate = to_duration(proto.dns_refresh_rate());
  if (proto.has_dns_jitter()) out.jitter = to_duration(proto.dns_jitter());
  out.respect_ttl = proto.respect_dns_ttl();
  if (!proto.has_dns_failure_refresh_rate()) return;
  const auto& rate = proto.dns_failure_refresh_rate();
  out.failure_base = to_duration(rate.base_interval());
  out.failure_max = rate.has_max_interval() ? to_duration(rate.max_interval()) : 10 * out.failure_base;
  if (to_ms(out.failure_max) < to_ms(out.failure_base)) {  // as Envoy compares them
    scope.error(rate, "dns_failure_refresh_rate needs a max_interval that is not below its base_interval");
  }
}

}  // namespace

net::ResolverOptions compile_resolver(const Bootstrap& proto, CompileScope& scope) {
  net::ResolverOptions out;
  compile_any_resolver(proto, out, scope);
  return out;
}

void compile_dns(const Cluster& proto, model::ClusterPlan& out, CompileScope& scope) {
  model::DnsPlan& plan = out.dns.edit();
  plan.resolver = scope.resolver;
  if (!proto.dns_resolvers().empty()) {
    plan.resolver = {};
    compile_servers(proto.dns_resolvers(), plan.resolver, scope);
  }
  compile_any_resolver(proto, plan.resolver, scope);
  plan.family = family_of(proto.dns_lookup_family());
  compile_rates(proto, plan, scope);
}

void compile_dns(const DnsCluster& proto, model::ClusterPlan& out, CompileScope& scope) {
  model::DnsPlan& plan = out.dns.edit();
  plan.resolver = scope.resolver;
  if (proto.has_typed_dns_resolver_config()) compile_typed(proto.typed_dns_resolver_config(), plan.resolver, scope);
  plan.family = family_of(proto.dns_lookup_family());
  if (proto.has_dns_min_refresh_rate()) plan.min_refresh_rate = to_duration(proto.dns_min_refresh_rate());
  compile_rates(proto, plan, scope);
}

std::shared_ptr<const model::DnsCachePlan> compile_dns_cache(
    const envoy::extensions::common::dynamic_forward_proxy::v3::DnsCacheConfig& proto, CompileScope& scope) {
  using D = envoy::extensions::common::dynamic_forward_proxy::v3::DnsCacheConfig;
  scope.only(proto, {D::kNameFieldNumber, D::kDnsLookupFamilyFieldNumber, D::kDnsRefreshRateFieldNumber,
                     D::kDnsMinRefreshRateFieldNumber, D::kHostTtlFieldNumber, D::kMaxHostsFieldNumber,
                     D::kDisableDnsRefreshOnFailureFieldNumber, D::kDnsFailureRefreshRateFieldNumber,
                     D::kDnsCacheCircuitBreakerFieldNumber, D::kUseTcpForDnsLookupsFieldNumber,
                     D::kDnsResolutionConfigFieldNumber, D::kTypedDnsResolverConfigFieldNumber,
                     D::kPreresolveHostnamesFieldNumber, D::kDnsQueryTimeoutFieldNumber});
  auto out = std::make_shared<model::DnsCachePlan>();
  out->text = proto.SerializeAsString();
  out->name = proto.name();
  std::weak_ptr<const model::DnsCachePlan>& known = (*scope.dns_caches)[proto.name()];
  if (auto same = known.lock()) {
    if (same->text == out->text) return same;
    scope.error(proto, D::kNameFieldNumber, cat("there is a DNS cache '", proto.name(), "' of another configuration"));
    return nullptr;
  }
  out->resolver = scope.resolver;
  compile_any_resolver(proto, out->resolver, scope);
  out->family = family_of(proto.dns_lookup_family());
  if (proto.has_dns_refresh_rate()) out->refresh_rate = to_duration(proto.dns_refresh_rate());
  if (proto.has_dns_min_refresh_rate()) out->min_refresh_rate = to_duration(proto.dns_min_refresh_rate());
  if (proto.has_host_ttl()) out->host_ttl = to_duration(proto.host_ttl());
  if (proto.has_max_hosts()) out->max_hosts = proto.max_hosts().value();
  if (proto.has_dns_query_timeout()) out->query_timeout = to_duration(proto.dns_query_timeout());
  out->refresh_failed = !proto.disable_dns_refresh_on_failure();
  if (proto.dns_cache_circuit_breaker().has_max_pending_requests()) {
    out->max_pending_requests = proto.dns_cache_circuit_breaker().max_pending_requests().value();
  }
  if (proto.has_dns_failure_refresh_rate()) {
    const auto& rate = proto.dns_failure_refresh_rate();
    out->failure_base = to_duration(rate.base_interval());
    out->failure_max = rate.has_max_interval() ? to_duration(rate.max_interval()) : 10 * out->failure_base;
    out->failure_base = std::min(out->failure_base, out->failure_max);  // Envoy takes any two here
  }
  for (const core::SocketAddress& one : proto.preresolve_hostnames()) {
    // A named_port is none: the name is resolved, for requests that name port 0.
    out->preresolve.push_back({one.address(), static_cast<uint16_t>(one.port_value())});
  }
  if (out->preresolve.size() > out->max_hosts) {
    scope.error(proto, D::kPreresolveHostnamesFieldNumber, "more names than max_hosts");
  }
  known = out;
  return out;
}

}  // namespace sluice::config
