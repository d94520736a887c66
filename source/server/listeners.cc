#include "server/listeners.h"

#include <algorithm>
#include <type_traits>

#include "base/log.h"
#include "base/strings.h"
#include "net/balance.h"
#include "net/internal_address.h"
#include "net/internal_network.h"

namespace sluice::server {

using stats::ListenerManagerStat;

namespace {

std::vector<net::Address> addresses_of(const model::ListenerPlan& plan) {
  std::vector<net::Address> out{plan.address};
  for (const model::AdditionalAddress& one : plan.additional_addresses) {
    out.push_back(one.address);
  }
  return out;
}

std::vector<net::ListenOptions> options_of(const model::ListenerPlan& plan) {
  std::vector<net::ListenOptions> out{plan.socket};
  for (const model::AdditionalAddress& one : plan.additional_addresses) {
    out.push_back(one.socket);
  }
  return out;
}

bool make_same_sockets(const std::vector<net::ListenOptions>& a, const std::vector<net::ListenOptions>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const net::ListenOptions& x, const net::ListenOptions& y) { return x.makes_same_socket(y); });
}

bool is_meant(const model::ListenerPlan& plan, bool inbound_only) {
  return !inbound_only || plan.direction == model::TrafficDirection::kInbound;
}

}  // namespace

Listeners::Listeners(Platform& platform, const Options& options, uint32_t workers,
                     stats::Block<ListenerManagerStat> block)
    : platform_(platform), workers_count_(workers), drain_time_(options.drain_time), block_(block) {}

Listeners::~Listeners() { *open_ = false; }

proxy::ListenOn Listeners::listen_on(const Generation& listener) const {
  proxy::ListenOn out;
  for (const auto& socket : listener.sockets->sockets) {
    out.sockets.push_back(socket.get());
  }
  if (listener.plan->exact_balance) {
    out.balance = std::make_shared<net::Balance>(workers_count_);
  }
  return out;
}

const Listeners::Entry* Listeners::find(std::string_view name) const {
  const auto found = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& one) { return one.name == name; });
  return found == entries_.end() ? nullptr : &*found;
}

// ---- changes

Result<ListenerChange> Listeners::add_or_update(const model::ListenerPlanPtr& plan, ListenerSource source) {
  if (stopped_all_ || (stopped_inbound_ && is_meant(*plan, true))) {
    return ListenerChange::kNone;
  }
  Entry* entry = plan->anonymous ? nullptr : find(plan->name);
  const auto has = [&](const std::optional<Generation>& one) {
    return one && (one->plan->content.is(plan->content) || one->source == ListenerSource::kStatic);
  };
  if (entry != nullptr && has(entry->active)) {
    if (!entry->warming) {
      return ListenerChange::kNone;
    }
    entry->warming.reset();
    block_.inc(ListenerManagerStat::kListenerModified);
    show_totals();
    return ListenerChange::kRestored;
  }
  if (entry != nullptr && has(entry->warming)) {
    return ListenerChange::kNone;
  }
  Generation made;
  made.id = next_id_++;
  made.plan = plan;
  made.source = source;
  if (entry != nullptr && entry->active && !workers_.empty() &&
      model::differs_in_chains_only(*plan, *entry->active->plan)) {
    made.in_place = true;
    made.plan = model::keep_chains(*plan, *entry->active->plan);
    made.sockets = entry->active->sockets;
    block_.inc(ListenerManagerStat::kListenerInPlaceUpdated);
  } else {
    Result<SocketsPtr> sockets = sockets_for(*plan, entry);
    if (!sockets) {
      return Error{sockets.error()};
    }
    made.sockets = std::move(*sockets);
  }
  const bool fresh = entry == nullptr;
  if (fresh) {
    entry = &entries_.emplace_back();
    entry->name = plan->name;
  }
  (workers_.empty() ? entry->active : entry->warming) = std::move(made);
  block_.inc(fresh ? ListenerManagerStat::kListenerAdded : ListenerManagerStat::kListenerModified);
  show_totals();
  return fresh ? ListenerChange::kAdded : ListenerChange::kModified;
}

