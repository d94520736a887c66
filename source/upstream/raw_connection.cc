#include "upstream/raw_connection.h"

#include <algorithm>

#include "base/log.h"
#include "base/strings.h"
#include "upstream/cluster.h"
#include "upstream/connect.h"

namespace sluice::upstream {

using stats::ClusterStat;

namespace {
// A read asks for what fits where it goes, and a little more so that the pipe never runs dry.
constexpr size_t kRawReadAhead = 64 * 1024;
constexpr uint8_t kDefaultPriority = 0;
}  // namespace

RawConnection* RawConnection::connect(Cluster& cluster, Host& host, WorkerLocal& local, const Client& client,
                                      ByteStreamUser& user) {
  if (!cluster.breakers().try_take(Resource::kPending, kDefaultPriority)) {
    cluster.block().inc(ClusterStat::kUpstreamRqPendingOverflow);
    return nullptr;
  }
  auto* connection = new RawConnection(cluster, host, local, client, user);
  cluster.raw_connections().push_back(*connection);
  return connection;
}

RawConnection::RawConnection(Cluster& cluster, Host& host, WorkerLocal& local, const Client& client,
                             ByteStreamUser& user)
    : cluster_(cluster),
      host_(host.shared_from_this()),
      local_(local),
      user_(user),
      id_(cluster.next_connection_id()),
      started_(local.loop.now()),
      outbox_(local.flushes, local.slabs, cluster.plan().buffer_limit, *this),
      timer_(local.loop.timers(), [this] {
        cluster_.block().inc(ClusterStat::kUpstreamCxConnectTimeout);
        fail(ResetReason::kConnectTimeout, "");
      }) {
  cluster_.hold();
  auto& block = cluster_.block();
  block.inc(ClusterStat::kUpstreamRqPendingTotal);
  block.inc(ClusterStat::kUpstreamRqPendingActive);
  HostState::inc(host_->state.rq_pending);
  block.inc(ClusterStat::kUpstreamCxTotal);
  block.inc(ClusterStat::kUpstreamCxActive);
  HostState::inc(host_->state.cx_total);
  HostState::inc(host_->state.cx_active);
  cluster_.breakers().take(Resource::kConnections, kDefaultPriority);
  secured_ = cluster_.transport_socket(*host_) != nullptr;
  net::TransportWishes wishes;
  if (secured_) {
    wishes.host_name = host_->hostname();
    wishes.client = client.remote;
    wishes.client_wanted = client.wanted;
  }
  transport_ = connect_to(cluster_, *host_, local_, std::move(wishes));
  transport_->set_handler(this);
  timer_.arm(cluster_.plan().connect_timeout);
}

RawConnection::~RawConnection() {
  SLUICE_DCHECK(state_ == State::kClosed);
  cluster_.let_go();
}

void RawConnection::on_ready(net::Ready ready) {
  if (state_ == State::kConnecting) {
    if (ready.failed) {
      // A handshake that failed says why in its own words, or nothing: the peer just went away.
      const std::string_view failure = transport_->failure();
      const bool handshake = secured_ && (failure.empty() || failure.starts_with("TLS_error:"));
      fail(ResetReason::kConnectFailure, handshake ? std::string(failure) : cat("delayed connect error: ", failure));
    } else if (ready.connected) {
      on_connected();
    }
    return;
  }
  if (ready.writable && state_ == State::kOpen) {
    outbox_.on_writable();
  }
  if (ready.readable && state_ == State::kOpen) {
    read();
  } else if (ready.failed && state_ == State::kOpen) {
    lost();
  }
}

void RawConnection::on_connected() {
  auto& block = cluster_.block();
  timer_.cancel();
  cluster_.breakers().give_back(Resource::kPending, kDefaultPriority);
  block.dec(ClusterStat::kUpstreamRqPendingActive);
  HostState::dec(host_->state.rq_pending);
  state_ = State::kOpen;
  cluster_.breakers().take(Resource::kRequests, kDefaultPriority);
  block.inc(ClusterStat::kUpstreamRqTotal);
  block.inc(ClusterStat::kUpstreamRqActive);
  HostState::inc(host_->state.rq_total);
  HostState::inc(host_->state.rq_active);
  block.record(ClusterStat::kUpstreamCxConnectMs, to_ms(local_.loop.now() - started_));
  outbox_.attach(transport_.get());
  user_.on_connected();
}

void RawConnection::fail(ResetReason reason, std::string_view details) {
  const std::string text(details);  // may be the transport's
  SLUICE_LOG(kDebug, kPool, "[C", id_, "] connecting to ", host_->address().to_string(), " of ", cluster_.plan().name,
             " failed: ", text);
  cluster_.block().inc(ClusterStat::kUpstreamRqPendingFailureEject);
  end(net::CloseHow::kFin, reason == ResetReason::kConnectTimeout ? ClosedBy::kUs : ClosedBy::kPeer);
  user_.on_failed(reason, text);
}

void RawConnection::read() {
  net::ReadLease lease(local_.network.read_buffer());
  buffer::Buffer in(local_.slabs);
  const size_t room = user_.downstream_room();
  const net::IoResult result = transport_->read(lease, std::min(room, SIZE_MAX - kRawReadAhead) + kRawReadAhead, in);
  if (result.bytes > 0) {
    cluster_.block().add(ClusterStat::kUpstreamCxRxBytesTotal, result.bytes);
    user_.on_upstream_data(in);
  }
  if (state_ == State::kOpen && result.status == net::IoStatus::kEof && !peer_ended_) {
    peer_ended_ = true;
    ended_last_ = finished_;
    user_.on_upstream_end();
    check_finished();
  } else if (state_ == State::kOpen && result.status == net::IoStatus::kFailed) {
    lost();
  }
  local_.flushes.flush_all();
}

void RawConnection::lost() {
  if (state_ == State::kOpen) {
    end(net::CloseHow::kFin, ClosedBy::kPeer);
    user_.on_lost();
  }
}

void RawConnection::cut() {
  if (state_ != State::kClosed) {
    end(net::CloseHow::kFin, ClosedBy::kUs);
    user_.on_lost();
  }
}

void RawConnection::send(buffer::Buffer& data) {
  outbox_.bytes().move_from(data);
  outbox_.schedule();
}

void RawConnection::finish() {
  if (state_ == State::kOpen && !finish_wanted_) {
    finish_wanted_ = true;
    check_finished();
  }
}

void RawConnection::check_finished() {
  if (state_ != State::kOpen || !finish_wanted_) {
    return;
  }
  if (!finished_ && outbox_.empty()) {
    finished_ = true;
    if (!peer_ended_) {
      transport_->shutdown_write();
    }
  }
}

void RawConnection::on_sent(size_t bytes) {
  cluster_.block().add(ClusterStat::kUpstreamCxTxBytesTotal, bytes);
  check_finished();
  user_.on_upstream_sent(bytes);
}

void RawConnection::on_full(bool full) {
  cluster_.block().inc(full ? ClusterStat::kUpstreamFlowControlBackedUpTotal
                            : ClusterStat::kUpstreamFlowControlDrainedTotal);
  user_.on_upstream_full(full);
}

void RawConnection::want_read(bool on) {
  if (state_ == State::kOpen) {
    cluster_.block().inc(on ? ClusterStat::kUpstreamFlowControlResumedReadingTotal
                            : ClusterStat::kUpstreamFlowControlPausedReadingTotal);
    transport_->want_read(on);
  }
}

void RawConnection::close(net::CloseHow how) {
  if (state_ == State::kConnecting) {
    cluster_.block().inc(ClusterStat::kUpstreamRqCancelled);
  }
  // When both sides have ended, whoever did last has closed it.
  end(how, ended_last_ ? ClosedBy::kPeer : ClosedBy::kUs);
}

void RawConnection::end(net::CloseHow how, ClosedBy by) {
  if (state_ == State::kClosed) {
    return;
  }
  auto& block = cluster_.block();
  Breakers& breakers = cluster_.breakers();
  const bool was_open = state_ == State::kOpen;
  state_ = State::kClosed;
  timer_.cancel();
  outbox_.abandon();
  transport_->close(how);
  const bool by_us = by == ClosedBy::kUs;
  block.inc(ClusterStat::kUpstreamCxDestroy);
  block.inc(by_us ? ClusterStat::kUpstreamCxDestroyLocal : ClusterStat::kUpstreamCxDestroyRemote);
  if (was_open) {
    breakers.give_back(Resource::kRequests, kDefaultPriority);
    block.dec(ClusterStat::kUpstreamRqActive);
    HostState::dec(host_->state.rq_active);
    block.inc(ClusterStat::kUpstreamCxDestroyWithActiveRq);
    block.inc(by_us ? ClusterStat::kUpstreamCxDestroyLocalWithActiveRq
                    : ClusterStat::kUpstreamCxDestroyRemoteWithActiveRq);
  } else {
    breakers.give_back(Resource::kPending, kDefaultPriority);
    block.dec(ClusterStat::kUpstreamRqPendingActive);
    HostState::dec(host_->state.rq_pending);
    block.inc(ClusterStat::kUpstreamCxConnectFail);
    HostState::inc(host_->state.cx_connect_fail);
  }
  breakers.give_back(Resource::kConnections, kDefaultPriority);
  block.dec(ClusterStat::kUpstreamCxActive);
  HostState::dec(host_->state.cx_active);
  block.record(ClusterStat::kUpstreamCxLengthMs, to_ms(local_.loop.now() - started_));
  block.record(ClusterStat::kUpstreamRqPerCx, was_open ? 1 : 0);
  unlink();
  local_.loop.destroy_later(std::unique_ptr<event::Deferred>(this));
}

}  // namespace sluice::upstream
