// What a route's requests are hashed by, for consistent balancing.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/api-v3/config/route/v3/route_components.proto#config-route-v3-routeaction-hashpolicy
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "http/message.h"
#include "model/route_match.h"
#include "net/address.h"

namespace sluice::model {

// One entry of hash_policy.
struct HashPolicy {
  enum class By : uint8_t { kHeader, kCookie, kSourceIp, kQueryParameter, kFilterState };
  By by = By::kHeader;
  std::string name;                             // of the header (lower case), the cookie, the parameter, the object
  std::shared_ptr<const RegexRewrite> rewrite;  // of the header's value, before it is hashed
  std::optional<Duration> ttl;                  // a cookie that is missing is made; 0: for the session
  std::string path;                             // of that cookie
  std::string attributes;                       // of that cookie: "; SameSite=Strict"
  bool terminal = false;                        // nothing more is looked at once there is a hash
};

// What the hashes are of, beside the request.
struct HashInputs {
  const net::Address* source = nullptr;          // the client
  const net::Address* connection_local = nullptr;
  const net::Address* connection_remote = nullptr;
  const FilterState* filter_state = nullptr;
};

// Set-Cookie values that the response must have, in the order of the policies. In the request's arena.
struct MadeCookie {
  MadeCookie* next = nullptr;
  std::string_view text;
};

struct RequestHash {
  std::optional<uint64_t> value;  // none: no policy found anything
  MadeCookie* cookies = nullptr;
};

// The hashes of the policies in their order, each rotated into those before.
RequestHash hash_request(const std::vector<HashPolicy>& policies, const http::RequestHeaders& request,
                         const HashInputs& inputs);

}  // namespace sluice::model