Result<Listeners::SocketsPtr> Listeners::sockets_for(const model::ListenerPlan& plan, const Entry* entry) {
  const std::vector<net::Address> wanted = addresses_of(plan);
  const auto fits = [&](const Sockets& sockets) {
    return sockets.wanted == wanted && make_same_sockets(sockets.options, options_of(plan)) && !sockets.sockets.empty();
  };
  if (entry != nullptr) {
    for (const std::optional<Generation>* one : {&entry->warming, &entry->active}) {
      if (*one && (*one)->plan->socket.reuse_port != plan.socket.reuse_port) {
        return Error{cat("Listener ", plan.name, ": reuse port cannot be changed during an update")};
      }
      if (*one && fits(*(*one)->sockets)) {
        return (*one)->sockets;
      }
    }
  }
  if (is_taken(wanted, plan.socket)) {
    std::string list;
    for (const net::Address& address : wanted) {
      append(list, list.empty() ? "" : ",", address.to_string());
    }
    return Error{
        cat("error adding listener: '", plan.name, "' has duplicate address '", list, "' as existing listener")};
  }
  for (Draining& one : draining_) {
    const SocketsPtr& sockets = one.listener.sockets;
    if (sockets != nullptr && fits(*sockets) && sockets->wanted == sockets->addresses) {
      for (const auto& socket : sockets->sockets) {
        socket->open_queue();
      }
      return sockets;
    }
  }
  return bind(plan);
}

bool Listeners::is_taken(const std::vector<net::Address>& addresses, const net::ListenOptions& options) const {
  const auto takes = [&](const std::optional<Generation>& one) {
    return one && !one->sockets->sockets.empty() &&
           std::any_of(addresses.begin(), addresses.end(), [&](const net::Address& address) {
             const bool any_port = options.bind_to_port && address.is_ip() && address.port() == 0;
             const std::vector<net::Address>& theirs = one->sockets->addresses;
             return !any_port && std::find(theirs.begin(), theirs.end(), address) != theirs.end();
           });
  };
  return std::any_of(entries_.begin(), entries_.end(),
                     [&](const Entry& entry) { return takes(entry.active) || takes(entry.warming); });
}

Result<Listeners::SocketsPtr> Listeners::bind(const model::ListenerPlan& plan) {
  auto out = std::make_shared<Sockets>();
  out->wanted = addresses_of(plan);
  out->options = options_of(plan);
  for (size_t i = 0; i < out->wanted.size(); ++i) {
    auto socket = bind(out->wanted[i], out->options[i]);
    if (!socket) {
      block_.inc(ListenerManagerStat::kListenerCreateFailure);
      return Error{socket.error()};
    }
    out->addresses.push_back((*socket)->address());
    out->sockets.push_back(std::move(*socket));
  }
  return out;
}

Result<std::unique_ptr<net::ListenSocket>> Listeners::bind(const net::Address& address,
                                                           const net::ListenOptions& options) {
  if (!net::is_internal(address)) {
    return platform_.main_network().bind(address, options, workers_count_);
  }
  if (!internal_) {
    return Error{cat(address.to_string(), " needs the bootstrap extension envoy.bootstrap.internal_listener")};
  }
  return std::unique_ptr<net::ListenSocket>(std::make_unique<net::InternalListenSocket>(address));
}

void Listeners::ready(std::string_view name, OnDrained on_drained) {
  for (Entry& entry : entries_) {
    if (entry.name != name) {
      continue;
    }
    if (!entry.warming) {
      entry.active->ready = true;
    } else if (entry.warming->in_place) {
      update_in_place(entry, std::move(on_drained));
    } else {
      activate(entry, std::move(on_drained));
    }
  }
}

void Listeners::activate(Entry& entry, OnDrained on_drained) {
  Generation fresh = std::move(*entry.warming);
  entry.warming.reset();
  fresh.ready = true;
  std::optional<Generation> old = std::move(entry.active);
  entry.active = std::move(fresh);
  if (old) {
    drain(std::move(*old), std::move(on_drained));
  }
  add_to_workers(*entry.active);
  show_totals();
}

void Listeners::update_in_place(Entry& entry, OnDrained on_drained) {
  const model::ListenerPlanPtr old = entry.active->plan;
  entry.active->plan = entry.warming->plan;
  const uint64_t update = entry.warming->id;
  entry.warming.reset();
  const uint64_t id = entry.active->id;
  const size_t count = model::chains_left_out(*old, *entry.active->plan);
  on_workers(
      [id, update, plan = entry.active->plan](Worker& worker) { return worker.update_listener(id, plan, update); },
      [this, count, on_drained = std::move(on_drained)](size_t connections) mutable {
        block_.add(ListenerManagerStat::kListenerCreateSuccess, workers_.size());
        if (count > 0 && on_drained) {
          on_drained({count, connections});
        }
      });
  if (count > 0) {
    drain_chains(id, update, count);
  }
  show_totals();
}

bool Listeners::remove(std::string_view name, OnDrained on_drained) {
  const auto found = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& one) { return one.name == name; });
  if (found == entries_.end() || (found->active && found->active->source == ListenerSource::kStatic)) {
    return false;
  }
  std::optional<Generation> old = std::move(found->active);
  entries_.erase(found);
  if (old && !workers_.empty()) {
    drain(std::move(*old), std::move(on_drained));
  }
  block_.inc(ListenerManagerStat::kListenerRemoved);
  show_totals();
  return true;
}

