// The choice of the codec, and what a connection with streams does besides.
#include <algorithm>

#include "base/log.h"
#include "http/http1/fault.h"
#include "http/http1/server_codec.h"
#include "proxy/downstream_connection.h"
#include "proxy/reason.h"

namespace sluice::proxy {

using stats::HttpStat;

namespace {
constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
// No method of HTTP/1 reads so.
constexpr size_t kPrefaceTells = 14;
// After the process said that it goes: a round trip for the streams that are on their way.
constexpr Duration kLeaving = std::chrono::milliseconds(100);
}  // namespace

// ---- codecs

bool DownstreamConnection::choose_codec() {
  switch (server_.plan().codec_type) {
    case model::CodecType::kHttp1:
      use_http1();
      return true;
    case model::CodecType::kHttp2:
      use_http2();
      return true;
    case model::CodecType::kAuto:
      break;
  }
  if (const std::string_view agreed = transport_->alpn(); !agreed.empty()) {
    agreed == "h2" ? use_http2() : use_http1();
    return true;
  }
  char start[kPrefaceTells];
  const size_t size = in_.copy_out(start, sizeof(start));
  const std::string_view seen(start, size);
  if (kPreface.substr(0, size) != seen) {
    use_http1();
  } else if (size == kPrefaceTells) {
    use_http2();
  } else {
    return false;
  }
  return true;
}

void DownstreamConnection::use_http1() {
  codec_ = std::make_unique<http::http1::Http1ServerCodec>(server_.plan().codec,
                                                           static_cast<http::ServerEvents&>(*this), local().slabs);
  server_.block().inc(HttpStat::kDownstreamCxHttp1Total);
  server_.block().inc(HttpStat::kDownstreamCxHttp1Active);
  (void)server_.http1_block();  // its stats exist from the first connection on
}

void DownstreamConnection::use_http2() {
  const model::HttpPlan& plan = server_.plan();
  auto codec = std::make_unique<http::http2::Http2ServerCodec>(
      plan.codec, plan.http2, server_.listener().plan.buffer_limit, server_.http2_block(),
      static_cast<http::http2::Http2ServerEvents&>(*this), local().slabs);
  seldom().codec = codec.get();
  has_streams_ = true;
  codec_ = std::move(codec);
  cancel_headers();
  reading_head_ = false;
  server_.block().inc(HttpStat::kDownstreamCxHttp2Total);
  server_.block().inc(HttpStat::kDownstreamCxHttp2Active);
  if (plan.http2.ping_interval.count() > 0) {
    seldom_->keepalive = std::make_unique<http::http2::KeepAlive>(
        plan.http2, local().loop.timers(), local().random,
        [this] {
          seldom_->codec->ping();
          flush_later();
        },
        [this] { on_keepalive_timeout(); });
  }
}

void DownstreamConnection::abandon_streams() {
  if (!has_streams()) return;
  seldom_->codec->abandon();
  if (seldom_->keepalive != nullptr) seldom_->keepalive->stop();
}

// ---- what comes in

void DownstreamConnection::on_reset(http::StreamId stream, const http::StreamReset& reset) {
  using By = http::StreamReset::By;
  cancel_headers();
  if (Exchange* exchange = find(stream)) {
    server_.block().inc(HttpStat::kDownstreamRqRxReset);
    const bool protocol = reset.by == By::kPeerProtocol || reset.by == By::kFault;
    exchange->abort(reset.details,
                    protocol ? format::Flag::kDownstreamProtocolError : format::Flag::kDownstreamRemoteReset);
  }
}

void DownstreamConnection::on_error(http::StreamId stream, const http::CodecError& error) {
  SLUICE_LOG(kDebug, kHttp, "[C", id(), "] request refused: ", error.details);
  server_.block().inc(HttpStat::kDownstreamCxProtocolError);
  cancel_headers();
  accepted_->flags.set(format::Flag::kDownstreamProtocolError);
  if (has_streams()) {
    fail_streams(error.details, format::Flag::kDownstreamProtocolError);
    close_when_sent();
    if (outbox_.empty()) close(ClosedBy::kUs);  // there is nothing that it could still read
    return;
  }
  if (error.details == http::http1::kUnderscoreRefused) {
    server_.http1_block().inc(stats::Http1Stat::kRequestsRejectedWithUnderscoresInHeaders);
  }
  server_.block().inc(HttpStat::kDownstreamRqRxReset);
  close_after_response();
  Exchange* exchange = find(stream);
  if (exchange == nullptr) {
    (void)on_begin(stream);
    exchange = exchanges_.back();
  }
  if (error.details == http::http1::kOtherProtocol && requests_ == 1 &&
      server_.plan().codec_type == model::CodecType::kAuto) {
    // That it speaks HTTP/1 was a guess, and a wrong one: it would not understand the answer.
    exchange->abort(error.details, format::Flag::kDownstreamProtocolError);
    close(ClosedBy::kUs);
    return;
  }
  exchange->refuse(error);
}

void DownstreamConnection::fail_streams(std::string_view details, std::optional<format::Flag> flag) {
  while (Exchange* exchange = exchanges_.front()) {
    exchange->abort(details, flag);
  }
}

void DownstreamConnection::on_ping_ack() {
  if (seldom_->keepalive != nullptr) seldom_->keepalive->on_ack();
}

void DownstreamConnection::on_complete(http::StreamId stream, const http::ByteMeter& bytes) {
  if (Exchange* exchange = find(stream)) exchange->facts().downstream_bytes = bytes;
}

void DownstreamConnection::on_keepalive_timeout() {
  server_.http2_block().inc(stats::Http2Stat::kKeepaliveTimeout);
  close_now("downstream_local_disconnect");
}

// ---- flow

void DownstreamConnection::flush_frames() {
  if (state_ != State::kOpen) {
    return;
  }
  (void)seldom_->codec->flush(outbox_.bytes());
  if (lines_wait_) end_exchanges();
  if (seldom_->codec->peer_leaves() && state_ == State::kOpen && !goaway_done_ && exchanges_.empty() &&
      seldom_->codec->streams() == 0) {
    close_after_ = goaway_done_ = true;
    seldom_->codec->finish_drain();
    (void)seldom_->codec->flush(outbox_.bytes());
  }
  outbox_.gather();
  if (state_ == State::kOpen && goaway_done_ && exchanges_.empty() && seldom_->codec->streams() == 0) {
    close_when_sent();
  }
}

bool DownstreamConnection::waits_for_frames(const Exchange& exchange) {
  if (!has_streams() || !server_.logs_wire_bytes() || !exchange.response_complete() || state_ != State::kOpen ||
      !codec_->keep_alive()) {
    return false;
  }
  lines_wait_ = true;
  flush_later();
  return true;
}

void DownstreamConnection::end_exchanges() {
  lines_wait_ = false;
  for (Exchange* exchange = exchanges_.front(); exchange != nullptr;) {
    Exchange* next = exchanges_.next(*exchange);
    if (exchange->finished()) exchange->end();
    exchange = next;
  }
}

void DownstreamConnection::on_stream_gate(Exchange& exchange, bool open) {
  if (state_ != State::kOpen || exchange.finished()) {
    return;
  }
  if (open) {
    server_.block().inc(HttpStat::kDownstreamFlowControlResumedReadingTotal);
    seldom_->codec->resume(exchange.stream());
    flush_later();
  } else {
    server_.block().inc(HttpStat::kDownstreamFlowControlPausedReadingTotal);
    seldom_->codec->pause(exchange.stream());
  }
}

void DownstreamConnection::on_stream_full(http::StreamId stream, bool full) {
  if (Exchange* exchange = find(stream)) {
    exchange->on_stream_full(full);
  }
}

size_t DownstreamConnection::response_room(const Exchange& exchange) {
  if (!has_streams()) {
    return outbox_.room();
  }
  const size_t limit = server_.listener().plan.buffer_limit;
  if (limit == 0) {
    return outbox_.room();
  }
  const size_t unsent = seldom_->codec->unsent(exchange.stream());
  return std::min(outbox_.room(), unsent >= limit ? 0 : limit - unsent);
}

// ---- ends

// The codec still sends what the exchange gave it, or resets what is not complete.
void DownstreamConnection::stream_finished(Exchange& exchange) {
  exchange.unlink();
  local().loop.destroy_later(std::unique_ptr<event::Deferred>(&exchange));
  if (state_ != State::kOpen || !codec_->keep_alive()) {
    return;
  }
  codec_->reset(exchange.stream(), outbox_.bytes());
  flush_later();
  if (exchanges_.empty() && !close_after_ && server_.plan().idle_timeout.count() > 0) {
    idle_.arm(server_.plan().idle_timeout);
  }
  count_stream(exchange);
}

// Rapid reset, whoever resets: https://www.envoyproxy.io/docs/envoy/v1.36.0/configuration/best_practices/edge
// A client of whose streams half come to nothing within a second costs more than it asks for.
void DownstreamConnection::count_stream(const Exchange& exchange) {
  const model::HttpPlan& plan = server_.plan();
  const format::Facts& facts = exchange.facts();
  ++seldom_->ended;
  const auto lifetime = std::chrono::duration_cast<std::chrono::seconds>(facts.end - facts.start);
  if (facts.response_code == 0 && lifetime <= plan.premature_reset_lifetime) {
    ++seldom_->premature_resets;
  }
  const uint32_t limit = plan.premature_reset_streams;
  const uint64_t twice = uint64_t{2} * seldom_->premature_resets;
  if (seldom_->ended < limit ? twice < limit : twice < seldom_->ended) {
    return;
  }
  server_.block().inc(HttpStat::kDownstreamRqTooManyPrematureResets);
  close_now("too_many_premature_resets");
}

// A client that knows of the first GOAWAY sends no further request; those that crossed it are still taken until the
// second one (RFC 9113 6.8).
void DownstreamConnection::start_goaway() {
  if (state_ != State::kOpen || close_after_) {
    return;
  }
  close_after_ = true;
  idle_.cancel();
  codec_->start_drain(outbox_.bytes());
  flush_later();
  const Duration wait = server_.plan().drain_timeout;
  seldom().duration.arm(local().loop.timers(), *this, server_.draining() ? std::min(wait, kLeaving) : wait);
}

void DownstreamConnection::on_duration() {
  if (has_streams() && close_after_) {
    goaway_done_ = true;
    seldom_->codec->finish_drain();
    flush_later();
    return;
  }
  server_.block().inc(HttpStat::kDownstreamCxMaxDurationReached);
  if (has_streams()) {
    start_goaway();
  } else if (exchanges_.empty()) {
    close_when_sent();
  } else {
    close_after_response();
  }
}

}  // namespace sluice::proxy
