// What becomes of the router's tries: their answers, failures and timeouts, and the end.
#include <algorithm>

#include "base/strings.h"
#include "base/trace.h"
#include "filters/http/router/internal_redirect.h"
#include "filters/http/router/router.h"
#include "http/grpc.h"
#include "model/health_plan.h"
#include "proxy/reason.h"
#include "proxy/request_preparation.h"

namespace sluice::filters::router {

using http::Token;
using proxy::LocalReply;
using proxy::Reason;
using stats::ClusterStat;
using stats::HttpStat;
using upstream::HostState;
using upstream::Outcome;
using upstream::ResetReason;

namespace {

// Envoy's mapping.
uint16_t http_status_of_grpc(uint32_t status) {
  switch (status) {
    case 0:
      return 200;
    case 1:
      return 499;
    case 3:
    case 9:
    case 11:
      return 400;
    case 4:
      return 504;
    case 5:
      return 404;
    case 6:
    case 10:
      return 409;
    case 7:
      return 403;
    case 8:
      return 429;
    case 12:
      return 501;
    case 14:
      return 503;
    case 16:
      return 401;
    default:
      return 500;
  }
}

}  // namespace

// A gRPC status that comes with the headers says more than their 200; what the cluster says of errors, more than both.
void Router::report_answer(Attempt& attempt, const http::ResponseHeaders& headers) {
  uint16_t status = headers.status;
  if (headers.fields.has(Token::kGrpcStatus)) {
    if (const auto grpc = http::grpc_status_in(headers.fields)) status = http_status_of_grpc(*grpc);
  }
  const model::ClusterPlan& plan = attempt.cluster().plan();
  if (plan.outlier != nullptr && plan.outlier->errors != nullptr) {
    status = plan.outlier->errors->holds(headers) ? std::max<uint16_t>(headers.status, 500) : 200;
  }
  attempt.report(Outcome::kAnswered, status);
  if (plan.checked() && headers.fields.has(Token::kXEnvoyImmediateHealthCheckFail)) {
    attempt.says_goodbye();
  }
  if (plan.outlier != nullptr && status < 500 && headers.fields.has(Token::kXEnvoyDegraded)) {
    attempt.says_degraded();
  }
  if (plan.lb.reported_weights != nullptr) take_load_report(attempt, headers.fields);
}

// The first report of a request counts, whichever of its tries had it.
void Router::take_load_report(Attempt& attempt, const http::HeaderMap& fields) {
  load_reported_ = load_reported_ || attempt.take_load_report(fields);
}

void Router::on_stream(Attempt& attempt) {
  attempt.report(Outcome::kConnected, 200);
  charges_.inc(proxy::RouteStat::kTotal);
  if (options_.log_at_stream) {
    log_try(attempt, format::LogType::kUpstreamPoolReady);
  }
}

void Router::on_interim(Attempt& attempt, const http::ResponseHeaders& headers) {
  count_code(headers.status, &attempt.host(), &headers);
}

void Router::on_headers(Attempt& attempt, http::ResponseHeaders& headers, http::End end) {
  format::Facts& facts = exchange_.facts();
  trace::step("router: response");
  facts.upstream_rx_start = exchange_.local().loop.now();
  if (exchange_.upgrade_asked() && headers.status < 400 && headers.status != 101 &&
      equal_ignore_case(proxy::wanted_upgrade(*exchange_.request()), "websocket")) {
    refuse_upgrade(attempt, headers);
    return;
  }
  report_answer(attempt, headers);
  bool could_not = false;
  if (retry_after_headers(attempt, headers, could_not)) {
    return;
  }
  if (redirect_inside(attempt, headers)) {
    return;
  }
  if (could_not && others_may_answer(attempt)) {
    HostState::inc(attempt.host().state.rq_error);
    drop(attempt);
    return;
  }
  answer_ = &attempt;
  // Others may have filled the connection that they share with it, before there was an answer to stop.
  if (exchange_.response_stopped()) {
    attempt.pause_response(true);
  }
  drop_all_but(&attempt);
  forget_body();
  facts.details = proxy::facts_of(Reason::kViaUpstream).details;
  facts.response_code = headers.status;
  facts.response = &headers;
  count_code(headers.status, &attempt.host(), &headers);
  count_for_host(attempt, headers, end);
  if (!options_.suppress_envoy_headers && facts.request_end != format::kUnset) {
    headers.fields.set_copy(Token::kXEnvoyUpstreamServiceTime,
                            Piece(to_ms(facts.upstream_rx_start - facts.request_end)).text());
  }
  if (exchange_.route().host->include_attempt_count_in_response) {
    headers.fields.set_copy(Token::kXEnvoyAttemptCount, Piece(facts.attempts).text());
  }
  for (const model::MadeCookie* cookie = cookies_; cookie != nullptr; cookie = cookie->next) {
    headers.fields.add("set-cookie", cookie->text);
  }
  model::finalize_response(exchange_.route(), exchange_.weighted(), headers, facts);
  if (end == http::End::kYes) {
    upstream_complete();
  }
  exchange_.respond_headers(headers, end);
}

bool Router::redirect_inside(Attempt& attempt, const http::ResponseHeaders& headers) {
  const model::InternalRedirectPolicy* policy = action_->internal_redirect.get();
  if (policy == nullptr ||
      std::find(policy->codes.begin(), policy->codes.end(), headers.status) == policy->codes.end()) {
    return false;
  }
  // A body that is not here as a whole cannot be sent to somebody else.
  if (!request_ended_ || !keeps_body_ || !follow_redirect(*policy, exchange_, headers)) {
    cluster_->block().inc(ClusterStat::kUpstreamInternalRedirectFailedTotal);
    return false;
  }
  cluster_->block().inc(ClusterStat::kUpstreamInternalRedirectSucceededTotal);
  format::Facts& facts = exchange_.facts();
  facts.response_code = headers.status;
  facts.response = &headers;
  http::RequestHeaders& request = *exchange_.request();
  if (headers.status == 303 && request.method != "GET" && request.method != "HEAD") {
    request.method = "GET";
    request.fields.remove(Token::kContentLength);
    kept_.clear();
    trailers_ = nullptr;
  }
  drop(attempt);
  give_up();
  // Not here and now: the upstream's connection is still busy with this answer.
  again_ = exchange_.arena().create<event::Timer>(exchange_.local().loop.timers(), [this] { begin_again(); });
  again_->arm(Duration(0));
  return true;
}

void Router::begin_again() { exchange_.begin_again(kept_, trailers_); }

// The upstream did not take the upgrade, and does not say that this is an error: a client of WebSocket cannot use the
// content, but is told the rest.
void Router::refuse_upgrade(Attempt& attempt, const http::ResponseHeaders& headers) {
  count_code(headers.status, &attempt.host(), &headers);
  LocalReply reply = proxy::reply_of(Reason::kWebSocketRefused);
  reply.status = headers.status;
  auto* const fields = exchange_.arena().create<http::HeaderMap>(exchange_.arena());
  for (const http::HeaderField& field : headers.fields) {
    if (field.token != Token::kContentLength && field.token != Token::kContentType &&
        field.token != Token::kTransferEncoding) {
      fields->add_copy(field.name(), field.value());
    }
  }
  reply.fields = fields;
  (void)exchange_.reply(reply);
}

void Router::on_data(Attempt& attempt, buffer::Buffer& data, http::End end) {
  if (end == http::End::kYes) {
    if (grpc_to_count_) count_grpc_for_host(attempt, nullptr);
    upstream_complete();
  }
  exchange_.respond_data(data, end);
}

void Router::on_trailers(Attempt& attempt, http::HeaderMap& trailers) {
  if (grpc_to_count_) count_grpc_for_host(attempt, &trailers);
  take_load_report(attempt, trailers);
  upstream_complete();
  exchange_.respond_trailers(trailers);
}

void Router::upstream_complete() {
  deadline_.cancel();
  format::Facts& facts = exchange_.facts();
  facts.upstream_rx_end = exchange_.local().loop.now();
  if (cluster_->budgets() && facts.request_end != format::kUnset) {
    cluster_->budgets().record(stats::BudgetStat::kUpstreamRqTimeoutBudgetPercentUsed,
                               percent_of(facts.upstream_rx_end - facts.request_end, timeouts_.global));
  }
  if (facts.request_end != format::kUnset && counts()) {
    const auto ms = static_cast<uint64_t>(to_ms(facts.upstream_rx_end - facts.request_end));
    cluster_->answers().record_time(ms, answer_of_);
    charges_.each([ms](proxy::RouteCounter& one) { one.codes.record_time(ms); });
  }
}

void Router::on_failed(Attempt& attempt, ResetReason reset, std::string_view failure) {
  attempt.IntrusiveNode<AttemptOwner>::unlink();
  Arena& arena = exchange_.arena();
  if (!failure.empty()) {
    exchange_.facts().upstream_failure = failure = arena.copy(failure);
  }
  if (send_again(attempt)) {
    return;
  }
  const uint32_t retries = exchange_.facts().attempts - 1;
  if (reset != ResetReason::kOverflow) {
    attempt.report(Outcome::kConnectFailed, 503);
  }
  if (exchange_.response_begun()) {
    exchange_.block().inc(HttpStat::kRqResetAfterDownstreamResponseStarted);
    const proxy::UpstreamReset words =
        proxy::describe_reset(reset, proxy::ResponseBegun::kYes, failure, retries, arena);
    exchange_.cut_response(words.details, proxy::facts_of(proxy::reason_of(reset)).flag);
    return;
  }
  if (retry_after_reset(attempt, reset, Cause::kFailure)) {
    return;
  }
  const bool dropped = reset == ResetReason::kOverflow;
  LocalReply reply = proxy::upstream_reset_reply(reset, failure, retries, arena);
  if (dropped) {
    count_code(reply.status, &attempt.host(), nullptr);
  } else {
    count_failed(attempt, reply.status);
  }
  if (others_may_answer(attempt)) {
    return;
  }
  http::HeaderMap fields(arena);
  if (dropped && !options_.suppress_envoy_headers) {
    fields.add(Token::kXEnvoyOverloaded, "true");
    reply.fields = &fields;
  }
  abort(reply);
}

void Router::on_try_timeout(Attempt& attempt) {
  if (answer_ != nullptr) {  // the response has its time, and no limit but the whole one's
    return;
  }
  if (!timeouts_.hedge) {
    attempt.timeout_flag = format::Flag::kUpstreamRequestTimeout;
    give_up_try(attempt, Reason::kPerTryTimeout, ClusterStat::kUpstreamRqPerTryTimeout);
    return;
  }
  attempt.timeout_counted = true;
  attempt.report(Outcome::kTimeout, 504);
  if (retries_ != nullptr && note(retries_->on_soft_timeout(), attempt, Cause::kTimeout)) {
    attempt.retried = true;
  }
}

void Router::on_try_idle(Attempt& attempt) {
  attempt.timeout_flag = format::Flag::kStreamIdleTimeout;
  give_up_try(attempt, Reason::kPerTryIdleTimeout, ClusterStat::kUpstreamRqPerTryIdleTimeout);
}

// No failure of the host: it may be that it had much to say.
void Router::on_try_too_long(Attempt& attempt) {
  attempt.cluster().block().inc(ClusterStat::kUpstreamRqMaxDurationReached);
  attempt.timeout_flag = format::Flag::kUpstreamMaxStreamDurationReached;
  drop(attempt);
  if (retry_after_reset(attempt, ResetReason::kLocalReset, Cause::kFailure) || others_may_answer(attempt)) {
    return;
  }
  LocalReply reply = proxy::reply_of(Reason::kUpstreamMaxStreamDuration);
  if (!request_ended_) reply.status = 408;
  abort(reply);
}

void Router::give_up_try(Attempt& attempt, Reason reason, ClusterStat counter) {
  cluster_->block().inc(counter);
  HostState::inc(attempt.host().state.rq_timeout);
  drop(attempt);
  attempt.report(Outcome::kTimeout, 504);
  if (retry_after_reset(attempt, ResetReason::kLocalReset, Cause::kTimeout)) {
    return;
  }
  if (!attempt.answered()) {
    count_failed(attempt, timeout_status_);
  }
  LocalReply reply = proxy::reply_of(reason);
  reply.status = timeout_status_;
  abort(reply);
}

void Router::on_timeout() {
  while (Attempt* attempt = attempts_.front()) {
    cluster_->block().inc(ClusterStat::kUpstreamRqTimeout);
    charges_.inc(proxy::RouteStat::kTimeout);
    HostState::inc(attempt->host().state.rq_timeout);
    if (!attempt->answered()) {
      if (!attempt->timeout_counted) {
        attempt->report(Outcome::kTimeout, timeout_status_);
      }
      count_failed(*attempt, timeout_status_);
    }
    drop(*attempt);
  }
  LocalReply reply = proxy::reply_of(Reason::kResponseTimeout);
  reply.status = timeout_status_;
  abort(reply);
}

// /clusters. A gRPC call shows at its end whether it was good; one without a status is not.
void Router::count_for_host(Attempt& attempt, const http::ResponseHeaders& headers, http::End end) {
  upstream::HostState& state = attempt.host().state;
  if (headers.status >= 500) {
    HostState::inc(state.rq_error);
  } else if (!http::is_grpc(exchange_.request()->fields)) {
    HostState::inc(state.rq_success);
  } else if (end == http::End::kYes) {
    count_grpc_for_host(attempt, &headers.fields);
  } else {
    grpc_to_count_ = true;
  }
}

void Router::count_grpc_for_host(Attempt& attempt, const http::HeaderMap* fields) {
  grpc_to_count_ = false;
  const auto status = fields == nullptr ? std::nullopt : http::grpc_status_in(*fields);
  const bool good = status && http_status_of_grpc(*status) < 500;
  HostState::inc(good ? attempt.host().state.rq_success : attempt.host().state.rq_error);
}

// No try is left: the router answers itself, or cuts the response that has begun.
void Router::abort(LocalReply reply) {
  give_up();
  if (exchange_.response_begun()) {
    exchange_.cut_response(reply.details, reply.flag);
    return;
  }
  http::HeaderMap fields(exchange_.arena());
  if (exchange_.route().host->include_attempt_count_in_response) {
    if (reply.fields != nullptr) {
      for (const http::HeaderField& field : *reply.fields) {
        fields.push_back(field);
      }
    }
    fields.set_copy(Token::kXEnvoyAttemptCount, Piece(exchange_.facts().attempts).text());
    reply.fields = &fields;
  }
  (void)exchange_.reply(reply);
}

void Router::count_failed(Attempt& attempt, uint16_t status) {
  HostState::inc(attempt.host().state.rq_error);
  count_code(status, &attempt.host(), nullptr);
}

void Router::count_code(uint16_t status, const upstream::Host* host, const http::ResponseHeaders* answer) {
  if (!counts()) {
    return;
  }
  answer_of_.canary = (host != nullptr && host->canary.load(std::memory_order_relaxed)) ||
                      (answer != nullptr && answer->fields.get(Token::kXEnvoyUpstreamCanary) == "true");
  answer_of_.zone = cluster_->answers().zone_of(host);
  cluster_->answers().count(status, answer_of_);
  charges_.each([status](proxy::RouteCounter& one) { one.codes.inc(status); });
}

}  // namespace sluice::filters::router
