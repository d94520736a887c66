// Retries: whether a try that failed is made again, when, and where not; for one exchange.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/configuration/http/http_filters/router_filter#x-envoy-retry-on
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/arena.h"
#include "event/loop.h"
#include "http/message.h"
#include "model/retry_policy.h"
#include "proxy/route_counters.h"
#include "upstream/cluster.h"
#include "upstream/reset_reason.h"

namespace sluice::filters::router {

// What is asked for again and again: part of its Router, in the exchange's arena. Counts as one retry of the cluster's
// breakers from the decision to the answer. Thread: worker.
class Retries {
 public:
  enum class Verdict : uint8_t {
    kNo,             // nothing to be tried again
    kYes,            // `again` is called when the back-off is over
    kLimitExceeded,  // it would be, but that was the last try
    kOverflow,       // it would be, but the cluster has too many retries now
  };
  // Whether the request had begun to leave on some try: after that, reset-before-request is over.
  enum class Sent : bool { kNo, kYes };

  // Null when this request is never tried again, whatever happens. Reads the policy of the route (which may be null)
  // and the x-envoy-* fields of the request.
  static Retries* create(const model::RetryPolicy* policy, const http::RequestHeaders& request,
                         upstream::Cluster& cluster, const proxy::RouteCharges& charges, uint8_t priority,
                         upstream::WorkerLocal& local, Function<void()> again);
  // For create().
  Retries(const model::RetryPolicy& policy, uint32_t on, upstream::Cluster& cluster, const proxy::RouteCharges& charges,
          uint8_t priority, upstream::WorkerLocal& local, Function<void()> again);
  ~Retries() { end(); }

  Verdict on_headers(const http::ResponseHeaders& headers);
  Verdict on_reset(upstream::ResetReason reason, Sent sent);
  // The time of a try is over, but it is not given up (hedging).
  Verdict on_soft_timeout() { return decide(true); }
  bool would_retry(const http::ResponseHeaders& headers) const;
  // A retry was decided and has not begun.
  bool waiting() const { return timer_.armed(); }
  // There will be no more.
  void end();

  // The choice of a host for a retry.
  void note_tried(upstream::Host& host);
  bool avoids(const upstream::Host& host) const;
  uint32_t host_attempts() const { return policy_.host_attempts; }
  // The hosts that were tried, for the choice of the next priority; null: it is the usual one.
  const upstream::TriedHosts* tried_priorities() const {
    return policy_.previous_priorities > 0 && !tried_.hosts.empty() ? &tried_ : nullptr;
  }

 private:
  static constexpr uint32_t kMaxTried = 64;  // remembered

  void read_fields(const http::RequestHeaders& request);
  bool would_retry(upstream::ResetReason reason, Sent sent) const;
  bool has_retriable_field(const http::ResponseHeaders& headers) const;
  Verdict decide(bool wanted);
  void count(stats::ClusterStat cluster, proxy::RouteStat route);
  void arm();
  std::optional<Duration> asked_for(const http::ResponseHeaders& headers) const;

  const model::RetryPolicy& policy_;
  const uint32_t on_;
  upstream::Cluster& cluster_;
  const proxy::RouteCharges& charges_;
  const uint8_t priority_;
  upstream::WorkerLocal& local_;
  uint32_t left_;
  uint32_t made_ = 0;
  bool held_ = false;                          // a place of the breaker, by the latest retry
  std::optional<Duration> reset_interval_;     // that the last answer asked for
  std::vector<uint32_t> status_codes_;         // of x-envoy-retriable-status-codes
  std::vector<std::string_view> field_names_;  // of x-envoy-retriable-header-names, lower case
  upstream::TriedHosts tried_;
  event::Timer timer_;
};

}  // namespace sluice::filters::router
