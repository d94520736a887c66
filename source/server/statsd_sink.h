// StatsdSink: sends the stats to a statsd, in datagrams or over a connection of a cluster.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/api-v3/config/metrics/v3/stats.proto#config-metrics-v3-statsdsink
#pragma once

#include <memory>
#include <string>

#include "model/stats_sink_plan.h"
#include "net/datagrams.h"
#include "server/main_upstream.h"
#include "server/platform.h"
#include "stats/statsd.h"
#include "upstream/raw_connection.h"

namespace sluice::server {

// Owned by the server; gone before its upstreams. A statsd that does not take what it gets costs kMaxWaiting bytes and
// its stats. Thread: main.
class StatsdSink final : private upstream::ByteStreamUser {
 public:
  static constexpr size_t kMaxWaiting = 16u << 20;  // as Envoy's

  StatsdSink(const model::StatsSinkPlan& plan, Platform& platform, MainUpstream& upstreams);
  ~StatsdSink();

  // After the registry's flush.
  void flush(const stats::Registry& registry);

 private:
  void send_lines();
  void connect();
  void on_connected() override;
  void on_failed(upstream::ResetReason, std::string_view) override { lost(); }
  void on_upstream_data(buffer::Buffer& data) override { data.clear(); }
  void on_upstream_end() override;
  void on_lost() override { lost(); }
  void on_upstream_full(bool full) override { full_ = full; }
  void on_upstream_sent(size_t) override {}
  size_t downstream_room() const override { return kAnswerRoom; }
  void lost();

  static constexpr size_t kAnswerRoom = 4096;  // statsd says nothing; what it does say is thrown away

  const model::StatsSinkPlan plan_;
  MainUpstream& upstreams_;
  stats::StatsdLines lines_;
  std::unique_ptr<net::Datagrams> datagrams_;  // null: over a connection
  upstream::RawConnection* connection_ = nullptr;
  bool connected_ = false;
  bool full_ = false;
  std::string waiting_;  // lines that no connection has taken yet
};

}  // namespace sluice::server
