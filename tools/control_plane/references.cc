#include "tools/control_plane/references.h"

#include "base/strings.h"
#include "envoy/config/cluster/v3/cluster.pb.h"
#include "envoy/config/core/v3/config_source.pb.h"
#include "envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.pb.h"
#include "envoy/extensions/transport_sockets/tls/v3/secret.pb.h"

namespace sluice::control_plane {
namespace {

using envoy::config::cluster::v3::Cluster;
using envoy::config::core::v3::ConfigSource;
using envoy::extensions::filters::network::http_connection_manager::v3::Rds;
using envoy::extensions::transport_sockets::tls::v3::SdsSecretConfig;
using google::protobuf::Any;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

bool is_ours(const ConfigSource& source) { return source.has_ads() || source.has_self(); }

// Thread: as its map.
class Walk {
 public:
  explicit Walk(const config::SourceMap& map) : map_(map) {}

  void visit(const Message& message) {
    look_at(message);
    if (const auto* any = dynamic_cast<const Any*>(&message)) {
      if (const Message* content = map_.unpacked(*any)) {
        visit(*content);
      }
      return;
    }
    const google::protobuf::Reflection& reflection = *message.GetReflection();
    std::vector<const FieldDescriptor*> fields;
    reflection.ListFields(message, &fields);
    for (const FieldDescriptor* field : fields) {
      if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
        continue;
      }
      if (!field->is_repeated()) {
        visit(reflection.GetMessage(message, field));
        continue;
      }
      for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
        visit(reflection.GetRepeatedMessage(message, field, i));
      }
    }
  }

  std::vector<Reference> found;

 private:
  void look_at(const Message& message) {
    if (const auto* cluster = dynamic_cast<const Cluster*>(&message)) {
      const auto& eds = cluster->eds_cluster_config();
      if (cluster->type() == Cluster::EDS && is_ours(eds.eds_config())) {
        add(ResourceType::kEndpoints, eds.service_name().empty() ? cluster->name() : eds.service_name(), *cluster,
            Cluster::kEdsClusterConfigFieldNumber);
      }
    } else if (const auto* rds = dynamic_cast<const Rds*>(&message)) {
      if (is_ours(rds->config_source())) {
        add(ResourceType::kRoutes, rds->route_config_name(), *rds, Rds::kRouteConfigNameFieldNumber);
      }
    } else if (const auto* secret = dynamic_cast<const SdsSecretConfig*>(&message)) {
      if (is_ours(secret->sds_config())) {
        add(ResourceType::kSecret, secret->name(), *secret, SdsSecretConfig::kNameFieldNumber);
      }
    }
  }

  void add(ResourceType type, const std::string& name, const Message& at, int field) {
    std::string place = map_.error(at, field, "").to_string();
    while (place.ends_with(' ') || place.ends_with(':')) {
      place.pop_back();
    }
    found.push_back({type, name, std::move(place)});
  }

  const config::SourceMap& map_;
};

}  // namespace

std::vector<Reference> references_of(const Message& message, const config::SourceMap& map) {
  Walk walk(map);
  walk.visit(message);
  return std::move(walk.found);
}

}  // namespace sluice::control_plane
