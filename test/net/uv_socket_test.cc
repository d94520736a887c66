// UvSocket over the loopback of the kernel.
#include "net/uv_socket.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test/net/uv_loopback.h"

namespace sluice::net::test {
namespace {

TEST(UvSocket, ConnectsAndEchoes) {
  Bench bench;
  Pair pair(bench);
  ASSERT_TRUE(pair.ok);
  EXPECT_EQ(pair.client->transport->remote(), pair.socket->address());
  EXPECT_EQ(pair.server->transport->local(), pair.socket->address());
  EXPECT_EQ(pair.server->transport->remote(), pair.client->transport->local());
  pair.server->echo = true;
  pair.client->send("hello");
  EXPECT_TRUE(bench.run_until([&] { return pair.client->in == "hello"; }));
}

TEST(UvSocket, LocalAddressIsKnownAfterClose) {
  Bench bench;
  Pair pair(bench);
  const Address remote = pair.server->transport->remote();
  pair.client->transport->close(CloseHow::kFin);
  EXPECT_TRUE(pair.client->transport->closed());
  EXPECT_EQ(pair.client->transport->local(), remote);
}

TEST(UvSocket, HalfCloseInBothDirections) {
  Bench bench;
  Pair pair(bench);
  pair.client->send("request");
  pair.client->transport->shutdown_write();
  EXPECT_TRUE(bench.run_until([&] { return pair.server->eof; }));
  EXPECT_EQ(pair.server->in, "request");
  EXPECT_FALSE(pair.client->eof);
  pair.server->send("response");
  pair.server->transport->shutdown_write();
  EXPECT_TRUE(bench.run_until([&] { return pair.client->eof; }));
  EXPECT_EQ(pair.client->in, "response");
  EXPECT_FALSE(pair.client->failed);
}

TEST(UvSocket, AfterTheEndNothingSpins) {
  Bench bench;
  Pair pair(bench);
  pair.client->transport->shutdown_write();
  ASSERT_TRUE(bench.run_until([&] { return pair.server->eof; }));
  EXPECT_LT(bench.run_for(50ms), 5);  // half-closed
  pair.server->transport->shutdown_write();
  ASSERT_TRUE(bench.run_until([&] { return pair.client->eof; }));
  EXPECT_LT(bench.run_for(50ms), 5);  // both halves: EPOLLHUP, which cannot be masked
}

TEST(UvSocket, ResetIsFoundByRead) {
  Bench bench;
  Pair pair(bench);
  pair.client->send("last words");
  pair.client->end(CloseHow::kReset);
  EXPECT_TRUE(bench.run_until([&] { return pair.server->failed; }));
  EXPECT_EQ(pair.server->transport->failure(), "Connection reset by peer");
  EXPECT_LT(bench.run_for(50ms), 5);
}

TEST(UvSocket, ResetIsToldWhileReadingIsOff) {
  Bench bench;
  Pair pair(bench);
  pair.server->transport->want_read(false);
  pair.client->end(CloseHow::kReset);
  EXPECT_TRUE(bench.run_until([&] { return pair.server->failed; }));
  EXPECT_EQ(pair.server->in, "");
  EXPECT_LT(bench.run_for(50ms), 5);
}

TEST(UvSocket, ResetAfterBytesIsToldWhileReadingIsOff) {
  Bench bench;
  Pair pair(bench);
  pair.server->transport->want_read(false);
  pair.client->send("ignored");
  bench.run_for(10ms);
  EXPECT_EQ(pair.server->events, 0);
  pair.client->end(CloseHow::kReset);
  EXPECT_TRUE(bench.run_until([&] { return pair.server->failed; }));
}

TEST(UvSocket, FinIsToldOnceWhileReadingIsOffAndBytesAreKept) {
  Bench bench;
  Pair pair(bench);
  pair.server->transport->want_read(false);
  pair.client->send("kept");
  pair.client->end(CloseHow::kFin);
  ASSERT_TRUE(bench.run_until([&] { return pair.server->peer_closed > 0; }));
  EXPECT_LT(bench.run_for(50ms), 5);
  EXPECT_EQ(pair.server->peer_closed, 1);
  EXPECT_EQ(pair.server->in, "");
  pair.server->transport->want_read(true);
  EXPECT_TRUE(bench.run_until([&] { return pair.server->eof; }));
  EXPECT_EQ(pair.server->in, "kept");
  EXPECT_EQ(pair.server->peer_closed, 1);
}

TEST(UvSocket, HangUpOfBothSidesWhileReadingIsOff) {
  Bench bench;
  Pair pair(bench);
  pair.server->transport->want_read(false);
  pair.server->transport->shutdown_write();
  pair.client->send("kept");
  pair.client->transport->shutdown_write();
  ASSERT_TRUE(bench.run_until([&] { return pair.server->peer_closed > 0 && pair.client->eof; }));
  EXPECT_LT(bench.run_for(50ms), 5);
  pair.server->transport->want_read(true);
  EXPECT_TRUE(bench.run_until([&] { return pair.server->eof; }));
  EXPECT_EQ(pair.server->in, "kept");
}

TEST(UvSocket, ReadingOffAndOnAgainLosesNothing) {
  Bench bench;
  Pair pair(bench);
  pair.server->transport->want_read(false);
  pair.client->send("one");
  EXPECT_LT(bench.run_for(20ms), 5);
  EXPECT_EQ(pair.server->events, 0);
  pair.server->transport->want_read(true);
  EXPECT_TRUE(bench.run_until([&] { return pair.server->in == "one"; }));
}

TEST(UvSocket, WithoutAHandlerBytesWait) {
  Bench bench;
  Pair pair(bench);
  pair.server->transport->set_handler(nullptr);
  pair.client->send("wait");
  pair.client->transport->shutdown_write();
  EXPECT_LT(bench.run_for(20ms), 5);
  pair.server->transport->set_handler(pair.server.get());
  EXPECT_TRUE(bench.run_until([&] { return pair.server->eof; }));
  EXPECT_EQ(pair.server->in, "wait");
}

TEST(UvSocket, ShortReadsAreToldAgain) {
  Bench bench;
  Pair pair(bench);
  pair.server->max_read = 3;
  pair.client->send("0123456789");
  EXPECT_TRUE(bench.run_until([&] { return pair.server->in == "0123456789"; }));
  EXPECT_GE(pair.server->events, 4);
}

TEST(UvSocket, BackPressureAndPartialWrites) {
  Bench bench;
  Pair pair(bench);
  pair.server->reads = false;
  pair.server->transport->want_read(false);
  std::string sent(32 << 20, 'x');
  for (size_t i = 0; i < sent.size(); ++i) {
    sent[i] = static_cast<char>(i * 31 >> 3);
  }
  pair.client->send(sent);
  bench.run_for(50ms);
  ASSERT_GT(pair.client->out.size(), 0u);  // the kernel took a part only
  const int writable_before = pair.client->writable;
  EXPECT_LT(bench.run_for(50ms), 5);
  EXPECT_EQ(pair.client->writable, writable_before);
  pair.server->reads = true;
  pair.server->transport->want_read(true);
  ASSERT_TRUE(bench.run_until([&] { return pair.server->in.size() == sent.size(); }, 30s));
  EXPECT_TRUE(pair.server->in == sent);
  EXPECT_TRUE(pair.client->out.empty());
  EXPECT_LT(bench.run_for(20ms), 5);  // no writable events any more
}

TEST(UvSocket, WriteOfManyFragments) {
  Bench bench;
  Pair pair(bench);
  std::string sent;
  std::vector<std::string> parts;
  for (int i = 0; i < 200; ++i) {  // more than one sendmsg takes
    parts.push_back(std::string(300 + i, static_cast<char>('a' + i % 26)));
    sent += parts.back();
  }
  buffer::Buffer out(bench.slabs);
  for (const std::string& part : parts) {
    out.append_borrowed(part);
  }
  const IoResult all = pair.client->transport->write(out);
  EXPECT_EQ(all.status, IoStatus::kOk);
  EXPECT_EQ(all.bytes, sent.size());
  EXPECT_TRUE(out.empty());
  out.append_borrowed("head ");
  out.append_borrowed("body");
  EXPECT_EQ(pair.client->transport->write(out).bytes, 9u);
  EXPECT_TRUE(bench.run_until([&] { return pair.server->in == sent + "head body"; }));
}

TEST(UvSocket, WriteToAResetPeerFailsAndTheEndIsNotTakenForAFin) {
  Bench bench;
  Pair pair(bench);
  pair.server->reads = false;
  pair.client->end(CloseHow::kReset);
  bench.loop.post([&] { bench.loop.stop(); });
  bench.loop.run();
  buffer::Buffer out(bench.slabs);
  out.append_borrowed("too late");
  IoResult result{IoStatus::kOk};
  for (int i = 0; i < 2; ++i) {  // whichever system call takes the error first
    result = pair.server->transport->write(out);
  }
  EXPECT_EQ(result.status, IoStatus::kFailed);
  pair.server->read_some();
  EXPECT_EQ(pair.server->last.status, IoStatus::kFailed);
  EXPECT_FALSE(pair.server->eof);
}

TEST(UvSocket, ConnectionRefused) {
  Bench bench;
  Address gone;
  {
    auto socket = bench.network.bind(*Address::from_ip("127.0.0.1", 0), {}, 1);
    gone = (*socket)->address();
  }
  Peer peer(bench, bench.network.connect(gone));
  EXPECT_FALSE(peer.failed);
  EXPECT_TRUE(bench.run_until([&] { return peer.failed; }));
  EXPECT_FALSE(peer.connected);
  EXPECT_EQ(peer.transport->failure(), "Connection refused");
}

TEST(UvSocket, AnOptionThatTheSystemRefusesFailsTheConnection) {
  Bench bench;
  auto socket = *bench.network.bind(*Address::from_ip("127.0.0.1", 0), {}, 1);
  const auto acceptor = bench.network.accept(*socket, 0, [](std::unique_ptr<Transport>) {});
  const auto option = [](int name, SocketOption::When when) {
    const int one = 1;
    SocketOption told{IPPROTO_TCP, name, std::string(reinterpret_cast<const char*>(&one), sizeof(one)), when};
    return ConnectOptions{.more = std::make_shared<const std::vector<SocketOption>>(1, std::move(told))};
  };
  for (const auto when : {SocketOption::When::kPrebind, SocketOption::When::kBound}) {
    Peer fine(bench, bench.network.connect(socket->address(), option(TCP_QUICKACK, when)));
    Peer refused(bench, bench.network.connect(socket->address(), option(9999, when)));
    EXPECT_TRUE(bench.run_until([&] { return refused.failed; }));
    EXPECT_EQ(refused.transport->failure(), "Protocol not available");
    EXPECT_FALSE(fine.failed);
  }
  // Nobody listens on the sockets of clients.
  Peer fine(bench, bench.network.connect(socket->address(), option(9999, SocketOption::When::kListening)));
  bench.run_for(5ms);
  EXPECT_FALSE(fine.failed);
}

TEST(UvSocket, ImmediateFailureIsToldLater) {
  Bench bench;
  Peer peer(bench, bench.network.connect(*Address::from_unix("/nowhere/at/all")));
  Peer dropped(bench, bench.network.connect(*Address::from_unix("/nowhere/at/all")));
  dropped.end(CloseHow::kFin);  // before it was told
  EXPECT_FALSE(peer.failed);
  EXPECT_TRUE(bench.run_until([&] { return peer.failed; }));
  EXPECT_EQ(peer.transport->failure(), "No such file or directory");
  EXPECT_FALSE(dropped.failed);
}

TEST(UvSocket, NothingFollowsClose) {
  Bench bench;
  Pair pair(bench);
  pair.server->on_event = [&] { pair.server->transport->close(CloseHow::kFin); };
  pair.client->send("close now");
  ASSERT_TRUE(bench.run_until([&] { return pair.server->events > 0; }));
  pair.client->send("and again");
  bench.run_for(20ms);
  EXPECT_EQ(pair.server->events, 1);
  EXPECT_TRUE(pair.server->transport->closed());
  ReadLease lease(bench.network.read_buffer());
  buffer::Buffer bytes(bench.slabs);
  EXPECT_EQ(pair.server->transport->read(lease, 100, bytes).status, IoStatus::kFailed);
  bytes.append_borrowed("x");
  EXPECT_EQ(pair.server->transport->write(bytes).status, IoStatus::kFailed);
}

// Two sockets become ready in one batch; the first one's handler destroys the second at once, not later.
TEST(UvSocket, AnEventFetchedBeforeDestructionIsDropped) {
  Bench bench;
  Pair one(bench);
  Pair two(bench);
  int events = 0;
  one.server->on_event = [&] {
    ++events;
    if (two.server->transport != nullptr) {
      two.server->transport.reset();
    }
  };
  two.server->on_event = [&] {
    ++events;
    if (one.server->transport != nullptr) {
      one.server->transport.reset();
    }
  };
  one.server->reads = two.server->reads = false;
  one.client->send("x");
  two.client->send("x");
  bench.run_for(20ms);
  EXPECT_GE(events, 1);
  EXPECT_NE(one.server->transport == nullptr, two.server->transport == nullptr);
}

TEST(UvSocket, NetworkMayEndBeforeWhatWaitsForDestruction) {
  event::UvLoop loop;
  auto network = std::make_unique<UvNetwork>(loop);
  auto socket = network->bind(*Address::from_ip("127.0.0.1", 0), {}, 1);
  auto transport = network->connect((*socket)->address());
  network.reset();
  EXPECT_TRUE(transport->closed());
}

}  // namespace
}  // namespace sluice::net::test
