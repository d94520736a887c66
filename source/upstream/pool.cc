#include "upstream/pool.h"

#include "base/buggify.h"
#include "base/log.h"
#include "base/trace.h"
#include "upstream/cluster.h"
#include "upstream/upstream_connection.h"

namespace sluice::upstream {

using stats::ClusterStat;

PoolRequest::~PoolRequest() { cancel(); }

void PoolRequest::cancel() {
  if (pool_ != nullptr) {
    pool_->cluster().block().inc(ClusterStat::kUpstreamRqCancelled);
    pool_->leave_queue(*this);
  }
}

Pool::Pool(Cluster& cluster, std::shared_ptr<Host> host, PoolKind kind, net::TransportWishes wishes, WorkerLocal& local)
    : cluster_(cluster),
      host_(std::move(host)),
      kind_(kind),
      wishes_(std::move(wishes)),
      local_(local),
      drains_(host_->drains.load(std::memory_order_relaxed)),
      life_(wishes_.of_client != 0 ? Life::kWhileUsed : Life::kStays) {}

Pool::~Pool() {
  life_ = Life::kEnded;  // here and now
  while (PoolRequest* request = queue_.front()) {
    leave_queue(*request);
    request->on_no_stream(ResetReason::kLocalReset, "");
  }
  while (UpstreamConnection* connection = ready_.front()) {
    connection->close(ResetReason::kLocalReset);
  }
  while (UpstreamConnection* connection = busy_.front()) {
    connection->close(ResetReason::kLocalReset);
  }
  if (admitted_) {
    cluster_.breakers().give_back(Resource::kPools, kind_.priority);
  }
}

bool Pool::admit() {
  if (!admitted_) {
    Breakers& breakers = cluster_.breakers();
    admitted_ = breakers.try_take(Resource::kPools, kind_.priority) ||
                (cluster_.free_a_pool(*host_, kind_.priority) && breakers.try_take(Resource::kPools, kind_.priority));
    if (!admitted_) {
      cluster_.block().inc(ClusterStat::kUpstreamCxPoolOverflow);
    }
  }
  return admitted_;
}

bool Pool::step_back() {
  if (!admitted_ || queued_ > 0 || streams_ > 0 || connecting_ > 0) {
    return false;
  }
  drain();
  admitted_ = false;
  cluster_.breakers().give_back(Resource::kPools, kind_.priority);
  return true;
}

void Pool::request(PoolRequest& request, uint8_t priority) {
  cluster_.preconnect_ahead(*this, priority);
  UpstreamConnection* connection = ready_.back();
  if (connection != nullptr && buggify::here(buggify::Point::kPoolConnects) && may_connect(priority)) {
    begin_connection(priority);
    connection = nullptr;
  }
  if (connection != nullptr) {
    if (!cluster_.breakers().try_take(Resource::kRequests, priority)) {
      cluster_.block().inc(ClusterStat::kUpstreamRqActiveOverflow);
      request.on_no_stream(ResetReason::kOverflow, "");
      return;
    }
    give(*connection, request, priority);
    preconnect(priority);
    return;
  }
  if (!admit()) {
    request.on_no_stream(ResetReason::kOverflow, "");
    return;
  }
  if (!cluster_.breakers().try_take(Resource::kPending, priority)) {
    cluster_.block().inc(ClusterStat::kUpstreamRqPendingOverflow);
    request.on_no_stream(ResetReason::kOverflow, "");
    return;
  }
  request.pool_ = this;
  request.priority_ = priority;
  queue_.push_back(request);
  ++queued_;
  HostState::inc(host_->state.rq_pending);
  ++cluster_.demand.requests;
  cluster_.block().inc(ClusterStat::kUpstreamRqPendingTotal);
  cluster_.block().inc(ClusterStat::kUpstreamRqPendingActive);
  if (expected() < queued_) {
    connect(priority);
  }
  preconnect(priority);
}

// With ALPN nobody knows before.
uint64_t Pool::streams_of_each() const {
  return protocol() == model::UpstreamProtocol::kHttp2 ? cluster_.plan().http2->max_concurrent_streams : 1;
}

uint64_t Pool::expected() const { return connecting_ * streams_of_each(); }

void Pool::preconnect(uint8_t priority) {
  const double ratio = cluster_.plan().preconnect_ratio;
  if (ratio <= 1 || host_->failing.load(std::memory_order_relaxed) != 0) {
    return;
  }
  const auto lacks = [&] { return Demand{queued_ + streams_, connections_ * streams_of_each()}.lacks(ratio, 0); };
  // A few at a time, as Envoy does: the next request is not far.
  for (int i = 0; i < 3 && lacks(); ++i) {
    if (!may_connect(priority)) {
      cluster_.block().inc(ClusterStat::kUpstreamCxOverflow);
      return;
    }
    begin_connection(priority);
  }
}

bool Pool::preconnect_ahead(double ratio, uint8_t priority) {
  const Demand own{queued_ + streams_, connections_ * streams_of_each()};
  if (host_->failing.load(std::memory_order_relaxed) != 0 || !own.lacks(ratio, 1) || !admit()) {
    return false;
  }
  if (!may_connect(priority)) {
    cluster_.block().inc(ClusterStat::kUpstreamCxOverflow);
    return false;
  }
  begin_connection(priority);
  return true;
}

void Pool::connect(uint8_t priority) {
  // A pool without any connection may always have one, so that its requests are not stuck for ever.
  if (!may_connect(priority)) {
    cluster_.block().inc(ClusterStat::kUpstreamCxOverflow);
    if (connections_ > 0) {
      return;
    }
    cluster_.breakers().take(Resource::kConnections, priority);
  }
  begin_connection(priority);
}

void Pool::begin_connection(uint8_t priority) {
  auto* connection = new UpstreamConnection(*this, cluster_.next_connection_id());
  connection->set_connect_priority(priority);
  busy_.push_back(*connection);
  ++connecting_;
  ++connections_;
  cluster_.demand.capacity += streams_of_each();
}

bool Pool::may_connect(uint8_t priority) {
  return host_->state.cx_active.load(std::memory_order_relaxed) < cluster_.plan().max_connections_per_host &&
         cluster_.breakers().try_take(Resource::kConnections, priority);
}

void Pool::leave_queue(PoolRequest& request) {
  request.unlink();
  request.pool_ = nullptr;
  --queued_;
  HostState::dec(host_->state.rq_pending);
  --cluster_.demand.requests;
  cluster_.breakers().give_back(Resource::kPending, request.priority_);
  cluster_.block().dec(ClusterStat::kUpstreamRqPendingActive);
  check_retired();
}

void Pool::give(UpstreamConnection& connection, PoolRequest& request, uint8_t priority) {
  trace::step("pool: lease");
  cluster_.block().inc(ClusterStat::kUpstreamRqTotal);
  HostState::inc(host_->state.rq_total);
  LeasedStream& stream = connection.lease(request.user(), priority);
  ++streams_;
  ++cluster_.demand.requests;
  if (!connection.has_room()) {
    connection.unlink();
    busy_.push_back(connection);
  }
  request.on_stream(stream);
}

void Pool::on_connected(UpstreamConnection& connection) {
  --connecting_;
  on_room(connection);
}

void Pool::on_room(UpstreamConnection& connection) {
  while (connection.has_room()) {
    PoolRequest* request = queue_.front();
    if (request == nullptr) {
      break;
    }
    const uint8_t priority = request->priority_;
    leave_queue(*request);
    if (!cluster_.breakers().try_take(Resource::kRequests, priority)) {
      cluster_.block().inc(ClusterStat::kUpstreamRqActiveOverflow);
      request->on_no_stream(ResetReason::kOverflow, "");
      continue;
    }
    give(connection, *request, priority);
  }
  if (expected() < queued_) {  // others wait on: there may be room for one more now
    connect(queue_.front()->priority_);
  }
  place(connection);
}

void Pool::place(UpstreamConnection& connection) {
  if (!connection.linked()) {
    return;  // closed meanwhile
  }
  // What was opened for those that still waited is not kept beyond them.
  if ((connection.draining() || life_ == Life::kRetired) && connection.idle()) {
    connection.close(ResetReason::kLocalReset);
    return;
  }
  connection.unlink();
  (connection.has_room() ? ready_ : busy_).push_back(connection);
}

void Pool::on_draining(UpstreamConnection& connection) {
  if (connection.linked()) {
    connection.unlink();
    busy_.push_back(connection);
  }
}

void Pool::on_connect_failed(UpstreamConnection& connection, ResetReason reason, std::string_view details) {
  --connecting_;
  HostState::inc(host_->state.cx_connect_fail);
  cluster_.block().inc(ClusterStat::kUpstreamCxConnectFail);
  SLUICE_LOG(kDebug, kPool, "[C", connection.connection_id(), "] connecting to ", host_->address().to_string(), " of ",
             cluster_.plan().name, " failed: ", details);
  // Those that wait now have waited for this connection; who comes later gets a new try.
  IntrusiveList<PoolRequest, PoolRequest> failed;
  failed.splice_back(queue_);
  while (PoolRequest* request = failed.front()) {
    leave_queue(*request);
    cluster_.block().inc(ClusterStat::kUpstreamRqPendingFailureEject);
    request->on_no_stream(reason, details);
  }
}

void Pool::on_closed(UpstreamConnection& connection) {
  connection.unlink();
  --connections_;
  cluster_.demand.capacity -= streams_of_each();
  cluster_.breakers().give_back(Resource::kConnections, connection.connect_priority());
  // Somebody may wait for exactly this place.
  if (!connection.was_connecting() && queued_ > expected()) {
    connect(queue_.front()->priority_);
  }
  check_retired();
}

void Pool::on_stream_ended(uint8_t priority) {
  --streams_;
  --cluster_.demand.requests;
  cluster_.breakers().give_back(Resource::kRequests, priority);
}

void Pool::drain() {
  for (UpstreamConnection* connection = busy_.front(); connection != nullptr; connection = busy_.next(*connection)) {
    connection->drain();
  }
  while (UpstreamConnection* connection = ready_.front()) {
    connection->drain();
    place(*connection);
  }
}

void Pool::drain_when_asked() {
  if (const uint32_t asked = host_->drains.load(std::memory_order_relaxed); asked != drains_) {
    drains_ = asked;
    drain();
  }
}

void Pool::retire() {
  if (life_ == Life::kEnded) return;
  life_ = Life::kRetired;
  drain();
  check_retired();
}

void Pool::check_retired() {
  if ((life_ == Life::kWhileUsed || life_ == Life::kRetired) && connections_ == 0 && queued_ == 0 && pins_ == 0) {
    life_ = Life::kEnded;
    cluster_.release(*this);
  }
}

}  // namespace sluice::upstream
