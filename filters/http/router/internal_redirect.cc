#include "filters/http/router/internal_redirect.h"

#include <algorithm>

#include "base/strings.h"
#include "http/authority.h"

namespace sluice::filters::router {

using http::Token;
using stats::HttpStat;

namespace {

struct Url {
  bool https = false;
  bool foreign = false;  // neither http nor https
  std::string_view authority, path;
};

// With a scheme and a host.
std::optional<Url> parse_url(std::string_view text, Arena& arena) {
  Url url;
  const size_t colon = text.find("://");
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string_view scheme = text.substr(0, colon);
  url.https = equal_ignore_case(scheme, "https");
  url.foreign = !url.https && !equal_ignore_case(scheme, "http");
  text.remove_prefix(colon + 3);
  text = text.substr(0, text.find('#'));
  const size_t end = std::min(text.find_first_of("/?"), text.size());
  std::string_view authority = text.substr(0, end);
  // Who somebody is to be there stays here.
  if (const size_t user = authority.find('@'); user != std::string_view::npos) authority.remove_prefix(user + 1);
  if (!http::is_authority(authority)) return std::nullopt;
  url.authority = arena.copy(authority);
  const std::string_view rest = text.substr(end);
  url.path = rest.empty() ? "/" : rest[0] == '?' ? arena.copy(cat("/", rest)) : arena.copy(rest);
  return url;
}

bool accepts(const model::InternalRedirectPolicy& policy, const proxy::Exchange& exchange, const model::Route& target,
             bool from_https, bool to_https) {
  if (policy.no_previous_routes && exchange.was_redirected(exchange.route().route, &target)) return false;
  if (policy.safe_cross_scheme && to_https && !from_https) return false;
  return !policy.has_allowed_routes || std::find(policy.allowed_routes.begin(), policy.allowed_routes.end(),
                                                 target.name) != policy.allowed_routes.end();
}

void copy_fields(const model::InternalRedirectPolicy& policy, const http::ResponseHeaders& from,
                 http::RequestHeaders& to) {
  for (const std::string& name : policy.headers_to_copy) {
    to.fields.remove(name);
    for (const http::HeaderField& field : from.fields) {
      if (field.name() == name) to.fields.add_copy(field.name(), field.value());
    }
  }
}

std::string_view cluster_of(const model::Route* route, const proxy::Exchange& exchange) {
  const auto* forward = route == nullptr ? nullptr : std::get_if<model::ForwardAction>(&route->action);
  if (forward == nullptr) return {};
  return forward->cluster_name(forward->pick(*exchange.facts().request, exchange.stable_random()),
                               *exchange.facts().request);
}

}  // namespace

bool follow_redirect(const model::InternalRedirectPolicy& policy, proxy::Exchange& exchange,
                     const http::ResponseHeaders& response) {
  http::RequestHeaders& request = *exchange.request();
  if (!response.fields.has(Token::kLocation)) return false;
  const auto url = parse_url(response.fields.get(Token::kLocation), exchange.arena());
  if (!url) {
    exchange.block().inc(HttpStat::kPassthroughInternalRedirectBadLocation);
    return false;
  }
  const bool from_https = request.scheme == "https";
  if (url->foreign || (from_https != url->https && !policy.allow_cross_scheme)) {
    exchange.block().inc(HttpStat::kPassthroughInternalRedirectUnsafeScheme);
    return false;
  }
  if (exchange.redirects() >= policy.max_redirects) {
    exchange.block().inc(HttpStat::kPassthroughInternalRedirectTooManyRedirects);
    return false;
  }
  const std::string_view scheme = request.scheme;
  const std::string_view authority = request.authority;
  const std::string_view path = request.path;
  request.scheme = url->https ? "https" : "http";
  request.authority = url->authority;
  request.path = url->path;
  const model::RouteChoice target = exchange.look_up_route();
  const bool known = target.route != nullptr;
  exchange.name_target(known ? std::string_view(target.route->name) : std::string_view(),
                       cluster_of(target.route, exchange));
  if (!known || !accepts(policy, exchange, *target.route, from_https, url->https)) {
    exchange.block().inc(known ? HttpStat::kPassthroughInternalRedirectPredicate
                               : HttpStat::kPassthroughInternalRedirectNoRoute);
    request.scheme = scheme;
    request.authority = authority;
    request.path = path;
    return false;
  }
  copy_fields(policy, response, request);
  request.fields.set(Token::kXEnvoyOriginalUrl,
                     exchange.arena().copy(cat(from_https ? "https" : "http", "://", authority, path)));
  exchange.note_redirect(target.route);
  return true;
}

}  // namespace sluice::filters::router
