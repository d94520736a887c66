// HttpServer: the connection manager of one filter chain on one worker: its plan, its counters, its connections.
#pragma once

#include <memory>
#include <vector>

#include "base/intrusive_list.h"
#include "model/http_plan.h"
#include "proxy/access_log/access_log.h"
#include "proxy/chain_server.h"
#include "proxy/filter.h"
#include "proxy/route_counters.h"
#include "stats/names_http.h"
#include "stats/names_listener.h"

namespace sluice::proxy {

class DownstreamConnection;
class Tracing;

// Owned by its worker's Listener. Thread: worker.
class HttpServer final : public ChainServer {
 public:
  HttpServer(std::shared_ptr<const model::HttpPlan> plan, const ProxyLocal& proxy, const ListenerFacts& listener);
  ~HttpServer() override;

  void serve(std::unique_ptr<net::Transport> transport, AcceptedPtr accepted) override;
  void count_unserved(const Accepted& accepted, ClosedBy by) override;
  void start_drain() override;
  size_t connections() const override { return count_; }
  void close_all() override;

  // Writes the access logs of an exchange that ended.
  void log(const format::Facts& facts) { access_log_.log(facts); }
  bool logs_wire_bytes() const { return access_log_.tells_wire_bytes(); }

  const model::HttpPlan& plan() const { return *plan_; }
  // The newest table of rds; null: there is none yet.
  const model::RouteTablePtr& discovered_routes() { return plan_->route_slot->read(routes_); }
  const ProxyLocal& proxy() const { return proxy_; }
  upstream::WorkerLocal& proxy_local() { return proxy_.local; }
  const ListenerFacts& listener() const { return listener_; }
  // Asked once for each answer: it tells its client to go.
  bool tells_to_go() const {
    return draining_ || proxy_.state.drain.tells(listener_.plan, listener_.drain_since, proxy_.local.loop.now(),
                                                 proxy_.local.random);
  }
  // One of the overload manager's actions is in force now, and hits.
  bool overloaded(OverloadAction Overload::*action) const {
    return !listener_.plan.bypasses_overload && (proxy_.state.overload.*action).hits(proxy_.local.random);
  }
  // No connection may stay.
  bool draining() const { return draining_; }
  // Parallel to the plan's filters.
  const std::vector<std::unique_ptr<FilterLocal>>& filter_locals() const { return filter_locals_; }
  stats::Block<stats::HttpStat>& block() { return block_; }
  stats::Block<stats::ListenerHttpStat>& listener_block() { return listener_block_; }
  stats::Block<stats::TracingStat>& tracing_block() { return tracing_block_; }
  // Of all connections that speak it; there from the first one on.
  stats::Block<stats::Http1Stat>& http1_block();
  stats::Block<stats::Http2Stat>& http2_block();
  RouteCounters& route_counters() { return route_counters_; }
  // Null: nothing is traced.
  Tracing* tracing() { return tracing_.get(); }

 private:
  friend class DownstreamConnection;

  std::shared_ptr<const model::HttpPlan> plan_;
  const ProxyLocal proxy_;
  const ListenerFacts listener_;
  stats::BlockId stats_;
  stats::BlockId listener_stats_;
  stats::BlockId tracing_stats_;
  stats::BlockId http1_stats_;
  stats::BlockId http2_stats_;
  stats::Block<stats::HttpStat> block_;
  stats::Block<stats::ListenerHttpStat> listener_block_;
  stats::Block<stats::TracingStat> tracing_block_;  // there also when nothing is traced
  stats::Block<stats::Http1Stat> http1_block_;
  stats::Block<stats::Http2Stat> http2_block_;
  model::RouteSlot::Held routes_;
  AccessLog access_log_;
  RouteCounters route_counters_;
  std::unique_ptr<Tracing> tracing_;
  std::vector<std::unique_ptr<FilterLocal>> filter_locals_;
  IntrusiveList<DownstreamConnection, HttpServer> connections_;
  size_t count_ = 0;
  bool draining_ = false;
};

// The terminal filter that makes HttpServers. Immutable, shared by all workers. Thread: any.
class HttpConnectionManager final : public TerminalFilter {
 public:
  explicit HttpConnectionManager(std::shared_ptr<const model::HttpPlan> plan) : plan_(std::move(plan)) {}
  std::unique_ptr<ChainServer> on_worker(const ProxyLocal& proxy, const ListenerFacts& listener) const override {
    return std::make_unique<HttpServer>(plan_, proxy, listener);
  }
  const model::HttpPlan& plan() const { return *plan_; }

 private:
  std::shared_ptr<const model::HttpPlan> plan_;
};

}  // namespace sluice::proxy
