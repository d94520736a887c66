#include "config/resources.h"

#include <set>
#include <type_traits>

#include "base/strings.h"
#include "config/any.h"
#include "config/cluster_compiler.h"
#include "config/compile_scope.h"
#include "config/endpoint_compiler.h"
#include "config/filter_compiler.h"
#include "config/listener_compiler.h"
#include "config/message_tree.h"
#include "config/reader.h"
#include "config/route_compiler.h"
#include "config/runtime_values.h"
#include "config/scoped_routes_compiler.h"
#include "config/validation.h"
#include "envoy/config/cluster/v3/cluster.pb.h"
#include "envoy/config/core/v3/extension.pb.h"
#include "envoy/service/discovery/v3/discovery.pb.h"
#include "envoy/service/runtime/v3/rtds.pb.h"

namespace sluice::config {
namespace {

using envoy::config::cluster::v3::Cluster;
using envoy::config::core::v3::TypedExtensionConfig;
using envoy::config::endpoint::v3::ClusterLoadAssignment;
using envoy::config::listener::v3::Listener;
using envoy::config::route::v3::RouteConfiguration;
using envoy::config::route::v3::ScopedRouteConfiguration;
using envoy::service::discovery::v3::DiscoveryResponse;
using envoy::service::runtime::v3::Runtime;
using google::protobuf::Any;

std::string first_error(const Findings& findings) {
  return findings.ok() ? std::string() : findings.errors().front().to_string();
}

const std::string& name_of(const Cluster& cluster) { return cluster.name(); }
const std::string& name_of(const ClusterLoadAssignment& assignment) { return assignment.cluster_name(); }
const std::string& name_of(const Listener& listener) { return listener.name(); }
const std::string& name_of(const RouteConfiguration& routes) { return routes.name(); }
const std::string& name_of(const TypedExtensionConfig& extension) { return extension.name(); }
const std::string& name_of(const Runtime& layer) { return layer.name(); }
const std::string& name_of(const ScopedRouteConfiguration& routes) { return routes.name(); }

// Clusters and listeners that stand twice are told of, of what is asked for by name the first one counts.
template <typename Message>
constexpr bool kTwiceIsAnError = std::is_same_v<Message, Cluster> || std::is_same_v<Message, Listener>;

}  // namespace

struct ResourceCompiler::SocketMatches {
  google::protobuf::RepeatedPtrField<envoy::config::cluster::v3::Cluster_TransportSocketMatch> list;
};

// One update, as messages. Not movable: maps hold addresses within it. Thread: main.
class ResourceCompiler::Reading {
 public:
  struct One {
    std::string name, version;
    const google::protobuf::Message* message = nullptr;  // null: `why` says what is wrong
    std::string why;
    SourceMap* map = nullptr;
    Findings findings;         // of the validation
    bool refuses_all = false;  // they are about the resource itself, not only about an extension in it
  };

  Reading(const ResourceUpdate& update, UnknownFields unknown) : unknown_(unknown) {
    if (update.file.empty()) {
      from_plane(update);
    } else {
      from_file(update);
    }
  }

  std::vector<One> resources;
  std::string version;
  std::string unreadable;  // it is no discovery response
  std::vector<std::string> unknown;

 private:
  void from_file(const ResourceUpdate& update) {
    const ReadOptions options{unknown_ == UnknownFields::kRefuse ? ReadOptions::UnknownFields::Refuse
                                                                 : ReadOptions::UnknownFields::Note};
    if (!read_text(format_of(update.file), update.text, update.file, response_, map_, file_findings_, options)) {
      unreadable = first_error(file_findings_);
      return;
    }
    version = response_.version_info();
    const bool readable = file_findings_.ok();
    validate(response_, map_, file_findings_);
    for (const Any& any : response_.resources()) {
      One& one = resources.emplace_back();
      one.version = version;
      one.map = &map_;
      const auto content = unpack(any, map_);
      if (!content) {
        one.why = content.error();
        continue;
      }
      one.message = *content;
      if (!readable) {
        one.findings = file_findings_;
        one.refuses_all = true;
        continue;
      }
      const std::string path = cat("resources[", resources.size() - 1, "]");
      for (const ConfigError& error : file_findings_.errors()) {
        if (error.field.starts_with(path)) one.findings.fail(error);
      }
      look_at_own_rules(one);
    }
  }

