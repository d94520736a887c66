// The router's tries: from the choice of a host to the answer, or to the next try.
#include "base/strings.h"
#include "filters/http/router/router.h"
#include "proxy/reason.h"
#include "upstream/wishes.h"

namespace sluice::filters::router {

using http::Token;
using proxy::Reason;
using proxy::Step;
using stats::ClusterStat;
using upstream::HostState;
using upstream::ResetReason;

namespace {

// RFC 9110, 9.2.2.
bool is_idempotent(std::string_view method) {
  return method == "GET" || method == "HEAD" || method == "OPTIONS" || method == "TRACE" || method == "PUT" ||
         method == "DELETE";
}

}  // namespace

void Router::begin_try(const upstream::Chosen& chosen, http::End end) {
  upstream::Pool& pool = upstream::pool_for(*chosen.cluster, *chosen.host, action_->priority, *exchange_.request(),
                                            exchange_.facts().connection_id + 1);
  newest_ = exchange_.arena().create<Attempt>(static_cast<AttemptOwner&>(*this), exchange_, options_, timeouts_, pool,
                                              local_.upstream_filters);
  attempts_.push_back(*newest_);
  using model::UpstreamForm;
  const UpstreamForm form = chosen.cluster->plan().form;
  if (form == UpstreamForm::kGeneric ? action_->ends(*exchange_.request()) : form == UpstreamForm::kTcp) {
    newest_->start_raw(*chosen.cluster);
  } else {
    newest_->start(action_->priority, end);
  }
}

// The back-off is over.
void Router::try_again() {
  ++exchange_.facts().attempts;
  choice_.tried = retries_ == nullptr ? nullptr : retries_->tried_priorities();
  const upstream::Chosen chosen = choose_host();
  if (chosen.host == nullptr) {
    drop_all_but(nullptr);
    if (retries_ != nullptr) retries_->end();
    (void)no_healthy_upstream();
    return;
  }
  http::RequestHeaders& headers = *exchange_.request();
  if (action_->rewrite->host_auto && !chosen.host->hostname().empty()) {
    headers.authority = chosen.host->hostname();
  }
  if (exchange_.route().host->include_attempt_count) {
    headers.fields.set_copy(Token::kXEnvoyAttemptCount, Piece(exchange_.facts().attempts).text());
  }
  if (exchange_.route().host->include_is_timeout_retry) {
    headers.fields.set(Token::kXEnvoyIsTimeoutRetry, retry_cause_ == Cause::kTimeout ? "true" : "false");
  }
  tell_timeout(timeouts_, options_, elapsed(), headers);
  const bool headers_only = request_ended_ && kept_.empty() && trailers_ == nullptr;
  begin_try(chosen, headers_only ? http::End::kYes : http::End::kNo);
  Attempt& attempt = *newest_;
  if (headers_only || attempt.over()) {
    return;
  }
  const bool body_ends = request_ended_ && trailers_ == nullptr;
  if (!kept_.empty() || body_ends) {
    buffer::Buffer body(exchange_.local().slabs);
    body.append_borrowed_from(kept_);
    attempt.send_data(body, body_ends ? http::End::kYes : http::End::kNo);
  }
  if (trailers_ != nullptr && !attempt.over()) {
    attempt.send_trailers(*trailers_);
  }
}

// How long the request has been waiting for its answer.
Duration Router::elapsed() const {
  const MonotonicTime since = exchange_.facts().request_end;
  return since == format::kUnset ? Duration(0) : exchange_.local().loop.now() - since;
}

// The clock of the route timeout, and those of the tries, start when the whole request has arrived.
void Router::on_request_complete() {
  request_ended_ = true;
  if (timeouts_.global.count() > 0) {
    deadline_.arm(timeouts_.global);
  }
  for (Attempt* attempt = attempts_.front(); attempt != nullptr; attempt = attempts_.next(*attempt)) {
    attempt->arm_timers();
  }
}

Step Router::on_request_data(proxy::Exchange&, buffer::Buffer& data, http::End end) {
  request_ended_ = end == http::End::kYes;
  for_each_mirror([&](Mirror& mirror) { mirror.send_data(data, end); });
  if (keeps_body_) {
    keep(data);
  }
  if (newest_ != nullptr && !newest_->over()) {
    newest_->send_data(data, end);
  }
  return Step::taken();
}

Step Router::on_request_trailers(proxy::Exchange&, http::HeaderMap& trailers) {
  request_ended_ = true;
  trailers_ = &trailers;
  for_each_mirror([&](Mirror& mirror) { mirror.send_trailers(trailers); });
  if (newest_ != nullptr && !newest_->over()) {
    newest_->send_trailers(trailers);
  }
  return Step::taken();
}

// A body that is too large to be kept is sent once. When just then no try is there that could take it, there is no way
// on.
void Router::keep(const buffer::Buffer& data) {
  const uint64_t limit = action_->body_buffer_limit.value_or(exchange_.body_buffer_limit());
  if (kept_.size() + data.size() <= limit) {
    kept_.append_copy_of(data);
    return;
  }
  cluster_->block().inc(ClusterStat::kRetryOrShadowAbandoned);
  forget_body();
  if (attempts_.empty()) {
    abort(proxy::reply_of(Reason::kRetryBufferFull));
  }
}

// Without it there are no more tries.
void Router::forget_body() {
  keeps_body_ = false;
  kept_.clear();
  if (retries_ != nullptr) {
    retries_->end();
    retries_ = nullptr;
  }
}

void Router::on_over(Attempt& attempt) { log_try(attempt, format::LogType::kUpstreamEnd); }

void Router::on_log_interval(Attempt& attempt) { log_try(attempt, format::LogType::kUpstreamPeriodic); }

void Router::log_try(Attempt& attempt, format::LogType why) {
  if (local_.upstream_log.empty()) {
    return;
  }
  format::Facts facts = exchange_.facts();
  facts.log_type = why;
  facts.start = attempt.began();
  facts.end = exchange_.local().loop.now();
  facts.response = attempt.response();
  facts.response_code = facts.response != nullptr ? facts.response->status : 0;
  facts.bytes_sent = attempt.body_sent();
  facts.bytes_received = attempt.body_received();
  facts.upstream_bytes = attempt.bytes();
  facts.live_bytes = nullptr;
  facts.details = {};
  facts.flags = {};
  if (attempt.timeout_flag) {
    facts.flags.set(*attempt.timeout_flag);
  }
  if (const auto reason = attempt.reset_reason()) {
    if (const auto flag = proxy::facts_of(proxy::reason_of(*reason)).flag) {
      facts.flags.set(*flag);
    }
  }
  local_.upstream_log.log(facts);
}

http::ByteMeter Router::bytes_under_way() {
  http::ByteMeter sum;
  for (Attempt* attempt = attempts_.front(); attempt != nullptr; attempt = attempts_.next(*attempt)) {
    if (!attempt->over()) sum += attempt->bytes();
  }
  return sum;
}

void Router::drop(Attempt& attempt) {
  attempt.IntrusiveNode<AttemptOwner>::unlink();
  attempt.reset();
}

void Router::drop_all_but(const Attempt* kept) {
  for (Attempt* attempt = attempts_.front(); attempt != nullptr;) {
    Attempt* next = attempts_.next(*attempt);
    if (attempt != kept) {
      drop(*attempt);
    }
    attempt = next;
  }
}

// The exchange ends without the rest of the response.
void Router::give_up() {
  deadline_.cancel();
  if (again_ != nullptr) {
    again_->cancel();
  }
  drop_all_but(nullptr);
  if (retries_ != nullptr) {
    retries_->end();
  }
}

bool Router::others_may_answer(const Attempt& but) {
  for (Attempt* attempt = attempts_.front(); attempt != nullptr; attempt = attempts_.next(*attempt)) {
    if (attempt != &but && !attempt->answered()) {
      return true;
    }
  }
  return retries_ != nullptr && retries_->waiting();
}

bool Router::note(Retries::Verdict verdict, Attempt& attempt, Cause cause) {
  switch (verdict) {
    case Retries::Verdict::kNo:
      return false;
    case Retries::Verdict::kYes:
      retries_->note_tried(attempt.host());
      retry_cause_ = cause;
      return true;
    case Retries::Verdict::kLimitExceeded:
      exchange_.facts().flags.set(format::Flag::kUpstreamRetryLimitExceeded);
      return false;
    case Retries::Verdict::kOverflow:
      exchange_.facts().flags.set(format::Flag::kUpstreamOverflow);
      return false;
  }
  return false;
}

bool Router::retry_after_headers(Attempt& attempt, http::ResponseHeaders& headers, bool& could_not) {
  if (retries_ == nullptr) {
    return false;
  }
  if (attempt.retried) {  // after its time was over
    could_not = retries_->would_retry(headers);
    return false;
  }
  const Retries::Verdict verdict = retries_->on_headers(headers);
  could_not = verdict == Retries::Verdict::kLimitExceeded || verdict == Retries::Verdict::kOverflow;
  if (!note(verdict, attempt, Cause::kFailure)) {
    return false;
  }
  HostState::inc(attempt.host().state.rq_error);
  cluster_->count_retried(headers.status);
  drop(attempt);
  return true;
}

// The upstream closed a connection that had been idle, just when the request left: nobody has seen it, so this is no
// failure of the host and no retry. Each time a connection goes that was there before, so it comes to an end.
bool Router::send_again(const Attempt& attempt) {
  if (!attempt.unread() || answer_ != nullptr || attempt.retried || !is_idempotent(exchange_.request()->method)) {
    return false;
  }
  again_ = exchange_.arena().create<event::Timer>(exchange_.local().loop.timers(), [this] { try_again(); });
  again_->arm(Duration(0));
  return true;
}

bool Router::retry_after_reset(Attempt& attempt, ResetReason reason, Cause cause) {
  if (answer_ != nullptr || retries_ == nullptr || attempt.retried) {
    return false;
  }
  const auto sent = attempt.sent() ? Retries::Sent::kYes : Retries::Sent::kNo;
  if (!note(retries_->on_reset(reason, sent), attempt, cause)) {
    return false;
  }
  HostState::inc(attempt.host().state.rq_error);
  return true;
}

}  // namespace sluice::filters::router
