// Connections that are cut at any byte: of a response by the origin, of a request by the client. A message that was cut
// never looks whole, nothing is left behind, and the next request is fine.
#include <gtest/gtest.h>

#include <set>

#include "base/strings.h"
#include "test/sim/sim_proxy.h"

namespace sluice::test {
namespace {

using namespace std::chrono_literals;
using net::CloseHow;

constexpr size_t kBody = 3000;
constexpr int kOffsetsInBodies = 200;

std::string body_of(size_t bytes) {
  std::string out;
  for (size_t i = 0; i < bytes; ++i) {
    out += static_cast<char>('a' + i % 26);
  }
  return out;
}

std::string sized_response() {
  return cat("HTTP/1.1 200 OK\r\nx-some: thing\r\ncontent-length: ", kBody, "\r\n\r\n", body_of(kBody));
}

std::string chunked_response() {
  const std::string body = body_of(kBody);
  std::string out = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
  for (const auto& [from, size, head] : {std::tuple(0, 1000, "3e8;ext=1\r\n"), std::tuple(1000, 2000, "7D0\r\n")}) {
    out += cat(head, body.substr(static_cast<size_t>(from), static_cast<size_t>(size)), "\r\n");
  }
  return out + "0\r\nx-trailer: y\r\n\r\n";
}

std::string sized_request() {
  return cat("POST /up HTTP/1.1\r\nhost: a\r\ncontent-length: ", kBody, "\r\n\r\n", body_of(kBody));
}

std::string chunked_request() {
  return cat("POST /up HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n", "bb8\r\n", body_of(kBody),
             "\r\n0\r\n\r\n");
}

// Every offset of head and framing, and seeded ones of the body.
std::set<size_t> offsets_of(const std::string& message, uint64_t seed) {
  SimRandom random(seed);
  std::set<size_t> out;
  const size_t first = message.find("abcdef");
  const size_t last =
      message.rfind('\n', message.size()) == message.size() - 1 ? message.rfind("abcdef") : message.size();
  for (size_t i = 0; i <= message.size(); ++i) {
    const bool in_body =
        i > first && i < message.size() && message[i] >= 'a' && message[i] <= 'z' && message[i - 1] >= 'a';
    if (!in_body || i >= last + 40) {
      out.insert(i);
    }
  }
  for (int i = 0; i < kOffsetsInBodies; ++i) {
    out.insert(random.between(first, message.size()));
  }
  return out;
}

// Answers the first request of each connection with the first `length` bytes of a response, then ends it.
class CuttingOrigin {
 public:
  CuttingOrigin(SimMachine& machine, const net::Address& address) : machine_(machine) {
    socket_ = *machine.network.bind(address, {}, 1);
    acceptor_ = machine.network.accept(*socket_, 0, [this](std::unique_ptr<net::Transport> transport) {
      connections_.push_back(std::make_unique<Connection>(*this, std::move(transport)));
    });
  }
  std::string response;
  size_t length = 0;
  CloseHow how = CloseHow::kFin;
  uint64_t requests = 0;

 private:
  class Connection final : public SimTalker {
   public:
    Connection(CuttingOrigin& origin, std::unique_ptr<net::Transport> transport)
        : SimTalker(origin.machine_.loop, origin.machine_.network, origin.machine_.slabs, std::move(transport)),
          origin_(origin) {}
    void on_received() override {
      if (!answered_ && received_.find("\r\n\r\n") != std::string::npos) {
        answered_ = true;
        ++origin_.requests;
        send(origin_.response.substr(0, origin_.length));
        close_when_sent(origin_.how);
      }
    }

