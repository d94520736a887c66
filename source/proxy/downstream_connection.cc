#include "proxy/downstream_connection.h"

#include <algorithm>

#include "base/log.h"
#include "base/strings.h"
#include "base/trace.h"
#include "http/http1/server_codec.h"
#include "proxy/reason.h"

namespace sluice::proxy {

using stats::HttpStat;

namespace {
constexpr size_t kReadAhead = 48 * 1024;
// Bytes of pipelined requests that are kept while one is answered; above it the client has to wait.
constexpr size_t kMaxPipelined = 64 * 1024;
}  // namespace

DownstreamConnection::DownstreamConnection(HttpServer& server, std::unique_ptr<net::Transport> transport,
                                           AcceptedPtr accepted)
    : server_(server),
      started_(server.proxy().local.loop.now()),
      since_(started_),
      transport_(std::move(transport)),
      accepted_(std::move(accepted)),
      outbox_(server.proxy().local.flushes, server.proxy().local.slabs, server.listener().plan.buffer_limit, *this),
      in_(server.proxy().local.slabs),
      gate_([this](bool open) {
        if (state_ == State::kOpen) {
          server_.block().inc(open ? HttpStat::kDownstreamFlowControlResumedReadingTotal
                                   : HttpStat::kDownstreamFlowControlPausedReadingTotal);
          transport_->want_read(open);
        }
      }),
      idle_(server.proxy().local.loop.timers(), [this] { on_idle_timeout(); }) {
  auto& block = server_.block();
  block.inc(HttpStat::kDownstreamCxTotal);
  block.inc(HttpStat::kDownstreamCxActive);
  if (server_.listener().chain.transport_socket != nullptr) {
    block.inc(HttpStat::kDownstreamCxSslTotal);
    block.inc(HttpStat::kDownstreamCxSslActive);
  }
  outbox_.attach(transport_.get());
  transport_->set_handler(this);
  const model::HttpPlan& plan = server_.plan();
  if (plan.idle_timeout.count() > 0) {
    idle_.arm(plan.idle_timeout);
  }
  if (plan.max_connection_duration.count() > 0) {
    seldom().duration.arm(local().loop.timers(), *this, plan.max_connection_duration);
  }
}

DownstreamConnection::~DownstreamConnection() { SLUICE_DCHECK(state_ == State::kClosed); }

DownstreamConnection::Seldom& DownstreamConnection::seldom() {
  if (seldom_ == nullptr) seldom_ = std::make_unique<Seldom>();
  return *seldom_;
}

std::unique_ptr<FilterLocal>& DownstreamConnection::filter_local(const void* key) {
  return seldom().filter_locals[key];
}

void DownstreamConnection::on_ready(net::Ready ready) {
  if (ready.writable && state_ != State::kClosed) {
    outbox_.on_writable();
  }
  if (ready.readable && state_ != State::kClosed) {
    read();
  } else if ((ready.failed || ready.peer_closed) && state_ != State::kClosed) {
    // Also while nothing is read: a client that ended is gone, whatever of its request was not read yet.
    peer_gone();
  }
}

void DownstreamConnection::read() {
  trace::step("downstream: read");
  // HTTP/2 has windows for that.
  Exchange* exchange = has_streams() ? nullptr : exchanges_.front();
  const size_t room = exchange != nullptr ? exchange->request_room() : kReadAhead;
  net::ReadLease lease(local().network.read_buffer());
  const net::IoResult result = transport_->read(lease, std::min(room, SIZE_MAX - kReadAhead) + kReadAhead, in_);
  if (result.bytes > 0) {
    server_.block().add(HttpStat::kDownstreamCxRxBytesTotal, result.bytes);
    accepted_->bytes_received += result.bytes;
    if (state_ == State::kClosing) {
      in_.clear();  // the answer was given: the rest is only read so that the client does not see a reset
      ends_at_once_ = false;
    } else {
      if (!has_streams() && exchanges_.empty() && !reading_head_) {
        on_first_byte();
      }
      if (has_streams() && seldom_->keepalive != nullptr) seldom_->keepalive->on_received(local().loop.now());
      if (codec_ != nullptr || choose_codec()) decode();
    }
  }
  if (state_ != State::kClosed && (result.status == net::IoStatus::kEof || result.status == net::IoStatus::kFailed)) {
    peer_gone();
  }
  local().flushes.flush_all();
  in_.own();
}

void DownstreamConnection::on_first_byte() {
  reading_head_ = true;
  since_ = local().loop.now();
  if (server_.plan().request_headers_timeout.count() > 0) {
    seldom().headers.arm(local().loop.timers(), *this, server_.plan().request_headers_timeout);
  }
}

// Decodes what is there. Runs again when an exchange ended and left a pipelined request behind; never nested.
void DownstreamConnection::decode() {
  if (decoding_) {
    return;
  }
  decoding_ = true;
  if (has_streams()) flush_later();
  while (!in_.empty() && state_ == State::kOpen) {
    const http::Decoded result = codec_->decode(in_);
    if (result == http::Decoded::kFailed) {
      in_.clear();
    }
    if (result == http::Decoded::kMore || (result == http::Decoded::kBlocked && !codec_->ready())) {
      break;
    }
  }
  decoding_ = false;
  if (state_ == State::kOpen && !has_streams()) {
    if (in_.size() > kMaxPipelined) {
      gate_.close(net::Pause::kSerial);
    } else {
      gate_.open(net::Pause::kSerial);
    }
  }
}

Exchange* DownstreamConnection::find(http::StreamId stream) {
  if (has_streams()) {
    return static_cast<Exchange*>(seldom_->codec->find_user(stream));
  }
  for (Exchange* exchange = exchanges_.front(); exchange != nullptr; exchange = exchanges_.next(*exchange)) {
    if (exchange->stream() == stream) {
      return exchange;
    }
  }
  return nullptr;
}

Arena& DownstreamConnection::on_begin(http::StreamId stream) {
  trace::step("codec: request head");
  idle_.cancel();
  cancel_headers();
  spoke_ = true;
  ++requests_;
  auto* exchange = new Exchange(*this, stream);
  if (reading_head_) {
    exchange->facts().start = since_;
    reading_head_ = false;
  }
  exchanges_.push_back(*exchange);
  if (has_streams()) {
    seldom_->codec->user(stream) = exchange;
    if (outbox_.full()) exchange->on_downstream_full(true);  // because of others
    if (server_.plan().request_headers_timeout.count() > 0) {
      seldom().headers.arm(local().loop.timers(), *this, server_.plan().request_headers_timeout);
    }
  }
  return exchange->arena();
}

void DownstreamConnection::on_headers(http::StreamId stream, http::RequestHeaders& headers, http::End end) {
  Exchange* exchange = find(stream);
  cancel_headers();
  if (headers.dropped_fields > 0 && !has_streams()) {
    server_.http1_block().add(stats::Http1Stat::kDroppedHeadersWithUnderscores, headers.dropped_fields);
  }
  accepted_->protocol = headers.protocol;
  accepted_->has_protocol = true;
  const uint32_t limit = server_.plan().max_requests_per_connection;
  if (limit != 0 && requests_ >= limit && !close_after_) {
    server_.block().inc(HttpStat::kDownstreamCxMaxRequestsReached);
    close_after_response();
  }
  if (headers.fields.has(http::Token::kExpect)) {
    answer_expectation(*exchange, headers);
  }
  exchange->on_headers(headers, end);
}

// RFC 9110 10.1.1. Without proxy_100_continue it is answered here, before routing, as Envoy does.
void DownstreamConnection::answer_expectation(Exchange& exchange, http::RequestHeaders& headers) {
  if (server_.plan().codec.proxy_100_continue ||
      !equal_ignore_case(headers.fields.get(http::Token::kExpect), "100-continue")) {
    return;
  }
  headers.fields.remove(http::Token::kExpect);
  http::ResponseHeaders interim(exchange.arena());
  interim.status = 100;
  send_interim(exchange, interim);
}

void DownstreamConnection::on_data(http::StreamId stream, buffer::Buffer& data, http::End end) {
  if (Exchange* exchange = find(stream)) {
    exchange->on_data(data, end);
  }
}

void DownstreamConnection::on_trailers(http::StreamId stream, http::HeaderMap& trailers) {
  if (Exchange* exchange = find(stream)) {
    exchange->on_trailers(trailers);
  }
}

void DownstreamConnection::send_interim(Exchange& exchange, const http::ResponseHeaders& headers) {
  codec_->encode_interim(exchange.stream(), headers, outbox_.bytes());
  send_later();
}

void DownstreamConnection::send_headers(Exchange& exchange, http::ResponseHeaders& headers, http::End end) {
  if (!close_after_ && server_.tells_to_go()) {
    server_.block().inc(HttpStat::kDownstreamCxDrainClose);
    close_after_response();
  } else if (!close_after_ && server_.overloaded(&Overload::no_keepalive)) {
    server_.block().inc(HttpStat::kDownstreamCxOverloadDisableKeepalive);
    close_after_response();
  }
  if (!has_streams() && !exchange.request_complete() && (end == http::End::kYes || exchange.answered_locally())) {
    close_after_response();
  }
  trace::step("downstream: encode response");
  codec_->encode_headers(exchange.stream(), headers, end, outbox_.bytes());
  send_later();
}

void DownstreamConnection::send_data(Exchange& exchange, buffer::Buffer& data, http::End end) {
  codec_->encode_data(exchange.stream(), data, end, outbox_.bytes());
  send_later();
}

void DownstreamConnection::send_trailers(Exchange& exchange, const http::HeaderMap& trailers) {
  codec_->encode_trailers(exchange.stream(), trailers, outbox_.bytes());
  send_later();
}

http::ByteMeter DownstreamConnection::bytes_of(const Exchange& exchange) {
  return codec_ == nullptr ? http::ByteMeter() : codec_->bytes(exchange.stream());
}

void DownstreamConnection::close_after_response() {
  if (has_streams()) {
    start_goaway();
  } else if (!close_after_) {
    close_after_ = true;
    codec_->start_drain(outbox_.bytes());
  }
}

void DownstreamConnection::exchange_finished(Exchange& exchange) {
  if (has_streams()) {
    stream_finished(exchange);
    return;
  }
  exchange.unlink();
  local().loop.destroy_later(std::unique_ptr<event::Deferred>(&exchange));
  if (state_ != State::kOpen) {
    return;
  }
  gate_.open(net::Pause::kPeerFull);
  if (close_after_ || !codec_->keep_alive()) {
    // An answer given while the head is decoded comes before the request's end, as Envoy counts. An answer to HTTP/1.0
    // may end with the connection only.
    const bool early = !exchange.request_complete() || (decoding_ && exchange.answered_locally());
    holds_end_ = early && accepted_->protocol != http::Protocol::kHttp10;
    ends_at_once_ = !early && in_.empty() && transport_->tls() == nullptr &&
                    static_cast<const http::http1::Http1ServerCodec&>(*codec_).peer_leaves();
    close_when_sent();
    return;
  }
  if (exchanges_.empty()) {
    since_ = local().loop.now();
    if (server_.draining()) {
      idle_.arm(kQuiet);
    } else if (server_.plan().idle_timeout.count() > 0) {
      idle_.arm(server_.plan().idle_timeout);
    }
  }
  if (!in_.empty()) {
    if (!reading_head_) {
      on_first_byte();
    }
    // Not here and now: the upstream connection of the exchange that just ended is not back in its pool yet.
    local().flushes.at_dispatch_end(*this);
  }
}

void DownstreamConnection::on_dispatch_end() {
  if (has_streams()) {
    flush_frames();
  } else {
    decode();
    in_.own();
  }
}

void DownstreamConnection::on_sent(size_t bytes) {
  trace::step("downstream: sent");
  server_.block().add(HttpStat::kDownstreamCxTxBytesTotal, bytes);
  accepted_->bytes_sent += bytes;
  if (has_streams()) seldom_->codec->sent(outbox_.size());
  if (fin_when_sent_ && outbox_.empty()) {
    linger();
  }
}

void DownstreamConnection::on_send_failed() { peer_gone(); }

void DownstreamConnection::on_full(bool full) {
  for (Exchange* exchange = exchanges_.front(); exchange != nullptr; exchange = exchanges_.next(*exchange)) {
    exchange->on_downstream_full(full);
  }
}

}  // namespace sluice::proxy
