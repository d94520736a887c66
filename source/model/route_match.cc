#include "model/route_match.h"

#include "base/strings.h"
#include "http/cookies.h"
#include "http/grpc.h"
#include "http/path.h"

namespace sluice::model {
namespace {

bool begins(std::string_view text, std::string_view prefix, bool case_sensitive) {
  if (text.size() < prefix.size()) return false;
  const std::string_view start = text.substr(0, prefix.size());
  return case_sensitive ? start == prefix : equal_ignore_case(start, prefix);
}

bool cookie_holds(const CookieMatcher& matcher, const http::HeaderMap& fields) {
  const auto value = http::find_cookie(fields, matcher.name);
  return (value.has_value() && matcher.value.matches(*value)) != matcher.invert;
}

// On a plain connection both facts are false, whatever the caller says.
bool tls_holds(const MatchConditions& match, const MatchInputs& inputs) {
  const bool presented = inputs.tls && inputs.tls_client_certificate;
  const bool validated = inputs.tls && inputs.tls_client_validated;
  return match.tls_presented.value_or(presented) == presented && match.tls_validated.value_or(validated) == validated;
}

}  // namespace

bool RouteMatch::matches_path(const http::RequestHeaders& request, std::string_view path_only) const {
  if (kind == PathKind::kConnect) return request.method == "CONNECT";
  if (request.path.empty()) return false;
  switch (kind) {
    case PathKind::kPrefix:
      return begins(path_only, path, case_sensitive);
    case PathKind::kExact:
      return path_only.size() == path.size() && begins(path_only, path, case_sensitive);
    case PathKind::kRegex:
      return regex.matches(path_only);
    case PathKind::kSeparatedPrefix:
      return begins(path_only, path, case_sensitive) &&
             (path_only.size() == path.size() || path_only[path.size()] == '/');
    case PathKind::kTemplate:
      return path_template->matches(path_only);
    case PathKind::kConnect:
      break;
  }
  return false;
}

bool QueryMatcher::holds(std::string_view query) const {
  const auto found = http::query_parameter(query, name);
  if (absent) return !found.has_value();
  return found.has_value() && (!value || value->matches(*found));
}

namespace {

std::string path_words(const RouteMatch& match, const http::RequestHeaders& request, std::string_view path) {
  const std::string was = request.method == "CONNECT" ? "CONNECT" : cat("path '", path, "'");
  const std::string_view nocase = match.case_sensitive ? "" : " (in any letter case)";
  switch (match.kind) {
    case PathKind::kPrefix:
      return cat(was, " does not begin with '", match.path, "'", nocase);
    case PathKind::kExact:
      return cat(was, " is not '", match.path, "'", nocase);
    case PathKind::kRegex:
      return cat(was, " does not match its regex");
    case PathKind::kSeparatedPrefix:
      return cat(was, " is not below '", match.path, "'", nocase);
    case PathKind::kTemplate:
      return cat(was, " does not match its template");
    case PathKind::kConnect:
      break;
  }
  return "the method is not CONNECT";
}

std::string header_words(const http::HeaderMatcher& matcher, const http::RequestHeaders& request) {
  const std::string_view value = request.get(matcher.name());
  return cat("header: wants ", matcher.describe(),
             value.data() == nullptr ? ", is missing" : cat(", is '", value, "'"));
}

std::string query_words(const QueryMatcher& matcher, std::string_view query) {
  const auto found = http::query_parameter(query, matcher.name);
  const std::string is = found ? cat(", is '", *found, "'") : ", is missing";
  if (matcher.absent) return cat("query: wants no ", matcher.name, is);
  return cat("query: wants ", matcher.name, " ", matcher.value ? matcher.value->describe() : "present", is);
}

// Looks at one condition after the other. `miss` is called for the first that does not hold, with what makes its words.
template <typename Miss>
bool judge(const RouteMatch& match, const http::RequestHeaders& request, std::string_view path, std::string_view query,
           const MatchInputs& inputs, Miss&& miss) {
  const auto each = [&](const auto& list, auto&& holds, auto&& words) {
    for (const auto& item : list) {
      if (!holds(item)) return miss([&] { return words(item); });
    }
    return true;
  };
  if (!match.matches_path(request, path)) return miss([&] { return path_words(match, request, path); });
  if (match.grpc && !http::is_grpc(request.fields)) {
    return miss([] { return std::string("content-type is not one of gRPC"); });
  }
  if (!match.conditions) return true;
  const MatchConditions& wanted = *match.conditions;
  return each(
             wanted.headers, [&](const auto& matcher) { return matcher.matches(request); },
             [&](const auto& matcher) { return header_words(matcher, request); }) &&
         each(
             wanted.query, [&](const auto& matcher) { return matcher.holds(query); },
             [&](const QueryMatcher& matcher) { return query_words(matcher, query); }) &&
         each(
             wanted.cookies, [&](const auto& matcher) { return cookie_holds(matcher, request.fields); },
             [](const CookieMatcher& matcher) {
               return cat("cookie ", matcher.name, " is not ", matcher.invert ? "other than " : "",
                          matcher.value.describe());
             }) &&
         each(
             wanted.metadata, [&](const auto& matcher) { return matcher.matches(inputs.metadata); },
             [](const auto&) { return std::string("dynamic metadata do not match"); }) &&
         each(
             wanted.filter_state, [&](const auto& matcher) { return matcher.matches(inputs.filter_state); },
             [](const auto&) { return std::string("filter state does not match"); }) &&
         (tls_holds(wanted, inputs) ||
          miss([] { return std::string("the client's certificate is not as tls_context wants it"); })) &&
         (!wanted.fraction || wanted.fraction->includes(inputs.stable_random) ||
          miss([] { return std::string("the request is not in runtime_fraction"); }));
}

}  // namespace

bool RouteMatch::matches(const http::RequestHeaders& request, std::string_view path_only, std::string_view query_string,
                         const MatchInputs& inputs) const {
  return judge(*this, request, path_only, query_string, inputs, [](auto&&) { return false; });
}

std::optional<std::string> RouteMatch::why_not(const http::RequestHeaders& request, std::string_view path_only,
                                               std::string_view query_string, const MatchInputs& inputs) const {
  std::optional<std::string> out;
  (void)judge(*this, request, path_only, query_string, inputs, [&out](auto&& words) {
    out.emplace().append(words());
    return false;
  });
  return out;
}

}  // namespace sluice::model
