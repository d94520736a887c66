#include "filters/http/router/router.h"

#include <charconv>

#include "base/strings.h"
#include "base/trace.h"
#include "model/route_apply.h"
#include "proxy/reason.h"
#include "upstream/wishes.h"

namespace sluice::filters::router {

using http::Token;
using proxy::LocalReply;
using proxy::Reason;
using proxy::Step;
using stats::ClusterStat;
using stats::HttpStat;
using upstream::ResetReason;

namespace {

constexpr Duration kDefaultTimeout = std::chrono::seconds(15);

std::string_view number_text(Arena& arena, int64_t number) {
  char text[24];
  const auto end = std::to_chars(text, text + sizeof(text), number).ptr;
  return arena.copy({text, static_cast<size_t>(end - text)});
}

}  // namespace

Router::Router(proxy::Exchange& exchange, const RouterOptions& options)
    : exchange_(exchange), options_(options), deadline_(exchange.local().loop.timers(), [this] { on_timeout(); }) {}

Step Router::on_request_headers(proxy::Exchange&, http::RequestHeaders& headers, http::End end) {
  exchange_.block().inc(HttpStat::kRqTotal);
  const model::RouteChoice& choice = exchange_.route();
  if (choice.route == nullptr) {
    exchange_.block().inc(HttpStat::kNoRoute);
    return exchange_.reply(proxy::reply_of(Reason::kRouteNotFound));
  }
  if (const auto* action = std::get_if<model::DirectResponseAction>(&choice.route->action)) {
    return direct(*action);
  }
  if (const auto* action = std::get_if<model::RedirectAction>(&choice.route->action)) {
    return redirect(*action, headers);
  }
  if (const auto* action = std::get_if<model::ForwardAction>(&choice.route->action)) {
    return forward(*action, headers, end);
  }
  return no_cluster(503);
}

Step Router::direct(const model::DirectResponseAction& action) {
  exchange_.block().inc(HttpStat::kRqDirectResponse);
  LocalReply reply = proxy::reply_of(Reason::kDirectResponse);
  reply.status = action.status;
  reply.body = action.body;
  if (action.status == 201 || action.status / 100 == 3) {
    // Envoy answers these with the URL that was asked for.
    http::RequestHeaders& headers = *exchange_.request();
    reply.location = exchange_.arena().copy(cat(headers.scheme, "://", headers.authority, headers.path));
  }
  return exchange_.reply(reply);
}

Step Router::redirect(const model::RedirectAction& action, http::RequestHeaders& headers) {
  if (!action.require_tls) {
    exchange_.block().inc(HttpStat::kRqRedirect);
  }
  LocalReply reply = proxy::reply_of(Reason::kRedirect);
  reply.status = action.status;
  reply.location = model::build_location(action, *exchange_.route().route, headers, exchange_.facts(), originals());
  return exchange_.reply(reply);
}

Step Router::no_cluster(uint16_t status) {
  exchange_.block().inc(HttpStat::kNoCluster);
  LocalReply reply = proxy::reply_of(Reason::kClusterNotFound);
  reply.status = status;
  return exchange_.reply(reply);
}

Step Router::forward(const model::ForwardAction& action, http::RequestHeaders& headers, http::End end) {
  const model::WeightedCluster* weighted = exchange_.weighted();
  cluster_ = exchange_.clusters().find(action.cluster_name(weighted, headers));
  if (cluster_ == nullptr) {
    return no_cluster(action.cluster_not_found_status);
  }
  format::Facts& facts = exchange_.facts();
  facts.cluster_raw = cluster_->plan().name;
  facts.cluster = cluster_->plan().observable_name;
  trace::step("router: choose host");
  host_ = cluster_->choose_host(lb_request(action, headers));
  if (host_ == nullptr) {
    cluster_->block().inc(ClusterStat::kUpstreamCxNoneHealthy);
    cluster_->count_response(503, exchange_.internal());
    return exchange_.reply(proxy::reply_of(Reason::kNoHealthyUpstream));
  }
  set_timeout(action, headers);
  model::rewrite_request(exchange_.route(), action, weighted, headers, facts, host_->hostname, originals());
  // After the rewrite: names are those of the host that is sent.
  const upstream::PoolKind kind = cluster_->kind_for(action.priority, headers.protocol);
  upstream::Pool& pool = upstream::has_wishes(cluster_->plan())
                             ? cluster_->pool(*host_, kind, upstream::wishes_of(cluster_->plan(), headers))
                             : cluster_->pool(*host_, kind);
  pin_.reset(&pool);
  facts.attempts = 1;
  if (exchange_.route().host->include_attempt_count) {
    headers.fields.set(Token::kXEnvoyAttemptCount, "1");
  }
  attempt_ = exchange_.arena().create<Attempt>(static_cast<AttemptOwner&>(*this), exchange_);
  exchange_.on_abort([this] { give_up(); });
  exchange_.on_response_full([this](bool full) { attempt_->pause_response(full); });
  exchange_.set_request_room([this] { return attempt_->request_room(); });
  exchange_.when_request_complete([this] { arm_deadline(); });
  attempt_->start(pool, action.priority, end);
  return Step::taken();
}

upstream::LbRequest Router::lb_request(const model::ForwardAction& action, const http::RequestHeaders& headers) {
  upstream::LbRequest out;
  if (!action.hash_policies.empty() && cluster_->hashes()) {
    const format::Facts& facts = exchange_.facts();
    const model::RequestHash hash =
        model::hash_request(action.hash_policies, headers, {facts.remote, facts.local, facts.direct_remote});
    out.hash = hash.value;
    cookies_ = hash.cookies;
  }
  return out;
}

void Router::set_timeout(const model::ForwardAction& action, http::RequestHeaders& headers) {
  timeout_ = action.timeout.value_or(kDefaultTimeout);
  if (headers.fields.has(Token::kXEnvoyUpstreamRqTimeoutMs)) {
    if (const auto ms = parse_number<uint32_t>(headers.fields.get(Token::kXEnvoyUpstreamRqTimeoutMs))) {
      timeout_ = std::chrono::milliseconds(*ms);
    }
  }
  // There is one try: its timeout, when it is the shorter one, is the whole request's.
  if (const auto ms = parse_number<uint32_t>(headers.fields.get(Token::kXEnvoyUpstreamRqPerTryTimeoutMs));
      ms && *ms > 0 && (timeout_.count() == 0 || std::chrono::milliseconds(*ms) < timeout_)) {
    timeout_ = std::chrono::milliseconds(*ms);
    per_try_ = true;
  }
  // What is said to this router is not for the next one.
  headers.fields.remove_if([](const http::HeaderField& field) {
    switch (field.token) {
      case Token::kXEnvoyUpstreamRqTimeoutMs: case Token::kXEnvoyUpstreamRqPerTryTimeoutMs:
      case Token::kXEnvoyUpstreamRqTimeoutAltResponse: case Token::kXEnvoyUpstreamAltStatName:
      case Token::kXEnvoyMaxRetries: case Token::kXEnvoyRetryOn: case Token::kXEnvoyRetryGrpcOn:
      case Token::kXEnvoyRetriableStatusCodes: case Token::kXEnvoyRetriableHeaderNames:
      case Token::kXEnvoyHedgeOnPerTryTimeout: case Token::kXEnvoyUpstreamStreamDurationMs: return true;
      default: return false;
    }
  });
  if (!options_.suppress_envoy_headers && timeout_.count() > 0) {
    headers.fields.set(Token::kXEnvoyExpectedRqTimeoutMs, number_text(exchange_.arena(), to_ms(timeout_)));
  }
}

// The clock of the route timeout starts when the whole request has arrived.
void Router::arm_deadline() {
  if (timeout_.count() > 0) {
    deadline_.arm(timeout_);
  }
}

void Router::on_timeout() {
  const Reason reason = per_try_ ? Reason::kPerTryTimeout : Reason::kResponseTimeout;
  cluster_->block().inc(per_try_ ? ClusterStat::kUpstreamRqPerTryTimeout : ClusterStat::kUpstreamRqTimeout);
  upstream::HostState::inc(host_->state.rq_timeout);
  if (exchange_.response_begun()) {
    exchange_.cut_response(proxy::facts_of(reason).details, format::Flag::kUpstreamRequestTimeout);
    return;
  }
  upstream::HostState::inc(host_->state.rq_error);
  cluster_->count_response(504, exchange_.internal());
  (void)exchange_.reply(proxy::reply_of(reason));
}

void Router::give_up() {
  deadline_.cancel();
  attempt_->reset();
}

Step Router::on_request_data(proxy::Exchange&, buffer::Buffer& data, http::End end) {
  if (attempt_ != nullptr) {
    attempt_->send_data(data, end);
  }
  return Step::taken();
}

Step Router::on_request_trailers(proxy::Exchange&, http::HeaderMap& trailers) {
  if (attempt_ != nullptr) {
    attempt_->send_trailers(trailers);
  }
  return Step::taken();
}

void Router::on_headers(Attempt&, http::ResponseHeaders& headers, http::End end) {
  format::Facts& facts = exchange_.facts();
  trace::step("router: response");
  facts.upstream_rx_start = exchange_.local().loop.now();
  if (exchange_.upgrade_asked() && headers.status != 101 && exchange_.request()->method != "CONNECT") {
    refuse_upgrade(headers.status);
    return;
  }
  facts.details = proxy::facts_of(Reason::kViaUpstream).details;
  facts.response_code = headers.status;
  facts.response = &headers;
  cluster_->count_response(headers.status, exchange_.internal());
  upstream::HostState::inc(headers.status >= 500 ? host_->state.rq_error : host_->state.rq_success);
  if (!options_.suppress_envoy_headers) {
    if (facts.request_end != format::kUnset) {
      headers.fields.set(Token::kXEnvoyUpstreamServiceTime,
                         number_text(exchange_.arena(), to_ms(facts.upstream_rx_start - facts.request_end)));
    }
    if (exchange_.route().host->include_attempt_count_in_response) {
      headers.fields.set(Token::kXEnvoyAttemptCount, "1");
    }
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

// The upstream did not take the upgrade: the client is told its status, and nothing else of its answer.
void Router::refuse_upgrade(uint16_t status) {
  cluster_->count_response(status, exchange_.internal());
  LocalReply reply = proxy::reply_of(Reason::kWebSocketRefused);
  reply.status = status;
  (void)exchange_.reply(reply);
}

void Router::on_data(Attempt&, buffer::Buffer& data, http::End end) {
  if (end == http::End::kYes) {
    upstream_complete();
  }
  exchange_.respond_data(data, end);
}

void Router::on_trailers(Attempt&, http::HeaderMap& trailers) {
  upstream_complete();
  exchange_.respond_trailers(trailers);
}

void Router::upstream_complete() {
  deadline_.cancel();
  format::Facts& facts = exchange_.facts();
  facts.upstream_rx_end = exchange_.local().loop.now();
  if (facts.request_end != format::kUnset) {
    const auto ms = static_cast<uint64_t>(to_ms(facts.upstream_rx_end - facts.request_end));
    cluster_->record_response_time(ms, exchange_.internal());
  }
}

void Router::on_failed(Attempt&, ResetReason reset, std::string_view failure) {
  deadline_.cancel();
  Arena& arena = exchange_.arena();
  if (!failure.empty()) {
    exchange_.facts().upstream_failure = failure = arena.copy(failure);
  }
  if (exchange_.response_begun()) {
    exchange_.block().inc(HttpStat::kRqResetAfterDownstreamResponseStarted);
    const proxy::UpstreamReset words = proxy::describe_reset(reset, proxy::ResponseBegun::kYes, failure, 0, arena);
    exchange_.cut_response(words.details, proxy::facts_of(proxy::reason_of(reset)).flag);
    return;
  }
  LocalReply reply = proxy::upstream_reset_reply(reset, failure, 0, arena);
  if (reset != ResetReason::kOverflow) {
    upstream::HostState::inc(host_->state.rq_error);
  }
  cluster_->count_response(reply.status, exchange_.internal());
  http::HeaderMap overloaded(arena);
  if (reset == ResetReason::kOverflow && !options_.suppress_envoy_headers) {
    overloaded.add(Token::kXEnvoyOverloaded, "true");
    reply.fields = &overloaded;
  }
  (void)exchange_.reply(reply);
}

}  // namespace sluice::filters::router
