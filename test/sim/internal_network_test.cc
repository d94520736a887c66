// Connections inside of a worker: bytes, back-pressure, both kinds of end, and who accepts.
#include <gtest/gtest.h>

#include "net/internal_address.h"
#include "net/internal_network.h"
#include "test/sim/sim_peers.h"

namespace sluice::test {
namespace {

using net::CloseHow;
using net::InternalConnection;
using net::IoStatus;

constexpr size_t kLimit = 1000;

struct Handler final : net::TransportHandler {
  void on_ready(net::Ready ready) override {
    connected |= ready.connected;
    writable += ready.writable ? 1 : 0;
  }
  bool connected = false;
  int writable = 0;
};

class InternalNetworkTest : public ::testing::Test {
 protected:
  InternalNetworkTest()
      : world(1),
        fabric(world),
        machine(fabric, "10.0.0.1"),
        network(machine.loop, machine.network, machine.slabs, kLimit) {}

  void turn() { world.run_for(std::chrono::milliseconds(5)); }
  static net::Address address(std::string_view id = "") { return *net::internal_address("inside", id); }
  std::unique_ptr<net::ListenSocket> bind() { return std::move(*network.bind(address(), {}, 1)); }
  std::unique_ptr<net::Acceptor> accept_on(net::ListenSocket& socket) {
    return network.accept(socket, 0, [this](std::unique_ptr<net::Transport> transport) {
      accepted.push_back(std::make_unique<SimTalker>(machine.loop, network, machine.slabs, std::move(transport)));
    });
  }
  std::unique_ptr<SimTalker> connect(const net::Address& to) {
    return std::make_unique<SimTalker>(machine.loop, network, machine.slabs, network.connect(to));
  }
  std::string read_all(InternalConnection& end) {
    buffer::Buffer into(machine.slabs);
    net::ReadLease lease(network.read_buffer());
    while (end.read(lease, 300, into).status == IoStatus::kOk) {
    }
    return into.to_string();
  }

  SimWorld world;
  SimFabric fabric;
  SimMachine machine;
  net::InternalNetwork network;
  std::vector<std::unique_ptr<SimTalker>> accepted;
};

TEST_F(InternalNetworkTest, BothEndsHaveNamesAndBytesGoBothWays) {
  const auto socket = bind();
  const auto acceptor = accept_on(*socket);
  const auto client = connect(address("one"));
  client->send("hello");
  turn();
  ASSERT_EQ(accepted.size(), 1u);
  EXPECT_TRUE(client->connected());
  EXPECT_EQ(accepted[0]->received(), "hello");
  accepted[0]->send(std::string(50'000, 'x'));  // much more than is on its way at a time
  turn();
  world.run_until([&] { return client->received().size() == 50'000; }, std::chrono::seconds(5));
  EXPECT_EQ(client->received(), std::string(50'000, 'x'));
  const std::unique_ptr<net::Transport> other = network.connect(address("two"));
  EXPECT_EQ(other->remote().to_string(), "envoy://inside/two");
  EXPECT_EQ(other->local().to_string(), "envoy://internal_client_address/");
}

TEST_F(InternalNetworkTest, NobodyListensThere) {
  const auto client = connect(address());
  turn();
  EXPECT_FALSE(client->connected());
  EXPECT_TRUE(client->ended());
}

TEST_F(InternalNetworkTest, NoMoreThanTheBufferIsOnItsWay) {
  auto [client, server] = InternalConnection::make(machine.loop, machine.slabs, kLimit, address());
  Handler handler;
  client->set_handler(&handler);
  turn();
  ASSERT_TRUE(handler.connected);
  buffer::Buffer bytes(machine.slabs);
  bytes.append_copy(std::string(5'000, 'a'));
  EXPECT_EQ(client->write(bytes).bytes, kLimit);
  EXPECT_EQ(client->write(bytes).status, IoStatus::kAgain);
  EXPECT_EQ(bytes.size(), 4'000u);
  client->want_write(true);
  turn();
  EXPECT_EQ(handler.writable, 0);
  EXPECT_EQ(read_all(*server).size(), kLimit);
  world.run_until([&] { return handler.writable > 0; }, std::chrono::seconds(1));
  EXPECT_GT(handler.writable, 0);
  EXPECT_EQ(client->write(bytes).bytes, kLimit);
}

TEST_F(InternalNetworkTest, AnEndThatHasFinishedStillReads) {
  auto [client, server] = InternalConnection::make(machine.loop, machine.slabs, kLimit, address());
  buffer::Buffer bytes(machine.slabs);
  server->shutdown_write();
  buffer::Buffer none(machine.slabs);
  {
    net::ReadLease lease(network.read_buffer());
    EXPECT_EQ(client->read(lease, 10, none).status, IoStatus::kEof);
  }
  bytes.append_copy("rest");
  EXPECT_EQ(server->write(bytes).status, IoStatus::kFailed);
  Handler handler;
  client->set_handler(&handler);
  turn();
  EXPECT_EQ(client->write(bytes).status, IoStatus::kOk);
  EXPECT_EQ(read_all(*server), "rest");
}

TEST_F(InternalNetworkTest, BytesComeBeforeTheEndWhicheverItIs) {
  for (const CloseHow how : {CloseHow::kFin, CloseHow::kReset}) {
    auto [client, server] = InternalConnection::make(machine.loop, machine.slabs, kLimit, address());
    buffer::Buffer bytes(machine.slabs);
    bytes.append_copy("last");
    EXPECT_EQ(server->write(bytes).status, IoStatus::kOk);
    server->close(how);
    server.reset();
    EXPECT_EQ(read_all(*client), "last");
    net::ReadLease lease(network.read_buffer());
    EXPECT_EQ(client->read(lease, 10, bytes).status, how == CloseHow::kFin ? IoStatus::kEof : IoStatus::kFailed);
    EXPECT_EQ(client->failure(), how == CloseHow::kFin ? "" : "Connection reset by peer");
  }
}

TEST_F(InternalNetworkTest, WhoWaitsIsServedByTheNextAcceptor) {
  const auto socket = bind();
  auto acceptor = accept_on(*socket);
  acceptor->want_accept(false);
  const auto client = connect(address());
  turn();
  EXPECT_TRUE(accepted.empty());
  acceptor.reset();
  acceptor = accept_on(*socket);
  acceptor->want_accept(true);
  turn();
  EXPECT_EQ(accepted.size(), 1u);
  EXPECT_FALSE(client->ended());
}

TEST_F(InternalNetworkTest, WhoWaitsForNobodyIsCut) {
  const auto socket = bind();
  auto acceptor = accept_on(*socket);
  acceptor->want_accept(false);
  const auto client = connect(address());
  turn();
  acceptor.reset();
  turn();
  EXPECT_TRUE(accepted.empty());
  EXPECT_TRUE(client->ended());
}

}  // namespace
}  // namespace sluice::test
