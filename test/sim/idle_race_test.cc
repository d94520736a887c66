// An upstream that closes an idle connection just when a request leaves on it: nobody has seen the request, so it is
// sent again.
#include <gtest/gtest.h>

#include "base/strings.h"
#include "test/sim/sim_proxy.h"

namespace sluice::test {
namespace {

using namespace std::chrono_literals;

constexpr Duration kLife = 10ms;  // of a connection, after its first answer

// Answers every request, and closes each connection some time after its first answer. Thread: the simulation's.
class ClosingOrigin {
 public:
  ClosingOrigin(SimMachine& machine, const net::Address& address, net::CloseHow how) : machine_(machine), how_(how) {
    socket_ = *machine.network.bind(address, {}, 1);
    acceptor_ = machine.network.accept(*socket_, 0, [this](std::unique_ptr<net::Transport> transport) {
      connections_.push_back(std::make_unique<Connection>(*this, std::move(transport)));
    });
  }
  uint64_t requests = 0;

 private:
  class Connection final : public SimTalker {
   public:
    Connection(ClosingOrigin& origin, std::unique_ptr<net::Transport> transport)
        : SimTalker(origin.machine_.loop, origin.machine_.network, origin.machine_.slabs, std::move(transport)),
          origin_(origin),
          end_(origin.machine_.loop.timers(), [this] { close(origin_.how_); }) {}
    void on_received() override {
      for (size_t end = 0; (end = received_.find("\r\n\r\n", seen_)) != std::string::npos; seen_ = end + 4) {
        ++origin_.requests;
        send("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
        if (!end_.armed()) {
          end_.arm(kLife);
        }
      }
    }

   private:
    ClosingOrigin& origin_;
    event::Timer end_;
    size_t seen_ = 0;
  };
  SimMachine& machine_;
  const net::CloseHow how_;
  std::unique_ptr<net::ListenSocket> socket_;
  std::unique_ptr<net::Acceptor> acceptor_;
  std::vector<std::unique_ptr<Connection>> connections_;
};

struct Outcome {
  int answered = 0, failed = 0;
  uint64_t at_origin = 0;
};

// Two requests a round, the second one around the moment at which the connection of the first one is closed.
Outcome play(std::string_view request, net::CloseHow how) {
  std::string yaml(kPlainProxy);
  yaml.replace(yaml.find("address: 10.0.0.9"), 17, "address: 10.0.0.19");
  SimProxy proxy(7, yaml, nullptr);
  EXPECT_EQ(proxy.error, "");
  SimMachine machine(proxy.fabric, "10.0.0.19");
  ClosingOrigin origin(machine, *net::Address::from_ip("10.0.0.19", 9000), how);
  const std::unique_ptr<SimTalker> client = proxy.connect();
  Outcome out;
  const auto ask = [&](std::string_view bytes) {
    const size_t from = client->received().size();
    client->send(bytes);
    proxy.world.run_until([&] { return client->received().find("\r\n\r\n", from) != std::string::npos; }, 1s);
    return client->received().substr(from, 12);
  };
  for (int round = 0; round < 200; ++round) {
    EXPECT_EQ(ask("GET /first HTTP/1.1\r\nhost: a\r\n\r\n"), "HTTP/1.1 200");
    proxy.world.run_for(kLife - 1ms + std::chrono::microseconds(10 * round));
    const std::string status = ask(request);
    (status == "HTTP/1.1 200" ? out.answered : out.failed) += 1;
    EXPECT_TRUE(status == "HTTP/1.1 200" || status == "HTTP/1.1 503") << status;
    proxy.world.run_for(3 * kLife);
  }
  out.at_origin = origin.requests;
  EXPECT_TRUE(proxy.stop());
  return out;
}

// What is left is what the system of the origin had received and the origin had not read: a reset, of which nobody
// knows whether it was read.
TEST(IdleRace, ARequestThatNobodySawIsSentAgain) {
  const Outcome get = play("GET /second HTTP/1.1\r\nhost: a\r\n\r\n", net::CloseHow::kFin);
  const Outcome post = play("POST /second HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n", net::CloseHow::kFin);
  EXPECT_GT(post.failed, 20);
  EXPECT_LE(get.failed, 10);
  EXPECT_EQ(get.at_origin, 200u + static_cast<uint64_t>(get.answered));  // none twice
  EXPECT_EQ(post.at_origin, 200u + static_cast<uint64_t>(post.answered));
}

TEST(IdleRace, NotAfterAReset) {
  const Outcome get = play("GET /second HTTP/1.1\r\nhost: a\r\n\r\n", net::CloseHow::kReset);
  EXPECT_GT(get.failed, 0);
}

}  // namespace
}  // namespace sluice::test
