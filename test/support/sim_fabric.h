// SimFabric: the simulated network between hosts: who listens where, how connections behave, which faults happen.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "net/network.h"
#include "test/support/sim_loop.h"

namespace sluice::test {

class SimEnd;
class SimListenSocket;

// How the network behaves; may be changed at any time (capacities: for new connections). Rates are in permille.
struct SimFaults {
  Duration latency_min = std::chrono::microseconds(20);
  Duration latency_max = std::chrono::microseconds(300);
  uint64_t bytes_per_second = 0;    // per direction of a connection; 0: no limit
  size_t capacity_min = 64 * 1024;  // bytes that one direction holds: above, the writer waits
  size_t capacity_max = 256 * 1024;
  uint32_t short_read = 0;   // of reads: only a part of what is there
  uint32_t short_write = 0;  // of writes: only a part of what there is room for
  uint32_t reset = 0;        // of writes: the connection is reset
  uint32_t stall = 0;        // of writes: these bytes come up to stall_max later
  Duration stall_max = std::chrono::seconds(2);
  uint32_t refuse = 0;          // of connects
  uint32_t black_hole = 0;      // of connects: no answer ever comes
  uint32_t accept_failure = 0;  // of accepts: the process has no descriptors for a moment

  // Everything goes wrong now and then, how often depends on the seed.
  static SimFaults rough(SimRandom& random);
  // Slow, and in pieces of any size, but nothing is lost.
  static SimFaults uneven(SimRandom& random);
};

// How an address answers to new connects, whoever listens there.
enum class SimReach : uint8_t { kOpen, kRefused, kBlackHole, kUnreachable };

// One connection: two ends, each of them a Transport or (before accept) none. Lives as long as an end or something
// under way. Thread: the simulation's.
class SimWire : public std::enable_shared_from_this<SimWire> {
 public:
  enum class Kind : uint8_t { kSynAck, kData, kFin, kReset };
  struct Segment {
    Kind kind;
    std::string bytes;
  };
  // What arrived at an end and was not read, and what its end sent that was not read by the other.
  struct Side {
    SimEnd* end = nullptr;
    bool closed = false;  // the end is gone: what arrives is answered with a reset
    std::string arrived;
    uint64_t taken = 0;    // bytes that arrived here in all
    size_t read_from = 0;  // arrived bytes before this one were read
    bool connected = false;
    bool fin = false;  // the other side sends no more
    bool reset = false;
    std::deque<Segment> coming;  // under way to this side, in order
    MonotonicTime last_arrival;
    size_t unread = 0;      // sent by this side, not yet read by the other
    size_t capacity = 0;    // limit of `unread`
    size_t to_release = 0;  // was read by the other; the news is under way
    bool ended = false;     // sent a FIN or a reset
    bool reset_sent = false;
    size_t available() const { return arrived.size() - read_from; }
  };

  SimWire(SimWorld& world, const SimFaults& faults, uint64_t id);
  uint64_t id() const { return id_; }
  Side& side(int which) { return sides_[which]; }

  // Sends from one side to the other, in order.
  void send(int from, Kind kind, std::string bytes = {});
  // Ends both directions; what is under way from this side is cut at a seeded point.
  void reset(int from);
  // This side read so many bytes.
  void read(int by, size_t bytes);
  // The end of this side is gone; says FIN, or a reset when bytes were not read (as the kernel does).
  void close(int side);

 private:
  void deliver(int to);

  SimWorld& world_;
  const SimFaults& faults_;
  const uint64_t id_;
  Side sides_[2];
};

// Outlives the networks on it. A connection's address is looked up on the host it names: loopback and unix addresses
// on the host that connects, others on the host with that IP. Thread: the simulation's.
class SimFabric {
 public:
  explicit SimFabric(SimWorld& world) : world_(world) {}

  SimWorld& world() { return world_; }
  SimFaults& faults() { return faults_; }
  // For an address as clients name it; a port of 0 means every port of the IP.
  void set_reach(const net::Address& address, SimReach reach) { reach_[address.to_string()] = reach; }
  // Resets every connection that was made to this address.
  void reset_connections_to(const net::Address& address);

 private:
  friend class SimNetwork;
  friend class SimListenSocket;
  friend class SimEnd;

  SimReach reach(const net::Address& address) const;
  SimListenSocket* listener(const std::string& host, const net::Address& address);
  // The client's SYN is under way.
  void syn(std::shared_ptr<SimWire> wire, std::string host, net::Address to, net::Address from, int attempt);
  void syn_arrived(const std::shared_ptr<SimWire>& wire, const std::string& host, const net::Address& to,
                   const net::Address& from, int attempt);
  uint16_t next_port(const std::string& host);

  SimWorld& world_;
  SimFaults faults_;
  std::map<std::string, SimReach> reach_;
  std::map<std::pair<std::string, std::string>, SimListenSocket*> listeners_;  // host, address
  std::map<std::string, uint16_t> last_port_;
  std::vector<std::pair<std::string, std::weak_ptr<SimWire>>> wires_;
  size_t sweep_wires_at_ = 64;
  uint64_t next_wire_ = 0;
};

}  // namespace sluice::test
