// StatsSinkPlan: where the stats are sent every stats_flush_interval, compiled.
#pragma once

#include <optional>
#include <string>

#include "net/address.h"

namespace sluice::model {

// envoy.config.metrics.v3.StatsdSink: one of the two. Immutable. Thread: any.
struct StatsSinkPlan {
  std::optional<net::Address> address;  // one datagram for each stat
  std::string cluster;                  // tcp_cluster_name: one line for each
  std::string prefix = "envoy";
};

}  // namespace sluice::model
