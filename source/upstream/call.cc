#include "upstream/call.h"

#include <utility>

#include "base/strings.h"
#include "upstream/wishes.h"

namespace sluice::upstream {

using http::Token;
using stats::ClusterStat;

std::string CallFailure::text() const {
  switch (kind) {
    case Kind::kNoCluster:
      return "Cluster not available";
    case Kind::kNoHost:
      return "no healthy upstream";
    case Kind::kTimeout:
      return "upstream request timeout";
    case Kind::kQueueFull:
      return "the peer does not take what is sent";
    case Kind::kReset:
      break;
  }
  return cat("upstream connect error or disconnect/reset ", answered ? "after" : "before",
             " headers. reset reason: ", words_of(reason),
             details.empty() ? "" : ", transport failure reason: ", details);
}

Call::Call(WorkerLocal& local, CallUser& user, const CallOptions& options)
    : local_(local),
      user_(&user),
      options_(options),
      arena_(local.chunks),
      headers_(arena_.create<http::RequestHeaders>(arena_)),
      waiting_(local.slabs),
      timer_(local.loop.timers(), [this] { on_timer(); }) {
  headers_->method = "GET";
  headers_->path = "/";
}

Call::~Call() { end(); }

void Call::let_go() {
  user_ = nullptr;
  end();
  local_.loop.destroy_later(std::unique_ptr<event::Deferred>(this));
}

void Call::start(Cluster* cluster, http::End end) {
  starting_ = true;
  started_ = local_.loop.now();
  headers_only_ = ended_ = end == http::End::kYes;
  if (options_.timeout.count() > 0) {
    timer_.arm(options_.timeout);
  }
  if (cluster == nullptr) {
    fail_soon(CallFailure::Kind::kNoCluster, ResetReason::kLocalReset, "");
    return;
  }
  cluster_ = cluster;
  if (headers_->authority.empty()) headers_->authority = arena_.copy(cluster->plan().name);
  if (headers_->scheme.empty()) headers_->scheme = "http";
  headers_->fields.set(Token::kXEnvoyInternal, "true");
  if (!options_.machine_ip.empty()) {
    headers_->fields.set_copy(Token::kXForwardedFor, options_.machine_ip);
  }
  if (options_.timeout.count() > 0) {
    headers_->fields.set_copy(Token::kXEnvoyExpectedRqTimeoutMs, Piece(to_ms(options_.timeout)).text());
  }
  LbRequest wanted;
  wanted.authority = headers_->authority;
  const Chosen chosen = cluster->choose_host(wanted);
  if (chosen.host == nullptr) {
    cluster->block().inc(ClusterStat::kUpstreamCxNoneHealthy);
    fail_soon(CallFailure::Kind::kNoHost, ResetReason::kLocalReset, "");
    return;
  }
  pool_ = &pool_for(*chosen.cluster, *chosen.host, options_.priority, *headers_);
  pin_.reset(pool_);
  pool_->request(*this, options_.priority);
  starting_ = false;
}

void Call::send(std::string_view first, std::string_view second, http::End end) {
  if (over_ || failing_ || ended_) {
    return;
  }
  starting_ = true;
  waiting_.append_copy(first);
  waiting_.append_copy(second);
  end_ = end;
  ended_ = end == http::End::kYes;
  flush();
  if (!over_ && waiting_.size() > options_.max_queued) {
    fail_soon(CallFailure::Kind::kQueueFull, ResetReason::kLocalReset, "");
  }
  starting_ = false;
}

void Call::flush() {
  if (stream_ == nullptr || stream_->full() || (waiting_.empty() && end_ == http::End::kNo)) {
    return;
  }
  stream_->send_data(waiting_, std::exchange(end_, http::End::kNo));
}

void Call::pause(bool stop) {
  if (stream_ == nullptr) {
    return;
  }
  if (stop) {
    stream_->response_gate().close(net::Pause::kPeerFull);
  } else {
    stream_->response_gate().open(net::Pause::kPeerFull);
  }
}

void Call::on_stream(UpstreamStream& stream) {
  stream_ = &stream;
  had_stream_ = true;
  cluster_->report(pool_->host(), Outcome::kConnected, 200);
  stream.send_headers(*headers_, headers_only_ ? http::End::kYes : http::End::kNo);
  flush();
}

void Call::on_no_stream(ResetReason reason, std::string_view details) { on_stream_reset(reason, details); }

void Call::on_stream_reset(ResetReason reason, std::string_view details) {
  stream_ = nullptr;
  if (starting_) {
    fail_soon(CallFailure::Kind::kReset, reason, details);
  } else {
    fail({CallFailure::Kind::kReset, reason, answered_, details});
  }
}

void Call::on_request_full(bool full) {
  if (!full) {
    flush();
  }
}

void Call::on_response_headers(http::ResponseHeaders& headers, http::End end) {
  answered_ = true;
  status_ = headers.status;
  cluster_->report(pool_->host(), Outcome::kAnswered, status_);
  cluster_->answers().count(status_, answer_of());
  HostState::inc(status_ >= 500 ? pool_->host().state.rq_error : pool_->host().state.rq_success);
  if (end == http::End::kYes) {
    answered_whole();
  }
  if (user_ != nullptr) user_->on_call_headers(headers, end);
}

void Call::on_response_data(buffer::Buffer& data, http::End end) {
  if (end == http::End::kYes) {
    answered_whole();
  }
  if (user_ != nullptr) user_->on_call_data(data, end);
  data.clear();
}

void Call::on_response_trailers(http::HeaderMap& trailers) {
  answered_whole();
  if (user_ != nullptr) user_->on_call_trailers(trailers);
}

void Call::answered_whole() {
  stream_ = nullptr;
  cluster_->answers().record_time(static_cast<uint64_t>(to_ms(local_.loop.now() - started_)), answer_of());
  end();
}

void Call::on_timer() {
  if (failing_) {
    soon_.details = soon_details_;
    over_ = true;
    if (user_ != nullptr) user_->on_call_failed(soon_);
    return;
  }
  fail({CallFailure::Kind::kTimeout, ResetReason::kLocalReset, answered_, ""});
}

void Call::fail_soon(CallFailure::Kind kind, ResetReason reason, std::string_view details) {
  starting_ = false;
  if (failing_) {
    return;
  }
  failing_ = true;
  soon_details_ = details;
  soon_ = {kind, reason, answered_, {}};
  count_failure(kind, reason);
  release();
  timer_.arm(Duration(0));
}

void Call::fail(const CallFailure& failure) {
  if (over_ || failing_) {
    return;
  }
  count_failure(failure.kind, failure.reason);
  end();
  if (user_ != nullptr) user_->on_call_failed(failure);
}

AnswerOf Call::answer_of() const {
  const Host* host = pool_ == nullptr ? nullptr : &pool_->host();
  return {.internal = true, .zone = cluster_->answers().zone_of(host)};
}

void Call::count_failure(CallFailure::Kind kind, ResetReason reason) {
  if (cluster_ == nullptr || answered_) {
    return;
  }
  const bool timeout = kind == CallFailure::Kind::kTimeout;
  if (timeout) cluster_->block().inc(ClusterStat::kUpstreamRqTimeout);
  cluster_->answers().count(timeout ? 504 : 503, answer_of());
  if (pool_ == nullptr || (kind == CallFailure::Kind::kReset && reason == ResetReason::kOverflow)) {
    return;  // no host was asked
  }
  if (timeout) HostState::inc(pool_->host().state.rq_timeout);
  HostState::inc(pool_->host().state.rq_error);
  cluster_->report(pool_->host(), timeout ? Outcome::kTimeout : Outcome::kConnectFailed, timeout ? 504 : 503);
}

void Call::end() {
  over_ = true;
  timer_.cancel();
  release();
}

void Call::release() {
  cancel();
  if (UpstreamStream* stream = std::exchange(stream_, nullptr)) {
    stream->reset();
  }
  waiting_.clear();
  pin_.reset();
  cluster_ = nullptr;
  pool_ = nullptr;
}

}  // namespace sluice::upstream
