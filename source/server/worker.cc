#include "server/worker.h"

#include <algorithm>

namespace sluice::server {

namespace {
constexpr Duration kEmptyCheck = std::chrono::milliseconds(5);  // only while draining
constexpr Duration kUntilBuried = std::chrono::milliseconds(1);
}  // namespace

Worker::Worker(uint32_t index, WorkerSeams seams, stats::Registry& registry, proxy::ServerState& state)
    : seams_(std::move(seams)),
      network_(*seams_.loop, *seams_.network, slabs_, seams_.internal_buffer),
      cells_(registry),
      local_{*seams_.loop, network_, *seams_.random, chunks_, slabs_, flushes_, registry, cells_, index},
      clusters_(local_),
      proxy_{local_, clusters_, state, this, &log_sinks_},
      bury_(seams_.loop->timers(), [this] { removed_.clear(); }),
      empty_check_(seams_.loop->timers(), [this] { check_empty(); }) {
  seams_.loop->at_turn_end([this] { flushes_.flush_turn(); });
}

Worker::~Worker() = default;

proxy::Listener* Worker::find(uint64_t id) const {
  const auto found =
      std::find_if(listeners_.begin(), listeners_.end(), [id](const auto& one) { return one->id() == id; });
  return found == listeners_.end() ? nullptr : found->get();
}

size_t Worker::add_listener(uint64_t id, model::ListenerPlanPtr plan, const proxy::ListenOn& on, uint64_t instead_of) {
  const size_t draining = retire_listener(instead_of, proxy::Waiting::kLeave);
  listeners_.push_back(std::make_unique<proxy::Listener>(id, std::move(plan), on, proxy_));
  listeners_.back()->set_accepting(accepting_);
  return draining;
}

size_t Worker::update_listener(uint64_t id, model::ListenerPlanPtr plan, uint64_t update) {
  proxy::Listener* listener = find(id);
  return listener == nullptr ? 0 : listener->update(std::move(plan), update);
}

void Worker::cut_chains(uint64_t id, uint64_t update) {
  if (proxy::Listener* listener = find(id)) {
    listener->cut_chains(update);
  }
}

void Worker::set_accepting(proxy::Accepting accepting) {
  accepting_ = accepting;
  for (const auto& listener : listeners_) {
    listener->set_accepting(accepting);
  }
}

void Worker::stop_accepting(uint64_t id, proxy::Waiting waiting) {
  if (proxy::Listener* listener = find(id)) {
    listener->stop_accepting(waiting);
  }
}

size_t Worker::retire_listener(uint64_t id, proxy::Waiting waiting) {
  proxy::Listener* listener = find(id);
  if (listener == nullptr) {
    return 0;
  }
  listener->stop_accepting(waiting);
  listener->retire();
  return listener->connections();
}

void Worker::remove_listener(uint64_t id) {
  const auto found =
      std::find_if(listeners_.begin(), listeners_.end(), [id](const auto& one) { return one->id() == id; });
  if (found != listeners_.end()) {
    (*found)->stop_accepting(proxy::Waiting::kLeave);
    (*found)->close_all();
    removed_.push_back(std::move(*found));
    listeners_.erase(found);
    bury_.arm(kUntilBuried);
  }
}

proxy::Listener* Worker::unbound_listener(const net::Address& address) {
  proxy::Listener* any = nullptr;
  for (const auto& listener : listeners_) {
    const model::ListenerFrame& plan = listener->frame();
    if (!listener->accepts() || plan.socket.bind_to_port || plan.address.port() != address.port()) {
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
    listener->stop_accepting(proxy::Waiting::kTake);
    listener->close_all();
  }
  listeners_.clear();
  bury_.cancel();
  removed_.clear();
  log_sinks_.flush();
  // What was flushed leaves at the end of this turn, and exchanges that die then still look at their pools.
  loop().post([this] {
    log_sinks_.clear();
    clusters_.clear();
  });
}

}  // namespace sluice::server
