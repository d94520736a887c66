// tcp_proxy in a whole proxy on rough networks: half-closes, resets, stalls, connects that fail, peers that do not
// read. Bytes that arrive are those that were sent, in order; nothing is left at the end; one line in the log for each
// connection. One seed is run alone with SLUICE_SEED=17 ... --gtest_filter=TcpCampaign.*
#include <gtest/gtest.h>

#include <cstdlib>

#include "base/strings.h"
#include "test/sim/sim_proxy.h"

namespace sluice::test {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kTcpProxy = R"(
static_resources:
  listeners:
  - name: main
    address: {socket_address: {address: 10.0.0.2, port_value: 8080}}
    per_connection_buffer_limit_bytes: 16384
    access_log:
    - name: envoy.access_loggers.file
      typed_config: {"@type": type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog, path: /listener}
    filter_chains:
    - filters:
      - name: envoy.filters.network.tcp_proxy
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy
          stat_prefix: main
          cluster: origin
          idle_timeout: 20s
          max_connect_attempts: 3
          access_log:
          - name: envoy.access_loggers.file
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog
              path: /log
              log_format: {text_format_source: {inline_string: "%RESPONSE_FLAGS% %BYTES_RECEIVED% %BYTES_SENT%\n"}}
  clusters:
  - name: origin
    connect_timeout: 1s
    per_connection_buffer_limit_bytes: 16384
    load_assignment:
      cluster_name: origin
      endpoints:
      - lb_endpoints:
        - endpoint: {address: {socket_address: {address: 10.0.0.19, port_value: 9000}}}
)";

char pattern(uint64_t position) { return static_cast<char>('a' + position % 23); }

// One end that sends a pattern, ends its side, stops reading, closes or resets as its seed says. Thread: the
// simulation's.
class Talker final : public net::TransportHandler {
 public:
  Talker(SimMachine& machine, std::unique_ptr<net::Transport> transport, SimRandom random)
      : machine_(machine),
        transport_(std::move(transport)),
        random_(random),
        out_(machine.slabs),
        next_(machine.loop.timers(), [this] { act(); }) {
    transport_->set_handler(this);
    next_.arm(std::chrono::milliseconds(1 + random_.below(50)));
  }
  ~Talker() { transport_->close(net::CloseHow::kReset); }

  bool done() const { return closed_; }
  bool intact() const { return intact_; }
  uint64_t received() const { return received_; }
  uint64_t sent() const { return sent_; }
  bool whole() const { return ended_ && !lost_; }  // the other side said that this is all

