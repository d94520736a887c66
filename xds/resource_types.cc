#include "xds/resource_types.h"

namespace sluice::xds {
namespace {

// In the order of config::ResourceType.
constexpr PerType<ResourceTypeNames> kNames = {{
    {"envoy.config.cluster.v3.Cluster", "type.googleapis.com/envoy.config.cluster.v3.Cluster", "CDS",
     "/envoy.service.cluster.v3.ClusterDiscoveryService/StreamClusters",
     "/envoy.service.cluster.v3.ClusterDiscoveryService/DeltaClusters", "/v3/discovery:clusters"},
    {"envoy.config.endpoint.v3.ClusterLoadAssignment",
     "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment", "EDS",
     "/envoy.service.endpoint.v3.EndpointDiscoveryService/StreamEndpoints",
     "/envoy.service.endpoint.v3.EndpointDiscoveryService/DeltaEndpoints", "/v3/discovery:endpoints"},
    {"envoy.config.listener.v3.Listener", "type.googleapis.com/envoy.config.listener.v3.Listener", "LDS",
     "/envoy.service.listener.v3.ListenerDiscoveryService/StreamListeners",
     "/envoy.service.listener.v3.ListenerDiscoveryService/DeltaListeners", "/v3/discovery:listeners"},
    {"envoy.config.route.v3.RouteConfiguration", "type.googleapis.com/envoy.config.route.v3.RouteConfiguration", "RDS",
     "/envoy.service.route.v3.RouteDiscoveryService/StreamRoutes",
     "/envoy.service.route.v3.RouteDiscoveryService/DeltaRoutes", "/v3/discovery:routes"},
    {"envoy.config.route.v3.ScopedRouteConfiguration",
     "type.googleapis.com/envoy.config.route.v3.ScopedRouteConfiguration", "SRDS",
     "/envoy.service.route.v3.ScopedRoutesDiscoveryService/StreamScopedRoutes",
     "/envoy.service.route.v3.ScopedRoutesDiscoveryService/DeltaScopedRoutes", "/v3/discovery:scoped-routes"},
    {"envoy.config.route.v3.VirtualHost", "type.googleapis.com/envoy.config.route.v3.VirtualHost", "VHDS", "",
     "/envoy.service.route.v3.VirtualHostDiscoveryService/DeltaVirtualHosts", ""},
    {"envoy.extensions.transport_sockets.tls.v3.Secret",
     "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret", "SDS",
     "/envoy.service.secret.v3.SecretDiscoveryService/StreamSecrets",
     "/envoy.service.secret.v3.SecretDiscoveryService/DeltaSecrets", "/v3/discovery:secrets"},
    {"envoy.service.runtime.v3.Runtime", "type.googleapis.com/envoy.service.runtime.v3.Runtime", "RTDS",
     "/envoy.service.runtime.v3.RuntimeDiscoveryService/StreamRuntime",
     "/envoy.service.runtime.v3.RuntimeDiscoveryService/DeltaRuntime", "/v3/discovery:runtime"},
    {"envoy.config.core.v3.TypedExtensionConfig", "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig",
     "ECDS", "/envoy.service.extension.v3.ExtensionConfigDiscoveryService/StreamExtensionConfigs",
     "/envoy.service.extension.v3.ExtensionConfigDiscoveryService/DeltaExtensionConfigs",
     "/v3/discovery:extension_configs"},
}};
static_assert(index_of(config::ResourceType::kExtension) + 1 == kResourceTypes);

}  // namespace

const ResourceTypeNames& names_of(config::ResourceType type) { return kNames[index_of(type)]; }

std::optional<config::ResourceType> type_of(std::string_view type_url) {
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i].type_url == type_url) {
      return static_cast<config::ResourceType>(i);
    }
  }
  return std::nullopt;
}

}  // namespace sluice::xds
