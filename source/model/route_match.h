// RouteMatch: the conditions of one route, compiled.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/header_matcher.h"
#include "http/message.h"
#include "match/regex.h"
#include "match/string_matcher.h"

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
};

enum class PathKind : uint8_t { kPrefix, kExact, kRegex, kSeparatedPrefix, kConnect };

struct QueryMatcher {
  std::string name;
  std::optional<match::StringMatcher> value;  // unset: it must be present
};

struct Fraction {
  uint32_t numerator = 0;
  uint32_t denominator = 100;  // 100, 10,000 or 1,000,000
  std::string runtime_key;
};

// Thread: any (immutable).
struct RouteMatch {
  PathKind kind = PathKind::kPrefix;
  std::string path;
  match::Regex regex;
  bool case_sensitive = true;
  bool grpc = false;
  std::vector<http::HeaderMatcher> headers;
  std::vector<QueryMatcher> query;
  std::optional<Fraction> fraction;
  std::optional<bool> tls_presented, tls_validated;

  bool matches(const http::RequestHeaders& request, std::string_view path_only, std::string_view query_string,
               const MatchInputs& inputs) const;
};

}  // namespace sluice::model
