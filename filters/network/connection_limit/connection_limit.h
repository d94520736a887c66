// ConnectionLimit: how many connections of a filter chain may be open at once, over all workers.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "proxy/network_filter.h"
#include "runtime/key.h"

namespace sluice::filters::connection_limit {

// Compiled configuration, with the count that all workers share. Thread: any.
struct Limit {
  std::string stat_prefix;  // "connection_limit.NAME."
  uint64_t most = 0;
  Duration delay{0};  // before a connection too many is closed, so that its client does not come back at once
  runtime::Flag enabled{true, nullptr};
  mutable std::atomic<uint64_t> open{0};
};

// Immutable but for the count, shared by all workers. Thread: any.
class ConnectionLimit final : public proxy::NetworkFilterFactory {
 public:
  explicit ConnectionLimit(std::shared_ptr<const Limit> limit) : limit_(std::move(limit)) {}
  std::unique_ptr<proxy::NetworkFilterMaker> on_worker(const proxy::ProxyLocal& proxy,
                                                       const proxy::ListenerFacts& listener) const override;

 private:
  std::shared_ptr<const Limit> limit_;
};

}  // namespace sluice::filters::connection_limit