  void from_plane(const ResourceUpdate& update) {
    version = update.version;
    for (const Resource& resource : update.resources) {
      if (!resource.has_body) continue;
      One& one = resources.emplace_back();
      one.name = resource.name;
      one.version = resource.version.empty() ? version : resource.version;
      messages_.push_back(new_message(type_name(resource.type_url)));
      if (messages_.back() == nullptr || !messages_.back()->ParseFromString(resource.body)) {
        one.why = messages_.back() == nullptr ? cat("unknown type ", resource.type_url)
                                              : cat("these bytes are no ", type_name(resource.type_url));
        continue;
      }
      one.message = messages_.back().get();
      maps_.push_back(std::make_unique<SourceMap>());
      one.map = maps_.back().get();
      for (std::string& found : add_tree(*one.message, *one.map)) {
        if (unknown_ == UnknownFields::kRefuse) {
          one.findings.fail({{}, {}, {}, cat("unknown ", found)});
          one.refuses_all = true;
        } else {
          unknown.push_back(cat(resource.name, ": ", found));
        }
      }
      validate(*one.message, *one.map, one.findings);
      look_at_own_rules(one);
    }
  }

  // Without a map nothing is known of what extensions hold.
  static void look_at_own_rules(One& one) {
    if (one.findings.ok() || one.refuses_all) return;
    Findings own;
    validate(*one.message, SourceMap(), own);
    one.refuses_all = !own.ok();
  }

