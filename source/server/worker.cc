#include "server/worker.h"

namespace sluice::server {

namespace {
constexpr Duration kEmptyCheck = std::chrono::milliseconds(5);  // only while draining
}

Worker::Worker(uint32_t index, WorkerSeams seams, stats::Registry& registry, proxy::ServerState& state)
    : seams_(std::move(seams)),
      cells_(registry),
      local_{*seams_.loop, *seams_.network, *seams_.random, chunks_, slabs_, flushes_, registry, cells_, index},
      clusters_(local_),
      proxy_{local_, clusters_, state, this},
      empty_check_(seams_.loop->timers(), [this] { check_empty(); }) {
  seams_.loop->at_turn_end([this] { flushes_.flush_all(); });
}

Worker::~Worker() = default;

void Worker::add_listener(model::ListenerPlanPtr plan, const std::vector<net::ListenSocket*>& sockets) {
  listeners_.push_back(std::make_unique<proxy::Listener>(std::move(plan), sockets, proxy_));
}

proxy::Listener* Worker::unbound_listener(const net::Address& address) {
  proxy::Listener* any = nullptr;
  for (const auto& listener : listeners_) {
    const model::ListenerPlan& plan = listener->plan();
    if (plan.socket.bind_to_port || plan.address.port() != address.port()) {
      continue;
    }
    if (plan.address == address) {
      return listener.get();
    }
    if (plan.address.is_wildcard() && (plan.address.kind() == address.kind() || plan.socket.ipv4_compat)) {
      any = listener.get();
    }
  }
  return any;
}

void Worker::stop_accepting(Function<bool(const model::ListenerPlan&)> which) {
  for (auto& listener : listeners_) {
    if (which(listener->plan())) {
      listener->stop_accepting();
    }
  }
}

void Worker::drain(Function<void()> when_empty) {
  for (auto& listener : listeners_) {
    listener->start_drain();
  }
  when_empty_ = std::move(when_empty);
  check_empty();
}

void Worker::check_empty() {
  if (!when_empty_) {
    return;
  }
  if (connections() == 0) {
    Function<void()> tell = std::move(when_empty_);
    tell();
    return;
  }
  empty_check_.arm(kEmptyCheck);
}

size_t Worker::connections() const {
  size_t total = 0;
  for (const auto& listener : listeners_) {
    total += listener->connections();
  }
  return total;
}

void Worker::close() {
  empty_check_.cancel();
  for (auto& listener : listeners_) {
    listener->stop_accepting();
    listener->close_all();
  }
  listeners_.clear();
  // Exchanges that die at the end of this turn still look at their pools.
  loop().post([this] { clusters_.clear(); });
}

}  // namespace sluice::server
