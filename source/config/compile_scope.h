// CompileScope: what a compiler (proto -> plan) is given beside its message: where errors go and what they may refer
// to. Every compiler reports all errors that it finds and goes on; what it returns counts only if no error was
// reported.
#pragma once

#include <google/protobuf/any.pb.h>
#include <google/protobuf/duration.pb.h>
#include <google/protobuf/message.h>
#include <google/protobuf/repeated_ptr_field.h>

#include <cstdint>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "base/rare.h"
#include "base/time.h"
#include "config/config_error.h"
#include "config/extensions.h"
#include "config/runtime_values.h"
#include "config/source_map.h"
#include "format/formatter.h"
#include "http/joined_fields.h"
#include "model/discovered.h"
#include "model/origin.h"
#include "net/network.h"
#include "net/resolver.h"

namespace envoy::config::cluster::v3 {
class Cluster_TransportSocketMatch;
}

namespace sluice::event {
class Files;
}
namespace sluice::model {
struct DnsCachePlan;
class TracerPlan;
}  // namespace sluice::model
namespace sluice::proxy {
class LogFiles;
}

namespace sluice::config {

class TlsSecrets;

// Of the bootstrap, for what prints or sends it.
struct NodeNames {
  std::string id, cluster;
};

// The names of the clusters that there are now. Thread: main.
struct ClusterNames {
  // kFixed: of the bootstrap and not by EDS; control planes are reached through these.
  enum class Kind : uint8_t { kFixed, kOther };
  std::map<std::string, Kind, std::less<>> names;
  bool incomplete = false;  // some could not be read: a missing one is no error of its own

  bool is_fixed(std::string_view name) const {
    const auto found = names.find(name);
    return found != names.end() && found->second == Kind::kFixed;
  }
};

// The caches of names that are in use, each with one configuration. Thread: main.
using DnsCaches = std::map<std::string, std::weak_ptr<const model::DnsCachePlan>, std::less<>>;

// What compilers know beside their message: the same for everything that is compiled in one process. A plain value.
struct ScopeSettings {
  std::shared_ptr<ClusterNames> clusters = std::make_shared<ClusterNames>();
  RuntimeValues runtime;
  event::Files* files = nullptr;         // null: only validating
  proxy::LogFiles* log_files = nullptr;  // opens access logs; null: they are not (only validating)
  TlsSecrets* tls = nullptr;             // where TLS contexts and their secrets are; null: there are none
  model::RouteSlots* route_slots = nullptr;
  std::shared_ptr<DnsCaches> dns_caches = std::make_shared<DnsCaches>();
  std::string outlier_log_path;  // of the cluster manager; empty: none
  NodeNames node;
  bool zone_aware = false;                          // cluster_manager.local_cluster_name: zones count
  Rare<net::ConnectOptions> connect;                // of the bootstrap, as well
  std::shared_ptr<const model::TracerPlan> tracer;  // of the bootstrap: where a connection manager names no provider
  net::ResolverOptions resolver;                    // of the bootstrap: of every cluster that says nothing of its own
  std::shared_ptr<const http::InlineHeaders> inline_headers = http::InlineHeaders::builtin();  // the same; never null
};

// One for each compilation; the messages, the map and the findings outlive it. Thread: main.
class CompileScope : public ScopeSettings {
 public:
  CompileScope(SourceMap& map, Findings& findings, const Extensions& extensions, ScopeSettings settings = {})
      : ScopeSettings(std::move(settings)), map_(map), findings_(findings), extensions_(extensions) {}
  CompileScope(const CompileScope&) = delete;
  CompileScope& operator=(const CompileScope&) = delete;

  // ---- errors, with the place of the message or of one of its fields (by number; `index` in a list)
  void error(const google::protobuf::Message& message, std::string text);
  void error(const google::protobuf::Message& message, int field, std::string text, int index = -1);
  // What a control plane sent that changes no traffic and that this build does not know: told, and left out.
  void pass_over(const google::protobuf::Message& message, std::string text);
  // "not supported yet: FIELD".
  void not_supported(const google::protobuf::Message& message, int field, int index = -1);
  // Reports every field that is set and is not in `known`: no field of a configuration is ever passed over in silence.
  // (Fields that carry no meaning for the proxy, like metadata, are known to their compilers.)
  void only(const google::protobuf::Message& message, std::initializer_list<int> known);

  // ---- what stands in the configuration
  // The typed content of an Any; null, with an error there, when it is empty or of an unknown type.
  const google::protobuf::Message* unpack(const google::protobuf::Any& any);
  // The content as a T; null, with an error, when it is something else.
  template <typename T>
  const T* unpack_to(const google::protobuf::Any& any) {
    return static_cast<const T*>(unpack_to(any, T::descriptor()->full_name()));
  }
  model::Origin origin(const google::protobuf::Message& message) const;
  SourceMap& map() { return map_; }
  Findings& findings() { return findings_; }

  // ---- what a compiler may refer to
  const Extensions& extensions() const { return extensions_; }
  // Reports a name that is no cluster.
  void require_cluster(const google::protobuf::Message& message, int field, const std::string& name);
  // transport_socket_matches of the cluster whose endpoints are being compiled; null: it has none.
  const google::protobuf::RepeatedPtrField<envoy::config::cluster::v3::Cluster_TransportSocketMatch>* socket_matches =
      nullptr;
  bool discovered = false;       // a control plane sent it
  std::string_view filter_name;  // of the HTTP filter that is being compiled: its key in typed_per_filter_config
  bool on_tries = false;         // and that filter is a cluster's, or the router's for its tries
  model::ChainNeeds needs;       // what the filter chain that is being compiled waits for

  // ---- small things that everybody compiles
  // A text with command operators that stands in `field`; none after an error.
  std::optional<format::Formatter> formatter(const google::protobuf::Message& message, int field, std::string_view text,
                                             format::ParseOptions options);
  // RE2's limit on compiled patterns.
  uint32_t max_program_size() const;

 private:
  const google::protobuf::Message* unpack_to(const google::protobuf::Any& any, std::string_view type);

  SourceMap& map_;
  Findings& findings_;
  const Extensions& extensions_;
};

// Validation has refused what does not fit.
Duration to_duration(const google::protobuf::Duration& duration);

}  // namespace sluice::config
