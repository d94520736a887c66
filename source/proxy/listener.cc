#include "proxy/listener.h"

#include <algorithm>

#include "base/strings.h"
#include "base/trace.h"
#include "net/balance.h"
#include "net/internal_address.h"
#include "net/internal_connection.h"
#include "proxy/filtered_transport.h"
#include "proxy/network_filter.h"
#include "proxy/pending_connection.h"

namespace sluice::proxy {

using stats::ListenerStat;
using stats::ListenerWorkerStat;

namespace {
constexpr Duration kUntilBuried = std::chrono::milliseconds(1);
constexpr MonotonicTime kAtOnce{INT64_MIN / 2};  // so long ago that everybody is told

// What the socket internal_upstream told of where the connection comes from.
void take_passed(Accepted& accepted) {
  const auto* connection = dynamic_cast<const net::InternalConnection*>(&accepted.socket());
  if (connection != nullptr && connection->passed() != nullptr) {
    accepted.found().metadata = connection->passed()->metadata;
  }
}

std::string prefix_of(const model::ListenerFrame& frame) { return cat("listener.", frame.stat_prefix, "."); }
}  // namespace

Listener::Listener(uint64_t id, model::ListenerPlanPtr plan, const ListenOn& on, const ProxyLocal& proxy)
    : id_(id),
      frame_(*plan),
      balance_(on.balance),
      plan_(std::move(plan)),
      proxy_(proxy),
      access_log_(frame_.access_logs, proxy.log_sinks),
      bury_(proxy.local.loop.timers(), [this] { cut_.clear(); }) {
  const std::string prefix = prefix_of(frame_);
  stats_ = proxy_.local.registry.add_block<ListenerStat>(prefix);
  worker_stats_ = proxy_.local.registry.add_block<ListenerWorkerStat>(cat(prefix, "worker_", proxy_.local.index, "."));
  block_ = proxy_.local.cells.block<ListenerStat>(stats_);
  worker_block_ = proxy_.local.cells.block<ListenerWorkerStat>(worker_stats_);
  for (const model::ListenerFilterPlan& filter : frame_.filters) {
    const auto& factory = static_cast<const ListenerFilterFactory&>(*filter.config);
    filters_.push_back({&filter, factory.on_worker(proxy_)});
  }
  for (const model::FilterChainPlanPtr& chain : plan_->chains) {
    chains_.push_back(make_chain(chain));
  }
  const net::AcceptOptions options{frame_.accepts_per_event, balance_};
  for (net::ListenSocket* socket : on.sockets) {
    acceptors_.push_back(proxy_.local.network.accept(
        *socket, proxy_.local.index, options,
        [this](std::unique_ptr<net::Transport> transport) { on_accept(std::move(transport)); }));
  }
}

std::unique_ptr<Listener::Chain> Listener::make_chain(const model::FilterChainPlanPtr& plan) {
  auto made = std::make_unique<Chain>();
  made->plan = plan;
  const ListenerFacts facts{frame_, *plan, made->drain_since};
  if (plan->transport_socket != nullptr) {
    made->socket = plan->transport_socket->on_worker(proxy_.local.transport_scope(), prefix_of(frame_));
  }
  for (const auto& filter : plan->filters) {
    made->filters.push_back(static_cast<const NetworkFilterFactory&>(*filter).on_worker(proxy_, facts));
  }
  made->server = static_cast<const TerminalFilter&>(*plan->terminal).on_worker(proxy_, facts);
  return made;
}

Listener::~Listener() {
  close_all();
  acceptors_.clear();
  chains_.clear();
  left_out_.clear();
  cut_.clear();
  filters_.clear();
  proxy_.local.registry.release_block(stats_);
  proxy_.local.registry.release_block(worker_stats_);
}

size_t Listener::update(model::ListenerPlanPtr plan, uint64_t update) {
  std::vector<std::unique_ptr<Chain>> before = std::move(chains_);
  chains_.clear();
  for (const model::FilterChainPlanPtr& chain : plan->chains) {
    const auto same = std::find_if(before.begin(), before.end(), [&](const std::unique_ptr<Chain>& old) {
      return old != nullptr && old->plan == chain;
    });
    chains_.push_back(same == before.end() ? make_chain(chain) : std::move(*same));
  }
  size_t draining = 0;
  for (std::unique_ptr<Chain>& old : before) {
    if (old != nullptr) {
      draining += old->server->connections();
      old->drain_since = kAtOnce;
      old->left_out_by = update;
      left_out_.push_back(std::move(old));
    }
  }
  plan_ = std::move(plan);
  return draining;
}

void Listener::cut_chains(uint64_t update) {
  for (std::unique_ptr<Chain>& chain : left_out_) {
    if (chain->left_out_by == update) {
      chain->close_all();
      cut_.push_back(std::move(chain));
    }
  }
  std::erase(left_out_, nullptr);
  bury_.arm(kUntilBuried);
}

void Listener::stop_accepting(Waiting waiting) {
  if (waiting == Waiting::kTake) {
    for (const auto& acceptor : acceptors_) {
      acceptor->take_waiting();
    }
  }
  acceptors_.clear();
}

void Listener::set_accepting(Accepting accepting) {
  for (const auto& acceptor : acceptors_) {
    acceptor->want_accept(accepting == Accepting::kOn || frame_.bypasses_overload);
  }
}

void Listener::retire() {
  for (const auto& chain : chains_) {
    chain->drain_since = proxy_.local.loop.now();
  }
}

void Listener::on_accept(std::unique_ptr<net::Transport> transport) {
  trace::step("listener: accept");
  if (!admit()) {
    if (balance_ != nullptr) {
      balance_->left(proxy_.local.index);
    }
    transport->close(net::CloseHow::kFin);
    proxy_.local.loop.destroy_later(std::move(transport));
    return;
  }
  auto accepted = std::make_unique<Accepted>(*this, *transport,
                                             proxy_.state.next_connection_id.fetch_add(1, std::memory_order_relaxed),
                                             proxy_.local.loop.now());
  accepted->counts_globally_ = !frame_.ignores_global_limit;
  if (net::is_internal(frame_.address)) {
    take_passed(*accepted);
  }
  adopt(std::move(transport), std::move(accepted));
}

bool Listener::admit() {
  Overload& overload = proxy_.state.overload;
  const auto take = [](std::atomic<uint64_t>& count, uint64_t limit) {
    if (count.fetch_add(1, std::memory_order_relaxed) < limit) {
      return true;
    }
    count.fetch_sub(1, std::memory_order_relaxed);
    return false;
  };
  if (!frame_.ignores_global_limit && !take(overload.connections, overload.connection_limit.now())) {
    block_.inc(ListenerStat::kDownstreamGlobalCxOverflow);
    return false;
  }
  const bool refused = !frame_.bypasses_overload && overload.refuse_connections.hits(proxy_.local.random);
  if (!refused && take(*frame_.connections, frame_.connection_limit.now())) {
    return true;
  }
  block_.inc(refused ? ListenerStat::kDownstreamCxOverloadReject : ListenerStat::kDownstreamCxOverflow);
  if (!frame_.ignores_global_limit) {
    overload.connections.fetch_sub(1, std::memory_order_relaxed);
  }
  return false;
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
  // Handed over at most once: the next listener keeps it, and counts it.
  if (frame_.hand_over && accepted->local_restored() && !accepted->handed_over_ && proxy_.listeners != nullptr) {
    Listener* other = proxy_.listeners->unbound_listener(accepted->local());
    if (other != nullptr && other != this) {
      leave(*accepted);
      accepted->handed_over_ = true;
      accepted->listener_ = other;
      other->frame_.connections->fetch_add(1, std::memory_order_relaxed);
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
  serve(*chains_[*chain], std::move(transport), std::move(accepted));
}

std::optional<uint32_t> Listener::choose_chain(const Accepted& accepted) const {
  if (plan_->tree != nullptr) {
    format::Facts facts;
    accepted.describe(facts);
    const model::ChainInputs inputs = chain_inputs(accepted);
    const format::Detected detected{inputs.transport_protocol, inputs.application_protocols};
    facts.detected = &detected;
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
void Listener::serve(Chain& chain, std::unique_ptr<net::Transport> transport, AcceptedPtr accepted) {
  accepted->chain_ = chain.plan.get();
  block_.inc(ListenerStat::kDownstreamCxTotal);
  block_.inc(ListenerStat::kDownstreamCxActive);
  worker_block_.inc(ListenerWorkerStat::kDownstreamCxTotal);
  worker_block_.inc(ListenerWorkerStat::kDownstreamCxActive);
  if (chain.socket != nullptr) {
    transport = chain.socket->accept(std::move(transport), chain.plan->transport_socket_timeout,
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
      new FilteredTransport(std::move(transport), std::move(accepted), std::move(filters), proxy_.local, *chain.server);
  chain.starting.push_back(*filtered);
  filtered->start();
}

void Listener::leave(const Accepted& accepted) {
  frame_.connections->fetch_sub(1, std::memory_order_relaxed);
  if (balance_ != nullptr && !accepted.handed_over_) {
    balance_->left(proxy_.local.index);
  }
}

void Listener::on_ended(Accepted& accepted, const format::Facts& facts) {
  leave(accepted);
  if (accepted.counts_globally_) {
    proxy_.state.overload.connections.fetch_sub(1, std::memory_order_relaxed);
  }
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
  for (const auto* chains : {&chains_, &left_out_}) {
    for (const auto& chain : *chains) {
      chain->server->start_drain();
    }
  }
}

size_t Listener::connections() const {
  size_t total = 0;
  for (const auto* chains : {&chains_, &left_out_}) {
    for (const auto& chain : *chains) {
      total += chain->server->connections();
    }
  }
  return total;
}

void Listener::Chain::close_all() {
  while (FilteredTransport* one = starting.front()) {
    one->close_now({});
  }
  server->close_all();
}

void Listener::close_all() {
  while (PendingConnection* pending = pending_.front()) {
    pending->close();
  }
  for (const auto* chains : {&chains_, &left_out_}) {
    for (const auto& chain : *chains) {
      chain->close_all();
    }
  }
}

}  // namespace sluice::proxy
