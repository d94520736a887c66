// The transport socket internal_upstream: what a connection to an internal listener tells it of where it comes from:
// metadata of its host and cluster.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/configuration/other_features/internal_listener
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/metadata.h"
#include "net/internal_connection.h"
#include "net/transport_socket.h"
#include "stats/registry.h"

namespace sluice::net {

// One of passthrough_metadata: a namespace, and whose. A plain value.
struct MetadataSource {
  enum class Of : uint8_t { kHost, kCluster };
  std::string space;
  Of of = Of::kHost;
};

// Prefix "cluster.NAME.". no_metadata: a namespace that was to be passed was not there.
#define SLUICE_INTERNAL_UPSTREAM_STATS(X) X(kCounter, kNoMetadata, "internal_upstream.no_metadata")
SLUICE_STAT_BLOCK(InternalUpstreamStat, SLUICE_INTERNAL_UPSTREAM_STATS)

// On one worker, for one cluster; a connection that goes elsewhere is only wrapped. Thread: worker.
class InternalUpstreamSocket final : public TransportSocket {
 public:
  InternalUpstreamSocket(const std::vector<MetadataSource>& sources, std::unique_ptr<TransportSocket> inside,
                         const TransportScope& scope, std::string_view stat_prefix);
  ~InternalUpstreamSocket() override;
  std::unique_ptr<Transport> accept(std::unique_ptr<Transport> inner, Duration timeout,
                                    Function<void()> on_timeout) override;
  std::unique_ptr<Transport> connect(std::unique_ptr<Transport> inner, const TransportWishes* wishes) override;
  // In front of connect(). Whatever is null is not there.
  void pass(InternalConnection& connection, const Metadata* host, const Metadata* cluster);

 private:
  const std::vector<MetadataSource>& sources_;  // the plan's
  const std::unique_ptr<TransportSocket> inside_;
  stats::Registry& registry_;
  stats::BlockId id_;
  stats::Block<InternalUpstreamStat> block_;
};

// Immutable, shared by all workers. Thread: any.
class InternalUpstreamPlan final : public TransportSocketPlan {
 public:
  // `inside` null: plain.
  InternalUpstreamPlan(std::vector<MetadataSource> sources, TransportSocketPlanPtr inside)
      : sources_(std::move(sources)), inside_(std::move(inside)) {}
  std::unique_ptr<TransportSocket> on_worker(const TransportScope& scope, std::string_view stat_prefix) const override;
  bool is_tls() const override { return inside_ != nullptr && inside_->is_tls(); }

 private:
  const std::vector<MetadataSource> sources_;
  const TransportSocketPlanPtr inside_;
};

}  // namespace sluice::net
