// Listening: ports, unix sockets, shared descriptors, and a process without descriptors.
#include "net/uv_listen.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <set>

#include "net/balance.h"
#include "test/net/uv_loopback.h"

namespace sluice::net::test {
namespace {

Address loopback(uint16_t port = 0) { return *Address::from_ip("127.0.0.1", port); }

int descriptor(ListenSocket& socket, uint32_t worker) {
  return static_cast<UvListenSocket&>(socket).descriptor(worker);
}

std::string scratch_path(const char* name) {
  return testing::TempDir() + "sluice_" + std::to_string(getpid()) + "_" + name;
}

TEST(UvListen, PortZeroIsReplacedAndSharedByAllWorkers) {
  Bench bench;
  auto socket = *bench.network.bind(loopback(), {}, 3);
  EXPECT_NE(socket->address().port(), 0);
  std::set<int> descriptors;
  for (uint32_t worker = 0; worker < 3; ++worker) {
    sockaddr_storage name;
    socklen_t length = sizeof(name);
    ASSERT_EQ(getsockname(descriptor(*socket, worker), reinterpret_cast<sockaddr*>(&name), &length), 0);
    EXPECT_EQ(Address::from_sockaddr(reinterpret_cast<sockaddr*>(&name), length), socket->address());
    descriptors.insert(descriptor(*socket, worker));
  }
  EXPECT_EQ(descriptors.size(), 3u);
}

TEST(UvListen, APortInUseIsAnErrorThatNamesIt) {
  Bench bench;
  auto first = *bench.network.bind(loopback(), {}, 2);
  static_cast<UvListenSocket&>(*first).listen(0);
  for (const uint32_t workers : {1u, 2u}) {
    for (const bool reuse_port : {true, false}) {
      auto second = bench.network.bind(first->address(), {.reuse_port = reuse_port}, workers);
      ASSERT_FALSE(second.ok());
      EXPECT_EQ(second.error(), "cannot bind " + first->address().to_string() + ": Address already in use");
    }
  }
}

TEST(UvListen, AForeignAddressIsAnError) {
  Bench bench;
  auto socket = bench.network.bind(*Address::from_ip("192.0.2.1", 4321), {}, 1);
  ASSERT_FALSE(socket.ok());
  EXPECT_EQ(socket.error(), "cannot bind 192.0.2.1:4321: Cannot assign requested address");
}

TEST(UvListen, WithoutBindToPortThereIsNoDescriptor) {
  Bench bench;
  auto socket = *bench.network.bind(loopback(15001), {.bind_to_port = false}, 2);
  EXPECT_EQ(socket->address(), loopback(15001));
  EXPECT_EQ(descriptor(*socket, 0), -1);
  auto acceptor = bench.network.accept(*socket, 0, [](std::unique_ptr<Transport>) { FAIL(); });
  acceptor->want_accept(false);
  acceptor->want_accept(true);
  bench.run_for(5ms);
}

TEST(UvListen, AcceptedSocketsHaveNoDelay) {
  Bench bench;
  auto socket = *bench.network.bind(loopback(), {}, 1);
  const int client = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_storage name;
  const socklen_t length = socket->address().to_sockaddr(name);
  static_cast<UvListenSocket&>(*socket).listen(0);
  ASSERT_EQ(connect(client, reinterpret_cast<sockaddr*>(&name), length), 0);
  const int fd = accept4(descriptor(*socket, 0), nullptr, nullptr, SOCK_NONBLOCK);
  int on = 0;
  socklen_t size = sizeof(on);
  EXPECT_EQ(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, &size), 0);
  EXPECT_EQ(on, 1);
  close(fd);
  close(client);
}

// One worker each, both on one descriptor (dup): all connections arrive, and one that does not accept takes none.
TEST(UvListen, SharedDescriptor) {
  Bench one;
  Bench two;
  auto socket = *one.network.bind(loopback(), {.reuse_port = false}, 2);
  EXPECT_NE(descriptor(*socket, 0), descriptor(*socket, 1));
  std::vector<std::unique_ptr<Transport>> at_one;
  std::vector<std::unique_ptr<Transport>> at_two;
  auto first = one.network.accept(*socket, 0, [&](auto t) { at_one.push_back(std::move(t)); });
  auto second = two.network.accept(*socket, 1, [&](auto t) { at_two.push_back(std::move(t)); });
  first->want_accept(false);
  std::vector<std::unique_ptr<Transport>> clients;
  for (int i = 0; i < 100; ++i) {
    clients.push_back(one.network.connect(socket->address()));
  }
  EXPECT_LT(one.run_for(20ms), 5);
  EXPECT_EQ(at_one.size(), 0u);
  EXPECT_TRUE(two.run_until([&] { return at_two.size() == 100; }));
  second.reset();
  first->want_accept(true);
  for (int i = 0; i < 5; ++i) {
    clients.push_back(one.network.connect(socket->address()));
  }
  EXPECT_TRUE(one.run_until([&] { return at_one.size() == 5; }));
}

TEST(UvListen, WorkersWithTheirOwnDescriptorsShareTheLoad) {
  Bench one;
  Bench two;
  auto socket = *one.network.bind(loopback(), {}, 2);
  std::vector<std::unique_ptr<Transport>> at_one;
  std::vector<std::unique_ptr<Transport>> at_two;
  auto first = one.network.accept(*socket, 0, [&](auto t) { at_one.push_back(std::move(t)); });
  auto second = two.network.accept(*socket, 1, [&](auto t) { at_two.push_back(std::move(t)); });
  std::vector<std::unique_ptr<Transport>> clients;
  for (int i = 0; i < 200; ++i) {
    clients.push_back(one.network.connect(socket->address()));
  }
  for (int i = 0; i < 500 && at_one.size() + at_two.size() < 200; ++i) {
    one.run_for(2ms);
    two.run_for(2ms);
  }
  EXPECT_EQ(at_one.size() + at_two.size(), 200u);
  EXPECT_GT(at_one.size(), 0u);
  EXPECT_GT(at_two.size(), 0u);
}

// Whoever accepts, each gets as many; what is on its way to one that left is closed.
TEST(UvListen, ABalanceSpreadsExactly) {
  Bench one;
  Bench two;
  auto socket = *one.network.bind(loopback(), {.reuse_port = false}, 2);
  const AcceptOptions options{32, std::make_shared<Balance>(2)};
  std::vector<std::unique_ptr<Transport>> at_one;
  std::vector<std::unique_ptr<Transport>> at_two;
  auto first = one.network.accept(*socket, 0, options, [&](auto t) { at_one.push_back(std::move(t)); });
  auto second = two.network.accept(*socket, 1, options, [&](auto t) { at_two.push_back(std::move(t)); });
  second->want_accept(false);
  std::vector<std::unique_ptr<Transport>> clients;
  const auto connect = [&](int count) {
    for (int i = 0; i < count; ++i) {
      clients.push_back(one.network.connect(socket->address()));
    }
  };
  connect(40);
  for (int i = 0; i < 500 && at_one.size() + at_two.size() < 40; ++i) {
    one.run_for(2ms);
    two.run_for(2ms);
  }
  EXPECT_EQ(at_one.size(), 20u);
  EXPECT_EQ(at_two.size(), 20u);
  second.reset();
  connect(2);
  EXPECT_TRUE(one.run_until([&] { return at_one.size() == 21; }));
  two.run_for(10ms);
  EXPECT_EQ(at_two.size(), 20u);
  EXPECT_EQ(options.balance->choose(1), 1u);  // 21 and 20: the one that was lost does not count
}

TEST(UvListen, TheCallbackMayDestroyTheAcceptor) {
  Bench bench;
  auto socket = *bench.network.bind(loopback(), {}, 1);
  std::unique_ptr<Acceptor> acceptor;
  int accepted = 0;
  acceptor = bench.network.accept(*socket, 0, [&](std::unique_ptr<Transport>) {
    ++accepted;
    acceptor.reset();
  });
  std::vector<std::unique_ptr<Transport>> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(bench.network.connect(socket->address()));
  }
  bench.run_for(20ms);
  EXPECT_EQ(accepted, 1);
}

