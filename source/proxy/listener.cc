#include "proxy/listener.h"

#include "base/strings.h"
#include "base/trace.h"
#include "proxy/filtered_transport.h"
#include "proxy/network_filter.h"
#include "proxy/pending_connection.h"

namespace sluice::proxy {

using stats::ListenerStat;
using stats::ListenerWorkerStat;

Listener::Listener(model::ListenerPlanPtr plan, const std::vector<net::ListenSocket*>& sockets, const ProxyLocal& proxy)
    : plan_(std::move(plan)), proxy_(proxy), access_log_(plan_->access_logs) {
  const std::string prefix = cat("listener.", plan_->stat_prefix, ".");
  stats_ = proxy_.local.registry.add_block<ListenerStat>(prefix);
  worker_stats_ = proxy_.local.registry.add_block<ListenerWorkerStat>(cat(prefix, "worker_", proxy_.local.index, "."));
  block_ = proxy_.local.cells.block<ListenerStat>(stats_);
  worker_block_ = proxy_.local.cells.block<ListenerWorkerStat>(worker_stats_);
  for (const model::ListenerFilterPlan& filter : plan_->filters) {
    const auto& factory = static_cast<const ListenerFilterFactory&>(*filter.config);
    filters_.push_back({&filter, factory.on_worker(proxy_)});
  }
  for (const model::FilterChainPlan& chain : plan_->chains) {
    const ListenerFacts facts{*plan_, chain};
    Chain& made = chains_.emplace_back();
    if (chain.transport_socket != nullptr) {
      made.socket = chain.transport_socket->on_worker(proxy_.local.transport_scope(), prefix);
    }
    for (const auto& filter : chain.filters) {
      made.filters.push_back(static_cast<const NetworkFilterFactory&>(*filter).on_worker(proxy_, facts));
    }
    made.server = static_cast<const TerminalFilter&>(*chain.terminal).on_worker(proxy_, facts);
  }
  for (net::ListenSocket* socket : sockets) {
    acceptors_.push_back(proxy_.local.network.accept(
        *socket, proxy_.local.index,
        [this](std::unique_ptr<net::Transport> transport) { on_accept(std::move(transport)); }));
  }
}

Listener::~Listener() {
  close_all();
  acceptors_.clear();
  chains_.clear();
  filters_.clear();
  proxy_.local.registry.release_block(stats_);
  proxy_.local.registry.release_block(worker_stats_);
}

void Listener::on_accept(std::unique_ptr<net::Transport> transport) {
  trace::step("listener: accept");
  if (plan_->connections->fetch_add(1, std::memory_order_relaxed) >= plan_->connection_limit.now()) {
    plan_->connections->fetch_sub(1, std::memory_order_relaxed);
    block_.inc(ListenerStat::kDownstreamCxOverflow);
    transport->close(net::CloseHow::kFin);
    proxy_.local.loop.destroy_later(std::move(transport));
    return;
  }
  auto accepted = std::make_unique<Accepted>(*this, *transport,
                                             proxy_.state.next_connection_id.fetch_add(1, std::memory_order_relaxed),
                                             proxy_.local.loop.now());
  adopt(std::move(transport), std::move(accepted));
}

void Listener::adopt(std::unique_ptr<net::Transport> transport, AcceptedPtr accepted) {
  if (filters_.empty()) {
    pass_on(std::move(transport), std::move(accepted));
    return;
  }
  auto* pending = new PendingConnection(*this, std::move(transport), std::move(accepted));
  pending_.push_back(*pending);
  pending->start();
}

void Listener::pass_on(std::unique_ptr<net::Transport> transport, AcceptedPtr accepted) {
  // Handed over at most once: the next listener keeps it.
  if (plan_->hand_over && accepted->local_restored() && accepted->listener_ == accepted->accepted_by_ &&
      proxy_.listeners != nullptr) {
    Listener* other = proxy_.listeners->unbound_listener(accepted->local());
    if (other != nullptr && other != this) {
      accepted->listener_ = other;
      other->adopt(std::move(transport), std::move(accepted));
      return;
    }
  }
  const std::optional<uint32_t> chain = choose_chain(*accepted);
  if (!chain) {
    block_.inc(ListenerStat::kNoFilterChainMatch);
    accepted->flags.set(format::Flag::kNoRouteFound);
    accepted->details = "filter_chain_not_found";
    refuse(std::move(transport), std::move(accepted));
    return;
  }
  serve(*chain, std::move(transport), std::move(accepted));
}

std::optional<uint32_t> Listener::choose_chain(const Accepted& accepted) const {
  if (plan_->tree != nullptr) {
    format::Facts facts;
    accepted.describe(facts);
    return model::choose_chain(*plan_, facts);
  }
  return model::choose_chain(*plan_, chain_inputs(accepted));
}

model::ChainInputs Listener::chain_inputs(const Accepted& accepted) {
  model::ChainInputs inputs{.destination = accepted.local(),
                            .server_name = accepted.server_name(),
                            .transport_protocol = "raw_buffer",
                            .application_protocols = {},
                            .direct_source = accepted.direct_remote(),
                            .source = accepted.remote()};
  if (const Found* known = accepted.known()) {
    if (!known->transport_protocol.empty()) {
      inputs.transport_protocol = known->transport_protocol;
    }
    inputs.application_protocols = known->application_protocols;
  }
  return inputs;
}

void Listener::refuse(std::unique_ptr<net::Transport> transport, AcceptedPtr accepted) {
  transport->close(net::CloseHow::kFin);
  accepted->end();
  proxy_.local.loop.destroy_later(std::move(transport));
}

// The one place where a connection meets its chain. What the chain's transport_socket makes of the transport comes
// first, so that network filters and the chain's last filter see plain bytes.
void Listener::serve(uint32_t index, std::unique_ptr<net::Transport> transport, AcceptedPtr accepted) {
  Chain& chain = chains_[index];
  accepted->chain_ = &plan_->chains[index];
  block_.inc(ListenerStat::kDownstreamCxTotal);
  block_.inc(ListenerStat::kDownstreamCxActive);
  worker_block_.inc(ListenerWorkerStat::kDownstreamCxTotal);
  worker_block_.inc(ListenerWorkerStat::kDownstreamCxActive);
  if (chain.socket != nullptr) {
    transport = chain.socket->accept(std::move(transport), plan_->chains[index].transport_socket_timeout,
                                     [this] { block_.inc(ListenerStat::kDownstreamCxTransportSocketConnectTimeout); });
  }
  if (chain.filters.empty()) {
    chain.server->serve(std::move(transport), std::move(accepted));
  } else {
    serve_filtered(chain, std::move(transport), std::move(accepted));
  }
}

void Listener::serve_filtered(Chain& chain, std::unique_ptr<net::Transport> transport, AcceptedPtr accepted) {
  std::vector<std::unique_ptr<NetworkFilter>> filters;
  for (const auto& maker : chain.filters) {
    if (std::unique_ptr<NetworkFilter> filter = maker->make(*accepted)) {
      filters.push_back(std::move(filter));
    }
  }
  auto* filtered =
      new FilteredTransport(std::move(transport), std::move(accepted), std::move(filters), proxy_.local,
                            [&server = *chain.server](std::unique_ptr<net::Transport> ready, AcceptedPtr who) {
                              server.serve(std::move(ready), std::move(who));
                            });
  starting_.push_back(*filtered);
  filtered->start();
}

void Listener::on_ended(Accepted& accepted, const format::Facts& facts) {
  accepted.accepted_by_->plan_->connections->fetch_sub(1, std::memory_order_relaxed);
  if (accepted.chain() != nullptr) {
    block_.inc(ListenerStat::kDownstreamCxDestroy);
    block_.dec(ListenerStat::kDownstreamCxActive);
    block_.record(ListenerStat::kDownstreamCxLengthMs,
                  static_cast<uint64_t>(to_ms(proxy_.local.loop.now() - accepted.started())));
    worker_block_.dec(ListenerWorkerStat::kDownstreamCxActive);
  }
  access_log_.log(facts);
}

void Listener::start_drain() {
  for (Chain& chain : chains_) {
    chain.server->start_drain();
  }
}

size_t Listener::connections() const {
  size_t total = 0;
  for (const Chain& chain : chains_) {
    total += chain.server->connections();
  }
  return total;
}

void Listener::close_all() {
  while (PendingConnection* pending = pending_.front()) {
    pending->close();
  }
  while (FilteredTransport* starting = starting_.front()) {
    starting->close_now({});
  }
  for (Chain& chain : chains_) {
    chain.server->close_all();
  }
}

}  // namespace sluice::proxy
