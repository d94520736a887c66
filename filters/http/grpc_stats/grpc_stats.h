// grpc_stats: counts the calls, messages and results of gRPC for clusters, services and methods.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/configuration/http/http_filters/grpc_stats_filter
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "proxy/filter.h"

namespace sluice::filters::grpc_stats {

// Thread: any (immutable).
struct Settings {
  bool emit_filter_state = false;
  bool all_methods = false;  // each method has counters of its own; else only:
  std::set<std::pair<std::string, std::string>, std::less<>> methods;  // service and method
  bool upstream_time = false;                                          // upstream_rq_time
  bool replace_dots = false;                                           // of the service's name in those of stats
};

// Counts the messages in one direction of a call (5 bytes in front of each: a flag and its length). Part of its filter.
class MessageCounter {
 public:
  // How many begin in these bytes, which follow those before.
  uint64_t count(std::string_view bytes);
  uint64_t total() const { return total_; }

 private:
  uint64_t total_ = 0;
  uint32_t head_ = 0;    // bytes of the head at hand that were seen
  uint32_t length_ = 0;  // of the message, as far as its head was seen
  uint64_t left_ = 0;    // of the message
};

// Thread: any (immutable).
class GrpcStatsFactory final : public proxy::HttpFilterFactory {
 public:
  explicit GrpcStatsFactory(Settings settings) : settings_(std::move(settings)) {}
  proxy::HttpFilter* create(proxy::Exchange& exchange, proxy::FilterLocal* local) const override;
  uint8_t hooks() const override;
  const Settings& settings() const { return settings_; }

 private:
  Settings settings_;
};

}  // namespace sluice::filters::grpc_stats
