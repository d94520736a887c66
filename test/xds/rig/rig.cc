#include "test/xds/rig/rig.h"

#include <algorithm>

#include "base/check.h"
#include "base/strings.h"
#include "envoy/config/cluster/v3/cluster.pb.h"
#include "envoy/config/core/v3/extension.pb.h"
#include "envoy/config/endpoint/v3/endpoint.pb.h"
#include "envoy/config/listener/v3/listener.pb.h"
#include "envoy/config/route/v3/route.pb.h"
#include "envoy/config/route/v3/scoped_route.pb.h"
#include "envoy/extensions/transport_sockets/tls/v3/secret.pb.h"
#include "envoy/service/discovery/v3/discovery.pb.h"
#include "envoy/service/runtime/v3/rtds.pb.h"

namespace sluice::test {
namespace {

using namespace envoy::service::discovery::v3;
using xds::names_of;

std::string joined(const auto& names) {
  std::vector<std::string> sorted(names.begin(), names.end());
  std::sort(sorted.begin(), sorted.end());
  std::string out = "[";
  for (const std::string& name : sorted) {
    append(out, out.size() == 1 ? "" : " ", name);
  }
  return out + "]";
}

void wrap(const Res& res, ResourceType type, const std::string& version, Resource& out) {
  out.set_name(res.as.empty() ? res.name : res.as);
  out.set_version(version);
  for (const std::string& alias : res.aliases) {
    out.add_aliases(alias);
  }
  if (res.ttl != 0) {
    const auto ns = static_cast<int64_t>(res.ttl * 1e9);
    out.mutable_ttl()->set_seconds(ns / 1'000'000'000);
    out.mutable_ttl()->set_nanos(static_cast<int>(ns % 1'000'000'000));
  }
  if (!res.no_body) {
    const ResourceType real = res.type_instead == ResourceType::kRuntime ? type : res.type_instead;
    out.mutable_resource()->set_type_url(std::string(names_of(real).type_url));
    out.mutable_resource()->set_value(body_of(real, res));
  }
}

}  // namespace

std::string body_of(ResourceType type, const Res& res) {
  switch (type) {
    case ResourceType::kCluster: {
      envoy::config::cluster::v3::Cluster cluster;
      cluster.set_name(res.name);
      if (!res.owns.empty()) {
        cluster.set_type(envoy::config::cluster::v3::Cluster::EDS);
        cluster.mutable_eds_cluster_config()->set_service_name(res.owns);
      }
      cluster.set_alt_stat_name(res.version);
      return cluster.SerializeAsString();
    }
    case ResourceType::kEndpoints: {
      envoy::config::endpoint::v3::ClusterLoadAssignment assignment;
      assignment.set_cluster_name(res.name);
      if (res.broken) {
        assignment.mutable_policy()->mutable_overprovisioning_factor()->set_value(0);
      }
      return assignment.SerializeAsString();
    }
    case ResourceType::kListener: {
      envoy::config::listener::v3::Listener listener;
      listener.set_name(res.name);
      listener.set_stat_prefix(res.owns);
      return listener.SerializeAsString();
    }
    case ResourceType::kRoutes: {
      envoy::config::route::v3::RouteConfiguration routes;
      routes.set_name(res.name);
      if (res.broken) {
        routes.add_virtual_hosts();
      }
      return routes.SerializeAsString();
    }
    case ResourceType::kScopedRoutes: {
      envoy::config::route::v3::ScopedRouteConfiguration scope;
      scope.set_name(res.name);
      scope.set_route_configuration_name(res.owns.empty() ? "r" : res.owns);
      scope.mutable_key()->add_fragments()->set_string_key("key");
      return scope.SerializeAsString();
    }
    case ResourceType::kVirtualHost: {
      envoy::config::route::v3::VirtualHost host;
      host.set_name(res.name);
      host.add_domains("a.test");
      return host.SerializeAsString();
    }
    case ResourceType::kSecret: {
      envoy::extensions::transport_sockets::tls::v3::Secret secret;
      secret.set_name(res.name);
      secret.mutable_generic_secret()->mutable_secret()->set_inline_string(res.broken ? "new" : "old");
      return secret.SerializeAsString();
    }
    case ResourceType::kRuntime: {
      envoy::service::runtime::v3::Runtime runtime;
      runtime.set_name(res.name);
      return runtime.SerializeAsString();
    }
    case ResourceType::kExtension: {
      envoy::config::core::v3::TypedExtensionConfig extension;
      extension.set_name(res.name);
      extension.mutable_typed_config()->set_type_url("type.googleapis.com/google.protobuf.Empty");
      return extension.SerializeAsString();
    }
  }
  return {};
}

// ---- users

std::string NotingUser::on_resources(const config::ResourceUpdate& update) {
  std::vector<std::string> names;
  for (const auto& resource : update.resources) {
    names.push_back(resource.has_body ? resource.name : resource.name + "?");
  }
  notes.push_back(cat(update.known ? "known " : "", "v=", update.version, " ", joined(names),
                      update.removed.empty() ? "" : " -", update.removed.empty() ? "" : joined(update.removed),
                      update.complete ? " complete" : ""));
  if (hook) {
    hook(update);
  }
  return refuse_with;
}

class Owners::Owner final : public config::ResourceUser {
 public:
  Owner(Owners& owners, std::string name, std::string body, ResourceType owned, const std::string& what)
      : owners_(owners), name_(std::move(name)), body_(std::move(body)) {
    if (!what.empty()) {
      subscription_ = owners.plane_.subscribe(Rig::named(owned, {what}, owners.timeout_), *this);
    }
  }
  bool warm() const { return warm_ || subscription_ == nullptr; }
  const std::string& body() const { return body_; }

  std::string on_resources(const config::ResourceUpdate& update) override {
    // To hear that a route table does not exist is not to have one.
    if (owners_.type_ == ResourceType::kCluster || !update.resources.empty()) {
      on_timeout();
    }
    return {};
  }
  void on_rejected(std::string_view) override { on_timeout(); }
  void on_failure(std::string_view) override {}
  void on_timeout() override {
    warm_ = true;
    const auto warming = owners_.warming_.find(name_);
    if (warming != owners_.warming_.end() && warming->second.get() == this) {
      auto& active = owners_.active_[name_];
      std::swap(active, warming->second);
      owners_.warming_.erase(warming);
      owners_.update_hold();
    }
  }

 private:
  Owners& owners_;
  const std::string name_;
  const std::string body_;
  bool warm_ = false;
  std::unique_ptr<config::Subscription> subscription_;
};

Owners::Owners(xds::ControlPlane& plane, ResourceType type, Duration timeout)
    : plane_(plane), type_(type), timeout_(timeout) {
  subscription_ = plane.subscribe(Rig::everything(type, timeout), *this);
}

Owners::~Owners() = default;

void Owners::add(const config::Resource& resource) {
  std::string name;
  std::string owns;
  if (type_ == ResourceType::kCluster) {
    envoy::config::cluster::v3::Cluster cluster;
    SLUICE_CHECK(cluster.ParseFromString(resource.body));
    name = cluster.name();
    owns = cluster.eds_cluster_config().service_name();
  } else {
    envoy::config::listener::v3::Listener listener;
    SLUICE_CHECK(listener.ParseFromString(resource.body));
    name = listener.name();
    owns = listener.stat_prefix();
  }
  const auto same = [&](const auto& owners) {
    const auto found = owners.find(name);
    return found != owners.end() && found->second->body() == resource.body;
  };
  if (same(warming_) || (!warming_.contains(name) && same(active_))) {
    return;
  }
  if (same(active_)) {
    warming_.erase(name);  // the update is taken back
    return;
  }
  auto owner =
      std::make_unique<Owner>(*this, name, resource.body,
                              type_ == ResourceType::kCluster ? ResourceType::kEndpoints : ResourceType::kRoutes, owns);
  auto& place = owner->warm() ? active_[name] : warming_[name];
  place = std::move(owner);
}

std::string Owners::on_resources(const config::ResourceUpdate& update) {
  std::string refused;
  std::set<std::string> here;
  for (const config::Resource& resource : update.resources) {
    if (refuse.contains(resource.name)) {
      append(refused, "bad ", resource.name);
    } else if (!here.insert(resource.name).second) {
      append(refused, "duplicate ", resource.name);
    } else {
      add(resource);
    }
  }
  const auto gone = [&](const auto& entry) {
    return (update.complete && !here.contains(entry.first)) ||
           std::find(update.removed.begin(), update.removed.end(), entry.first) != update.removed.end();
  };
  std::erase_if(active_, gone);
  std::erase_if(warming_, gone);
  update_hold();
  return refused;
}

void Owners::update_hold() {
  const bool hold = hold_answers && !warming_.empty();
  if (hold != std::exchange(holding_, hold)) {
    hold ? plane_.pause(type_) : plane_.resume(type_);
  }
}

Lines Owners::warm() const {
  Lines out;
  for (const auto& [name, unused] : active_) {
    out.push_back(name);
  }
  return out;
}

Lines Owners::warming() const {
  Lines out;
  for (const auto& [name, unused] : warming_) {
    out.push_back(name);
  }
  return out;
}

// ---- the rig

xds::Options Rig::options_of(xds::Options::Protocol protocol, const std::function<void(xds::Options&)>& change) {
  xds::Options options;
  options.protocol = protocol;
  envoy::config::core::v3::Node node;
  node.set_id("node");
  options.node = node.SerializeAsString();
  if (change) {
    change(options);
  }
  return options;
}

Rig::Rig(xds::Options::Protocol protocol, const std::function<void(xds::Options&)>& change)
    : delta(protocol == xds::Options::Protocol::kDelta),
      plane(loop, random, transport, options_of(protocol, change), history) {
  plane.start();
}

xds::Interest Rig::named(ResourceType type, std::set<std::string, std::less<>> names, Duration timeout) {
  return {type, xds::Interest::Scope::kNames, std::move(names), {}, timeout};
}

xds::Interest Rig::everything(ResourceType type, Duration timeout) {
  return {type, xds::Interest::Scope::kEverything, {}, {}, timeout};
}

xds::Interest Rig::under(std::string table, Duration timeout) {
  return {ResourceType::kVirtualHost, xds::Interest::Scope::kUnder, {}, std::move(table), timeout};
}

std::string Rig::response(ResourceType type, const std::string& version, const std::vector<Res>& resources,
                          const std::vector<std::string>& removed, const std::string& nonce) const {
  if (delta) {
    DeltaDiscoveryResponse response;
    response.set_type_url(std::string(names_of(type).type_url));
    response.set_system_version_info(version);
    response.set_nonce(nonce);
    if (!identifier.empty()) {
      response.mutable_control_plane()->set_identifier(identifier);
    }
    for (const Res& res : resources) {
      wrap(res, type, res.version.empty() ? version : res.version, *response.add_resources());
    }
    for (const std::string& name : removed) {
      response.add_removed_resources(name);
    }
    return response.SerializeAsString();
  }
  DiscoveryResponse response;
  response.set_type_url(std::string(names_of(type).type_url));
  response.set_version_info(version);
  response.set_nonce(nonce);
  if (!identifier.empty()) {
    response.mutable_control_plane()->set_identifier(identifier);
  }
  for (const Res& res : resources) {
    Resource wrapped;
    wrap(res, type, res.version, wrapped);
    if (res.wrapped || res.ttl != 0 || res.no_body) {
      response.add_resources()->PackFrom(wrapped);
    } else {
      *response.add_resources() = wrapped.resource();
    }
  }
  return response.SerializeAsString();
}

FakeTransport::Stream* Rig::stream_for(ResourceType type) {
  FakeTransport::Stream* newest = nullptr;
  for (const auto& stream : transport.streams) {
    if (stream->owner == nullptr) {
      continue;
    }
    const bool own = stream->path.find("Aggregated") == std::string::npos;
    if (!own || stream->path == names_of(type).stream_path || stream->path == names_of(type).delta_path) {
      newest = stream.get();
    }
  }
  return newest;
}

void Rig::send(ResourceType type, const std::string& version, const std::vector<Res>& resources,
               const std::vector<std::string>& removed) {
  FakeTransport::Stream* const stream = stream_for(type);
  SLUICE_CHECK(stream != nullptr);
  stream->owner->on_message(response(type, version, resources, removed, cat("n", ++nonces_)));
}

void Rig::send_bytes(std::string_view bytes) {
  for (const auto& stream : transport.streams) {
    if (stream->owner != nullptr) {
      stream->owner->on_message(bytes);
      return;
    }
  }
}

void Rig::end(int status) {
  for (size_t i = transport.streams.size(); i > 0; --i) {
    if (transport.streams[i - 1]->owner != nullptr) {
      transport.end(*transport.streams[i - 1], status);
      return;
    }
  }
}

Lines Rig::sent() {
  Lines out;
  for (size_t number = 1; number <= transport.streams.size(); ++number) {
    const auto& stream = *transport.streams[number - 1];
    for (size_t& i = read_[&stream]; i < stream.sent.size(); ++i) {
      std::string line;
      const auto finish = [&](const auto& request) {
        if (number != 1) {
          append(line, " s", number);
        }
        append(line, " ", request.response_nonce().empty() ? "-" : request.response_nonce());
        if (!request.has_node()) {
          line += " no node";
        } else {
          SLUICE_CHECK(request.node().id() == "node");
        }
        if (request.has_error_detail()) {
          append(line, " error ", request.error_detail().code());
          last_error = request.error_detail().message();
        }
        out.push_back(line);
      };
      const auto start = [&](const auto& request) {
        const auto type = xds::type_of(request.type_url());
        SLUICE_CHECK(type);
        line = std::string(names_of(*type).acronym);
      };
      if (delta) {
        DeltaDiscoveryRequest request;
        SLUICE_CHECK(request.ParseFromString(stream.sent[i]));
        start(request);
        if (request.resource_names_subscribe_size() > 0) {
          append(line, " +", joined(request.resource_names_subscribe()));
        }
        if (request.resource_names_unsubscribe_size() > 0) {
          append(line, " -", joined(request.resource_names_unsubscribe()));
        }
        if (request.initial_resource_versions_size() > 0) {
          std::set<std::string> held;
          for (const auto& [name, version] : request.initial_resource_versions()) {
            held.insert(cat(name, "=", version));
          }
          std::string list = joined(held);
          list.front() = '{';
          list.back() = '}';
          append(line, " ", list);
        }
        finish(request);
      } else {
        DiscoveryRequest request;
        SLUICE_CHECK(request.ParseFromString(stream.sent[i]));
        start(request);
        append(line, " v=", request.version_info(), " ", joined(request.resource_names()));
        finish(request);
      }
    }
  }
  return out;
}

}  // namespace sluice::test
