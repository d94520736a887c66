// The simulated network keeps the promises of Network and Transport, and a seed names a run.
#include "test/support/sim_network.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>

#include "base/owner.h"

namespace sluice::test {
namespace {

using namespace std::chrono_literals;
using net::Address;
using net::CloseHow;
using net::IoStatus;
using net::Ready;
using net::Transport;

// One loop on a host. Thread: the simulation's.
struct Host {
  Host(SimFabric& fabric, const std::string& ip) : loop(fabric.world()), network(loop, fabric, ip) {}
  SimLoop loop;
  SimNetwork network;
  Owner owner{"host"};
  buffer::SlabPool slabs{owner};
};

// Reads all, may echo, keeps what cannot be sent. Thread: the simulation's.
class Peer final : public net::TransportHandler {
 public:
  Peer(Host& host, std::unique_ptr<Transport> t) : host_(host), transport(std::move(t)), out(host.slabs) {
    transport->set_handler(this);
  }
  ~Peer() {
    if (transport != nullptr) {
      transport->close(CloseHow::kFin);
      host_.loop.destroy_later(std::move(transport));
    }
  }
  void on_ready(Ready ready) override {
    ++events;
    connected |= ready.connected;
    failed |= ready.failed;
    peer_closed += ready.peer_closed ? 1 : 0;
    if (ready.readable && reads) {
      net::ReadLease lease(host_.network.read_buffer());
      buffer::Buffer bytes(host_.slabs);
      const IoStatus status = transport->read(lease, SIZE_MAX, bytes).status;
      eof |= status == IoStatus::kEof;
      failed |= status == IoStatus::kFailed;
      in += bytes.to_string();
      if (echo) {
        out.move_from(bytes);
        flush();
        out.own();
      }
    }
    if (ready.writable) {
      flush();
    }
  }
  void send(std::string_view text) {
    out.append_copy(text);
    flush();
  }
  void flush() {
    if (transport->write(out).status == IoStatus::kFailed) {
      out.clear();
    }
    transport->want_write(!out.empty());
  }

 private:
  Host& host_;

 public:
  std::unique_ptr<Transport> transport;
  buffer::Buffer out;
  std::string in;
  bool reads = true;
  bool echo = false;
  bool connected = false;
  bool failed = false;
  bool eof = false;
  int peer_closed = 0;
  int events = 0;
};

// A client host and a server host with one listener. Thread: the simulation's.
struct Stage {
  explicit Stage(uint64_t seed) : world(seed) {
    socket = *server.network.bind(*Address::from_ip("10.0.0.2", 80), {}, 1);
    acceptor = server.network.accept(*socket, 0, [this](std::unique_ptr<Transport> t) {
      accepted.push_back(std::make_unique<Peer>(server, std::move(t)));
      accepted.back()->echo = echo;
    });
  }
  std::unique_ptr<Peer> connect() { return std::make_unique<Peer>(client, client.network.connect(socket->address())); }
  // A connection that is open at both ends.
  std::unique_ptr<Peer> open() {
    auto peer = connect();
    EXPECT_TRUE(world.run_until([&] { return peer->connected && !accepted.empty(); }));
    return peer;
  }
  Peer& last() { return *accepted.back(); }

