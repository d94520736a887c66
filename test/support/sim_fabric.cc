#include "test/support/sim_fabric.h"

#include <algorithm>

#include "base/check.h"
#include "test/support/sim_network.h"

namespace sluice::test {

namespace {

using namespace std::chrono_literals;

// As Linux: SYNs at 0, 1, 3, 7, 15, 31 and 63 s, then the connect times out.
constexpr int kSynRetries = 6;

}  // namespace

SimFaults SimFaults::rough(SimRandom& random) {
  const auto sometimes = [&random](uint32_t most) {
    return random.chance(500) ? static_cast<uint32_t>(random.between(1, most)) : 0;
  };
  SimFaults faults;
  faults.latency_max = faults.latency_min + random.between(Duration(0), Duration(20ms));
  faults.bytes_per_second = random.chance(300) ? random.between(100'000, 100'000'000) : 0;
  faults.capacity_min = random.between(1, 64 * 1024);
  faults.capacity_max = faults.capacity_min + random.between(0, 256 * 1024);
  faults.short_read = sometimes(500);
  faults.short_write = sometimes(500);
  faults.reset = sometimes(20);
  faults.stall = sometimes(50);
  faults.refuse = sometimes(50);
  faults.black_hole = sometimes(20);
  faults.accept_failure = sometimes(50);
  return faults;
}

SimFaults SimFaults::uneven(SimRandom& random) {
  SimFaults faults;
  faults.latency_max = faults.latency_min + random.between(Duration(0), Duration(5ms));
  faults.bytes_per_second = random.chance(300) ? random.between(1'000'000, 100'000'000) : 0;
  faults.capacity_min = random.between(8 * 1024, 64 * 1024);
  faults.short_read = static_cast<uint32_t>(random.between(0, 500));
  faults.short_write = static_cast<uint32_t>(random.between(0, 500));
  return faults;
}

// ---- SimWire

SimWire::SimWire(SimWorld& world, const SimFaults& faults, uint64_t id) : world_(world), faults_(faults), id_(id) {
  for (Side& side : sides_) {
    side.capacity = world.random().between(faults.capacity_min, faults.capacity_max);
  }
}

void SimWire::send(int from, Kind kind, std::string bytes) {
  SimRandom& random = world_.random();
  Side& to = sides_[1 - from];
  Duration delay = random.between(faults_.latency_min, faults_.latency_max);
  if (kind == Kind::kData) {
    sides_[from].unread += bytes.size();
    if (faults_.bytes_per_second > 0) {
      delay += Duration(static_cast<int64_t>(bytes.size() * 1'000'000'000 / faults_.bytes_per_second));
    }
    if (random.chance(faults_.stall)) {
      delay += random.between(Duration(0), faults_.stall_max);
    }
  }
  to.last_arrival = std::max(to.last_arrival, world_.now() + delay);
  to.coming.push_back({kind, std::move(bytes)});
  world_.after_inside(to.last_arrival - world_.now(),
                      [self = shared_from_this(), which = 1 - from] { self->deliver(which); });
}

void SimWire::reset(int from) {
  if (std::exchange(sides_[from].reset_sent, true)) {
    return;
  }
  sides_[from].ended = true;
  // Each event under way delivers one segment, so cut ones stay as empty data.
  auto& coming = sides_[1 - from].coming;
  const size_t kept = coming.empty() ? 0 : world_.random().between(0, coming.size());
  for (size_t i = kept; i < coming.size(); ++i) {
    if (coming[i].kind != Kind::kSynAck) {
      coming[i] = {Kind::kData, {}};
    }
  }
  send(from, Kind::kReset);
}

void SimWire::read(int by, size_t bytes) {
  Side& other = sides_[1 - by];
  other.to_release += bytes;
  if (other.to_release > bytes) {
    return;  // news is under way
  }
  world_.after_inside(world_.random().between(faults_.latency_min, faults_.latency_max),
                      [self = shared_from_this(), which = 1 - by] {
                        Side& side = self->sides_[which];
                        side.unread -= std::exchange(side.to_release, 0);
                        if (side.end != nullptr) {
                          side.end->news();
                        }
                      });
}

void SimWire::close(int which) {
  Side& side = sides_[which];
  side.end = nullptr;
  side.closed = true;
  if (side.available() > 0) {
    reset(which);
  } else if (!std::exchange(side.ended, true)) {
    send(which, Kind::kFin);
  }
}

void SimWire::deliver(int to) {
  Side& side = sides_[to];
  Segment segment = std::move(side.coming.front());
  side.coming.pop_front();
  if (side.reset) {
    return;
  }
  if (side.closed) {
    // Nobody is there to take it: the kernel answers with a reset.
    if (segment.kind == Kind::kData && !segment.bytes.empty()) {
      reset(to);
    }
    return;
  }
  static constexpr const char* kNames[] = {"connected", "data", "fin", "reset"};
  world_.trace(kNames[static_cast<int>(segment.kind)], id_ * 2 + static_cast<uint64_t>(to), segment.bytes.size());
  switch (segment.kind) {
    case Kind::kSynAck:
      side.connected = true;
      break;
    case Kind::kData:
      side.arrived += segment.bytes;
      side.taken += segment.bytes.size();
      break;
    case Kind::kFin:
      side.fin = true;
      break;
    case Kind::kReset:
      side.reset = true;
      break;
  }
  if (side.end != nullptr) {
    side.end->news();
  }
}

// ---- SimFabric

SimReach SimFabric::reach(const net::Address& address) const {
  auto found = reach_.find(address.to_string());
  if (found == reach_.end() && address.is_ip()) {
    found = reach_.find(address.with_port(0).to_string());
  }
  return found == reach_.end() ? SimReach::kOpen : found->second;
}

SimListenSocket* SimFabric::listener(const std::string& host, const net::Address& address) {
  const std::string where = address.is_ip() && !address.is_loopback() ? address.ip_to_string() : host;
  const auto look_up = [&](const net::Address& bound) {
    const auto found = listeners_.find({where, bound.to_string()});
    return found == listeners_.end() ? nullptr : found->second;
  };
  SimListenSocket* socket = look_up(address);
  if (socket == nullptr && address.is_ip()) {
    const char* any = address.kind() == net::AddressKind::kIp4 ? "0.0.0.0" : "::";
    socket = look_up(*net::Address::from_ip(any, address.port()));
  }
  return socket;
}

uint16_t SimFabric::next_port(const std::string& host) {
  uint16_t& last = last_port_[host];
  last = last < 32768 || last >= 60999 ? 32768 : last + 1;
  return last;
}

void SimFabric::syn(std::shared_ptr<SimWire> wire, std::string host, net::Address to, net::Address from, int attempt) {
  const Duration delay = world_.random().between(faults_.latency_min, faults_.latency_max);
  world_.after_inside(delay, [this, wire = std::move(wire), host = std::move(host), to = std::move(to),
                              from = std::move(from), attempt] { syn_arrived(wire, host, to, from, attempt); });
}

void SimFabric::syn_arrived(const std::shared_ptr<SimWire>& wire, const std::string& host, const net::Address& to,
                            const net::Address& from, int attempt) {
  SimEnd* client = wire->side(0).end;
  if (client == nullptr) {
    return;  // gave up
  }
  const SimReach way = reach(to);
  const bool lost = way == SimReach::kBlackHole || world_.random().chance(faults_.black_hole);
  SimListenSocket* socket = listener(host, to);
  if (!lost && (socket == nullptr || !socket->listening_ || way == SimReach::kRefused ||
                world_.random().chance(faults_.refuse))) {
    world_.trace("refused", wire->id());
    client->fail_connect("Connection refused");
    return;
  }
  if (lost || !socket->arrive({wire, to, from})) {
    world_.trace("syn lost", wire->id(), static_cast<uint64_t>(attempt));
    const Duration wait = std::chrono::seconds(1) * (1 << attempt);
    world_.after_inside(wait, [this, wire, host, to, from, attempt] {
      if (attempt < kSynRetries) {
        syn(wire, host, to, from, attempt + 1);
      } else if (wire->side(0).end != nullptr) {
        wire->side(0).end->fail_connect("Connection timed out");
      }
    });
    return;
  }
  if (wires_.size() >= sweep_wires_at_) {
    std::erase_if(wires_, [](const auto& known) { return known.second.expired(); });
    sweep_wires_at_ = 2 * wires_.size() + 64;
  }
  wires_.emplace_back(to.to_string(), wire);
  wire->side(1).connected = true;
  wire->send(1, SimWire::Kind::kSynAck);
}

void SimFabric::reset_connections_to(const net::Address& address) {
  const std::string name = address.to_string();
  for (const auto& [to, weak] : wires_) {
    if (const auto wire = weak.lock(); wire != nullptr && to == name) {
      wire->reset(0);
      wire->reset(1);
    }
  }
}

}  // namespace sluice::test