// ---- workers

template <typename Work>
void Listeners::on_workers(Work work, Function<void(size_t)> done) {
  struct Round {
    size_t left, sum;
    Function<void(size_t)> done;
    std::shared_ptr<const bool> open;
  };
  auto round = std::make_shared<Round>(Round{workers_.size(), 0, std::move(done), open_});
  for (Worker* worker : workers_) {
    worker->loop().post([&main = platform_.main_loop(), worker, work, round = round]() mutable {
      size_t part = 0;
      if constexpr (std::is_void_v<decltype(work(*worker))>) {
        work(*worker);
      } else {
        part = work(*worker);
      }
      main.post([round = std::move(round), part] {
        round->sum += part;
        if (*round->open && --round->left == 0) {
          round->done(round->sum);
        }
      });
    });
  }
}

void Listeners::add_to_workers(const Generation& listener) {
  uint64_t instead_of = 0;
  for (Draining& one : draining_) {
    if (one.listener.sockets == listener.sockets && !one.stopped) {
      instead_of = one.listener.id;
      one.stopped = true;
      one.listener.sockets.reset();
    }
  }
  on_workers([id = listener.id, plan = listener.plan, on = listen_on(listener),
              instead_of](Worker& worker) { return worker.add_listener(id, plan, on, instead_of); },
             [this, instead_of](size_t connections) {
               block_.add(ListenerManagerStat::kListenerCreateSuccess, workers_.size());
               if (Draining* one = find_draining(instead_of)) {
                 tell(*one, connections);
               }
             });
}

void Listeners::tell(Draining& draining, size_t connections) {
  if (OnDrained hook = std::exchange(draining.on_drained, nullptr)) {
    hook({draining.listener.plan->chains.size(), connections});
  }
}

void Listeners::start(const std::vector<std::unique_ptr<Worker>>& workers) {
  for (const auto& worker : workers) {
    workers_.push_back(worker.get());
  }
  for (const Entry& entry : entries_) {
    if (!entry.active->sockets->sockets.empty()) {  // a drain may have closed them already
      const proxy::ListenOn on = listen_on(*entry.active);
      for (Worker* worker : workers_) {
        worker->add_listener(entry.active->id, entry.active->plan, on, 0);
      }
      block_.add(ListenerManagerStat::kListenerCreateSuccess, workers_.size());
    }
  }
}

// Stopping is left to the end of the turn: another listener may ask for the sockets until then.
void Listeners::drain(Generation listener, OnDrained on_drained) {
  const uint64_t id = listener.id;
  Draining& one = draining_.emplace_front();
  one.listener = std::move(listener);
  one.on_drained = std::move(on_drained);
  one.timer = std::make_unique<event::Timer>(platform_.main_loop().timers(), [this, id] {
    on_workers([id](Worker& worker) { worker.remove_listener(id); },
               [this, id](size_t) {
                 draining_.remove_if([id](const Draining& each) { return each.listener.id == id; });
                 show_totals();
               });
  });
  one.timer->arm(drain_time_);
  platform_.main_loop().post([this, id, open = open_] {
    Draining* draining = *open ? find_draining(id) : nullptr;
    if (draining != nullptr && !draining->stopped) {
      stop(*draining);
    }
  });
}

void Listeners::stop(Draining& draining) {
  draining.stopped = true;
  const SocketsPtr& sockets = draining.listener.sockets;
  // Of a listener that takes the sockets over, or is about to: who waits is its own.
  const bool shared = sockets.use_count() > 1;
  if (!shared) {
    for (const auto& socket : sockets->sockets) {
      socket->close_queue();
    }
  }
  const uint64_t id = draining.listener.id;
  const proxy::Waiting waiting = shared ? proxy::Waiting::kLeave : proxy::Waiting::kTake;
  on_workers([id, waiting](Worker& worker) { return worker.retire_listener(id, waiting); },
             [this, id](size_t connections) {
               if (Draining* one = find_draining(id)) {
                 one->listener.sockets.reset();
                 tell(*one, connections);
               }
             });
}

void Listeners::drain_chains(uint64_t listener, uint64_t update, size_t count) {
  DrainingChains& one = draining_chains_.emplace_back();
  one.listener = listener;
  one.update = update;
  one.count = count;
  one.timer = std::make_unique<event::Timer>(platform_.main_loop().timers(), [this, listener, update] {
    on_workers([listener, update](Worker& worker) { worker.cut_chains(listener, update); },
               [this, update](size_t) {
                 draining_chains_.remove_if([update](const DrainingChains& each) { return each.update == update; });
                 show_totals();
               });
  });
  one.timer->arm(drain_time_);
}

