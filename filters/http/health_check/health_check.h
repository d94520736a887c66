// health_check: answers health checks of this proxy, or lets the upstream answer and remembers what it said.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/configuration/http/http_filters/health_check_filter
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/time.h"
#include "http/header_matcher.h"
#include "proxy/filter.h"

namespace sluice::filters::health_check {

// What upstream said last, for all workers. Thread: any.
class Cache {
 public:
  struct Answer {
    uint16_t status = 200;
    bool degraded = false;
  };
  explicit Cache(Duration life) : life_(life) {}
  // None: it is too old, or there is none.
  std::optional<Answer> get(MonotonicTime now) const;
  void set(Answer answer, MonotonicTime now);

 private:
  const Duration life_;
  std::atomic<int64_t> until_{INT64_MIN};
  std::atomic<uint32_t> answer_{0};  // status, and degraded as bit 16
};

// Thread: any (immutable, but for the cache).
class HealthCheckFactory final : public proxy::HttpFilterFactory {
 public:
  struct Settings {
    std::vector<http::HeaderMatcher> headers;  // all of them make a request a health check
    bool pass_through = false;
    std::vector<std::pair<std::string, double>> min_healthy;  // by cluster, in percent
    std::string node_cluster;
    std::unique_ptr<Cache> cache;  // null: none
  };
  explicit HealthCheckFactory(Settings settings) : settings_(std::move(settings)) {}
  std::unique_ptr<proxy::FilterLocal> on_worker(const proxy::FilterPlace& place) const override;
  proxy::HttpFilter* create(proxy::Exchange& exchange, proxy::FilterLocal* local) const override;
  uint8_t hooks() const override;
  const Settings& settings() const { return settings_; }

 private:
  Settings settings_;
};

}  // namespace sluice::filters::health_check
