#include "model/route_match.h"

#include "base/strings.h"
#include "http/cookies.h"
#include "http/path.h"

namespace sluice::model {
namespace {

bool begins(std::string_view text, std::string_view prefix, bool case_sensitive) {
  if (text.size() < prefix.size()) return false;
  const std::string_view start = text.substr(0, prefix.size());
  return case_sensitive ? start == prefix : equal_ignore_case(start, prefix);
}

bool is_grpc(std::string_view content_type) {
  constexpr std::string_view kType = "application/grpc";
  return content_type.starts_with(kType) && (content_type.size() == kType.size() || content_type[kType.size()] == '+');
}

bool cookie_holds(const CookieMatcher& matcher, const http::HeaderMap& fields) {
  const auto value = http::find_cookie(fields, matcher.name);
  return (value.has_value() && matcher.value.matches(*value)) != matcher.invert;
}

template <typename List, typename Holds>
bool all(const List& list, Holds&& holds) {
  for (const auto& item : list) {
    if (!holds(item)) return false;
  }
  return true;
}

// On a plain connection both facts are false, whatever the caller says.
bool tls_holds(const RouteMatch& match, const MatchInputs& inputs) {
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

bool RouteMatch::matches(const http::RequestHeaders& request, std::string_view path_only, std::string_view query_string,
                         const MatchInputs& inputs) const {
  return matches_path(request, path_only) && (!grpc || is_grpc(request.fields.get(http::Token::kContentType))) &&
         all(headers, [&](const auto& matcher) { return matcher.matches(request); }) &&
         all(query, [&](const auto& matcher) { return matcher.holds(query_string); }) &&
         all(cookies, [&](const auto& matcher) { return cookie_holds(matcher, request.fields); }) &&
         all(metadata, [&](const auto& matcher) { return matcher.matches(inputs.metadata); }) &&
         all(filter_state, [&](const auto& matcher) { return matcher.matches(inputs.filter_state); }) &&
         tls_holds(*this, inputs) && (!fraction || fraction->includes(inputs.stable_random));
}

}  // namespace sluice::model
