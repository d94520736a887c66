#include "model/route_apply.h"

#include <algorithm>
#include <cstring>
#include <initializer_list>

#include "base/strings.h"
#include "http/path.h"

namespace sluice::model {
namespace {

using http::Token;

// Keeps its capacity between requests.
std::string& scratch() {
  thread_local std::string text;
  text.clear();
  return text;
}

std::string_view join(Arena& arena, std::initializer_list<std::string_view> pieces) {
  size_t size = 0;
  for (const std::string_view piece : pieces) size += piece.size();
  char* const start = static_cast<char*>(arena.allocate(size, 1));
  char* out = start;
  for (const std::string_view piece : pieces) {
    if (!piece.empty()) std::memcpy(out, piece.data(), piece.size());
    out += piece.size();
  }
  return {start, size};
}

// The path of a request in two: what the rewrites look at, and the rest with its '?'.
struct PathAndRest {
  std::string_view path, rest;
};
PathAndRest cut_query(std::string_view target) {
  const std::string_view path = http::split_target(target).path;
  return {path, target.substr(path.size())};
}

void keep_original_path(http::RequestHeaders& request, Originals originals) {
  if (originals == Originals::kSet) request.fields.set(Token::kXEnvoyOriginalPath, request.path);
}

// What a prefix rewrite takes away: the prefix that matched, or everything when the match was no prefix. Null when the
// path does not begin with it, which path parameters that were ignored for matching can bring about.
std::string_view matched_part(const RouteMatch& match, std::string_view path) {
  if (match.kind != PathKind::kPrefix && match.kind != PathKind::kSeparatedPrefix) return path;
  const std::string_view start = path.substr(0, match.path.size());
  const bool begins = match.case_sensitive ? start == match.path : equal_ignore_case(start, match.path);
  return begins ? start : std::string_view();
}

void rewrite_prefix(const RouteMatch& match, std::string_view prefix, http::RequestHeaders& request,
                    Originals originals) {
  const std::string_view path = cut_query(request.path).path;
  const std::string_view matched = matched_part(match, path);
  if (matched.data() == nullptr) return;
  keep_original_path(request, originals);
  request.path = join(request.fields.arena(), {prefix, request.path.substr(matched.size())});
}

void rewrite_pattern(const RegexRewrite& rewrite, http::RequestHeaders& request, Originals originals) {
  const PathAndRest parts = cut_query(request.path);
  std::string& text = scratch();
  text = parts.path;
  const bool found = rewrite.pattern.replace_all(text, rewrite.substitution);
  if (text.empty()) return;  // no path at all: it stays as it is
  keep_original_path(request, originals);
  if (!found) return;
  request.path = join(request.fields.arena(), {text, parts.rest});
}

// The formatted text is the new path, before the query as it was; also when the text has one of its own.
void rewrite_format(const format::Formatter& formatter, http::RequestHeaders& request, const format::Facts& facts,
                    Originals originals) {
  std::string& text = scratch();
  formatter.append(text, facts);
  if (text.empty()) return;
  const std::string_view rest = cut_query(request.path).rest;
  keep_original_path(request, originals);
  request.path = join(request.fields.arena(), {text, rest});
}

void rewrite_template(const match::PathRewriteTemplate& rewrite, http::RequestHeaders& request, Originals originals) {
  const PathAndRest parts = cut_query(request.path);
  std::string& text = scratch();
  if (!rewrite.rewrite(parts.path, text)) return;
  keep_original_path(request, originals);
  request.path = join(request.fields.arena(), {text, parts.rest});
}

std::string_view new_host(const Rewrite& rewrite, http::RequestHeaders& request, const format::Facts& facts) {
  if (!rewrite.host_literal.empty()) return rewrite.host_literal;
  if (!rewrite.host_header.empty()) return request.get(rewrite.host_header);
  if (rewrite.host_path_regex == nullptr && rewrite.host_format == nullptr) return {};
  std::string& text = scratch();
  if (rewrite.host_path_regex != nullptr) {
    text = cut_query(request.path).path;
    rewrite.host_path_regex->pattern.replace_all(text, rewrite.host_path_regex->substitution);
  } else {
    rewrite.host_format->append(text, facts);
  }
  return request.fields.arena().copy(text);
}

// Sets the authority, x-envoy-original-host, and x-forwarded-host when the route wants it.
void rewrite_host(const Rewrite& rewrite, std::string_view host, http::RequestHeaders& request, Originals originals) {
  const std::string_view old = request.authority;
  if (originals == Originals::kSet) request.fields.set(Token::kXEnvoyOriginalHost, old);
  if (rewrite.append_forwarded_host && !old.empty()) {
    // The blank after a comma belongs to the text, so "a, b" does not end with "b" here, as in Envoy.
    const std::string_view list = request.fields.get(Token::kXForwardedHost);
    const std::string_view last = list.substr(list.rfind(',') + 1);
    if (last != old) request.fields.append_value(Token::kXForwardedHost, old);
  }
  request.authority = host;
}

// The client's host without the port that the redirect replaces, or that was the default of the scheme it leaves.
std::string_view redirect_host(const RedirectAction& redirect, std::string_view scheme,
                               const http::RequestHeaders& request) {
  if (!redirect.host.empty()) return redirect.host;
  const http::HostPort parts = http::split_host(request.authority);
  if (parts.port.data() == nullptr || redirect.require_tls) return request.authority;
  const std::string_view was = request.fields.get(Token::kXForwardedProto);
  const bool default_goes =
      scheme != was && ((was == "http" && parts.port == "80") || (was == "https" && parts.port == "443"));
  return redirect.port != 0 || default_goes ? parts.host : request.authority;
}

// The formatted text, from the root. The query stays unless the text has one of its own. Empty: there is no text.
std::string_view redirect_path(const RedirectAction& redirect, http::RequestHeaders& request,
                               const format::Facts& facts) {
  std::string& text = scratch();
  redirect.path_format->append(text, facts);
  if (text.empty()) return {};
  const bool query_stays = !redirect.strip_query && text.find('?') == std::string::npos;
  return join(request.fields.arena(),
              {text[0] == '/' ? "" : "/", text, query_stays ? cut_query(request.path).rest : std::string_view()});
}

std::string_view redirect_path(const RedirectAction& redirect, http::RequestHeaders& request) {
  const PathAndRest current = cut_query(request.path);
  if (redirect.path.empty()) return redirect.strip_query ? current.path : request.path;
  if (redirect.path.find('?') != std::string::npos || redirect.strip_query) return redirect.path;
  return join(request.fields.arena(), {redirect.path, current.rest});
}

}  // namespace

const WeightedCluster* ForwardAction::pick(const http::RequestHeaders& request, uint64_t random) const {
  if (weighted.empty()) return nullptr;
  if (!weight_header.empty()) random = parse_number<uint64_t>(request.get(weight_header)).value_or(random);
  const auto weight_of = [this](const WeightedCluster& cluster) {
    return live_weights ? std::min<uint64_t>(cluster.live_weight.now(), UINT32_MAX) : cluster.weight;
  };
  uint64_t total = total_weight;
  if (live_weights) {
    total = 0;
    for (const WeightedCluster& cluster : weighted) total += weight_of(cluster);
    if (total == 0) return &weighted.back();
  }
  uint64_t at = random % total;
  for (const WeightedCluster& cluster : weighted) {
    const uint64_t weight = weight_of(cluster);
    if (at < weight) return &cluster;
    at -= weight;
  }
  return &weighted.back();
}

std::string_view ForwardAction::cluster_name(const WeightedCluster* chosen, const http::RequestHeaders& request) const {
  const std::string& header = chosen != nullptr ? chosen->cluster_header : cluster_header;
  if (!header.empty()) return request.get(header);
  return chosen != nullptr ? chosen->name : cluster;
}

void rewrite_request(const RouteChoice& choice, const ForwardAction& action, const WeightedCluster* weighted,
                     http::RequestHeaders& request, const format::Facts& facts, std::string_view upstream_hostname,
                     Originals originals) {
  for_each_level(
      choice, weighted, [](const auto& level) -> const HeaderRules& { return level.request_headers; },
      [&](const HeaderRules& rules) { rules.apply(request, facts); });
  // Envoy lets the weighted cluster's host replace the client's before the route looks at it, without a trace of it.
  if (weighted != nullptr && !weighted->host_rewrite.empty()) request.authority = weighted->host_rewrite;

  const Rewrite& rewrite = *action.rewrite;
  const std::string_view host = rewrite.host_auto ? upstream_hostname : new_host(rewrite, request, facts);
  if (!host.empty()) rewrite_host(rewrite, host, request, originals);
  if (rewrite.has_prefix) {
    rewrite_prefix(choice.route->match, rewrite.prefix, request, originals);
  } else if (rewrite.path_regex != nullptr) {
    rewrite_pattern(*rewrite.path_regex, request, originals);
  } else if (rewrite.path_format != nullptr) {
    rewrite_format(*rewrite.path_format, request, facts, originals);
  } else if (rewrite.path_template != nullptr) {
    rewrite_template(*rewrite.path_template, request, originals);
  }
}

void finalize_response(const RouteChoice& choice, const WeightedCluster* weighted, http::ResponseHeaders& response,
                       const format::Facts& facts) {
  for_each_level(
      choice, weighted, [](const auto& level) -> const HeaderRules& { return level.response_headers; },
      [&](const HeaderRules& rules) { rules.apply(response, facts); });
}

std::string_view build_location(const RedirectAction& redirect, const Route& route, http::RequestHeaders& request,
                                const format::Facts& facts, Originals originals) {
  std::string_view path;
  if (redirect.has_prefix) {
    rewrite_prefix(route.match, redirect.prefix, request, originals);
  } else if (redirect.path_regex != nullptr) {
    rewrite_pattern(*redirect.path_regex, request, originals);
  } else if (redirect.path_format != nullptr) {
    path = redirect_path(redirect, request, facts);
  }
  if (path.empty()) path = redirect_path(redirect, request);
  const std::string_view scheme = !redirect.scheme.empty() ? std::string_view(redirect.scheme)
                                  : redirect.https         ? std::string_view("https")
                                                           : request.scheme;
  char port[8];
  std::string_view port_text;
  if (redirect.port != 0) {
    port[0] = ':';
    port_text = {port, static_cast<size_t>(std::to_chars(port + 1, port + sizeof(port), redirect.port).ptr - port)};
  }
  return join(request.fields.arena(), {scheme, "://", redirect_host(redirect, scheme, request), port_text, path});
}

}  // namespace sluice::model
