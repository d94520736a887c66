// LeasedStream, and the choice of the codec of its connection.
#include "http/http1/client_codec.h"
#include "upstream/cluster.h"
#include "upstream/upstream_connection.h"

namespace sluice::upstream {

using stats::ClusterStat;

LeasedStream::LeasedStream(UpstreamConnection& connection, StreamUser& user, uint8_t priority)
    : connection_(connection),
      user_(&user),
      priority_(priority),
      gate_([this](bool open) { connection_.on_gate(*this, open); }) {}

void LeasedStream::send_headers(const http::RequestHeaders& headers, http::End end) {
  connection_.send_headers(*this, headers, end);
}

void LeasedStream::send_data(buffer::Buffer& data, http::End end) {
  UpstreamConnection& connection = connection_;  // the user may give the stream up inside
  request_done_ = end == http::End::kYes;
  connection.codec_->encode_data(id_, data, end, connection.outbox_.bytes());
  connection.send_later();
}

void LeasedStream::send_trailers(const http::HeaderMap& trailers) {
  request_done_ = true;
  connection_.codec_->encode_trailers(id_, trailers, connection_.outbox_.bytes());
  connection_.send_later();
}

void LeasedStream::reset() { connection_.reset(*this); }
bool LeasedStream::full() const { return stream_full_ || connection_.outbox_.full(); }
size_t LeasedStream::room() const { return connection_.room(*this); }
const Host& LeasedStream::host() const { return connection_.pool_.host(); }
const net::Address& LeasedStream::local_address() const { return connection_.transport_->local(); }
const net::Address& LeasedStream::remote_address() const { return connection_.transport_->remote(); }
uint64_t LeasedStream::connection_id() const { return connection_.id_; }
// A reset says nothing: what the peer had read it need not have acknowledged. A FIN acknowledges all that came before.
bool LeasedStream::unread() const {
  return !connection_.has_streams() && connection_.streams_ > 1 && connection_.ended_in_order_ &&
         connection_.transport_->nothing_arrived_since(written_before_);
}

const net::TlsFacts* LeasedStream::tls() const { return connection_.transport_->tls(); }
ConnectTimes LeasedStream::connect_times() const { return {connection_.started_, connection_.connected_at_}; }
http::ByteMeter LeasedStream::bytes() { return connection_.codec_->bytes(id_); }
http::Protocol LeasedStream::protocol() const { return connection_.codec_->protocol(); }

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

}  // namespace sluice::upstream
