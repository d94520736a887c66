// HeaderMatcher: one condition on a header, of requests, responses or trailers.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/api-v3/config/route/v3/route_components.proto (HeaderMatcher)
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "http/header_map.h"
#include "http/message.h"
#include "match/range.h"
#include "match/string_matcher.h"

namespace sluice::http {

// Several lines of one name are not joined: each is compared alone, and one that matches is enough. Inverted, no line
// may match. A missing header fails every condition on a value, inverted or not, unless it counts as empty; only
// presence can be inverted to "absent". Names may be pseudo headers (":path" is the path with its query) and "host",
// which is ":authority". Immutable, matching takes no memory. Thread: any.
class HeaderMatcher {
 public:
  enum class Invert : uint8_t { kNo, kYes };
  enum class Missing : uint8_t { kFails, kIsEmpty };  // treat_missing_header_as_empty

  // Any value at all is fine.
  struct Present {};
  using Condition = std::variant<Present, match::StringMatcher, match::IntegerRange>;

  // `name` may be in any case.
  HeaderMatcher(std::string_view name, Condition condition, Invert invert = Invert::kNo,
                Missing missing = Missing::kFails);

  bool matches(const RequestHeaders& headers) const;
  bool matches(const ResponseHeaders& headers) const;
  bool matches(const HeaderMap& headers) const;  // without pseudo headers: trailers

  std::string_view name() const { return name_; }
  const Condition& condition() const { return condition_; }
  bool inverted() const { return invert_ == Invert::kYes; }
  // For explanations: `x-user prefix "a"`, `not x-user present`.
  std::string describe() const;

 private:
  template <typename Headers>
  bool matches_message(const Headers& headers) const;
  bool matches_value(std::string_view value) const;
  // What is known once all lines were looked at.
  bool conclude(bool found, bool matched) const;

  std::string name_;  // lower case; ":authority" for "host"
  Token token_;
  bool pseudo_;
  Invert invert_;
  Missing missing_;
  Condition condition_;
};

}  // namespace sluice::http
