// bandwidth_limit: bodies pass at a rate that all requests of the configuration share.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/configuration/http/http_filters/bandwidth_limit_filter
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/token_bucket.h"
#include "proxy/filter.h"
#include "runtime/key.h"

namespace sluice::filters::bandwidth_limit {

// The filter's own, or a route's in place of it; with its bucket of bytes, shared by all workers. Thread: any.
class Settings final : public model::FilterConfig {
 public:
  std::string stat_prefix;
  bool requests = false;
  bool responses = false;
  Duration fill_interval = std::chrono::milliseconds(50);
  runtime::Flag enabled{.fallback = true, .key = nullptr};
  std::unique_ptr<TokenBucket> bytes;  // null: nothing is limited
};

// Thread: any (immutable, but for the bucket).
class BandwidthLimitFactory final : public proxy::HttpFilterFactory {
 public:
  BandwidthLimitFactory(std::string_view name, std::shared_ptr<const Settings> settings)
      : name_(name), settings_(std::move(settings)) {}
  std::unique_ptr<proxy::FilterLocal> on_worker(const proxy::FilterPlace& place) const override;
  proxy::HttpFilter* create(proxy::Exchange& exchange, proxy::FilterLocal* local) const override;
  uint8_t hooks() const override;
  const Settings& settings(const proxy::Exchange& exchange) const;

 private:
  std::string name_;
  std::shared_ptr<const Settings> settings_;
};

}  // namespace sluice::filters::bandwidth_limit
