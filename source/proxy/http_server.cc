#include "proxy/http_server.h"

#include <algorithm>

#include "base/strings.h"
#include "proxy/downstream_connection.h"
#include "proxy/exchange_trace.h"

namespace sluice::proxy {

namespace {
// As Envoy does with every name that comes from the configuration.
std::string stat_text(std::string text) {
  std::replace(text.begin(), text.end(), ':', '_');
  return text;
}
}  // namespace

HttpServer::HttpServer(std::shared_ptr<const model::HttpPlan> plan, const ProxyLocal& proxy,
                       const ListenerFacts& listener)
    : plan_(std::move(plan)),
      proxy_(proxy),
      listener_(listener),
      access_log_(plan_->access_logs, proxy.log_sinks),
      route_counters_(proxy.local) {
  stats::Registry& registry = proxy_.local.registry;
  const std::string prefix = cat("http.", stat_text(plan_->stat_prefix), ".");
  stats_ = registry.add_block<stats::HttpStat>(prefix);
  listener_stats_ = registry.add_block<stats::ListenerHttpStat>(
      cat("listener.", listener_.plan.stat_prefix, ".http.", stat_text(plan_->stat_prefix), "."));
  tracing_stats_ = registry.add_block<stats::TracingStat>(cat(prefix, "tracing."));
  tracing_block_ = proxy_.local.cells.block<stats::TracingStat>(tracing_stats_);
  block_ = proxy_.local.cells.block<stats::HttpStat>(stats_);
  listener_block_ = proxy_.local.cells.block<stats::ListenerHttpStat>(listener_stats_);
  if (plan_->routes != nullptr) {
    route_counters_.add(*plan_->routes);
  }
  if (plan_->tracing != nullptr) {
    tracing_ = std::make_unique<Tracing>(*plan_, proxy_, listener_, tracing_block_);
  }
  for (const model::FilterPlan& filter : plan_->filters) {
    const auto& factory = static_cast<const HttpFilterFactory&>(*filter.config);
    filter_locals_.push_back(factory.on_worker(
        {proxy_.local, proxy_.clusters, prefix, stats_, proxy_.state.clusters_on_demand, proxy_.log_sinks}));
  }
}

HttpServer::~HttpServer() {
  close_all();
  proxy_.local.registry.release_block(stats_);
  proxy_.local.registry.release_block(listener_stats_);
  proxy_.local.registry.release_block(tracing_stats_);
  if (http1_stats_.valid()) proxy_.local.registry.release_block(http1_stats_);
  if (http2_stats_.valid()) proxy_.local.registry.release_block(http2_stats_);
}

stats::Block<stats::Http1Stat>& HttpServer::http1_block() {
  if (!http1_stats_.valid()) {
    http1_stats_ = proxy_.local.registry.add_block<stats::Http1Stat>("http1.");
    http1_block_ = proxy_.local.cells.block<stats::Http1Stat>(http1_stats_);
  }
  return http1_block_;
}

stats::Block<stats::Http2Stat>& HttpServer::http2_block() {
  if (!http2_stats_.valid()) {
    http2_stats_ = proxy_.local.registry.add_block<stats::Http2Stat>("http2.");
    http2_block_ = proxy_.local.cells.block<stats::Http2Stat>(http2_stats_);
  }
  return http2_block_;
}

void HttpServer::serve(std::unique_ptr<net::Transport> transport, AcceptedPtr accepted) {
  auto* connection = new DownstreamConnection(*this, std::move(transport), std::move(accepted));
  connections_.push_back(*connection);
  ++count_;
}

void HttpServer::count_unserved(const Accepted& accepted, ClosedBy by) {
  using stats::HttpStat;
  block_.inc(HttpStat::kDownstreamCxTotal);
  if (listener_.chain.transport_socket != nullptr) block_.inc(HttpStat::kDownstreamCxSslTotal);
  block_.inc(HttpStat::kDownstreamCxDestroy);
  block_.inc(by == ClosedBy::kUs ? HttpStat::kDownstreamCxDestroyLocal : HttpStat::kDownstreamCxDestroyRemote);
  const Duration lasted = proxy_.local.loop.now() - accepted.started();
  block_.record(HttpStat::kDownstreamCxLengthMs, static_cast<uint64_t>(to_ms(lasted)));
}

void HttpServer::start_drain() {
  draining_ = true;
  DownstreamConnection* connection = connections_.front();
  while (connection != nullptr) {
    DownstreamConnection* next = connections_.next(*connection);
    connection->start_drain();
    connection = next;
  }
}

void HttpServer::close_all() {
  while (DownstreamConnection* connection = connections_.front()) {
    connection->close_now("downstream_local_disconnect");
  }
}

}  // namespace sluice::proxy
