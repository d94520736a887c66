// Resources that come while the process runs, out of a file or from a control plane, compiled. No protobuf and no input
// or output here: what came goes in, plans come out.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/extensions.h"
#include "config/subscription.h"
#include "model/cluster_plan.h"
#include "model/listener_plan.h"
#include "model/on_demand.h"
#include "model/route_table.h"
#include "runtime/value.h"

namespace sluice::config {

struct ScopeSettings;

enum class Verdict : uint8_t {
  kTaken,
  kPartly,      // some resources cannot be built; the others count
  kRejected,    // nothing of it counts
  kUnreadable,  // a file that is no discovery response at all: the wait for the first one is over
};

// What becomes of fields that this build does not know: the update is refused, or they are passed over and told of.
enum class UnknownFields : uint8_t { kRefuse, kPass };

// One resource of an update. Thread: main.
template <typename Plan>
struct Compiled {
  std::string name;
  std::string version;
  std::string bytes;                 // of its message: the same for the same content
  std::shared_ptr<const Plan> plan;  // null: it cannot be built
  std::string why;
};

// An update, the first resource of each name. Thread: main.
template <typename Plan>
struct Batch {
  Verdict verdict = Verdict::kTaken;
  std::string version;
  std::string why;                   // when not all of it was taken
  std::vector<std::string> unknown;  // the fields that were passed over
  std::vector<Compiled<Plan>> resources;
};

// A ScopedRouteConfiguration. A plain value.
struct ScopeConfig {
  std::vector<std::string> key;
  std::string routes;  // the name of its table; empty: it has one of its own
  model::RouteTablePtr table;
};

// Virtual hosts by the names of their resources, serialized.
using VirtualHosts = std::map<std::string, std::string, std::less<>>;

// Compiles with what the bootstrap's compilers knew. Owned by the compiled bootstrap. Thread: main.
class ResourceCompiler {
 public:
  // `extensions` and what the settings point to outlive it.
  ResourceCompiler(const Extensions& extensions, const ScopeSettings& settings, UnknownFields unknown_fields);
  ~ResourceCompiler();

  Batch<model::ClusterPlan> clusters(const ResourceUpdate& update);
  // `cluster`: whose endpoints they are, for its transport_socket_matches.
  Batch<model::AssignmentPlan> assignments(const ResourceUpdate& update, std::string_view cluster) const;
  Batch<model::ListenerPlan> listeners(const ResourceUpdate& update) const;
  Batch<model::RouteTable> routes(const ResourceUpdate& update) const;
  // The table whose RouteConfiguration is `bytes`, with hosts of VHDS beside its own, and where more are asked for.
  Batch<model::RouteTable> routes(const std::string& bytes, const VirtualHosts& hosts,
                                  std::shared_ptr<const model::HostsOnDemand> on_demand) const;
  Batch<runtime::Values> runtime(const ResourceUpdate& update) const;
  Batch<ScopeConfig> scopes(const ResourceUpdate& update) const;
  // `types`: that a filter may be.
  Batch<model::FilterConfig> filters(const ResourceUpdate& update, const std::vector<std::string>& types) const;

  // Whether a table or a listener may name a cluster: those of the bootstrap are known, those that are discovered come
  // and go.
  void add_cluster(const std::string& name);
  void remove_cluster(const std::string& name);

 private:
  class Reading;
  template <typename Message, typename Plan, typename Compile>
  Batch<Plan> compile(const ResourceUpdate& update, const Compile& compile) const;

  const Extensions& extensions_;
  const std::unique_ptr<ScopeSettings> settings_;
  const UnknownFields unknown_fields_;
  struct SocketMatches;
  std::map<std::string, std::unique_ptr<SocketMatches>, std::less<>> socket_matches_;  // of EDS clusters that have some
};

}  // namespace sluice::config
