// Discovery over gRPC's own library (GrpcService.google_grpc).
#pragma once

#include <memory>

#include "event/loop.h"
#include "model/config_source.h"
#include "stats/registry.h"
#include "xds/ads_transport.h"

namespace sluice::xds {

// As google_client.h says. It has streams only: REST goes over clusters. Thread: main.
std::unique_ptr<AdsTransport> make_google_grpc_transport(const model::GoogleGrpc& service, event::Loop& loop,
                                                         stats::Registry& registry, stats::WorkerCells& cells);

}  // namespace sluice::xds
