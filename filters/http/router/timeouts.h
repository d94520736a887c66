// Timeouts of one request: of its route, of its retry policy, and what the client or the proxy before us say in
// x-envoy-* fields.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/configuration/http/http_filters/router_filter#x-envoy-upstream-rq-timeout-ms
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/time.h"
#include "http/message.h"
#include "model/route_action.h"

namespace sluice::filters::router {

struct RouterOptions;

// 0: none. Thread: its exchange's.
struct Timeouts {
  Duration global{0};  // from the end of the request to the end of the response, with all tries
  Duration per_try{0};
  Duration per_try_idle{0};
  bool hedge = false;     // a try whose time is over goes on beside the next one
  bool old_grpc = false;  // max_grpc_timeout: grpc-timeout goes on as what is left
};

// How much of a time-out is used, in percent; 0 when there is none.
inline uint64_t percent_of(Duration used, Duration timeout) {
  return timeout.count() <= 0 ? 0 : static_cast<uint64_t>(used.count() / std::max<int64_t>(1, timeout.count() / 100));
}

// The whole number that an x-envoy-* field holds, as Envoy reads it: "+2" is one, "-1" and "1.5" are none.
std::optional<uint64_t> number_of_field(std::string_view text);

// Takes the fields that it reads out of the request. `retry`: the policy that counts; null: none.
Timeouts take_timeouts(const model::ForwardAction& action, const model::RetryPolicy* retry,
                       const RouterOptions& options, http::RequestHeaders& request);
// Tells the upstream how long it has when `elapsed` of the time is gone.
void tell_timeout(const Timeouts& timeouts, const RouterOptions& options, Duration elapsed,
                  http::RequestHeaders& request);

}  // namespace sluice::filters::router
