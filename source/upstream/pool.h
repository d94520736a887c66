// Pool: the connections of one worker to one host, for one cluster. Hands out leases on streams.
//
//   request --> connection with room? -----------------------> lease
//       |         no: may one more connect? --> connecting --> lease when connected
//       |         no: pending below the limit? --> queue ----> lease when one has room
//       +-------- no: refused (overflow)
//
// HTTP/1: a connection carries one stream at a time, HTTP/2 many; the most recently used one that has room is taken
// first, so that the others can time out.
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include "base/intrusive_list.h"
#include "event/loop.h"
#include "model/cluster_plan.h"
#include "upstream/reset_reason.h"
#include "upstream/stream.h"
#include "upstream/worker_local.h"

namespace sluice::upstream {

class Cluster;
struct Host;
class Pool;
class UpstreamConnection;

// One request that waits for a stream; part of its Attempt. Destroying or cancelling it is always safe. Thread:
// worker.
class PoolRequest : public IntrusiveNode<PoolRequest> {
 public:
  virtual ~PoolRequest();
  // May be called inside Pool::request().
  virtual void on_stream(UpstreamStream& stream) = 0;
  virtual void on_no_stream(ResetReason reason, std::string_view details) = 0;
  virtual StreamUser& user() = 0;

  void cancel();
  bool waiting() const { return pool_ != nullptr; }

 private:
  friend class Pool;
  Pool* pool_ = nullptr;
  uint8_t priority_ = 0;
};

// What the connections of a pool have in common beside their host: one protocol (not kDownstream) and the priority of
// their requests.
struct PoolKind {
  model::UpstreamProtocol protocol = model::UpstreamProtocol::kHttp1;
  uint8_t priority = 0;
  friend auto operator<=>(const PoolKind&, const PoolKind&) = default;
};

// What pools have to do, and what they have for it. Thread: worker.
struct Demand {
  uint64_t requests = 0;  // that wait or run
  uint64_t capacity = 0;  // streams of all connections, also of those that are on their way
  // With `more` requests, and `ratio` streams for each of them.
  bool lacks(double ratio, uint64_t more) const {
    return static_cast<double>(requests + more) * ratio > static_cast<double>(capacity);
  }
};

// Made at first use of a host by a worker. Thread: worker.
class Pool final : public event::Deferred {
 public:
  Pool(Cluster& cluster, std::shared_ptr<Host> host, PoolKind kind, net::TransportWishes wishes, WorkerLocal& local);
  ~Pool() override;
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // Ends in exactly one of request.on_stream() and request.on_no_stream(), unless it is cancelled. `priority`: 0
  // default, 1 high (circuit breakers).
  void request(PoolRequest& request, uint8_t priority);

  // No new streams on the connections that are there; idle ones close now, busy ones when they are done.
  void drain();
  // The same, if the host's connections are to go since the last time (Host::drains).
  void drain_when_asked();
  // One connection more, unless there are `ratio` streams for each request and for one more. False: none was opened.
  bool preconnect_ahead(double ratio, uint8_t priority);
  // Gives up its place among max_connection_pools if it has nothing to do. False: it goes on.
  bool step_back();
  // The host is gone: drains, and ends with its last connection, request and pin.
  void retire();

  Cluster& cluster() { return cluster_; }
  Host& host() { return *host_; }
  // What its connections ask of their transport socket.
  const net::TransportWishes& wishes() const { return wishes_; }
  WorkerLocal& local() { return local_; }
  PoolKind kind() const { return kind_; }
  model::UpstreamProtocol protocol() const { return kind_.protocol; }

 private:
  friend class UpstreamConnection;
  friend class PoolRequest;
  friend class PoolPin;

  void on_connected(UpstreamConnection& connection);
  void on_connect_failed(UpstreamConnection& connection, ResetReason reason, std::string_view details);
  // It can take a stream, or has to go.
  void on_room(UpstreamConnection& connection);
  // It takes no further streams.
  void on_draining(UpstreamConnection& connection);
  void on_closed(UpstreamConnection& connection);
  void on_stream_ended(uint8_t priority);

  // Has, or gets, its place among max_connection_pools.
  bool admit();
  void give(UpstreamConnection& connection, PoolRequest& request, uint8_t priority);
  void leave_queue(PoolRequest& request);
  void connect(uint8_t priority);
  // The circuit breaker has room.
  void begin_connection(uint8_t priority);
  bool may_connect(uint8_t priority);
  void place(UpstreamConnection& connection);
  // So many of those that wait will be served by connections that are on their way.
  uint64_t expected() const;
  // Opens connections ahead of need (per_upstream_preconnect_ratio).
  void preconnect(uint8_t priority);
  uint64_t streams_of_each() const;
  void check_retired();

  Cluster& cluster_;
  const std::shared_ptr<Host> host_;
  const PoolKind kind_;
  const net::TransportWishes wishes_;
  WorkerLocal& local_;
  IntrusiveList<PoolRequest, PoolRequest> queue_;
  IntrusiveList<UpstreamConnection, Pool> ready_;  // have room
  IntrusiveList<UpstreamConnection, Pool> busy_;   // connecting, full, or draining
  uint32_t connecting_ = 0;
  uint32_t queued_ = 0;
  uint32_t streams_ = 0;  // leased
  uint32_t connections_ = 0;
  uint32_t pins_ = 0;
  uint32_t drains_ = 0;  // of Host::drains that were followed
  bool admitted_ = false;
  // kWhileUsed: of a single client, and not looked for again once that has gone: ends when it is empty. kEnded: it did.
  enum class Life : uint8_t { kStays, kWhileUsed, kRetired, kEnded } life_;
};

// Keeps a pool, and so its host, while somebody still looks at them: an exchange until its access log. A plain count of
// its worker. Thread: worker.
class PoolPin {
 public:
  PoolPin() = default;
  ~PoolPin() { reset(); }
  PoolPin(const PoolPin&) = delete;
  PoolPin& operator=(const PoolPin&) = delete;

  void reset(Pool* pool = nullptr) {
    if (pool != nullptr) {
      ++pool->pins_;
    }
    if (Pool* old = std::exchange(pool_, pool); old != nullptr && --old->pins_ == 0) {
      old->check_retired();
    }
  }

 private:
  Pool* pool_ = nullptr;
};

}  // namespace sluice::upstream
