#include "filters/http/router/attempt.h"

#include "upstream/cluster.h"

namespace sluice::filters::router {

using upstream::ResetReason;

namespace {
// While there is no stream, this much of a body is taken before the client has to wait.
constexpr size_t kMaxWaiting = 64 * 1024;
}  // namespace

void Attempt::start(upstream::Pool& pool, uint8_t priority, http::End end) {
  const upstream::Host& host = pool.host();
  end_ = end;
  headers_only_ = end == http::End::kYes;
  exchange_.facts().upstream_host = &host.address();
  exchange_.facts().upstream_hostname = host.hostname;
  pool.request(*this, priority);
}

void Attempt::on_stream(upstream::UpstreamStream& stream) {
  stream_ = &stream;
  format::Facts& facts = exchange_.facts();
  facts.upstream_connection_id = stream.connection_id();
  facts.upstream_local = stream.local_address();
  facts.upstream_protocol = stream.protocol();
  facts.has_upstream_protocol = true;
  exchange_.keep_upstream_tls(stream.tls());
  facts.upstream_connected = facts.upstream_tx_start = exchange_.local().loop.now();
  stream.send_headers(*exchange_.request(), headers_only_ ? http::End::kYes : http::End::kNo);
  if (headers_only_) {
    sent_all();
    return;
  }
  const bool body_ends = end_ == http::End::kYes && waiting_trailers_ == nullptr;
  if (!waiting_.empty() || body_ends) {
    stream.send_data(waiting_, body_ends ? http::End::kYes : http::End::kNo);
  }
  if (waiting_trailers_ != nullptr) {
    stream.send_trailers(*waiting_trailers_);
  }
  if (end_ == http::End::kYes) {
    sent_all();
  }
  exchange_.request_gate().open(net::Pause::kConnecting);
}

void Attempt::on_no_stream(ResetReason reason, std::string_view details) {
  over_ = true;
  if (reason == ResetReason::kOverflow) {  // no host was asked
    exchange_.facts().upstream_host = nullptr;
    exchange_.facts().upstream_hostname = {};
  }
  exchange_.request_gate().open(net::Pause::kConnecting);
  owner_.on_failed(*this, reason, details);
}

void Attempt::send_data(buffer::Buffer& data, http::End end) {
  if (over_) {
    return;
  }
  if (stream_ != nullptr) {
    stream_->send_data(data, end);
    if (end == http::End::kYes) {
      sent_all();
    }
    return;
  }
  waiting_.move_from(data);
  waiting_.own();
  end_ = end;
  if (waiting_.size() >= kMaxWaiting) {
    exchange_.request_gate().close(net::Pause::kConnecting);
  }
}

void Attempt::send_trailers(const http::HeaderMap& trailers) {
  if (over_) {
    return;
  }
  if (stream_ != nullptr) {
    stream_->send_trailers(trailers);
    sent_all();
    return;
  }
  waiting_trailers_ = &trailers;
  end_ = http::End::kYes;
}

void Attempt::sent_all() { exchange_.facts().upstream_tx_end = exchange_.local().loop.now(); }

void Attempt::reset() {
  if (over_) {
    return;
  }
  over_ = true;
  cancel();
  if (stream_ != nullptr) {
    std::exchange(stream_, nullptr)->reset();
  }
}

void Attempt::pause_response(bool pause) {
  if (stream_ == nullptr) {
    return;
  }
  if (pause) {
    stream_->response_gate().close(net::Pause::kPeerFull);
  } else {
    stream_->response_gate().open(net::Pause::kPeerFull);
  }
}

size_t Attempt::request_room() const {
  if (stream_ != nullptr) {
    return stream_->room();
  }
  return waiting_.size() >= kMaxWaiting ? 0 : kMaxWaiting - waiting_.size();
}

// Without proxy_100_continue no interim response passes; with it the first one does.
void Attempt::on_interim(http::ResponseHeaders& headers) {
  if (exchange_.plan().codec.proxy_100_continue && !interim_seen_) {
    interim_seen_ = true;
    exchange_.respond_interim(headers);
  }
}

void Attempt::on_response_headers(http::ResponseHeaders& headers, http::End end) {
  answered_ = true;
  over_ = end == http::End::kYes;
  if (over_) {
    stream_ = nullptr;
  }
  owner_.on_headers(*this, headers, end);
}

void Attempt::on_response_data(buffer::Buffer& data, http::End end) {
  if (end == http::End::kYes) {
    over_ = true;
    stream_ = nullptr;
  }
  owner_.on_data(*this, data, end);
}

void Attempt::on_response_trailers(http::HeaderMap& trailers) {
  over_ = true;
  stream_ = nullptr;
  owner_.on_trailers(*this, trailers);
}

void Attempt::on_stream_reset(ResetReason reason, std::string_view details) {
  over_ = true;
  stream_ = nullptr;
  owner_.on_failed(*this, reason, details);
}

void Attempt::on_request_full(bool full) {
  if (full) {
    exchange_.request_gate().close(net::Pause::kPeerFull);
  } else {
    exchange_.request_gate().open(net::Pause::kPeerFull);
  }
}

}  // namespace sluice::filters::router