  const UnknownFields unknown_;
  DiscoveryResponse response_;
  SourceMap map_;
  Findings file_findings_;
  std::vector<std::unique_ptr<google::protobuf::Message>> messages_;
  std::vector<std::unique_ptr<SourceMap>> maps_;
};

ResourceCompiler::ResourceCompiler(const Extensions& extensions, const ScopeSettings& settings,
                                   UnknownFields unknown_fields)
    : extensions_(extensions), settings_(std::make_unique<ScopeSettings>(settings)), unknown_fields_(unknown_fields) {}

ResourceCompiler::~ResourceCompiler() = default;

// A resource that cannot be built, an extension in it that breaks a rule too, does not keep the others from being
// taken; a broken rule of a field of its own refuses all.
template <typename Message, typename Plan, typename Compile>
Batch<Plan> ResourceCompiler::compile(const ResourceUpdate& update, const Compile& compile) const {
  Batch<Plan> out;
  Reading reading(update, unknown_fields_);
  out.version = reading.version;
  const auto reject = [&out](Verdict verdict, std::string why) {
    out.verdict = verdict;
    out.why = std::move(why);
    out.resources.clear();
  };
  if (!reading.unreadable.empty()) {
    reject(Verdict::kUnreadable, reading.unreadable);
    return out;
  }
  out.unknown = std::move(reading.unknown);
  const auto complain = [&out](const std::string& why) {
    out.verdict = Verdict::kPartly;
    append(out.why, out.why.empty() ? "" : "; ", why);
  };
  // First what refuses all of it.
  for (const Reading::One& one : reading.resources) {
    const bool fits = one.message != nullptr && one.message->GetDescriptor() == Message::descriptor();
    if (fits && !one.refuses_all) continue;
    std::string why = one.message == nullptr ? one.why
                      : !fits                ? cat("is a ", one.message->GetDescriptor()->full_name(), "; meant is a ",
                                                   Message::descriptor()->full_name())
                                             : first_error(one.findings);
    reject(Verdict::kRejected, one.name.empty() ? std::move(why) : cat("'", one.name, "': ", why));
    return out;
  }
  std::set<std::string_view> seen;
  for (const Reading::One& one : reading.resources) {
    const auto& message = static_cast<const Message&>(*one.message);
    const std::string& name = name_of(message);
    if (!seen.insert(name).second) {
      if (kTwiceIsAnError<Message>) complain(cat("'", name, "' stands twice"));
      continue;
    }
    Findings findings = one.findings;
    CompileScope scope(*one.map, findings, extensions_, *settings_);
    scope.discovered = update.file.empty();
    Compiled<Plan> compiled{name, one.version, bytes_of(message), nullptr, {}};
    if (findings.ok()) compiled.plan = compile(message, scope);
    if (!findings.ok()) {
      compiled.plan = nullptr;
      compiled.why = update.file.empty() ? cat("'", name, "': ", first_error(findings)) : first_error(findings);
      complain(compiled.why);
    }
    for (const ConfigNote& note : findings.notes()) {
      if (note.kind == ConfigNote::Kind::UnknownField) out.unknown.push_back(cat(name, ": ", note.what.to_string()));
    }
    out.resources.push_back(std::move(compiled));
  }
  return out;
}

Batch<model::ClusterPlan> ResourceCompiler::clusters(const ResourceUpdate& update) {
  return compile<Cluster, model::ClusterPlan>(update, [this](const Cluster& proto, CompileScope& scope) {
    const bool fresh = scope.clusters->names.emplace(proto.name(), ClusterNames::Kind::kOther).second;
    model::ClusterPlanPtr plan = compile_cluster(proto, scope);
    if (fresh) scope.clusters->names.erase(proto.name());
    if (proto.type() == Cluster::EDS && proto.transport_socket_matches_size() > 0) {
      auto& kept = socket_matches_[proto.name()];
      kept = std::make_unique<SocketMatches>();
      kept->list = proto.transport_socket_matches();
    } else {
      socket_matches_.erase(proto.name());
    }
    return plan;
  });
}

Batch<model::AssignmentPlan> ResourceCompiler::assignments(const ResourceUpdate& update,
                                                           std::string_view cluster) const {
  const auto matches = socket_matches_.find(cluster);
  return compile<ClusterLoadAssignment, model::AssignmentPlan>(
      update, [&](const ClusterLoadAssignment& proto, CompileScope& scope) {
        if (matches != socket_matches_.end()) scope.socket_matches = &matches->second->list;
        std::vector<model::DnsName> names;
        return compile_assignment(proto, Names::kRefused, Repeated::kDropped, names, scope);
      });
}

Batch<model::ListenerPlan> ResourceCompiler::listeners(const ResourceUpdate& update) const {
  return compile<Listener, model::ListenerPlan>(
      update, [](const Listener& proto, CompileScope& scope) { return compile_listener(proto, scope); });
}

Batch<model::RouteTable> ResourceCompiler::routes(const ResourceUpdate& update) const {
  return compile<RouteConfiguration, model::RouteTable>(
      update, [](const RouteConfiguration& proto, CompileScope& scope) -> model::RouteTablePtr {
        return compile_route_table(proto, RouteSource::kDiscovered, scope);
      });
}

Batch<model::RouteTable> ResourceCompiler::routes(const std::string& bytes, const VirtualHosts& hosts,
                                                  std::shared_ptr<const model::HostsOnDemand> on_demand) const {
  RouteConfiguration whole;
  whole.ParseFromString(bytes);  // they were a table before
  for (const auto& [name, host] : hosts) {
    whole.add_virtual_hosts()->ParseFromString(host);
  }
  ResourceUpdate update;
  Resource& resource = update.resources.emplace_back();
  resource.name = whole.name();
  resource.type_url = RouteConfiguration::descriptor()->full_name();
  resource.body = whole.SerializeAsString();
  return compile<RouteConfiguration, model::RouteTable>(
      update, [&](const RouteConfiguration& proto, CompileScope& scope) -> model::RouteTablePtr {
        auto out = compile_route_table(proto, RouteSource::kDiscovered, scope);
        out->on_demand = std::move(on_demand);
        return out;
      });
}

Batch<runtime::Values> ResourceCompiler::runtime(const ResourceUpdate& update) const {
  return compile<Runtime, runtime::Values>(update, [](const Runtime& proto, CompileScope& scope) {
    auto out = std::make_shared<runtime::Values>();
    for (const std::string& key : RuntimeValues::read_layer(proto.layer(), *out)) {
      scope.error(proto, Runtime::kLayerFieldNumber,
                  cat("the value of '", key, "' must be a text, a number, a boolean or a map"));
    }
    return out;
  });
}

Batch<ScopeConfig> ResourceCompiler::scopes(const ResourceUpdate& update) const {
  return compile<ScopedRouteConfiguration, ScopeConfig>(update, compile_scope_config);
}

Batch<model::FilterConfig> ResourceCompiler::filters(const ResourceUpdate& update,
                                                     const std::vector<std::string>& types) const {
  return compile<TypedExtensionConfig, model::FilterConfig>(
      update, [&types](const TypedExtensionConfig& proto, CompileScope& scope) {
        return compile_discovered_filter(proto, types, scope);
      });
}

void ResourceCompiler::add_cluster(const std::string& name) {
  settings_->clusters->names.emplace(name, ClusterNames::Kind::kOther);
}
void ResourceCompiler::remove_cluster(const std::string& name) { settings_->clusters->names.erase(name); }

}  // namespace sluice::config