 private:
  void act() {
    if (closed_) return;
    switch (random_.below(12)) {
      case 0:
        end_side();
        break;
      case 1:
        transport_->want_read(false);
        break;
      case 2:
        close(net::CloseHow::kReset);
        return;
      case 3:
        if (ended_ || random_.below(3) == 0) {
          close(net::CloseHow::kFin);
          return;
        }
        break;
      case 4:
      case 5:
        transport_->want_read(true);
        break;
      default:
        talk();
        break;
    }
    if (++acts_ > 40) {
      transport_->want_read(true);
      end_side();
      if (ended_ || acts_ > 60) {
        close(net::CloseHow::kFin);
        return;
      }
    }
    next_.arm(std::chrono::milliseconds(1 + random_.below(100)));
  }
  void talk() {
    if (side_ended_) return;
    std::string bytes(1 + random_.below(20'000), 0);
    for (char& c : bytes) c = pattern(said_++);
    out_.append_copy(bytes);
    flush();
  }
  void end_side() {
    side_ended_ = true;
    flush();
  }
  void flush() {
    while (!out_.empty() && !closed_) {
      const size_t before = out_.size();
      const net::IoStatus status = transport_->write(out_).status;
      sent_ += before - out_.size();
      if (status == net::IoStatus::kFailed) {
        lost_ = true;
        close(net::CloseHow::kFin);
        return;
      }
      if (before == out_.size()) break;
    }
    if (closed_) return;
    transport_->want_write(!out_.empty());
    if (out_.empty() && side_ended_ && !told_) {
      told_ = true;
      transport_->shutdown_write();
    }
  }
  void close(net::CloseHow how) {
    closed_ = true;
    next_.cancel();
    transport_->close(how);
  }
  void on_ready(net::Ready ready) override {
    if (ready.writable || ready.connected) flush();
    if (ready.readable && !closed_) {
      net::ReadLease lease(machine_.network.read_buffer());
      buffer::Buffer in(machine_.slabs);
      const net::IoResult result = transport_->read(lease, 64 * 1024, in);
      for (const char c : in.to_string()) intact_ = intact_ && c == pattern(received_++);
      if (result.status == net::IoStatus::kEof) ended_ = true;
      if (result.status == net::IoStatus::kFailed) {
        lost_ = true;
        close(net::CloseHow::kFin);
      }
    } else if (ready.failed && !closed_) {
      lost_ = true;
      close(net::CloseHow::kFin);
    }
  }

  SimMachine& machine_;
  std::unique_ptr<net::Transport> transport_;
  SimRandom random_;
  buffer::Buffer out_;
  uint64_t said_ = 0, sent_ = 0, received_ = 0;
  int acts_ = 0;
  bool side_ended_ = false, told_ = false, ended_ = false, lost_ = false, closed_ = false, intact_ = true;
  event::Timer next_;
};

void campaign(uint64_t seed) {
  SCOPED_TRACE(cat("seed ", seed));
  SimProxy proxy(seed, kTcpProxy, nullptr, filters::builtin(), 1 + seed % 2);
  ASSERT_EQ(proxy.error, "");
  SimMachine machine(proxy.fabric, "10.0.0.19");
  SimRandom random(proxy.world.random().fork());
  std::vector<std::unique_ptr<Talker>> origins;
  auto socket = machine.network.bind(*net::Address::from_ip("10.0.0.19", 9000), {}, 1);
  ASSERT_TRUE(socket);
  auto acceptor = machine.network.accept(**socket, 0, [&](std::unique_ptr<net::Transport> transport) {
    origins.push_back(std::make_unique<Talker>(machine, std::move(transport), SimRandom(random.next())));
  });
  proxy.fabric.faults() = SimFaults::rough(random);
  std::vector<std::unique_ptr<Talker>> clients;
  const net::Address to = *net::Address::from_ip("10.0.0.2", 8080);
  for (int i = 0; i < 12; ++i) {
    clients.push_back(
        std::make_unique<Talker>(proxy.clients, proxy.clients.network.connect(to), SimRandom(random.next())));
    proxy.world.run_for(std::chrono::milliseconds(random.below(200)));
  }
  const auto all_done = [&](auto& talkers) {
    return std::all_of(talkers.begin(), talkers.end(), [](const auto& t) { return t->done(); });
  };
  EXPECT_TRUE(proxy.world.run_until([&] { return all_done(clients) && all_done(origins); }, 120s));
  proxy.world.run_for(60s);  // idle_timeout ends what a lost FIN left behind

  uint64_t to_clients = 0, from_origins = 0, to_origins = 0, from_clients = 0;
  for (const auto& client : clients) {
    EXPECT_TRUE(client->intact());
    to_clients += client->received();
    from_clients += client->sent();
  }
  for (const auto& origin : origins) {
    EXPECT_TRUE(origin->intact());
    from_origins += origin->sent();
    to_origins += origin->received();
  }
  EXPECT_LE(to_clients, from_origins);
  EXPECT_LE(to_origins, from_clients);
  const auto stat = [&](std::string_view name) { return proxy.server->registry().value(name).value_or(999'999); };
  for (const char* gauge : {"listener.10.0.0.2_8080.downstream_cx_active", "cluster.origin.upstream_cx_active",
                            "cluster.origin.upstream_rq_active", "cluster.origin.upstream_rq_pending_active",
                            "tcp.main.upstream_flush_active"}) {
    EXPECT_EQ(stat(gauge), 0u) << gauge;
  }
  EXPECT_EQ(stat("cluster.origin.upstream_cx_total"),
            stat("cluster.origin.upstream_cx_destroy") + stat("cluster.origin.upstream_cx_connect_fail"));
  const uint64_t connections = stat("tcp.main.downstream_cx_total");
  EXPECT_GE(connections, 4u);
  EXPECT_EQ(stat("listener.10.0.0.2_8080.downstream_cx_total"), connections);
  EXPECT_EQ(proxy.platform.files().lines("/log").size(), connections);
  EXPECT_EQ(proxy.platform.files().lines("/listener").size(), connections);
  acceptor.reset();
  EXPECT_TRUE(proxy.stop());
}

TEST(TcpCampaign, Seeds) {
  if (const char* one = std::getenv("SLUICE_SEED")) {
    campaign(std::strtoull(one, nullptr, 10));
    return;
  }
  for (uint64_t seed = 1; seed <= 100 && !HasFailure(); ++seed) campaign(seed);
}

}  // namespace
}  // namespace sluice::test
