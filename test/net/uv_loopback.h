// What the tests on real sockets share: a loop with a bound on its run, and a connection that keeps what it saw.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/owner.h"
#include "buffer/buffer.h"
#include "event/uv_loop.h"
#include "net/uv_network.h"

namespace sluice::net::test {

using namespace std::chrono_literals;

// One worker's loop and network. Thread: the test's.
struct Bench {
  event::UvLoop loop;
  UvNetwork network{loop};
  Owner owner{"test"};
  buffer::SlabPool slabs{owner};

  // Runs the loop until `done` (asked at the end of each turn) or the limit; returns whether it was done.
  bool run_until(std::function<bool()> done, Duration limit = 5s) {
    bool reached = false;
    event::Timer deadline(loop.timers(), [this] { loop.stop(); });
    loop.at_turn_end([&] {
      if (done()) {
        reached = true;
        loop.stop();
      }
    });
    if (done()) {
      return true;
    }
    deadline.arm(limit);
    loop.run();
    loop.at_turn_end(nullptr);
    return reached;
  }
  // Lets the loop run for a while, whatever happens; returns the number of turns.
  int run_for(Duration time) {
    int turns = 0;
    event::Timer end(loop.timers(), [this] { loop.stop(); });
    end.arm(time);
    loop.at_turn_end([&] { ++turns; });
    loop.run();
    loop.at_turn_end(nullptr);
    return turns;
  }
};

// Reads all that comes and keeps it; can echo it. Thread: its loop's.
class Peer final : public TransportHandler {
 public:
  Peer(Bench& bench, std::unique_ptr<Transport> t)
      : bench(bench), transport(std::move(t)), out(bench.slabs) {
    transport->set_handler(this);
  }
  ~Peer() { end(CloseHow::kFin); }

  void on_ready(Ready ready) override {
    ++events;
    connected |= ready.connected;
    failed |= ready.failed;
    peer_closed += ready.peer_closed ? 1 : 0;
    writable += ready.writable ? 1 : 0;
    if (ready.readable && reads) {
      read_some();
    }
    if (ready.writable) {
      flush();
    }
    if (on_event) {
      on_event();
    }
  }
  void read_some() {
    ReadLease lease(bench.network.read_buffer());
    buffer::Buffer bytes(bench.slabs);
    last = transport->read(lease, max_read, bytes);
    if (last.status == IoStatus::kOk) {
      in += bytes.to_string();
      if (echo) {
        send(bytes.to_string());
      }
    } else if (last.status == IoStatus::kEof) {
      eof = true;
    } else if (last.status == IoStatus::kFailed) {
      failed = true;
    }
  }
  void send(std::string_view text) {
    out.append_copy(text);
    flush();
  }
  void flush() {
    if (!out.empty()) {
      last_write = transport->write(out);
    }
    transport->want_write(!out.empty() && last_write.status != IoStatus::kFailed);
  }
  void end(CloseHow how) {
    if (transport != nullptr) {
      transport->close(how);
      bench.loop.destroy_later(std::move(transport));
    }
  }

  Bench& bench;
  std::unique_ptr<Transport> transport;
  buffer::Buffer out;
  std::string in;
  IoResult last{IoStatus::kAgain};
  IoResult last_write{IoStatus::kAgain};
  size_t max_read = SIZE_MAX;
  bool reads = true;
  bool echo = false;
  bool connected = false;
  bool failed = false;
  bool eof = false;
  int peer_closed = 0;
  int writable = 0;
  int events = 0;
  std::function<void()> on_event;
};

// A listener on 127.0.0.1 with one client connected to it. Thread: the test's.
struct Pair {
  explicit Pair(Bench& bench) : bench(bench) {
    socket = std::move(*bench.network.bind(*Address::from_ip("127.0.0.1", 0), {}, 1));
    acceptor = bench.network.accept(*socket, 0, [this](std::unique_ptr<Transport> t) {
      server = std::make_unique<Peer>(this->bench, std::move(t));
    });
    client = std::make_unique<Peer>(bench, bench.network.connect(socket->address()));
    ok = bench.run_until([this] { return server != nullptr && client->connected; });
  }

  Bench& bench;
  std::unique_ptr<ListenSocket> socket;
  std::unique_ptr<Acceptor> acceptor;
  std::unique_ptr<Peer> server;
  std::unique_ptr<Peer> client;
  bool ok = false;
};

}  // namespace sluice::net::test
