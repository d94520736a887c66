// ListenerPlan: what one listener accepts and how its connections are served, compiled.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/time.h"
#include "model/origin.h"
#include "net/address.h"
#include "net/network.h"
#include "net/transport_socket.h"

namespace sluice::model {

// The compiled configuration of a network filter (the connection manager, tcp_proxy ...): an opaque base, so that the
// model does not know the filters. Immutable, shared by all workers. Thread: any.
class NetworkFilterPlan {
 public:
  virtual ~NetworkFilterPlan() = default;
};

// Immutable. Thread: any.
struct FilterChainPlan {
  std::string name;
  std::shared_ptr<const NetworkFilterPlan> terminal;  // the last network filter: it owns the connection
  net::TransportSocketPlanPtr transport_socket;  // null: plain
  Duration transport_socket_timeout{0};          // transport_socket_connect_timeout; 0: none
  Origin origin;
};

enum class TrafficDirection : uint8_t { kUnspecified, kInbound, kOutbound };
// kModifyOnly: failed health checks (/healthcheck/fail) tell nobody to go.
enum class DrainType : uint8_t { kDefault, kModifyOnly };

// Immutable. Thread: any.
struct ListenerPlan {
  std::string name;
  std::string stat_prefix;  // stat_prefix, or the address with ':' as '_'
  net::Address address;
  net::ListenOptions socket;
  uint32_t buffer_limit = 1024 * 1024;  // per_connection_buffer_limit_bytes
  TrafficDirection direction = TrafficDirection::kUnspecified;
  DrainType drain_type = DrainType::kDefault;
  std::vector<FilterChainPlan> chains;
  Origin origin;
};

using ListenerPlanPtr = std::shared_ptr<const ListenerPlan>;

}  // namespace sluice::model
