#include "upstream/upstream_connection.h"

#include <algorithm>
#include <new>
#include <utility>

#include "base/buggify.h"
#include "base/log.h"
#include "base/strings.h"
#include "base/trace.h"
#include "upstream/cluster.h"
#include "upstream/connect.h"

namespace sluice::upstream {

using stats::ClusterStat;

namespace {
// A read asks for what fits where it goes, and a little more so that the pipe never runs dry.
constexpr size_t kReadAhead = 48 * 1024;
}  // namespace

UpstreamConnection::UpstreamConnection(Pool& pool, uint64_t id)
    : pool_(pool),
      local_(pool.local()),
      id_(id),
      started_(pool.local().loop.now()),
      outbox_(pool.local().flushes, pool.local().slabs, pool.cluster().plan().buffer_limit, *this),
      in_(pool.local().slabs),
      timer_(pool.local().loop.timers(), [this] { on_timer(); }),
      age_(pool.local().loop.timers(), [this] { on_old(); }) {
  auto& block = pool_.cluster().block();
  block.inc(ClusterStat::kUpstreamCxTotal);
  block.inc(ClusterStat::kUpstreamCxActive);
  // Where ALPN decides, nobody knows before it is connected.
  counted_ = pool_.protocol() != model::UpstreamProtocol::kAuto;
  if (counted_) {
    block.inc(pool_.protocol() == model::UpstreamProtocol::kHttp2 ? ClusterStat::kUpstreamCxHttp2Total
                                                                  : ClusterStat::kUpstreamCxHttp1Total);
  }
  HostState::inc(pool_.host().state.cx_total);
  HostState::inc(pool_.host().state.cx_active);
  secured_ = pool_.cluster().transport_socket(pool_.host()) != nullptr;
  net::TransportWishes wishes;
  if (secured_) {
    wishes = pool_.wishes();
    if (pool_.protocol() != model::UpstreamProtocol::kHttp1) wishes.alpn_fallback.emplace_back("h2");
    if (pool_.protocol() != model::UpstreamProtocol::kHttp2) wishes.alpn_fallback.emplace_back("http/1.1");
    wishes.host_name = pool_.host().hostname();
  }
  transport_ = connect_to(pool_.cluster(), pool_.host(), local_, std::move(wishes));
  transport_->set_handler(this);
  timer_.arm(pool_.cluster().plan().connect_timeout);
}

UpstreamConnection::~UpstreamConnection() {
  SLUICE_DCHECK(state_ == State::kClosed);
  while (LeasedStream* stream = leases_.pop_front()) {
    delete stream;
  }
}

void UpstreamConnection::on_timer() {
  if (state_ == State::kConnecting) {
    pool_.cluster().block().inc(ClusterStat::kUpstreamCxConnectTimeout);
    close_transport(ClosedBy::kUs);
    pool_.on_connect_failed(*this, ResetReason::kConnectTimeout, "");
  } else if (state_ == State::kIdle) {
    pool_.cluster().block().inc(ClusterStat::kUpstreamCxIdleTimeout);
    close(ResetReason::kLocalReset);
  } else if (state_ == State::kLeased && !has_streams()) {
    finish_lease();  // kLeaseLate
  }
}

// Busy: after its stream.
void UpstreamConnection::on_old() {
  pool_.cluster().block().inc(ClusterStat::kUpstreamCxMaxDurationReached);
  if (state_ == State::kIdle) {
    close(ResetReason::kLocalReset);
  } else {
    draining_ = true;
  }
}

void UpstreamConnection::on_ready(net::Ready ready) {
  if (state_ == State::kConnecting) {
    if (ready.failed) {
      on_connect_failed(ready.fault);
      return;
    }
    if (ready.connected) {
      on_connected();
    }
    return;
  }
  if (ready.writable && state_ != State::kClosed) {
    outbox_.on_writable();
  }
  if (ready.readable && state_ != State::kClosed) {
    read();
  } else if (ready.failed && state_ != State::kClosed) {
    fail_streams(ResetReason::kConnectionTermination, "");
    close_transport(ClosedBy::kPeer);
  }
}

void UpstreamConnection::on_connect_failed(net::ConnectFault fault) {
  const std::string why = connect_failure(fault);
  if (fault == net::ConnectFault::kBind) {
    pool_.cluster().block().inc(ClusterStat::kBindErrors);
  }
  close_transport(ClosedBy::kPeer);
  const bool ours = fault == net::ConnectFault::kBind;
  pool_.on_connect_failed(*this, ours ? ResetReason::kLocalConnectFailure : ResetReason::kConnectFailure, why);
}

// A handshake that failed says why in its own words, or nothing: the peer just went away.
std::string UpstreamConnection::connect_failure(net::ConnectFault fault) const {
  const std::string_view failure = transport_->failure();
  switch (fault) {
    case net::ConnectFault::kBind:
      return "";
    case net::ConnectFault::kAtOnce:
      return cat("immediate connect error: ", failure, "|remote address:", transport_->remote().to_string());
    case net::ConnectFault::kLater:
      break;
  }
  const bool handshake = secured_ && (failure.empty() || failure.starts_with("TLS_error:"));
  return handshake ? std::string(failure) : cat("delayed connect error: ", failure);
}

void UpstreamConnection::on_connected() {
  auto& block = pool_.cluster().block();
  timer_.cancel();
  connected_ = true;
  connected_at_ = local_.loop.now();
  state_ = State::kIdle;
  if (pool_.cluster().plan().max_connection_duration.count() > 0) {
    age_.arm(pool_.cluster().plan().max_connection_duration);
  }
  outbox_.attach(transport_.get());
  choose_codec();
  block.record(ClusterStat::kUpstreamCxConnectMs, to_ms(local_.loop.now() - started_));
  pool_.on_connected(*this);
}

// ---- streams

LeasedStream& UpstreamConnection::lease(StreamUser& user, uint8_t priority) {
  SLUICE_DCHECK(has_room());
  LeasedStream* stream = spare_.release();
  if (stream != nullptr) {
    stream->~LeasedStream();
    new (stream) LeasedStream(*this, user, priority);
  } else {
    stream = new LeasedStream(*this, user, priority);
  }
  timer_.cancel();
  heard_ = false;
  state_ = State::kLeased;
  leases_.push_back(*stream);
  ++leased_;
  ++streams_;
  if (const uint32_t limit = pool_.cluster().plan().max_requests_per_connection; limit != 0 && streams_ >= limit) {
    draining_ = true;
    pool_.cluster().block().inc(ClusterStat::kUpstreamCxMaxRequests);
  }
  pool_.cluster().block().inc(ClusterStat::kUpstreamRqActive);
  HostState::inc(pool_.host().state.rq_active);
  return *stream;
}

uint32_t UpstreamConnection::stream_limit() const {
  return has_streams() ? std::min(pool_.cluster().plan().http2->max_concurrent_streams, http2_->stream_limit()) : 1;
}

bool UpstreamConnection::has_room() const {
  return connected_ && state_ != State::kClosed && !draining_ && leased_ < stream_limit() &&
         (!has_streams() || codec_->reusable());
}

LeasedStream* UpstreamConnection::listening() {
  LeasedStream* stream = leases_.front();
  return stream != nullptr && stream->user_ != nullptr ? stream : nullptr;
}

LeasedStream* UpstreamConnection::find(http::StreamId stream) {
  return has_streams() ? static_cast<LeasedStream*>(http2_->find_user(stream)) : listening();
}

void UpstreamConnection::send_headers(LeasedStream& stream, const http::RequestHeaders& headers, http::End end) {
  trace::step("upstream: encode request");
  if (keepalive_ != nullptr) keepalive_->before_stream(local_.loop.now());
  stream.request_done_ = end == http::End::kYes;
  stream.written_before_ = transport_->written();
  stream.id_ = codec_->encode_headers(headers, end, outbox_.bytes());
  if (has_streams()) http2_->set_user(stream.id_, &stream);
  send_later();
}

void UpstreamConnection::send_later() {
  if (has_streams()) {
    local_.flushes.at_dispatch_end(*this);
  } else {
    outbox_.schedule();
  }
}

void UpstreamConnection::reset(LeasedStream& stream) {
  codec_->reset(stream.id_, outbox_.bytes());
  if (!has_streams()) {
    if (stream.user_ != nullptr) {
      end_stream(stream);
    }
    close_transport(ClosedBy::kUs);
    return;
  }
  pool_.cluster().block().inc(ClusterStat::kUpstreamRqTxReset);
  end_stream(stream);
  send_later();
  after_streams();
}

// The user hears nothing more. The lease of HTTP/1 is over when its connection is free again.
StreamUser* UpstreamConnection::end_stream(LeasedStream& stream) {
  StreamUser* user = std::exchange(stream.user_, nullptr);
  pool_.cluster().block().dec(ClusterStat::kUpstreamRqActive);
  HostState::dec(pool_.host().state.rq_active);
  pool_.on_stream_ended(stream.priority_);
  if (has_streams()) {
    codec_->reset(stream.id_, outbox_.bytes());  // of what is not complete
    stream.unlink();
    --leased_;
    spare_.reset(&stream);
  } else if (!stream.gate_.is_open() && state_ != State::kClosed) {
    stream.gate_.reset();
    transport_->want_read(true);
  }
  return user;
}

// HTTP/2: streams ended, so there is room for others, or nothing left to do.
void UpstreamConnection::after_streams() {
  if (state_ == State::kClosed) {
    return;
  }
  if (leased_ == 0 && state_ == State::kLeased) {
    state_ = State::kIdle;
    if (pool_.cluster().plan().idle_timeout.count() > 0) {
      timer_.arm(pool_.cluster().plan().idle_timeout);
    }
  }
  pool_.on_room(*this);
}

void UpstreamConnection::finish_lease() {
  LeasedStream& stream = *leases_.front();
  if (!in_.empty()) {
    pool_.cluster().block().inc(ClusterStat::kUpstreamCxProtocolError);
  }
  if (!stream.request_done_ || draining_ || !codec_->reusable() || !in_.empty()) {
    close_transport(ClosedBy::kUs);
    return;
  }
  stream.unlink();
  --leased_;
  spare_.reset(&stream);
  state_ = State::kIdle;
  if (pool_.cluster().plan().idle_timeout.count() > 0) {
    timer_.arm(pool_.cluster().plan().idle_timeout);
  }
  pool_.on_room(*this);
}

void UpstreamConnection::fail_stream(LeasedStream& stream, ResetReason reason, std::string_view details) {
  if (reason == ResetReason::kProtocolError) {
    pool_.cluster().block().inc(has_streams() ? ClusterStat::kUpstreamRqTxReset
                                              : ClusterStat::kUpstreamCxProtocolError);
  }
  end_stream(stream)->on_stream_reset(reason, details);
}

void UpstreamConnection::fail_streams(ResetReason reason, std::string_view details) {
  if (listening() == nullptr) {
    return;
  }
  auto& block = pool_.cluster().block();
  if (reason == ResetReason::kConnectionTermination || at_eof_) {
    block.inc(ClusterStat::kUpstreamCxDestroyWithActiveRq);
    block.inc(ClusterStat::kUpstreamCxDestroyRemoteWithActiveRq);
  }
  draining_ = true;  // who tries again must not come back to this one
  pool_.on_draining(*this);
  while (LeasedStream* stream = listening()) {
    fail_stream(*stream, reason, details);
  }
}

void UpstreamConnection::close(ResetReason reason) {
  if (state_ == State::kClosed) {
    return;
  }
  const bool was_connecting = state_ == State::kConnecting;
  fail_streams(reason, "");
  if (state_ == State::kClosed) {
    return;
  }
  close_transport(ClosedBy::kUs);
  if (was_connecting) {
    pool_.on_connect_failed(*this, reason, "");
  }
}

void UpstreamConnection::close_transport(ClosedBy by) {
  if (state_ == State::kClosed) {
    return;
  }
  auto& block = pool_.cluster().block();
  if (by == ClosedBy::kUs && state_ == State::kLeased && !has_streams() &&
      (!leases_.front()->request_done_ || !codec_->reusable())) {
    block.inc(ClusterStat::kUpstreamCxDestroyWithActiveRq);
    block.inc(ClusterStat::kUpstreamCxDestroyLocalWithActiveRq);
  }
  state_ = State::kClosed;
  timer_.cancel();
  age_.cancel();
  outbox_.abandon();
  if (has_streams()) http2_->abandon();
  if (keepalive_ != nullptr) keepalive_->stop();
  transport_->close(net::CloseHow::kFin);
  block.dec(ClusterStat::kUpstreamCxActive);
  HostState::dec(pool_.host().state.cx_active);
  block.inc(ClusterStat::kUpstreamCxDestroy);
  block.inc(by == ClosedBy::kUs ? ClusterStat::kUpstreamCxDestroyLocal : ClusterStat::kUpstreamCxDestroyRemote);
  block.record(ClusterStat::kUpstreamCxLengthMs, to_ms(local_.loop.now() - started_));
  block.record(ClusterStat::kUpstreamRqPerCx, streams_);
  IntrusiveNode<net::AtDispatchEnd>::unlink();
  pool_.on_closed(*this);
  local_.loop.destroy_later(std::unique_ptr<event::Deferred>(this));
}

// ---- bytes

void UpstreamConnection::read() {
  trace::step("upstream: read");
  // HTTP/2 has windows for that.
  LeasedStream* stream = has_streams() ? nullptr : listening();
  const size_t room = stream != nullptr ? stream->user_->response_room() : has_streams() ? kReadAhead : 0;
  net::ReadLease lease(local_.network.read_buffer());
  const net::IoResult result = transport_->read(lease, std::min(room, SIZE_MAX - kReadAhead) + kReadAhead, in_);
  if (result.bytes > 0) {
    pool_.cluster().block().add(ClusterStat::kUpstreamCxRxBytesTotal, result.bytes);
    if (keepalive_ != nullptr) keepalive_->on_received(local_.loop.now());
    heard_ = true;
    if (codec_->decode(in_) == http::Decoded::kFailed) {
      in_.clear();
    }
    if (has_streams()) {
      if (state_ != State::kClosed) send_later();
    } else {
      after_decode();
    }
  }
  if (state_ != State::kClosed && (result.status == net::IoStatus::kEof || result.status == net::IoStatus::kFailed)) {
    at_eof_ = true;
    ended_in_order_ = result.status == net::IoStatus::kEof;
    if (result.status == net::IoStatus::kEof && !has_streams() && listening() != nullptr) {
      codec_->decode_eof();
      if (state_ != State::kClosed) {
        after_decode();
      }
    }
    if (state_ != State::kClosed) {
      // An answer that begins and does not end is as broken as one that cannot be read.
      const bool broken = !has_streams() && heard_;
      fail_streams(broken ? ResetReason::kProtocolError : ResetReason::kConnectionTermination, "");
      close_transport(ClosedBy::kPeer);
    }
  }
  local_.flushes.flush_all();
  in_.own();
}

// The response may have ended in this dispatch: the connection goes back to its pool, or closes.
void UpstreamConnection::after_decode() {
  if (state_ == State::kIdle && !in_.empty()) {
    pool_.cluster().block().inc(ClusterStat::kUpstreamCxProtocolError);
    close_transport(ClosedBy::kUs);  // bytes that nobody asked for
    return;
  }
  if (state_ == State::kLeased && listening() == nullptr) {
    if (buggify::here(buggify::Point::kLeaseLate)) {
      timer_.arm(std::chrono::milliseconds(1));
      return;
    }
    finish_lease();
  }
}

void UpstreamConnection::on_dispatch_end() {
  if (state_ == State::kClosed) {
    return;
  }
  (void)http2_->flush(outbox_.bytes());
  outbox_.gather();
}

void UpstreamConnection::on_sent(size_t bytes) {
  trace::step("upstream: sent");
  pool_.cluster().block().add(ClusterStat::kUpstreamCxTxBytesTotal, bytes);
  if (has_streams()) http2_->sent(outbox_.size());
}

void UpstreamConnection::on_send_failed() {
  // A response may have been sent before the reset: what can be read is read first, and its end tells.
  if (state_ == State::kLeased) {
    transport_->want_read(true);
    return;
  }
  close_transport(ClosedBy::kPeer);
}

void UpstreamConnection::on_full(bool full) {
  if (full) {
    pool_.cluster().block().inc(ClusterStat::kUpstreamFlowControlBackedUpTotal);
  } else {
    pool_.cluster().block().inc(ClusterStat::kUpstreamFlowControlDrainedTotal);
  }
  for (LeasedStream* stream = leases_.front(); stream != nullptr; stream = leases_.next(*stream)) {
    if (stream->user_ != nullptr && !stream->request_done_ && !stream->stream_full_) {
      stream->user_->on_request_full(full);
    }
  }
}

size_t UpstreamConnection::room(const LeasedStream& stream) {
  const size_t limit = pool_.cluster().plan().buffer_limit;
  if (!has_streams() || limit == 0) {
    return outbox_.room();
  }
  const size_t unsent = http2_->unsent(stream.id_);
  return std::min(outbox_.room(), unsent >= limit ? 0 : limit - unsent);
}

void UpstreamConnection::on_gate(LeasedStream& stream, bool open) {
  if (state_ == State::kClosed || stream.user_ == nullptr) {
    return;
  }
  if (!has_streams()) {
    transport_->want_read(open);
  } else if (open) {
    http2_->resume(stream.id_);
    send_later();
  } else {
    http2_->pause(stream.id_);
  }
}

}  // namespace sluice::upstream
