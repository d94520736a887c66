#include "filters/http/router/router.h"

#include <algorithm>
#include <optional>

#include "base/strings.h"
#include "base/trace.h"
#include "filters/http/router/strict_check.h"
#include "model/request_policies.h"
#include "model/route_apply.h"
#include "net/address_text.h"
#include "proxy/override_host.h"
#include "proxy/reason.h"

namespace sluice::filters::router {

using http::Token;
using proxy::LocalReply;
using proxy::Reason;
using proxy::Step;
using stats::ClusterStat;
using stats::HttpStat;

Router::Router(proxy::Exchange& exchange, const RouterOptions& options, RouterLocal& local)
    : exchange_(exchange),
      options_(options),
      local_(local),
      kept_(exchange.local().slabs),
      deadline_(exchange.local().loop.timers(), [this] { on_timeout(); }) {}

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
  http::HeaderMap fields(exchange_.arena());
  if (action.format != nullptr) {
    format::Facts& facts = exchange_.facts();
    facts.local_reply_body = action.body;
    std::string text;
    action.format->text.append(text, facts);
    facts.local_reply_body = {};
    reply.body = exchange_.arena().copy(text);
    fields.set(Token::kContentType, action.format->content_type);
    reply.fields = &fields;
  }
  if (action.status == 201 || action.status / 100 == 3) {
    // Envoy answers these with the URL that was asked for.
    http::RequestHeaders& headers = *exchange_.request();
    reply.location = exchange_.arena().copy(cat(headers.scheme, "://", headers.authority, headers.path));
  }
  return exchange_.reply(reply);
}

