// ResponseMatch: what the headers of an answer must be like (envoy.config.common.matcher.v3.MatchPredicate).
#pragma once

#include <cstdint>
#include <vector>

#include "http/header_matcher.h"

namespace sluice::model {

// A tree of conditions. It is asked when the headers of the answer are there: what can only be known of the request,
// of bodies and of trailers does not hold, as in Envoy. Immutable. Thread: any.
struct ResponseMatch {
  enum class Kind : uint8_t { kHeaders, kAll, kAny, kNot, kAlways, kNever };

  Kind kind = Kind::kNever;
  std::vector<http::HeaderMatcher> headers;  // kHeaders: each of them holds
  std::vector<ResponseMatch> rules;          // kAll, kAny; of kNot the one

  bool holds(const http::ResponseHeaders& answer) const;
};

}  // namespace sluice::model
