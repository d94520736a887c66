// The codec of an upstream connection: which one it is, and what it says comes in.
#include "base/log.h"
#include "http/http1/client_codec.h"
#include "upstream/cluster.h"
#include "upstream/upstream_connection.h"

namespace sluice::upstream {

using stats::ClusterStat;

void UpstreamConnection::choose_codec() {
  const model::ClusterPlan& plan = pool_.cluster().plan();
  const bool streams = pool_.protocol() == model::UpstreamProtocol::kHttp2 ||
                       (pool_.protocol() == model::UpstreamProtocol::kAuto && transport_->alpn() == "h2");
  if (!streams) {
    codec_ = std::make_unique<http::http1::Http1ClientCodec>(plan.codec, static_cast<http::ClientEvents&>(*this),
                                                             local_.slabs);
    if (!counted_) pool_.cluster().block().inc(ClusterStat::kUpstreamCxHttp1Total);
    pool_.cluster().show_http1();
    return;
  }
  auto codec = std::make_unique<http::http2::Http2ClientCodec>(
      plan.codec, *plan.http2, plan.buffer_limit, pool_.cluster().http2_block(),
      static_cast<http::http2::Http2ClientEvents&>(*this), local_.slabs);
  http2_ = codec.get();
  codec_ = std::move(codec);
  if (!counted_) pool_.cluster().block().inc(ClusterStat::kUpstreamCxHttp2Total);
  if (plan.http2->ping_interval.count() > 0 || plan.http2->ping_when_idle.count() > 0) {
    keepalive_ = std::make_unique<http::http2::KeepAlive>(
        *plan.http2, local_.loop.timers(), local_.random,
        [this] {
          http2_->ping();
          send_later();
        },
        [this] {
          pool_.cluster().http2_block().inc(stats::Http2Stat::kKeepaliveTimeout);
          close(ResetReason::kConnectionTermination);
        });
  }
  send_later();  // the preface
}

Arena& UpstreamConnection::on_begin(http::StreamId stream) { return find(stream)->user_->response_arena(); }

void UpstreamConnection::on_interim(http::StreamId stream, http::ResponseHeaders& headers) {
  if (LeasedStream* found = find(stream)) found->user_->on_interim(headers);
}

void UpstreamConnection::on_headers(http::StreamId stream, http::ResponseHeaders& headers, http::End end) {
  LeasedStream* found = find(stream);
  if (found == nullptr) {
    return;
  }
  StreamUser* user = end == http::End::kYes ? end_stream(*found) : found->user_;
  user->on_response_headers(headers, end);
  if (has_streams() && end == http::End::kYes) after_streams();
}

void UpstreamConnection::on_data(http::StreamId stream, buffer::Buffer& data, http::End end) {
  LeasedStream* found = find(stream);
  if (found == nullptr) {
    return;  // reset inside this dispatch
  }
  StreamUser* user = end == http::End::kYes ? end_stream(*found) : found->user_;
  user->on_response_data(data, end);
  if (has_streams() && end == http::End::kYes) after_streams();
}

void UpstreamConnection::on_trailers(http::StreamId stream, http::HeaderMap& trailers) {
  if (LeasedStream* found = find(stream)) {
    end_stream(*found)->on_response_trailers(trailers);
    if (has_streams()) after_streams();
  }
}

void UpstreamConnection::on_reset(http::StreamId stream, const http::StreamReset& reset) {
  using By = http::StreamReset::By;
  LeasedStream* found = find(stream);
  if (found == nullptr) {
    return;
  }
  ResetReason reason = ResetReason::kProtocolError;
  if (reset.by == By::kPeer) {
    reason = ResetReason::kRemoteReset;
    pool_.cluster().block().inc(ClusterStat::kUpstreamRqRxReset);
  } else if (reset.by == By::kPeerRefused) {
    reason = ResetReason::kRemoteRefused;
  } else {
    pool_.cluster().block().inc(ClusterStat::kUpstreamRqTxReset);
  }
  end_stream(*found)->on_stream_reset(reason, reset.by == By::kFault ? reset.details : std::string_view());
  after_streams();
}

void UpstreamConnection::on_error(http::StreamId, const http::CodecError& error) {
  SLUICE_LOG(kDebug, kClient, "[C", id_, "] protocol error from upstream ", pool_.host().address().to_string(), ": ",
             error.details);
  if (has_streams() || listening() == nullptr) {  // nobody: these are bytes that nobody asked for
    pool_.cluster().block().inc(ClusterStat::kUpstreamCxProtocolError);
  }
  // A connection that ends before the answer begins is no protocol error.
  fail_streams(at_eof_ && !heard_ ? ResetReason::kConnectionTermination : ResetReason::kProtocolError, "");
  close_transport(at_eof_ ? ClosedBy::kPeer : ClosedBy::kUs);
}

void UpstreamConnection::on_stream_full(http::StreamId stream, bool full) {
  LeasedStream* found = find(stream);
  if (found == nullptr) {
    return;
  }
  found->stream_full_ = full;
  if (!found->request_done_ && !outbox_.full()) found->user_->on_request_full(full);
}

void UpstreamConnection::on_goaway() {
  if (!draining_) {
    pool_.cluster().block().inc(ClusterStat::kUpstreamCxCloseNotify);
  }
  draining_ = true;
  pool_.on_draining(*this);
  if (state_ == State::kIdle) {
    close_transport(ClosedBy::kUs);
  }
}

void UpstreamConnection::on_settings() {
  if (state_ != State::kClosed) pool_.on_room(*this);
}

void UpstreamConnection::on_ping_ack() {
  if (keepalive_ != nullptr) keepalive_->on_ack();
}

}  // namespace sluice::upstream
