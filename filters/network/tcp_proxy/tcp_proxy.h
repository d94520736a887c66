// TcpProxy: carries the bytes of a connection to a host of a cluster and back.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/configuration/listeners/network_filters/tcp_proxy_filter
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "model/access_log_plan.h"
#include "model/origin.h"
#include "model/subset_plan.h"
#include "proxy/access_log/access_log.h"
#include "proxy/byte_server.h"
#include "stats/stats.h"

namespace sluice::filters::tcp_proxy {

// Prefix "tcp.STAT_PREFIX.".
// clang-format off
#define SLUICE_TCP_STATS(X) \
  X(kCounter, kDownstreamCxDrainClose, "downstream_cx_drain_close") \
  X(kCounter, kDownstreamCxNoRoute, "downstream_cx_no_route") \
  X(kCounter, kDownstreamCxOverloadClose, "downstream_cx_overload_close") \
  X(kGauge, kDownstreamCxRxBytesBuffered, "downstream_cx_rx_bytes_buffered") \
  X(kCounter, kDownstreamCxRxBytesTotal, "downstream_cx_rx_bytes_total") \
  X(kCounter, kDownstreamCxTotal, "downstream_cx_total") \
  X(kGauge, kDownstreamCxTxBytesBuffered, "downstream_cx_tx_bytes_buffered") \
  X(kCounter, kDownstreamCxTxBytesTotal, "downstream_cx_tx_bytes_total") \
  X(kCounter, kDownstreamFlowControlPausedReadingTotal, "downstream_flow_control_paused_reading_total") \
  X(kCounter, kDownstreamFlowControlResumedReadingTotal, "downstream_flow_control_resumed_reading_total") \
  X(kCounter, kEarlyDataReceivedCountTotal, "early_data_received_count_total") \
  X(kCounter, kIdleTimeout, "idle_timeout") \
  X(kCounter, kMaxDownstreamConnectionDuration, "max_downstream_connection_duration") \
  X(kCounter, kRouteDelayedTotal, "route_delayed_total") X(kGauge, kUpstreamFlushActive, "upstream_flush_active") \
  X(kCounter, kUpstreamFlushTotal, "upstream_flush_total")
// clang-format on
SLUICE_STAT_BLOCK(TcpStat, SLUICE_TCP_STATS)

struct TunnelPlan;

// Thread: any (immutable).
struct ClusterChoice {
  std::string name;
  uint32_t weight = 1;
  model::LbMatchPtr match;  // metadata_match; null: all hosts
};

// Compiled configuration; Envoy's defaults. Thread: any (immutable).
struct Plan {
  std::string stat_prefix;
  std::vector<ClusterChoice> clusters;
  uint64_t total_weight = 0;
  Duration idle_timeout = std::chrono::hours(1);  // 0: none
  Duration max_duration{0};                       // 0: none
  double max_duration_jitter = 0;                 // percent of it that may be added
  uint32_t max_connect_attempts = 1;
  Duration backoff_base{0};  // 0: the next attempt follows at once
  Duration backoff_max{0};
  std::shared_ptr<const TunnelPlan> tunnel;  // null: plain bytes
  bool hash_source_ip = false;
  std::string hash_filter_state;           // a key; empty: none
  bool check_drain = false;                // check_drain_close: clients that talk while the proxy drains are closed
  bool connect_on_data = false;            // the upstream is opened when the client says something
  std::optional<uint32_t> max_early_data;  // so much is read before the upstream is there; none: nothing
  model::AccessLogSetPtr access_logs;
  Duration log_interval{0};  // a line from time to time; 0: only at the end
  bool log_on_connected = false;
  bool log_on_start = false;
  model::Origin origin;
};

// Owned by its Listener. Thread: worker.
class TcpServer final : public proxy::ByteServer {
 public:
  TcpServer(std::shared_ptr<const Plan> plan, const proxy::ProxyLocal& proxy, const proxy::ListenerFacts& listener);
  ~TcpServer() override;
  void serve(std::unique_ptr<net::Transport> transport, proxy::AcceptedPtr accepted) override;
  void count_unserved(const proxy::Accepted&, proxy::ClosedBy) override { block_.inc(TcpStat::kDownstreamCxTotal); }

  const Plan& plan() const { return *plan_; }
  stats::Block<TcpStat>& block() { return block_; }
  proxy::AccessLog& access_log() { return access_log_; }

 private:
  std::shared_ptr<const Plan> plan_;
  stats::BlockId stats_;
  stats::Block<TcpStat> block_;
  proxy::AccessLog access_log_;
};

// Immutable, shared by all workers. Thread: any.
class TcpProxy final : public proxy::TerminalFilter {
 public:
  explicit TcpProxy(std::shared_ptr<const Plan> plan) : plan_(std::move(plan)) {}
  std::unique_ptr<proxy::ChainServer> on_worker(const proxy::ProxyLocal& proxy,
                                                const proxy::ListenerFacts& listener) const override {
    return std::make_unique<TcpServer>(plan_, proxy, listener);
  }

 private:
  std::shared_ptr<const Plan> plan_;
};

}  // namespace sluice::filters::tcp_proxy