Step Router::redirect(const model::RedirectAction& action, http::RequestHeaders& headers) {
  exchange_.block().inc(HttpStat::kRqDirectResponse);  // as Envoy: rq_redirect stays 0
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

Step Router::refuse_field(const http::HeaderField& field) {
  Arena& arena = exchange_.arena();
  LocalReply reply = proxy::reply_of(Reason::kStrictCheckFailed);
  reply.body = arena.copy(cat("invalid header '", field.name(), "' with value '", field.value(), "'"));
  reply.details = arena.copy(cat(reply.details, "{", field.name(), "}"));
  return exchange_.reply(reply);
}

Step Router::no_healthy_upstream() {
  cluster_->block().inc(ClusterStat::kUpstreamCxNoneHealthy);
  count_code(503, nullptr, nullptr);
  return exchange_.reply(proxy::reply_of(Reason::kNoHealthyUpstream));
}

// drop_overloads.
std::optional<Reason> Router::drops(double share) {
  if (share >= 1) {
    return Reason::kUnconditionalDropOverload;
  }
  constexpr uint64_t kMillion = 1'000'000;
  return static_cast<double>(exchange_.local().random.below(kMillion)) < share * kMillion
             ? std::optional(Reason::kDropOverload)
             : std::nullopt;
}

Step Router::drop_request(Reason reason) {
  count_code(503, nullptr, nullptr);
  LocalReply reply = proxy::reply_of(reason);
  http::HeaderMap fields(exchange_.arena());
  if (!options_.suppress_envoy_headers) {
    fields.add(reason == Reason::kDropOverload ? "x-envoy-drop-overload" : "x-envoy-unconditional-drop-overload",
               "true");
    reply.fields = &fields;
  }
  return exchange_.reply(reply);
}

Step Router::forward(const model::ForwardAction& action, http::RequestHeaders& headers, http::End end) {
  const model::WeightedCluster* weighted = exchange_.weighted();
  action_ = &action;
  cluster_ = exchange_.clusters().find(action.cluster_name(weighted, headers));
  if (cluster_ == nullptr) {
    return no_cluster(action.cluster_not_found_status);
  }
  format::Facts& facts = exchange_.facts();
  choose_counters(headers);
  facts.attempts = 1;
  facts.cluster_raw = cluster_->plan().name;
  facts.cluster = cluster_->plan().observable_name();
  facts.cluster_metadata = cluster_->plan().metadata.get();
  if (!options_.strict_headers.empty()) {
    if (const http::HeaderField* bad = find_bad_field(options_.strict_headers, headers.fields)) {
      return refuse_field(*bad);
    }
  }
  if (const double share = cluster_->hosts()->assignment->drop_share; share > 0) {
    if (const auto reason = drops(share)) {
      return drop_request(*reason);
    }
  }
  trace::step("router: choose host");
  const model::RequestPolicies* own = cluster_->plan().policies.get();
  const auto& hash_policies = own != nullptr && !own->hashes.empty() ? own->hashes : action.hash_policies;
  if (!hash_policies.empty() && cluster_->hashes()) {
    const model::RequestHash hash = model::hash_request(
        hash_policies, headers, {facts.remote, facts.local, facts.direct_remote, facts.filter_state});
    choice_.hash = hash.value;
    cookies_ = hash.cookies;
  }
  choice_.match = weighted != nullptr ? weighted->match.get() : action.match.get();
  choice_.authority = headers.authority;
  const upstream::Chosen chosen = choose_host();
  if (chosen.host == nullptr) {
    return no_healthy_upstream();
  }
  if (exchange_.plan().scheme_match_upstream) {
    headers.scheme = chosen.cluster->transport_socket(*chosen.host) != nullptr ? "https" : "http";
  }
  const model::RetryPolicy* retry = own != nullptr && own->retry != nullptr ? own->retry.get() : action.retry.get();
  timeouts_ = take_timeouts(action, retry, options_, headers);
  tell_timeout(timeouts_, options_, Duration(0), headers);
  if (headers.fields.has(Token::kXEnvoyUpstreamRqTimeoutAltResponse)) {
    timeout_status_ = 204;
  }
  model::rewrite_request(exchange_.route(), action, weighted, headers, facts, chosen.host->hostname(), originals());
  retries_ =
      Retries::create(retry, headers, *cluster_, charges_, action.priority, exchange_.local(), [this] { try_again(); });
  keeps_body_ = retries_ != nullptr || action.internal_redirect != nullptr;
  remove_spent_fields(headers);
  if (exchange_.route().host->include_attempt_count) {
    headers.fields.set(Token::kXEnvoyAttemptCount, "1");
  }
  const auto& mirrors = own != nullptr && own->mirrors != nullptr ? own->mirrors : action.mirrors;
  if (mirrors != nullptr && headers.tunnel != http::Tunnel::kConnect) {
    begin_mirrors(*mirrors, end);
  }
  exchange_.on_abort([this] { give_up(); });
  exchange_.on_response_full([this](bool full) {
    // Also tries without an answer yet: one that began when others had filled the client's connection was stopped then.
    for (Attempt* attempt = attempts_.front(); attempt != nullptr; attempt = attempts_.next(*attempt)) {
      attempt->pause_response(full);
    }
  });
  exchange_.set_tries(this);
  exchange_.when_request_complete([this] { on_request_complete(); });
  begin_try(chosen, end);
  return Step::taken();
}

// Whom this request counts for, beside its cluster.
void Router::choose_counters(const http::RequestHeaders& headers) {
  const model::RouteChoice& choice = exchange_.route();
  answer_of_ = {.internal = exchange_.internal(), .alt_name = headers.fields.get(Token::kXEnvoyUpstreamAltStatName)};
  const model::VirtualCluster* cluster =
      choice.host->virtual_clusters.empty() ? nullptr : choice.host->virtual_cluster(headers);
  if (cluster == nullptr && choice.route->stats.empty()) return;
  charges_ = exchange_.route_counters().charges(*choice.route, cluster);
  exchange_.facts().virtual_cluster = cluster == nullptr ? std::string_view() : std::string_view(cluster->name);
}

void Router::begin_mirrors(const std::vector<model::MirrorPolicy>& policies, http::End end) {
  for (const model::MirrorPolicy& policy : policies) {
    Mirror* mirror = local_.mirrors.begin(policy, exchange_, timeouts_.global);
    if (mirror == nullptr) {
      continue;
    }
    if (end == http::End::kNo) {
      mirrors_.push_back(*mirror);
    }
    mirror->start(0, end);
  }
}

// The rest of the request will not come.
void Router::cut_mirrors() {
  for_each_mirror([](Mirror& mirror) { mirror.cut(); });
}

// What is said to this router is not for the next one.
void Router::remove_spent_fields(http::RequestHeaders& headers) {
  headers.fields.remove_if([](const http::HeaderField& field) {
    switch (field.token) {
      case Token::kXEnvoyUpstreamRqPerTryTimeoutMs:
      case Token::kXEnvoyUpstreamRqTimeoutAltResponse:
      case Token::kXEnvoyUpstreamAltStatName:
      case Token::kXEnvoyMaxRetries:
      case Token::kXEnvoyRetryOn:
      case Token::kXEnvoyRetryGrpcOn:
      case Token::kXEnvoyRetriableStatusCodes:
      case Token::kXEnvoyRetriableHeaderNames:
      case Token::kXEnvoyHedgeOnPerTryTimeout:
      case Token::kXEnvoyUpstreamStreamDurationMs:
        return true;
      default:
        return false;
    }
  });
}

Router::Override Router::override_host() {
  const FilterState* state = exchange_.facts().filter_state;
  const auto* object = state == nullptr ? nullptr : state->find(proxy::kOverrideHostKey);
  if (object == nullptr) {
    return {};
  }
  Override out{.asked = true, .strict = object->factory == "strict"};
  const auto address = net::parse_address(object->text, 0);
  if (!address) {
    return out;
  }
  upstream::Host* host = cluster_->host_at(*address);
  if (host != nullptr && (cluster_->plan().lb.override_statuses & model::status_bit(host->status())) != 0) {
    out.found = host;
  }
  return out;
}

upstream::Wanted Router::original_destination() {
  const format::Facts& facts = exchange_.facts();
  return {facts.filter_state, facts.metadata, exchange_.request(),
          facts.local != facts.direct_local ? facts.local : nullptr};
}

// A retry looks for another host than before, but not for ever.
upstream::Chosen Router::choose_host() {
  choice_.attempt = 0;
  if (cluster_->plan().original_dst != nullptr) {
    return {cluster_.get(), cluster_->host_for(original_destination())};
  }
  if (newest_ == nullptr) {
    if (const Override wanted = override_host(); wanted.asked && (wanted.strict || wanted.found != nullptr)) {
      return {cluster_.get(), wanted.found};
    }
    return cluster_->choose_host(choice_);
  }
  upstream::Chosen chosen = cluster_->choose_host(choice_);
  while (chosen.host != nullptr && retries_ != nullptr && retries_->avoids(*chosen.host) &&
         choice_.attempt < retries_->host_attempts()) {
    ++choice_.attempt;
    chosen = cluster_->choose_host(choice_);
  }
  return chosen;
}

}  // namespace sluice::filters::router