TEST(UvListen, Ipv4CompatibleSocket) {
  Bench bench;
  auto any6 = *Address::from_ip("::", 0);
  auto both = *bench.network.bind(any6, {.ipv4_compat = true}, 1);
  std::unique_ptr<Transport> accepted;
  auto acceptor = bench.network.accept(*both, 0, [&](auto t) { accepted = std::move(t); });
  Peer client(bench, bench.network.connect(loopback(both->address().port())));
  ASSERT_TRUE(bench.run_until([&] { return accepted != nullptr && client.connected; }));
  EXPECT_EQ(accepted->remote(), client.transport->local());  // as IPv4, not mapped
  EXPECT_EQ(accepted->local(), client.transport->remote());

  auto only6 = *bench.network.bind(any6, {}, 1);
  Peer refused(bench, bench.network.connect(loopback(only6->address().port())));
  EXPECT_TRUE(bench.run_until([&] { return refused.failed; }));
}

int option_of(int fd, int level, int name) {
  int value = -1;
  socklen_t length = sizeof(value);
  EXPECT_EQ(getsockopt(fd, level, name, &value, &length), 0);
  return value;
}

SocketOptionsPtr options(std::vector<SocketOption> list) {
  return std::make_shared<const std::vector<SocketOption>>(std::move(list));
}

