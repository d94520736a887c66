// Rate limit descriptors: what the rate_limits of routes, virtual hosts and filters make of a request, for filters that
// limit by them.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/api-v3/config/route/v3/route_components.proto#config-route-v3-ratelimit
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/arena.h"
#include "format/facts.h"
#include "format/formatter.h"
#include "http/header_matcher.h"
#include "http/message.h"
#include "model/route_match.h"

namespace sluice::model {

// One entry of a descriptor. Views stand in an arena, or in the plan.
struct DescriptorEntry {
  std::string_view key, value;
};

// In the exchange's arena.
struct Descriptor {
  std::vector<DescriptorEntry> entries;
  uint64_t hits = 1;
};

// What the actions look at.
struct DescriptorInputs {
  const http::RequestHeaders& request;
  const format::Facts& facts;
  std::string_view cluster;  // that the request goes to; empty: none
  Arena& arena;
};

// One action gives one entry, or none and then the whole descriptor is not made. Thread: any (immutable).
struct RateLimitAction {
  struct Destination {};
  struct Header {
    std::string name;  // lower case
    bool skip_if_absent = false;
  };
  struct Query {
    std::string name;
    bool skip_if_absent = false;
  };
  struct Remote {};
  struct MaskedRemote {
    uint32_t v4_bits = 32, v6_bits = 128;
  };
  struct Text {  // generic_key, source_cluster
    std::optional<format::Formatter> value;
    std::string fallback;  // when there is no value, or an empty one
  };
  struct HeaderMatch {
    std::vector<http::HeaderMatcher> headers;
    bool expected = true;
    Text text;
  };
  struct QueryMatch {
    std::vector<QueryMatcher> parameters;
    bool expected = true;
    Text text;
  };
  struct OfMetadata {
    enum class Source : uint8_t { kDynamic, kRoute };
    Source source = Source::kDynamic;
    std::string space;
    std::vector<std::string> path;
    std::string fallback;  // when there is no text there
    bool skip_if_absent = false;
  };
  using What =
      std::variant<Destination, Header, Query, Remote, MaskedRemote, Text, HeaderMatch, QueryMatch, OfMetadata>;

  std::string key;
  What what;
};

// One of rate_limits. Thread: any (immutable).
struct RateLimit {
  uint32_t stage = 0;
  std::vector<RateLimitAction> actions;
  uint64_t hits = 1;
  std::optional<format::Formatter> hits_format;  // instead of `hits`
  bool on_stream_done = false;                   // counts when the exchange ends, not when it begins

  // None when an action finds nothing.
  std::optional<Descriptor> describe(const DescriptorInputs& inputs) const;
};
using RateLimits = std::vector<RateLimit>;

// Appends the descriptors of those of `limits` that are of that stage and count at the begin of the exchange.
void describe(const RateLimits& limits, uint32_t stage, const DescriptorInputs& inputs, std::vector<Descriptor>& out);

}  // namespace sluice::model
