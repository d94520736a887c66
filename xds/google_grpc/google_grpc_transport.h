// Discovery over gRPC's own library (GrpcService.google_grpc). Its threads and its connection exist from the first
// transport on, so a process whose configuration has no google_grpc has neither.
#pragma once

#include <memory>

#include "event/loop.h"
#include "model/config_source.h"
#include "stats/registry.h"
#include "xds/ads_transport.h"

namespace sluice::xds {

// Counts its streams as "grpc.STAT_PREFIX.". Its limits are gRPC's: a message of the control plane has at most 4 MiB
// unless channel_args say otherwise (grpc.max_receive_message_length), and after a refused connection gRPC waits by
// itself before it tries again (grpc.initial_reconnect_backoff_ms, grpc.max_reconnect_backoff_ms). It has streams only:
// REST goes over clusters. What it is given outlives it; `loop` outlives gRPC's threads as well. Its destruction waits
// until these have let go of the last stream. Thread: main.
std::unique_ptr<AdsTransport> make_google_grpc_transport(const model::GoogleGrpc& service, event::Loop& loop,
                                                         stats::Registry& registry, stats::WorkerCells& cells);

}  // namespace sluice::xds
