// PoolAdsTransport: discovery over our own pools (envoy_grpc, and REST): the control plane is a cluster like any other,
// with its TLS, breakers and stats.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/function.h"
#include "upstream/cluster.h"
#include "upstream/worker_local.h"
#include "xds/ads_transport.h"

namespace sluice::xds {

// A plain value.
struct PoolAdsOptions {
  std::string authority;            // envoy_grpc.authority; empty: the cluster's name
  std::string machine_ip;           // of x-forwarded-for
  size_t max_message = 256u << 20;  // of the control plane: a mesh is told whole
  size_t max_queued = 64u << 20;    // our own requests that the control plane does not take
};

// After a GOAWAY a stream goes on until it ends, and the next one gets a new connection: pools do that. Thread: main.
class PoolAdsTransport final : public AdsTransport {
 public:
  // `cluster` is asked for each stream and fetch; null: there is none of that name.
  PoolAdsTransport(upstream::WorkerLocal& local, Function<upstream::Cluster*()> cluster, PoolAdsOptions options)
      : local_(local), cluster_(std::move(cluster)), options_(std::move(options)) {}

  std::unique_ptr<AdsStream> open_stream(std::string_view path, const std::vector<RequestField>& metadata,
                                         AdsStreamOwner& owner) override;
  std::unique_ptr<AdsFetch> fetch(FetchRequest request, AdsFetchOwner& owner) override;

 private:
  upstream::WorkerLocal& local_;
  Function<upstream::Cluster*()> cluster_;
  const PoolAdsOptions options_;
};

}  // namespace sluice::xds
