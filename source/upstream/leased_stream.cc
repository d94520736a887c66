#include "upstream/cluster.h"
#include "upstream/upstream_connection.h"

namespace sluice::upstream {

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

}  // namespace sluice::upstream