   private:
    CuttingOrigin& origin_;
    bool answered_ = false;
  };
  SimMachine& machine_;
  std::unique_ptr<net::ListenSocket> socket_;
  std::unique_ptr<net::Acceptor> acceptor_;
  std::vector<std::unique_ptr<Connection>> connections_;
};

class CutsTest : public testing::Test {
 protected:
  void start(SimOrigin::Respond respond, std::string_view origin_ip) {
    std::string yaml(kPlainProxy);
    yaml.replace(yaml.rfind("10.0.0.9"), 8, origin_ip);
    proxy = std::make_unique<SimProxy>(11, yaml, std::move(respond));
    ASSERT_EQ(proxy->error, "");
  }
  uint64_t stat(std::string_view name) { return proxy->server->registry().value(name).value_or(999'999); }
  void expect_nothing_left(size_t at) {
    EXPECT_EQ(stat("http.main.downstream_rq_active"), 0u) << "cut at " << at;
    EXPECT_EQ(stat("http.main.downstream_cx_active"), 0u) << "cut at " << at;
    EXPECT_EQ(stat("cluster.origin.upstream_rq_active"), 0u) << "cut at " << at;
    EXPECT_EQ(stat("cluster.origin.upstream_rq_pending_active"), 0u) << "cut at " << at;
  }
  // An origin that cuts `response` at each offset.
  void cut_responses(const std::string& response, CloseHow how) {
    start([](const std::string&, const std::string&) { return std::string(); }, "10.0.0.8");
    SimMachine machine(proxy->fabric, "10.0.0.8");
    CuttingOrigin origin(machine, *net::Address::from_ip("10.0.0.8", 9000));
    origin.response = response;
    origin.how = how;
    const size_t head = response.find("\r\n\r\n") + 4;
    for (const size_t offset : offsets_of(response, 5)) {
      origin.length = offset;
      auto client = proxy->connect();
      client->send("GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
      ASSERT_TRUE(proxy->world.run_until([&] { return client->ended(); }, 20s)) << "cut at " << offset;
      judge(client->received(), offset, head, response.size(), how);
      client.reset();
      proxy->world.run_for(50ms);
      expect_nothing_left(offset);
      EXPECT_EQ(stat("cluster.origin.upstream_cx_active"), 0u) << "cut at " << offset;
      if (HasFailure()) {
        return;
      }
    }
    EXPECT_GT(origin.requests, kOffsetsInBodies);
  }
  static void judge(const std::string& got, size_t offset, size_t head, size_t whole, CloseHow how) {
    ASSERT_GE(got.size(), 12u) << "cut at " << offset;
    const std::string status = got.substr(9, 3);
    const size_t at = got.find("\r\n\r\n") + 4;
    const bool chunked = got.find("transfer-encoding: chunked") < at;
    const bool complete = chunked ? got.ends_with("0\r\n\r\n") : got.size() - at == kBody;
    if (offset < head) {
      // A head that is cut short is a protocol error, but a reset may overtake its first bytes.
      const bool broken = status == "502" && offset > 0;
      EXPECT_TRUE(broken || (status == "503" && (offset == 0 || how == CloseHow::kReset)))
          << "cut at " << offset << ": " << got;
    } else if (offset < whole) {
      // A reset may overtake the head.
      EXPECT_TRUE(how == CloseHow::kReset ? status == "200" || status == "502" || status == "503" : status == "200")
          << "cut at " << offset;
      EXPECT_FALSE(status == "200" && complete) << "cut at " << offset << " looks whole";
    } else if (how == CloseHow::kFin) {
      EXPECT_EQ(status, "200");
      EXPECT_TRUE(complete) << got;
    }
  }
  // Clients that cut `request` at each offset.
  void cut_requests(const std::string& request, CloseHow how) {
    start(
        [&](const std::string& head, const std::string& body) {
          // This origin answers a chunked request at its head.
          const bool sized = head.starts_with("POST /up") && head.find("content-length") != std::string::npos;
          EXPECT_TRUE(!sized || body == body_of(kBody)) << "a request that was cut looks whole";
          return "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
        },
        "10.0.0.9");
    for (const size_t offset : offsets_of(request, 6)) {
      auto client = proxy->connect();
      ASSERT_TRUE(proxy->world.run_until([&] { return client->connected(); }));
      client->send(request.substr(0, offset));
      proxy->world.run_for(2ms);
      client->close(how);
      client.reset();
      proxy->world.run_for(100ms);
      expect_nothing_left(offset);
      auto next = proxy->connect();
      next->send("GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
      ASSERT_TRUE(proxy->world.run_until([&] { return next->ended(); }, 20s)) << "cut at " << offset;
      EXPECT_EQ(next->received().substr(0, 15), "HTTP/1.1 200 OK") << "cut at " << offset;
      if (HasFailure()) {
        return;
      }
    }
  }
  std::unique_ptr<SimProxy> proxy;
};

TEST_F(CutsTest, SizedResponsesThatEnd) { cut_responses(sized_response(), CloseHow::kFin); }
TEST_F(CutsTest, SizedResponsesThatAreReset) { cut_responses(sized_response(), CloseHow::kReset); }
TEST_F(CutsTest, ChunkedResponsesThatEnd) { cut_responses(chunked_response(), CloseHow::kFin); }
TEST_F(CutsTest, ChunkedResponsesThatAreReset) { cut_responses(chunked_response(), CloseHow::kReset); }
TEST_F(CutsTest, SizedRequestsThatEnd) { cut_requests(sized_request(), CloseHow::kFin); }
TEST_F(CutsTest, SizedRequestsThatAreReset) { cut_requests(sized_request(), CloseHow::kReset); }
TEST_F(CutsTest, ChunkedRequestsThatEnd) { cut_requests(chunked_request(), CloseHow::kFin); }
TEST_F(CutsTest, ChunkedRequestsThatAreReset) { cut_requests(chunked_request(), CloseHow::kReset); }

}  // namespace
}  // namespace sluice::test
