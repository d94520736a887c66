#include "proxy/listener.h"

#include "base/strings.h"
#include "base/trace.h"

namespace sluice::proxy {

using stats::ListenerStat;
using stats::ListenerWorkerStat;

Listener::Listener(model::ListenerPlanPtr plan, net::ListenSocket& socket, const ProxyLocal& proxy)
    : plan_(std::move(plan)), proxy_(proxy) {
  const std::string prefix = cat("listener.", plan_->stat_prefix, ".");
  stats_ = proxy_.local.registry.add_block<ListenerStat>(prefix);
  worker_stats_ = proxy_.local.registry.add_block<ListenerWorkerStat>(cat(prefix, "worker_", proxy_.local.index, "."));
  block_ = proxy_.local.cells.block<ListenerStat>(stats_);
  worker_block_ = proxy_.local.cells.block<ListenerWorkerStat>(worker_stats_);
  for (const model::FilterChainPlan& chain : plan_->chains) {
    transport_sockets_.push_back(chain.transport_socket == nullptr
                                     ? nullptr
                                     : chain.transport_socket->on_worker(proxy_.local.transport_scope(), prefix));
    const auto& terminal = static_cast<const TerminalFilter&>(*chain.terminal);
    servers_.push_back(terminal.on_worker(proxy_, ListenerFacts{*plan_, chain}));
  }
  acceptor_ = proxy_.local.network.accept(socket, proxy_.local.index,
                                          [this](std::unique_ptr<net::Transport> transport) { on_accept(std::move(transport)); });
}

Listener::~Listener() {
  acceptor_.reset();
  servers_.clear();
  proxy_.local.registry.release_block(stats_);
  proxy_.local.registry.release_block(worker_stats_);
}

void Listener::on_accept(std::unique_ptr<net::Transport> transport) {
  trace::step("listener: accept");
  if (servers_.empty()) {
    block_.inc(ListenerStat::kNoFilterChainMatch);
    transport->close(net::CloseHow::kFin);
    proxy_.local.loop.destroy_later(std::move(transport));
    return;
  }
  block_.inc(ListenerStat::kDownstreamCxTotal);
  block_.inc(ListenerStat::kDownstreamCxActive);
  worker_block_.inc(ListenerWorkerStat::kDownstreamCxTotal);
  worker_block_.inc(ListenerWorkerStat::kDownstreamCxActive);
  const MonotonicTime start = proxy_.local.loop.now();
  if (transport_sockets_.front() != nullptr) {
    transport = transport_sockets_.front()->accept(std::move(transport), plan_->chains.front().transport_socket_timeout, [this] {
      block_.inc(ListenerStat::kDownstreamCxTransportSocketConnectTimeout);
    });
  }
  servers_.front()->serve(std::move(transport), [this, start] {
    block_.inc(ListenerStat::kDownstreamCxDestroy);
    block_.dec(ListenerStat::kDownstreamCxActive);
    block_.record(ListenerStat::kDownstreamCxLengthMs, static_cast<uint64_t>(to_ms(proxy_.local.loop.now() - start)));
    worker_block_.dec(ListenerWorkerStat::kDownstreamCxActive);
  });
}

void Listener::start_drain() {
  for (auto& server : servers_) {
    server->start_drain();
  }
}

size_t Listener::connections() const {
  size_t total = 0;
  for (const auto& server : servers_) {
    total += server->connections();
  }
  return total;
}

void Listener::close_all() {
  for (auto& server : servers_) {
    server->close_all();
  }
}

}  // namespace sluice::proxy