std::string bytes(int value) { return std::string(reinterpret_cast<const char*>(&value), sizeof(value)); }

TEST(UvListen, WhatIsToldToEachSocket) {
  using When = SocketOption::When;
  Bench bench;
  ListenOptions told;
  told.freebind = true;
  told.fast_open_queue = 7;
  told.keepalive = {3, 60, 0};
  told.more = options({{SOL_SOCKET, SO_PRIORITY, bytes(3), When::kPrebind},
                       {IPPROTO_IP, IP_TTL, bytes(33), When::kBound},
                       {SOL_SOCKET, SO_MARK, bytes(1), When::kPrebind, AddressKind::kIp6},
                       {SOL_SOCKET, SO_RCVLOWAT, bytes(9), When::kListening}});
  const Address nowhere = *Address::from_ip("192.0.2.77", 0);
  EXPECT_FALSE(bench.network.bind(nowhere, {}, 1).ok());
  auto socket = *bench.network.bind(nowhere, told, 2);
  for (const uint32_t worker : {0u, 1u}) {
    const int fd = descriptor(*socket, worker);
    EXPECT_EQ(option_of(fd, IPPROTO_IP, IP_FREEBIND), 1);
    EXPECT_EQ(option_of(fd, IPPROTO_TCP, TCP_FASTOPEN), 7);
    EXPECT_EQ(option_of(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
    EXPECT_EQ(option_of(fd, IPPROTO_TCP, TCP_KEEPCNT), 3);
    EXPECT_EQ(option_of(fd, IPPROTO_TCP, TCP_KEEPIDLE), 60);
    EXPECT_EQ(option_of(fd, SOL_SOCKET, SO_PRIORITY), 3);
    EXPECT_EQ(option_of(fd, IPPROTO_IP, IP_TTL), 33);
    EXPECT_NE(option_of(fd, SOL_SOCKET, SO_MARK), 1);
    EXPECT_EQ(option_of(fd, SOL_SOCKET, SO_RCVLOWAT), 1);
    static_cast<UvListenSocket&>(*socket).listen(worker);
    EXPECT_EQ(option_of(fd, SOL_SOCKET, SO_RCVLOWAT), 9);
  }
}

TEST(UvListen, AnOptionThatTheSystemRefusesIsAnError) {
  Bench bench;
  for (const auto when : {SocketOption::When::kPrebind, SocketOption::When::kBound}) {
    ListenOptions told;
    told.more = options({{IPPROTO_TCP, 9999, bytes(1), when}});
    auto socket = bench.network.bind(loopback(), told, 1);
    ASSERT_FALSE(socket.ok());
    EXPECT_EQ(socket.error(), "cannot set a socket option of 127.0.0.1:0: Protocol not available");
  }
}

TEST(UvListen, WhetherASocketServesAfterAnUpdate) {
  ListenOptions one;
  one.more = options({{SOL_SOCKET, SO_PRIORITY, bytes(3)}});
  ListenOptions same = one;
  same.more = options({{SOL_SOCKET, SO_PRIORITY, bytes(3)}});
  same.backlog = 10;
  EXPECT_TRUE(one.makes_same_socket(same));
  same.more = options({{SOL_SOCKET, SO_PRIORITY, bytes(4)}});
  EXPECT_FALSE(one.makes_same_socket(same));
  same.more = nullptr;
  EXPECT_FALSE(one.makes_same_socket(same));
  EXPECT_FALSE(ListenOptions{}.makes_same_socket({.freebind = true}));
  EXPECT_FALSE(ListenOptions{}.makes_same_socket({.transparent = true}));
  EXPECT_FALSE(ListenOptions{}.makes_same_socket({.fast_open_queue = 0}));
  EXPECT_FALSE(ListenOptions{}.makes_same_socket({.keepalive = Keepalive{}}));
}

TEST(UvListen, UnixPathWithModeAndStaleFile) {
  Bench bench;
  const std::string path = scratch_path("path");
  unlink(path.c_str());
  const Address address = *Address::from_unix(path);
  {
    auto socket = *bench.network.bind(address, {.unix_mode = 0600}, 2);
    struct stat info;
    ASSERT_EQ(stat(path.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600u);
    EXPECT_EQ(bench.network.bind(address, {}, 1).error(), "cannot bind " + path + ": Address already in use");
  }
  // The file is still there, but nobody listens.
  auto socket = *bench.network.bind(address, {}, 1);
  std::unique_ptr<Peer> server;
  auto acceptor = bench.network.accept(
      *socket, 0, [&](std::unique_ptr<Transport> t) { server = std::make_unique<Peer>(bench, std::move(t)); });
  Peer client(bench, bench.network.connect(address));
  ASSERT_TRUE(bench.run_until([&] { return server != nullptr && client.connected; }));
  EXPECT_EQ(server->transport->local(), address);
  client.send("over a path");
  client.end(CloseHow::kFin);
  EXPECT_TRUE(bench.run_until([&] { return server->eof; }));
  EXPECT_EQ(server->in, "over a path");
  unlink(path.c_str());
}

TEST(UvListen, APathThatIsNoSocketIsNotTouched) {
  Bench bench;
  const std::string path = scratch_path("file");
  close(open(path.c_str(), O_CREAT | O_WRONLY, 0600));
  EXPECT_FALSE(bench.network.bind(*Address::from_unix(path), {}, 1).ok());
  EXPECT_EQ(access(path.c_str(), F_OK), 0);
  unlink(path.c_str());
}

TEST(UvListen, AbstractUnixSocket) {
  Bench bench;
  const Address address = *Address::from_unix("@sluice-test-" + std::to_string(getpid()));
  auto socket = *bench.network.bind(address, {}, 1);
  std::unique_ptr<Transport> accepted;
  auto acceptor = bench.network.accept(*socket, 0, [&](auto t) { accepted = std::move(t); });
  Peer client(bench, bench.network.connect(address));
  EXPECT_TRUE(bench.run_until([&] { return accepted != nullptr && client.connected; }));
}

// Restores the limit, so that a failing test does not take the others with it. Thread: the test's.
struct DescriptorLimit {
  explicit DescriptorLimit(rlim_t limit) {
    getrlimit(RLIMIT_NOFILE, &before);
    rlimit now = before;
    now.rlim_cur = limit;
    setrlimit(RLIMIT_NOFILE, &now);
  }
  ~DescriptorLimit() { setrlimit(RLIMIT_NOFILE, &before); }
  rlimit before;
};

TEST(UvListen, WithoutDescriptorsAcceptingPausesAndRecovers) {
  Bench bench;
  auto socket = *bench.network.bind(loopback(), {}, 1);
  std::vector<std::unique_ptr<Transport>> accepted;
  auto acceptor = bench.network.accept(*socket, 0, [&](auto t) { accepted.push_back(std::move(t)); });
  std::vector<std::unique_ptr<Transport>> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(bench.network.connect(socket->address()));
  }
  {
    const int next = dup(0);
    close(next);
    DescriptorLimit none(static_cast<rlim_t>(next));
    EXPECT_LT(bench.run_for(250ms), 12);  // it tries at 0, 100 and (300) ms: no busy loop
    EXPECT_EQ(accepted.size(), 0u);
    // Existing connections go on, and new connects fail with a reason.
    Peer failing(bench, bench.network.connect(socket->address()));
    EXPECT_TRUE(bench.run_until([&] { return failing.failed; }));
    EXPECT_EQ(failing.transport->failure(), "Too many open files");
  }
  EXPECT_TRUE(bench.run_until([&] { return accepted.size() == 3; }));
}

}  // namespace
}  // namespace sluice::net::test
