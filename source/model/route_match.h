// RouteMatch: the conditions of one route, compiled. All of them must hold.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/api-v3/config/route/v3/route_components.proto (RouteMatch)
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/rare.h"
#include "http/header_matcher.h"
#include "http/message.h"
#include "match/path_template.h"
#include "match/regex.h"
#include "match/string_matcher.h"
#include "match/value_matcher.h"
#include "model/filter_state_matcher.h"
#include "runtime/key.h"

namespace sluice::model {

// `pattern` and its substitution with \1..\9 (RE2); replaces all matches.
struct RegexRewrite {
  match::Regex pattern;
  std::string substitution;
};

// What a match needs beside the message itself.
struct MatchInputs {
  uint64_t stable_random = 0;  // of the exchange: all fractions of one request agree
  bool tls = false;            // the downstream connection is TLS
  bool tls_client_certificate = false;
  bool tls_client_validated = false;
  const Metadata* metadata = nullptr;  // dynamic
  const FilterState* filter_state = nullptr;
};

enum class PathKind : uint8_t { kPrefix, kExact, kRegex, kSeparatedPrefix, kConnect, kTemplate };

// On the first value of a query parameter, compared raw.
struct QueryMatcher {
  std::string name;
  std::optional<match::StringMatcher> value;  // unset: only presence counts
  bool absent = false;                        // present_match false: it must not be there

  bool holds(std::string_view query) const;
};

// On the first cookie of that name. Inverted, a missing cookie matches too.
struct CookieMatcher {
  std::string name;
  match::StringMatcher value;
  bool invert = false;
};

using runtime::Fraction;

// What must hold beside the path.
struct MatchConditions {
  std::vector<http::HeaderMatcher> headers;
  std::vector<QueryMatcher> query;
  std::vector<CookieMatcher> cookies;
  std::optional<Fraction> fraction;
  std::vector<match::MetadataMatcher> metadata;  // of what filters have written before the route was chosen
  std::vector<FilterStateMatcher> filter_state;
  std::optional<bool> tls_presented, tls_validated;  // hold on a plain connection only when false
};

// Thread: any (immutable).
struct RouteMatch {
  PathKind kind = PathKind::kPrefix;
  std::string path;  // the prefix or the whole path, as written; empty for kRegex, kConnect and kTemplate
  match::Regex regex;
  std::optional<match::PathTemplate> path_template;
  bool case_sensitive = true;  // of `path`
  bool grpc = false;           // content-type application/grpc or application/grpc+...
  Rare<MatchConditions> conditions;

  // `path_only` is what is matched (without the query, and without path parameters when those are ignored).
  bool matches(const http::RequestHeaders& request, std::string_view path_only, std::string_view query_string,
               const MatchInputs& inputs) const;
  // The first condition that does not hold, in words; none when it matches. By the code of matches().
  std::optional<std::string> why_not(const http::RequestHeaders& request, std::string_view path_only,
                                     std::string_view query_string, const MatchInputs& inputs) const;
  // The path condition alone. Requests without a path are matched by kConnect only, and CONNECT by nothing else.
  bool matches_path(const http::RequestHeaders& request, std::string_view path_only) const;
};

}  // namespace sluice::model
