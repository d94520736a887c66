// ListenerPlan: what one listener accepts and how its connections are served, compiled.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "model/access_log_plan.h"
#include "model/chain_matcher.h"
#include "model/discovered.h"
#include "model/fact_inputs.h"
#include "model/origin.h"
#include "net/address.h"
#include "net/network.h"
#include "net/transport_socket.h"
#include "runtime/key.h"

namespace sluice::model {

// The compiled configuration of a network filter (the connection manager, tcp_proxy ...): an opaque base, so that the
// model does not know the filters. Immutable, shared by all workers. Thread: any.
class NetworkFilterPlan {
 public:
  virtual ~NetworkFilterPlan() = default;
};

// The compiled configuration of a listener filter (tls_inspector, proxy_protocol ...): an opaque base. Immutable,
// shared by all workers. Thread: any.
class ListenerFilterConfig {
 public:
  virtual ~ListenerFilterConfig() = default;
};

// filter_disabled of a listener filter. Thread: any (immutable).
struct PortPredicate {
  enum class Kind : uint8_t { kNever, kAny, kRange, kNot, kAnd, kOr };
  Kind kind = Kind::kNever;
  int32_t begin = 0, end = 0;  // kRange: `end` is not in it
  std::vector<PortPredicate> rules;

  // By the port of where the client wants to go.
  bool matches(const net::Address& destination) const;
};

// One line of listener_filters. Immutable. Thread: any.
struct ListenerFilterPlan {
  std::string name;
  std::shared_ptr<const ListenerFilterConfig> config;
  PortPredicate disabled;
};

// Which configuration a plan was compiled from: two of one content are the same. All zero: nobody knows, and it is like
// no other. Thread: any (immutable).
struct Content {
  uint64_t low = 0, high = 0;
  bool is(const Content& other) const { return low == other.low && high == other.high && (low | high) != 0; }
};

// Immutable, shared by the plans of a listener as long as updates leave it as it is. Thread: any.
struct FilterChainPlan {
  std::string name;
  Content content;
  std::vector<std::shared_ptr<const NetworkFilterPlan>> filters;  // all but the last
  std::shared_ptr<const NetworkFilterPlan> terminal;              // the last network filter: it owns the connection
  net::TransportSocketPlanPtr transport_socket;                   // null: plain
  Duration transport_socket_timeout{0};                           // transport_socket_connect_timeout; 0: none
  ChainNeeds needs;
  Origin origin;
};

enum class TrafficDirection : uint8_t { kUnspecified, kInbound, kOutbound };
// kModifyOnly: failed health checks (/healthcheck/fail) tell nobody to go.
enum class DrainType : uint8_t { kDefault, kModifyOnly };

// Another address of a listener, with what its sockets are told in place of the listener's own. A plain value.
struct AdditionalAddress {
  net::Address address;
  net::ListenOptions socket;
};

// A listener without its filter chains: what an update in place does not touch. Immutable. Thread: any.
struct ListenerFrame {
  std::string name;
  bool anonymous = false;   // the name is its address: no update is of the same name
  std::string stat_prefix;  // stat_prefix, or the address with ':' as '_'
  net::Address address;
  net::ListenOptions socket;
  uint32_t buffer_limit = 1024 * 1024;  // per_connection_buffer_limit_bytes
  TrafficDirection direction = TrafficDirection::kUnspecified;
  DrainType drain_type = DrainType::kDefault;
  std::vector<AdditionalAddress> additional_addresses;
  std::vector<ListenerFilterPlan> filters;
  Duration filters_timeout = std::chrono::seconds(15);  // 0: none
  bool continue_after_timeout = false;
  bool hand_over = false;             // use_original_dst: to the listener of the restored destination
  MetadataPtr metadata;               // null: none
  AccessLogSetPtr access_logs;        // one line for each connection
  uint32_t accepts_per_event = 32;    // max_connections_to_accept_per_socket_event
  bool exact_balance = false;         // each connection goes to the worker that has the fewest
  bool ignores_global_limit = false;  // ignore_global_conn_limit
  bool bypasses_overload = false;     // bypass_overload_manager
  runtime::Number connection_limit{UINT64_MAX, nullptr};
  // Over all workers.
  std::shared_ptr<std::atomic<uint64_t>> connections = std::make_shared<std::atomic<uint64_t>>(0);
  Origin origin;
  Content frame_content;
};

using FilterChainPlanPtr = std::shared_ptr<const FilterChainPlan>;

// Immutable. Thread: any.
struct ListenerPlan : ListenerFrame {
  std::vector<FilterChainPlanPtr> chains;  // the default chain is the last one
  std::optional<uint32_t> default_chain;
  ChainMatcher matcher;
  std::shared_ptr<const FactTree> tree;  // filter_chain_matcher: decides in place of the matcher
  Content content;
};

using ListenerPlanPtr = std::shared_ptr<const ListenerPlan>;

// An update that changes nothing but filter chains.
bool differs_in_chains_only(const ListenerPlan& fresh, const ListenerPlan& serving);
// `fresh` with the chains of `serving` wherever one has the same content, and its count of connections.
ListenerPlanPtr keep_chains(const ListenerPlan& fresh, const ListenerPlan& serving);
// The chains of `old` that are not in `plan`.
size_t chains_left_out(const ListenerPlan& old, const ListenerPlan& plan);

// What a filter_chain_matcher leads to. Immutable. Thread: any.
class ChainAction final : public match::Action {
 public:
  explicit ChainAction(std::optional<uint32_t> index) : chain(index) {}
  const std::optional<uint32_t> chain;  // none: of a name that no chain has
};

// The chain that serves a connection; none: nobody does.
std::optional<uint32_t> choose_chain(const ListenerPlan& plan, const ChainInputs& inputs);
// The same with a filter_chain_matcher.
std::optional<uint32_t> choose_chain(const ListenerPlan& plan, const format::Facts& facts);

}  // namespace sluice::model
