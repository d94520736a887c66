#include "upstream/upstream_connection.h"

#include <algorithm>

#include "base/log.h"
#include "base/strings.h"
#include "base/trace.h"
#include "http/http1/client_codec.h"
#include "upstream/cluster.h"

namespace sluice::upstream {

using stats::ClusterStat;

namespace {
// A read asks for what fits where it goes, and a little more so that the pipe never runs dry.
constexpr size_t kReadAhead = 64 * 1024;
}  // namespace

UpstreamConnection::UpstreamConnection(Pool& pool, uint64_t id)
    : pool_(pool),
      local_(pool.local()),
      id_(id),
      started_(pool.local().loop.now()),
      codec_(std::make_unique<http::http1::Http1ClientCodec>(pool.cluster().plan().codec, static_cast<http::ClientEvents&>(*this), pool.local().slabs)),
      outbox_(pool.local().flushes, pool.local().slabs, pool.cluster().plan().buffer_limit, *this),
      in_(pool.local().slabs),
      gate_([this](bool open) {
        if (state_ != State::kClosed) {
          transport_->want_read(open);
        }
      }),
      timer_(pool.local().loop.timers(), [this] { on_timer(); }),
      age_(pool.local().loop.timers(), [this] { on_old(); }) {
  auto& block = pool_.cluster().block();
  block.inc(ClusterStat::kUpstreamCxTotal);
  block.inc(ClusterStat::kUpstreamCxActive);
  HostState::inc(pool_.host().state.cx_total);
  HostState::inc(pool_.host().state.cx_active);
  transport_ = local_.network.connect(pool_.host().address());
  if (net::TransportSocket* socket = pool_.cluster().transport_socket(pool_.host())) {
    net::TransportWishes wishes = pool_.wishes();
    wishes.alpn_fallback = {codec_->protocol() == http::Protocol::kHttp2 ? "h2" : "http/1.1"};
    wishes.host_name = pool_.host().hostname;
    transport_ = socket->connect(std::move(transport_), &wishes);
    secured_ = true;
  }
  transport_->set_handler(this);
  timer_.arm(pool_.cluster().plan().connect_timeout);
}

UpstreamConnection::~UpstreamConnection() { SLUICE_DCHECK(state_ == State::kClosed); }

void UpstreamConnection::on_timer() {
  if (state_ == State::kConnecting) {
    pool_.cluster().block().inc(ClusterStat::kUpstreamCxConnectTimeout);
    close_transport(ClosedBy::kUs);
    pool_.on_connect_failed(*this, ResetReason::kConnectTimeout, "");
  } else if (state_ == State::kIdle) {
    pool_.cluster().block().inc(ClusterStat::kUpstreamCxIdleTimeout);
    close(ResetReason::kLocalReset);
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
      const std::string why = connect_failure();
      close_transport(ClosedBy::kPeer);
      pool_.on_connect_failed(*this, ResetReason::kConnectFailure, why);
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
    fail_stream(ResetReason::kConnectionTermination, "");
    close_transport(ClosedBy::kPeer);
  }
}

// A handshake that failed says why in its own words, or nothing: the peer just went away.
std::string UpstreamConnection::connect_failure() const {
  const std::string_view failure = transport_->failure();
  const bool handshake = secured_ && (failure.empty() || failure.starts_with("TLS_error:"));
  return handshake ? std::string(failure) : cat("delayed connect error: ", failure);
}

void UpstreamConnection::on_connected() {
  auto& block = pool_.cluster().block();
  timer_.cancel();
  connected_ = true;
  state_ = State::kIdle;
  if (pool_.cluster().plan().max_connection_duration.count() > 0) {
    age_.arm(pool_.cluster().plan().max_connection_duration);
  }
  outbox_.attach(transport_.get());
  block.inc(ClusterStat::kUpstreamCxHttp1Total);
  block.record(ClusterStat::kUpstreamCxConnectMs, to_ms(local_.loop.now() - started_));
  pool_.on_connected(*this);
}

void UpstreamConnection::lease(StreamUser& user) {
  SLUICE_DCHECK(state_ == State::kIdle);
  timer_.cancel();
  state_ = State::kLeased;
  user_ = &user;
  request_done_ = false;
  ++streams_;
  gate_.reset();
  pool_.cluster().block().inc(ClusterStat::kUpstreamRqActive);
  HostState::inc(pool_.host().state.rq_active);
}

void UpstreamConnection::send_headers(const http::RequestHeaders& headers, http::End end) {
  trace::step("upstream: encode request");
  stream_ = codec_->encode_headers(headers, end, outbox_.bytes());
  request_done_ = end == http::End::kYes;
  outbox_.schedule();
}

void UpstreamConnection::send_data(buffer::Buffer& data, http::End end) {
  codec_->encode_data(stream_, data, end, outbox_.bytes());
  request_done_ = end == http::End::kYes;
  outbox_.schedule();
}

void UpstreamConnection::send_trailers(const http::HeaderMap& trailers) {
  codec_->encode_trailers(stream_, trailers, outbox_.bytes());
  request_done_ = true;
  outbox_.schedule();
}

void UpstreamConnection::reset() {
  SLUICE_DCHECK(state_ == State::kLeased);
  codec_->reset(stream_, outbox_.bytes());
  if (user_ != nullptr) {
    end_stream();
  }
  close_transport(ClosedBy::kUs);
}

void UpstreamConnection::close(ResetReason reason) {
  if (state_ == State::kClosed) {
    return;
  }
  const bool was_connecting = state_ == State::kConnecting;
  fail_stream(reason, "");
  if (state_ == State::kClosed) {
    return;
  }
  close_transport(ClosedBy::kUs);
  if (was_connecting) {
    pool_.on_connect_failed(*this, reason, "");
  }
}

void UpstreamConnection::read() {
  trace::step("upstream: read");
  const size_t room = user_ != nullptr ? user_->response_room() : 0;
  net::ReadLease lease(local_.network.read_buffer());
  const net::IoResult result = transport_->read(lease, std::min(room, SIZE_MAX - kReadAhead) + kReadAhead, in_);
  if (result.bytes > 0) {
    pool_.cluster().block().add(ClusterStat::kUpstreamCxRxBytesTotal, result.bytes);
    if (codec_->decode(in_) == http::Decoded::kFailed) {
      in_.clear();
    }
    after_decode();
  }
  if (state_ != State::kClosed && (result.status == net::IoStatus::kEof || result.status == net::IoStatus::kFailed)) {
    if (result.status == net::IoStatus::kEof && user_ != nullptr) {
      at_eof_ = true;
      codec_->decode_eof();
      if (state_ != State::kClosed) {
        after_decode();
      }
    }
    if (state_ != State::kClosed) {
      fail_stream(ResetReason::kConnectionTermination, "");
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
  if (state_ == State::kLeased && user_ == nullptr) {
    finish_lease();
  }
}

void UpstreamConnection::finish_lease() {
  const uint32_t limit = pool_.cluster().plan().max_requests_per_connection;
  const bool spent = limit != 0 && streams_ >= limit;
  if (spent) {
    pool_.cluster().block().inc(ClusterStat::kUpstreamCxMaxRequests);
  }
  if (!in_.empty()) {
    pool_.cluster().block().inc(ClusterStat::kUpstreamCxProtocolError);
  }
  if (!request_done_ || draining_ || spent || !codec_->reusable() || !in_.empty()) {
    close_transport(ClosedBy::kUs);
    return;
  }
  state_ = State::kIdle;
  if (pool_.cluster().plan().idle_timeout.count() > 0) {
    timer_.arm(pool_.cluster().plan().idle_timeout);
  }
  pool_.on_idle(*this);
}

// The user hears nothing more.
StreamUser* UpstreamConnection::end_stream() {
  StreamUser* user = std::exchange(user_, nullptr);
  pool_.cluster().block().dec(ClusterStat::kUpstreamRqActive);
  HostState::dec(pool_.host().state.rq_active);
  pool_.on_stream_ended(priority_);
  if (!gate_.is_open() && state_ != State::kClosed) {
    gate_.reset();
    transport_->want_read(true);
  }
  return user;
}

void UpstreamConnection::fail_stream(ResetReason reason, std::string_view details) {
  if (user_ == nullptr) {
    return;
  }
  auto& block = pool_.cluster().block();
  if (reason == ResetReason::kConnectionTermination) {
    block.inc(ClusterStat::kUpstreamCxDestroyWithActiveRq);
    block.inc(ClusterStat::kUpstreamCxDestroyRemoteWithActiveRq);
  } else if (reason == ResetReason::kProtocolError) {
    block.inc(ClusterStat::kUpstreamCxProtocolError);
  }
  end_stream()->on_stream_reset(reason, details);
}

void UpstreamConnection::close_transport(ClosedBy by) {
  if (state_ == State::kClosed) {
    return;
  }
  auto& block = pool_.cluster().block();
  if (by == ClosedBy::kUs && state_ == State::kLeased && (!request_done_ || !codec_->reusable())) {
    block.inc(ClusterStat::kUpstreamCxDestroyWithActiveRq);
    block.inc(ClusterStat::kUpstreamCxDestroyLocalWithActiveRq);
  }
  state_ = State::kClosed;
  timer_.cancel();
  age_.cancel();
  outbox_.abandon();
  transport_->close(net::CloseHow::kFin);
  block.dec(ClusterStat::kUpstreamCxActive);
  HostState::dec(pool_.host().state.cx_active);
  if (connected_) {
    block.inc(ClusterStat::kUpstreamCxDestroy);
    block.inc(by == ClosedBy::kUs ? ClusterStat::kUpstreamCxDestroyLocal : ClusterStat::kUpstreamCxDestroyRemote);
  }
  block.record(ClusterStat::kUpstreamCxLengthMs, to_ms(local_.loop.now() - started_));
  block.record(ClusterStat::kUpstreamRqPerCx, streams_);
  pool_.on_closed(*this);
  local_.loop.destroy_later(std::unique_ptr<event::Deferred>(this));
}

void UpstreamConnection::on_sent(size_t bytes) {
  trace::step("upstream: sent");
  pool_.cluster().block().add(ClusterStat::kUpstreamCxTxBytesTotal, bytes);
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
  if (user_ != nullptr && !request_done_) {
    user_->on_request_full(full);
  }
}

Arena& UpstreamConnection::on_begin(http::StreamId) { return user_->response_arena(); }

void UpstreamConnection::on_interim(http::StreamId, http::ResponseHeaders& headers) { user_->on_interim(headers); }

void UpstreamConnection::on_headers(http::StreamId, http::ResponseHeaders& headers, http::End end) {
  StreamUser* user = end == http::End::kYes ? end_stream() : user_;
  user->on_response_headers(headers, end);
}

void UpstreamConnection::on_data(http::StreamId, buffer::Buffer& data, http::End end) {
  if (user_ == nullptr) {
    return;  // reset inside this dispatch
  }
  StreamUser* user = end == http::End::kYes ? end_stream() : user_;
  user->on_response_data(data, end);
}

void UpstreamConnection::on_trailers(http::StreamId, http::HeaderMap& trailers) {
  if (user_ != nullptr) {
    end_stream()->on_response_trailers(trailers);
  }
}

void UpstreamConnection::on_reset(http::StreamId) { fail_stream(ResetReason::kRemoteReset, ""); }

void UpstreamConnection::on_error(http::StreamId, const http::CodecError& error) {
  SLUICE_LOG(kDebug, kClient, "[C", id_, "] protocol error from upstream ", pool_.host().address().to_string(), ": ",
             error.details);
  if (user_ != nullptr) {
    // A message cut short by the end of the connection is no protocol error.
    fail_stream(at_eof_ ? ResetReason::kConnectionTermination : ResetReason::kProtocolError, "");
  }
  close_transport(at_eof_ ? ClosedBy::kPeer : ClosedBy::kUs);
}

}  // namespace sluice::upstream
