#include "filters/network/sni_cluster/sni_cluster_config.h"

#include "config/compile_scope.h"
#include "proxy/filtered_transport.h"
#include "proxy/network_filter.h"

namespace sluice::filters::sni_cluster {
namespace {

// The server name of the client says which cluster its tcp_proxy takes. Nothing of it stays with the connection.
// Thread: worker.
class SniCluster final : public proxy::NetworkFilterMaker {
 public:
  std::unique_ptr<proxy::NetworkFilter> make(proxy::Accepted& accepted) override {
    if (!accepted.server_name().empty()) {
      accepted.found().filter_state.set({.key = "envoy.tcp_proxy.cluster",
                                         .factory = "envoy.tcp_proxy.cluster",
                                         .text = std::string(accepted.server_name())});
    }
    return nullptr;
  }
};

// Immutable, shared by all workers. Thread: any.
class Factory final : public proxy::NetworkFilterFactory {
 public:
  std::unique_ptr<proxy::NetworkFilterMaker> on_worker(const proxy::ProxyLocal&,
                                                       const proxy::ListenerFacts&) const override {
    return std::make_unique<SniCluster>();
  }
};

}  // namespace

config::NetworkFilterType extension() {
  return {.type = "envoy.extensions.filters.network.sni_cluster.v3.SniCluster",
          .compile = [](const google::protobuf::Message&, config::CompileScope&)
              -> std::shared_ptr<const model::NetworkFilterPlan> { return std::make_shared<const Factory>(); }};
}

}  // namespace sluice::filters::sni_cluster