  SimWorld world;
  SimFabric fabric{world};
  Host client{fabric, "10.0.0.1"};
  Host server{fabric, "10.0.0.2"};
  std::unique_ptr<net::ListenSocket> socket;
  std::vector<std::unique_ptr<Peer>> accepted;
  std::unique_ptr<net::Acceptor> acceptor;
  bool echo = false;
};

struct Outcome {
  uint64_t hash;
  uint64_t steps;
  size_t echoed;
};

// Ten clients send something to an echo server over a rough network.
Outcome echo_run(uint64_t seed, bool rough) {
  Stage stage(seed);
  stage.echo = true;
  if (rough) {
    stage.fabric.faults() = SimFaults::rough(stage.world.random());
  }
  std::vector<std::unique_ptr<Peer>> clients;
  std::vector<std::string> sent;
  for (size_t i = 0; i < 10; ++i) {
    clients.push_back(stage.connect());
    sent.push_back(std::string(1 + i * 10'000, static_cast<char>('a' + i)));
  }
  std::set<size_t> sending;
  stage.world.run_until([&] {
    for (size_t i = 0; i < clients.size(); ++i) {
      if (clients[i]->connected && sending.insert(i).second) {
        clients[i]->send(sent[i]);
      }
    }
    return std::all_of(clients.begin(), clients.end(),
                       [&](auto& c) { return c->failed || c->eof || c->in.size() == sent[&c - &clients[0]].size(); });
  });
  size_t echoed = 0;
  for (size_t i = 0; i < clients.size(); ++i) {
    EXPECT_EQ(clients[i]->in, sent[i].substr(0, clients[i]->in.size())) << stage.world.last_trace(20);
    echoed += clients[i]->in.size() == sent[i].size() ? 1 : 0;
  }
  return {stage.world.trace_hash(), stage.world.steps(), echoed};
}

TEST(SimNetwork, OneSeedOneRun) {
  std::set<uint64_t> hashes;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    const Outcome first = echo_run(seed, false);
    const Outcome second = echo_run(seed, false);
    EXPECT_EQ(first.hash, second.hash);
    EXPECT_EQ(first.steps, second.steps);
    EXPECT_EQ(first.echoed, 10u) << "seed " << seed;
    hashes.insert(first.hash);
  }
  EXPECT_EQ(hashes.size(), 20u);
}

// The same on every compiler and sanitizer. A change of the simulation itself changes these numbers.
TEST(SimNetwork, KnownHashes) {
  EXPECT_EQ(echo_run(1, false).hash, 10290220128581911687u);
  EXPECT_EQ(echo_run(7, true).hash, 9028101709892717484u);
}

TEST(SimNetwork, RoughRunsReplayAndKeepTheBytesInOrder) {
  size_t whole = 0;
  size_t broken = 0;
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    const Outcome first = echo_run(seed, true);
    whole += first.echoed;
    broken += 10 - first.echoed;
    if (seed % 20 == 0) {
      EXPECT_EQ(first.hash, echo_run(seed, true).hash) << "seed " << seed;
    }
  }
  EXPECT_GT(whole, 100u);
  EXPECT_GT(broken, 5u);
}

TEST(SimNetwork, AddressesOfBothEnds) {
  Stage stage(1);
  auto client = stage.open();
  EXPECT_EQ(client->transport->remote().to_string(), "10.0.0.2:80");
  EXPECT_EQ(stage.last().transport->local().to_string(), "10.0.0.2:80");
  EXPECT_EQ(stage.last().transport->remote(), client->transport->local());
  EXPECT_EQ(client->transport->local().ip_to_string(), "10.0.0.1");
}

TEST(SimNetwork, HalfClose) {
  Stage stage(2);
  auto client = stage.open();
  client->send("request");
  client->transport->shutdown_write();
  ASSERT_TRUE(stage.world.run_until([&] { return stage.last().eof; }));
  EXPECT_EQ(stage.last().in, "request");
  stage.last().send("response");
  stage.last().transport->close(CloseHow::kFin);
  ASSERT_TRUE(stage.world.run_until([&] { return client->eof; }));
  EXPECT_EQ(client->in, "response");
  EXPECT_FALSE(client->failed);
}

TEST(SimNetwork, ResetIsToldWhetherReadingOrNot) {
  for (const bool reading : {true, false}) {
    Stage stage(3);
    auto client = stage.open();
    stage.last().transport->want_read(reading);
    client->transport->close(CloseHow::kReset);
    ASSERT_TRUE(stage.world.run_until([&] { return stage.last().failed; }));
    EXPECT_EQ(stage.last().transport->failure(), "Connection reset by peer");
    buffer::Buffer out(stage.server.slabs);
    out.append_borrowed("x");
    EXPECT_EQ(stage.last().transport->write(out).status, IoStatus::kFailed);
  }
}

TEST(SimNetwork, FinIsToldOnceWhileReadingIsOff) {
  Stage stage(4);
  auto client = stage.open();
  stage.last().transport->want_read(false);
  client->send("kept");
  client->transport->close(CloseHow::kFin);
  stage.world.run_for(1s);
  EXPECT_EQ(stage.last().peer_closed, 1);
  EXPECT_EQ(stage.last().in, "");
  stage.last().transport->want_read(true);
  EXPECT_TRUE(stage.world.run_until([&] { return stage.last().eof; }));
  EXPECT_EQ(stage.last().in, "kept");
}

TEST(SimNetwork, CloseWithUnreadBytesResets) {
  Stage stage(5);
  auto client = stage.open();
  stage.last().reads = false;
  stage.last().transport->want_read(false);
  client->send("unread");
  stage.world.run_for(10ms);
  stage.last().transport->close(CloseHow::kFin);
  stage.world.run_for(10ms);
  EXPECT_TRUE(client->failed);
}

TEST(SimNetwork, BytesToAClosedEndAreAnsweredWithAReset) {
  Stage stage(6);
  auto client = stage.open();
  stage.last().transport->close(CloseHow::kFin);
  ASSERT_TRUE(stage.world.run_until([&] { return client->eof; }));
  client->send("too late");
  stage.world.run_for(10ms);
  client->send("x");
  EXPECT_EQ(client->transport->write(client->out).status, IoStatus::kFailed);
}

TEST(SimNetwork, BackPressure) {
  Stage stage(7);
  stage.fabric.faults().capacity_min = stage.fabric.faults().capacity_max = 1000;
  auto client = stage.open();
  stage.last().reads = false;
  stage.last().transport->want_read(false);
  const std::string sent(100'000, 'b');
  client->send(sent);
  stage.world.run_for(1s);
  EXPECT_EQ(client->out.size(), sent.size() - 1000);
  const int events = client->events;
  stage.world.run_for(1s);
  EXPECT_EQ(client->events, events);
  stage.last().reads = true;
  stage.last().transport->want_read(true);
  EXPECT_TRUE(stage.world.run_until([&] { return stage.last().in.size() == sent.size(); }));
}

TEST(SimNetwork, FailedConnects) {
  Stage stage(8);
  const auto fails = [&](SimReach reach, Duration limit) {
    stage.fabric.set_reach(stage.socket->address(), reach);
    auto client = stage.connect();
    EXPECT_FALSE(client->failed);
    const MonotonicTime start = stage.world.now();
    EXPECT_EQ(stage.world.run_until([&] { return client->failed || client->connected; }, limit), limit > 1s);
    return std::pair(std::string(client->transport->failure()), stage.world.now() - start);
  };
  EXPECT_EQ(fails(SimReach::kRefused, 2s).first, "Connection refused");
  EXPECT_EQ(fails(SimReach::kUnreachable, 2s).first, "Network is unreachable");
  EXPECT_EQ(fails(SimReach::kBlackHole, 1s).first, "");
  const auto [why, after] = fails(SimReach::kBlackHole, 200s);
  EXPECT_EQ(why, "Connection timed out");
  EXPECT_NEAR(static_cast<double>(to_ms(after)), 127'000, 100);
  stage.fabric.set_reach(stage.socket->address(), SimReach::kOpen);
  stage.open();
  auto nobody = std::make_unique<Peer>(stage.client, stage.client.network.connect(*Address::from_ip("10.0.0.2", 81)));
  EXPECT_TRUE(stage.world.run_until([&] { return nobody->failed; }));
}

TEST(SimNetwork, ListenerThatEnds) {
  Stage stage(9);
  stage.acceptor->want_accept(false);
  auto waiting = stage.connect();
  EXPECT_TRUE(stage.world.run_until([&] { return waiting->connected; }));  // by the kernel
  EXPECT_TRUE(stage.accepted.empty());
  stage.acceptor.reset();
  const Address address = stage.socket->address();
  stage.socket.reset();
  EXPECT_TRUE(stage.world.run_until([&] { return waiting->failed; }));
  auto late = std::make_unique<Peer>(stage.client, stage.client.network.connect(address));
  EXPECT_TRUE(stage.world.run_until([&] { return late->failed; }));
  EXPECT_EQ(late->transport->failure(), "Connection refused");
}

TEST(SimNetwork, BindErrors) {
  Stage stage(10);
  EXPECT_EQ(stage.server.network.bind(stage.socket->address(), {}, 1).error(),
            "cannot bind 10.0.0.2:80: Address already in use");
  EXPECT_EQ(stage.client.network.bind(stage.socket->address(), {}, 1).error(),
            "cannot bind 10.0.0.2:80: Cannot assign requested address");
  EXPECT_NE((*stage.client.network.bind(*Address::from_ip("10.0.0.1", 0), {}, 1))->address().port(), 0);
}

TEST(SimNetwork, LoopbackAndWildcardBelongToTheirHost) {
  Stage stage(11);
  auto any = *stage.client.network.bind(*Address::from_ip("0.0.0.0", 90), {}, 1);
  auto local = *stage.client.network.bind(*Address::from_ip("127.0.0.1", 91), {}, 1);
  const auto reaches = [&](Host& from, const char* ip, uint16_t port) {
    Peer peer(from, from.network.connect(*Address::from_ip(ip, port)));
    EXPECT_TRUE(stage.world.run_until([&] { return peer.failed || peer.connected; }));
    return peer.connected;
  };
  EXPECT_FALSE(reaches(stage.client, "127.0.0.1", 90));  // bound, but nobody accepts yet
  std::vector<std::unique_ptr<net::Transport>> accepted;
  const auto keep = [&](std::unique_ptr<net::Transport> transport) { accepted.push_back(std::move(transport)); };
  const auto of_any = stage.client.network.accept(*any, 0, keep);
  const auto of_local = stage.client.network.accept(*local, 0, keep);
  EXPECT_TRUE(reaches(stage.server, "10.0.0.1", 90));
  EXPECT_TRUE(reaches(stage.client, "127.0.0.1", 90));
  EXPECT_TRUE(reaches(stage.client, "127.0.0.1", 91));
  EXPECT_FALSE(reaches(stage.server, "127.0.0.1", 91));
  EXPECT_FALSE(reaches(stage.server, "10.0.0.1", 91));
}

TEST(SimNetwork, WorkersShareTheConnections) {
  SimWorld world(12);
  SimFabric fabric(world);
  Host one(fabric, "10.0.0.1");
  Host two(fabric, "10.0.0.1");
  for (const bool reuse_port : {true, false}) {
    auto socket = *one.network.bind(*Address::from_ip("10.0.0.1", 80), {.reuse_port = reuse_port}, 2);
    std::vector<std::unique_ptr<Transport>> at_one;
    std::vector<std::unique_ptr<Transport>> at_two;
    auto first = one.network.accept(*socket, 0, [&](auto t) { at_one.push_back(std::move(t)); });
    auto second = two.network.accept(*socket, 1, [&](auto t) { at_two.push_back(std::move(t)); });
    std::vector<std::unique_ptr<Transport>> clients;
    for (int i = 0; i < 100; ++i) {
      clients.push_back(one.network.connect(socket->address()));
    }
    EXPECT_TRUE(world.run_until([&] { return at_one.size() + at_two.size() == 100; }));
    EXPECT_GT(at_one.size(), 20u);
    EXPECT_GT(at_two.size(), 20u);
  }
}

// What was read is overwritten once the next dispatch reads: a Buffer that borrowed for too long shows it.
TEST(SimNetwork, BorrowedBytesDoNotOutliveTheirDispatch) {
  Stage stage(13);
  auto one = stage.open();
  auto two = stage.open();
  one->send("first bytes");
  stage.world.run_for(10ms);
  buffer::Buffer kept(stage.server.slabs);
  Transport& transport = *stage.last().transport;
  stage.last().reads = false;
  two->send("more");
  stage.world.run_until([&] { return stage.last().events > 0; }, 100ms);
  {
    net::ReadLease lease(stage.server.network.read_buffer());
    ASSERT_EQ(transport.read(lease, 100, kept).status, IoStatus::kOk);
    EXPECT_EQ(kept.to_string(), "more");
  }
  two->send("x");
  stage.world.run_until([&] { return stage.last().events > 1; }, 100ms);
  buffer::Buffer next(stage.server.slabs);
  net::ReadLease lease(stage.server.network.read_buffer());
  ASSERT_EQ(transport.read(lease, 100, next).status, IoStatus::kOk);
  EXPECT_EQ(kept.to_string(), "x\xDD\xDD\xDD");
}

}  // namespace
}  // namespace sluice::test
