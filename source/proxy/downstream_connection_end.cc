// How a connection with a client ends: after an answer, when it was idle, because one side says so.
#include "proxy/downstream_connection.h"
#include "proxy/reason.h"

namespace sluice::proxy {

using stats::HttpStat;

void DownstreamConnection::cut() {
  if (has_streams()) {
    return;  // the stream was reset when its exchange finished
  }
  if (state_ != State::kClosed) {
    // What was encoded still leaves, the end of the message does not come: that is how HTTP/1 says "cut".
    close_when_sent();
    if (state_ == State::kClosing && outbox_.empty()) {
      close(ClosedBy::kUs);
    }
  }
}

// No further request. What is in the outbox leaves, then the client has delayed_close_timeout to close. FIN goes out
// at once, so that the client knows. A client that said itself that this is its last request, and sent all of it, is
// not waited for: the connection ends, as in Envoy, with two system calls and a wake-up less. Only a client that may
// still be sending (its request was not all there) or that the second GOAWAY has told, before it said GOAWAY itself,
// gets it with the timeout, as from Envoy.
void DownstreamConnection::close_when_sent() {
  if (state_ != State::kOpen) {
    return;
  }
  state_ = State::kClosing;
  cancel_timers();
  abandon_streams();
  gate_.reset();
  transport_->want_read(true);
  in_.clear();
  if (outbox_.empty()) {
    linger();
  } else {
    fin_when_sent_ = true;
  }
}

void DownstreamConnection::linger() {
  fin_when_sent_ = false;
  const Duration wait = server_.plan().delayed_close_timeout;
  if (wait.count() <= 0 || ends_at_once_) {
    close(ClosedBy::kUs);
    return;
  }
  if (!holds_end_ && (!goaway_done_ || seldom_->codec->peer_leaves())) {
    transport_->shutdown_write();
    ended_by_us_ = true;
  }
  idle_.arm(wait);
}

// A busy connection is told with its next answer. When the head of that is out already, the connection is as good as
// idle, and ends when it is quiet.
void DownstreamConnection::start_drain() {
  if (has_streams()) {
    start_goaway();
  } else if (state_ == State::kOpen && exchanges_.empty() && !reading_head_) {
    idle_.arm(kQuiet - (local().loop.now() - since_));
  }
}

void DownstreamConnection::on_idle_timeout() {
  if (state_ == State::kClosing) {
    if (!ended_by_us_) server_.block().inc(HttpStat::kDownstreamCxDelayedCloseTimeout);
    close(ClosedBy::kUs);
    return;
  }
  if (server_.draining() && !has_streams()) {
    if (!reading_head_) {
      close_when_sent();
    }
    return;
  }
  if (!idle_drain_) {
    server_.block().inc(HttpStat::kDownstreamCxIdleTimeout);
    if (has_streams()) {
      start_goaway();
      return;
    }
    if (spoke_ && server_.plan().drain_timeout.count() > 0) {
      // One more time, as Envoy does: a request that is on its way now is still answered.
      idle_drain_ = true;
      close_after_response();
      idle_.arm(server_.plan().drain_timeout);
      return;
    }
  }
  close(ClosedBy::kUs);
}

void DownstreamConnection::on_headers_timeout() {
  server_.block().inc(HttpStat::kDownstreamRqHeaderTimeout);
  if (!has_streams()) {
    if (codec_ == nullptr) use_http1();
    close_after_response();
    (void)on_begin(0);
  }
  (void)exchanges_.back()->reply(reply_of(Reason::kRequestHeadersTimeout));
}

void DownstreamConnection::peer_gone() {
  if (state_ == State::kOpen && !has_streams() && exchanges_.empty() && reading_head_) {
    (void)on_begin(0);  // it left in the middle of a head: that is an exchange too, for log and counters
  }
  if (!exchanges_.empty()) {
    server_.block().inc(HttpStat::kDownstreamCxDestroyActiveRq);
    server_.block().inc(HttpStat::kDownstreamCxDestroyRemoteActiveRq);
  }
  const bool was_open = state_ == State::kOpen;
  state_ = State::kClosing;
  while (Exchange* exchange = exchanges_.front()) {
    if (was_open) {
      server_.block().inc(HttpStat::kDownstreamRqRxReset);
    }
    exchange->abort(facts_of(Reason::kDownstreamDisconnect).details, format::Flag::kDownstreamConnectionTermination);
  }
  close(ClosedBy::kPeer);
}

void DownstreamConnection::close_now(std::string_view details) {
  if (state_ == State::kClosed) {
    return;
  }
  if (!exchanges_.empty()) {
    server_.block().inc(HttpStat::kDownstreamCxDestroyActiveRq);
    server_.block().inc(HttpStat::kDownstreamCxDestroyLocalActiveRq);
  }
  state_ = State::kClosing;
  while (Exchange* exchange = exchanges_.front()) {
    exchange->abort(details, std::nullopt);
  }
  close(ClosedBy::kUs);
}

void DownstreamConnection::close(ClosedBy by) {
  if (state_ == State::kClosed) {
    return;
  }
  SLUICE_DCHECK(exchanges_.empty());
  state_ = State::kClosed;
  cancel_timers();
  outbox_.abandon();
  abandon_streams();
  transport_->close(net::CloseHow::kFin);
  auto& block = server_.block();
  block.inc(HttpStat::kDownstreamCxDestroy);
  block.inc(by == ClosedBy::kUs || ended_by_us_ ? HttpStat::kDownstreamCxDestroyLocal
                                                : HttpStat::kDownstreamCxDestroyRemote);
  block.dec(HttpStat::kDownstreamCxActive);
  if (codec_ != nullptr) {
    block.dec(has_streams() ? HttpStat::kDownstreamCxHttp2Active : HttpStat::kDownstreamCxHttp1Active);
  }
  if (server_.listener().chain.transport_socket != nullptr) {
    block.dec(HttpStat::kDownstreamCxSslActive);
  }
  block.record(HttpStat::kDownstreamCxLengthMs, static_cast<uint64_t>(to_ms(local().loop.now() - started_)));
  IntrusiveNode<HttpServer>::unlink();
  IntrusiveNode<net::AtDispatchEnd>::unlink();
  --server_.count_;
  if (server_.listener().plan.access_logs != nullptr) {
    format::Facts facts;
    accepted_->describe(facts);
    facts.end = local().loop.now();
    facts.downstream_tls = transport_->tls();
    if (facts.downstream_tls != nullptr) facts.downstream_failure = transport_->failure();
    accepted_->end(facts);
  } else {
    accepted_->end();
  }
  local().loop.destroy_later(std::unique_ptr<event::Deferred>(this));
}

}  // namespace sluice::proxy
