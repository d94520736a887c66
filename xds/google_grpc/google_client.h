// Calls by gRPC's own library (GrpcService.google_grpc). Its threads and its connection exist from the first client on,
// so a process whose configuration has no google_grpc has neither.
#pragma once

#include <memory>

#include "event/loop.h"
#include "model/google_grpc.h"
#include "stats/registry.h"
#include "upstream/google_grpc.h"

namespace sluice::xds {

// Counts its calls as "grpc.STAT_PREFIX.". Its limits are gRPC's: a message of the peer has at most 4 MiB unless
// channel_args say otherwise (grpc.max_receive_message_length), and after a refused connection gRPC waits by itself
// before it tries again (grpc.initial_reconnect_backoff_ms, grpc.max_reconnect_backoff_ms). What it is given but for
// the service outlives it; `loop` outlives gRPC's threads as well. Its destruction waits until these have let go of the
// last call. Thread: the loop's.
std::unique_ptr<upstream::GoogleClient> make_google_client(const model::GoogleGrpc& service, event::Loop& loop,
                                                           stats::Registry& registry, stats::WorkerCells& cells);

// The same for every worker. Thread: any.
std::shared_ptr<const upstream::GoogleService> make_google_service(const model::GoogleGrpc& service);

}  // namespace sluice::xds
