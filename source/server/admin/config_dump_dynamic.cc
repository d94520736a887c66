// The part of a dump that came while the process ran.
#include <google/protobuf/any.pb.h>
#include <google/protobuf/util/json_util.h>

#include <map>

#include "envoy/config/cluster/v3/cluster.pb.h"
#include "server/admin/config_dump_parts.h"

namespace sluice::server::admin {
namespace {

namespace v3 = envoy::admin::v3;
using google::protobuf::Any;
using Kind = DynamicConfig::Kind;

constexpr char kCluster[] = "envoy.config.cluster.v3.Cluster";
constexpr char kListener[] = "envoy.config.listener.v3.Listener";
constexpr char kRoutes[] = "envoy.config.route.v3.RouteConfiguration";
constexpr char kScope[] = "envoy.config.route.v3.ScopedRouteConfiguration";
constexpr char kAssignment[] = "envoy.config.endpoint.v3.ClusterLoadAssignment";
constexpr char kSecret[] = "envoy.extensions.transport_sockets.tls.v3.Secret";
constexpr char kExtension[] = "envoy.config.core.v3.TypedExtensionConfig";

void pack(const DynamicConfig& one, const char* type, Any& out) {
  out.set_type_url(std::string("type.googleapis.com/") + type);
  out.set_value(one.bytes);
}

template <typename Entry>
void fill(const DynamicConfig& one, Entry& entry) {
  entry.set_version_info(one.version);
  *entry.mutable_last_updated() = timestamp(one.updated);
}

void fill_refused(const DynamicConfig& one, v3::UpdateFailureState& state) {
  *state.mutable_last_update_attempt() = timestamp(one.updated);
  state.set_details(one.details);
  pack(one, kListener, *state.mutable_failed_configuration());
  // What nobody knows cannot be shown: the page must stay readable.
  std::string text;
  if (!google::protobuf::util::MessageToJsonString(state, &text).ok()) state.clear_failed_configuration();
}

void add_listener(const DynamicConfig& one, v3::ListenersConfigDump::DynamicListener& entry) {
  entry.set_name(one.name);
  if (one.kind == Kind::kRefusedListener) return fill_refused(one, *entry.mutable_error_state());
  auto& state = one.kind == Kind::kListener          ? *entry.mutable_active_state()
                : one.kind == Kind::kWarmingListener ? *entry.mutable_warming_state()
                                                     : *entry.mutable_draining_state();
  fill(one, state);
  pack(one, kListener, *state.mutable_listener());
}

template <typename Entry>
void add_secret(const DynamicConfig& one, Entry& entry) {
  entry.set_name(one.name);
  fill(one, entry);
  if (!one.bytes.empty()) pack(one, kSecret, *entry.mutable_secret());
}

// A cluster that brought its endpoints itself.
void add_own_endpoints(const DynamicConfig& one, v3::EndpointsConfigDump& dump) {
  envoy::config::cluster::v3::Cluster cluster;
  if (!cluster.ParseFromString(one.bytes) || !cluster.has_load_assignment()) return;
  auto& entry = *dump.add_dynamic_endpoint_configs();
  *entry.mutable_last_updated() = timestamp(one.updated);
  entry.mutable_endpoint_config()->PackFrom(cluster.load_assignment());
}

}  // namespace

void add_dynamic(const DynamicConfigs& dynamic, Wanted& wanted, DumpParts& parts) {
  parts.clusters->set_version_info(dynamic.clusters_version);
  parts.listeners->set_version_info(dynamic.listeners_version);
  std::map<std::string, v3::ListenersConfigDump::DynamicListener*> listeners;
  std::map<std::string, v3::ScopedRoutesConfigDump::DynamicScopedRouteConfigs*> scopes;
  for (const DynamicConfig& one : dynamic.all) {
    if (!accepts(wanted, one.name)) continue;
    switch (one.kind) {
      case Kind::kCluster:
      case Kind::kWarmingCluster: {
        auto& entry = one.kind == Kind::kCluster ? *parts.clusters->add_dynamic_active_clusters()
                                                 : *parts.clusters->add_dynamic_warming_clusters();
        fill(one, entry);
        pack(one, kCluster, *entry.mutable_cluster());
        if (one.kind == Kind::kCluster) add_own_endpoints(one, *parts.endpoints);
        break;
      }
      case Kind::kListener:
      case Kind::kWarmingListener:
      case Kind::kDrainingListener:
      case Kind::kRefusedListener: {
        auto*& entry = listeners[one.name];
        if (entry == nullptr) entry = parts.listeners->add_dynamic_listeners();
        add_listener(one, *entry);
        break;
      }
      case Kind::kRoutes: {
        auto& entry = *parts.routes->add_dynamic_route_configs();
        fill(one, entry);
        pack(one, kRoutes, *entry.mutable_route_config());
        break;
      }
      case Kind::kScope: {
        auto*& entry = scopes[one.details];
        if (entry == nullptr) {
          entry = parts.scopes->add_dynamic_scoped_route_configs();
          entry->set_name(one.details);
          fill(one, *entry);
        }
        pack(one, kScope, *entry->add_scoped_route_configs());
        break;
      }
      case Kind::kEndpoints: {
        auto& entry = *parts.endpoints->add_dynamic_endpoint_configs();
        fill(one, entry);
        pack(one, kAssignment, *entry.mutable_endpoint_config());
        break;
      }
      case Kind::kSecret:
        add_secret(one, *parts.secrets->add_dynamic_active_secrets());
        break;
      case Kind::kWarmingSecret:
        add_secret(one, *parts.secrets->add_dynamic_warming_secrets());
        break;
      case Kind::kExtension: {
        auto& entry = *parts.extensions->add_ecds_filters();
        fill(one, entry);
        pack(one, kExtension, *entry.mutable_ecds_filter());
        break;
      }
    }
  }
}

}  // namespace sluice::server::admin