Listeners::Draining* Listeners::find_draining(uint64_t id) {
  const auto found =
      std::find_if(draining_.begin(), draining_.end(), [id](const Draining& one) { return one.listener.id == id; });
  return found == draining_.end() ? nullptr : &*found;
}

void Listeners::stop_accepting(bool inbound_only) {
  stopped_inbound_ = true;
  stopped_all_ = stopped_all_ || !inbound_only;
  for (Entry& entry : entries_) {
    if (entry.warming && is_meant(*entry.warming->plan, inbound_only)) {
      entry.warming.reset();
    }
  }
  std::erase_if(entries_, [](const Entry& entry) { return !entry.active; });
  for (const Entry& entry : entries_) {
    const Generation& listener = *entry.active;
    if (!is_meant(*listener.plan, inbound_only) || listener.sockets->sockets.empty()) {
      continue;
    }
    for (const auto& socket : listener.sockets->sockets) {
      socket->close_queue();
    }
    // No worker accepts on them any more then: closing refuses who comes now instead of leaving them in the kernel's
    // queue.
    auto close = [this, sockets = listener.sockets](size_t) {
      if (!sockets->sockets.empty()) {
        sockets->sockets.clear();
        block_.inc(ListenerManagerStat::kListenerStopped);
      }
    };
    if (workers_.empty()) {
      close(0);
    } else {
      on_workers([id = listener.id](Worker& worker) { worker.stop_accepting(id, proxy::Waiting::kTake); },
                 std::move(close));
    }
  }
  show_totals();
}

void Listeners::close() {
  *open_ = false;
  workers_.clear();
  stopped_all_ = true;
  draining_chains_.clear();
  for (Draining& one : draining_) {
    one.timer->cancel();
  }
}

void Listeners::clear() {
  entries_.clear();
  draining_.clear();
}

// ---- what is there

model::ListenerPlanPtr Listeners::active(std::string_view name) const {
  const Entry* entry = find(name);
  return entry == nullptr || !entry->active ? nullptr : entry->active->plan;
}

model::ListenerPlanPtr Listeners::warming(std::string_view name) const {
  const Entry* entry = find(name);
  return entry == nullptr || !entry->warming ? nullptr : entry->warming->plan;
}

bool Listeners::draining(std::string_view name) const {
  return std::any_of(draining_.begin(), draining_.end(),
                     [&](const Draining& one) { return one.listener.plan->name == name; });
}

std::vector<ListenerPlans> Listeners::plans() const {
  std::vector<ListenerPlans> out;
  for (const Entry& entry : entries_) {
    out.push_back({entry.name, active(entry.name), warming(entry.name), {}});
  }
  for (const Draining& one : draining_) {
    const std::string& name = one.listener.plan->name;
    auto at = std::find_if(out.begin(), out.end(), [&](const ListenerPlans& each) { return each.name == name; });
    if (at == out.end()) {
      at = out.insert(out.end(), {name, nullptr, nullptr, {}});
    }
    at->draining.push_back(one.listener.plan);
  }
  return out;
}

size_t Listeners::waiting() const {
  return static_cast<size_t>(std::count_if(entries_.begin(), entries_.end(),
                                           [](const Entry& entry) { return entry.active && !entry.active->ready; }));
}

std::vector<Listeners::Serving> Listeners::serving() const {
  std::vector<Serving> out;
  for (const Entry& entry : entries_) {
    if (entry.active) {
      out.push_back({entry.name, entry.active->sockets->addresses});
    }
  }
  return out;
}

std::set<std::string> Listeners::stat_prefixes() const {
  std::set<std::string> out;
  for (const Entry& entry : entries_) {
    if (entry.active) {
      out.insert(entry.active->plan->stat_prefix);
    }
  }
  for (const Draining& one : draining_) {
    out.insert(one.listener.plan->stat_prefix);
  }
  return out;
}

void Listeners::show_totals() {
  size_t active = 0, warming = 0, chains = 0;
  for (const Entry& entry : entries_) {
    active += entry.active ? 1 : 0;
    warming += entry.warming ? 1 : 0;
  }
  for (const DrainingChains& one : draining_chains_) {
    chains += one.count;
  }
  block_.set(ListenerManagerStat::kTotalListenersActive, active);
  block_.set(ListenerManagerStat::kTotalListenersWarming, warming);
  block_.set(ListenerManagerStat::kTotalListenersDraining, draining_.size());
  block_.set(ListenerManagerStat::kTotalFilterChainsDraining, chains);
}

}  // namespace sluice::server
