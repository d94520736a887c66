// tcp_proxy in a whole proxy on rough networks: half-closes, resets, stalls, connects that fail, peers that do not
// read. Bytes that arrive are those that were sent, in order; nothing is left at the end; one line in the log for each
// connection. Without faults a side that has ended is answered.
#include <algorithm>

#include "base/strings.h"
#include "test/sim/sim_stage.h"

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

// How an end behaves.
enum class Manner : uint8_t {
  kRough,         // talks, ends its side, stops reading, closes, resets, as its seed says
  kAsksAndEnds,   // says kWords, ends its side and waits for the other's end
  kAnswersAtEnd,  // answers kWords when the other side has ended, and ends too
};
constexpr size_t kWords = 50'000;

// One end that sends a pattern. Thread: the simulation's.
class Talker final : public net::TransportHandler {
 public:
  Talker(SimMachine& machine, std::unique_ptr<net::Transport> transport, SimRandom random, Manner manner)
      : machine_(machine),
        manner_(manner),
        transport_(std::move(transport)),
        random_(random),
        out_(machine.slabs),
        next_(machine.loop.timers(), [this] { act(); }) {
    transport_->set_handler(this);
    if (manner_ == Manner::kRough) {
      next_.arm(std::chrono::milliseconds(1 + random_.below(50)));
    } else if (manner_ == Manner::kAsksAndEnds) {
      say(kWords);
      end_side();
    }
  }
  ~Talker() { transport_->close(net::CloseHow::kReset); }

  bool done() const { return closed_; }
  bool intact() const { return intact_; }
  uint64_t received() const { return received_; }
  uint64_t sent() const { return sent_; }
  // The other side said all of this, and that it is all.
  bool whole() const { return ended_ && !lost_ && received_ == kWords; }

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
    if (!side_ended_) say(1 + random_.below(20'000));
  }
  void say(size_t length) {
    std::string bytes(length, 0);
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
      if (result.status == net::IoStatus::kEof) on_end();
      if (result.status == net::IoStatus::kFailed) {
        lost_ = true;
        close(net::CloseHow::kFin);
      }
    } else if (ready.failed && !closed_) {
      lost_ = true;
      close(net::CloseHow::kFin);
    }
  }

  void on_end() {
    ended_ = true;
    if (manner_ == Manner::kAnswersAtEnd) {
      say(kWords);
      end_side();
    } else if (manner_ == Manner::kAsksAndEnds) {
      close(net::CloseHow::kFin);
    }
  }

  SimMachine& machine_;
  const Manner manner_;
  std::unique_ptr<net::Transport> transport_;
  SimRandom random_;
  buffer::Buffer out_;
  uint64_t said_ = 0, sent_ = 0, received_ = 0;
  int acts_ = 0;
  bool side_ended_ = false, told_ = false, ended_ = false, lost_ = false, closed_ = false, intact_ = true;
  event::Timer next_;
};

// A proxy with an origin, and who talks through it. Thread: the simulation's.
class Conversations {
 public:
  explicit Conversations(uint64_t seed, Trace trace)
      : proxy(seed, kTcpProxy, nullptr, filters::builtin(), 1 + seed % 2),
        violations(proxy.world),
        machine_(proxy.fabric, kStageOrigins[0]),
        random_(proxy.world.random().fork()),
        began_(proxy.world.now()) {
    SLUICE_CHECK(proxy.error.empty());
    if (trace == Trace::kPrinted) {
      proxy.world.print_trace();
    }
    proxy.world.buggify();
    socket_ = std::move(*machine_.network.bind(*net::Address::from_ip(kStageOrigins[0], kStagePort), {}, 1));
    acceptor_ = machine_.network.accept(*socket_, 0, [this](std::unique_ptr<net::Transport> transport) {
      origins_.push_back(
          std::make_unique<Talker>(machine_, std::move(transport), SimRandom(random_.next()), manner_of_origins_));
    });
  }

  void play() {
    proxy.fabric.faults() = SimFaults::rough(random_);
    for (int i = 0; i < 12; ++i) {
      come(Manner::kRough);
      proxy.world.run_for(std::chrono::milliseconds(random_.below(200)));
    }
    violations.expect(proxy.world.run_until([this] { return all_done(clients_) && all_done(origins_); }, 120s),
                      "a conversation does not end");
    proxy.world.run_for(60s);  // idle_timeout ends what a lost FIN left behind
  }
  void recover() {
    proxy.fabric.faults() = SimFaults();
    proxy.world.run_for(10s);
    manner_of_origins_ = Manner::kAnswersAtEnd;
    const size_t before = clients_.size();
    for (int i = 0; i < 4; ++i) {
      come(Manner::kAsksAndEnds);
    }
    proxy.world.run_until([this] { return all_done(clients_); }, 10s);
    for (size_t i = before; i < clients_.size(); ++i) {
      violations.expect(clients_[i]->whole(), "without faults a side that has ended is not answered");
    }
  }
  Played end() {
    Played run;
    for (const auto& client : clients_) {
      ++run.outcomes.begun;
      ++(client->whole() ? run.outcomes.whole : client->received() > 0 ? run.outcomes.cut : run.outcomes.error);
    }
    proxy.world.run_for(1s);
    check_bytes();
    check_counters();
    acceptor_.reset();
    violations.expect(proxy.stop(), "the drained server does not end");
    run.take(proxy.world, began_, violations);
    return run;
  }

  SimProxy proxy;
  Violations violations;

 private:
  using Talkers = std::vector<std::unique_ptr<Talker>>;

  void come(Manner manner) {
    clients_.push_back(std::make_unique<Talker>(proxy.clients, proxy.clients.network.connect(kStageProxy),
                                                SimRandom(random_.next()), manner));
  }
  static bool all_done(const Talkers& talkers) {
    return std::all_of(talkers.begin(), talkers.end(), [](const auto& talker) { return talker->done(); });
  }
  void check_bytes() {
    uint64_t to_clients = 0, from_origins = 0, to_origins = 0, from_clients = 0;
    for (const auto& client : clients_) {
      violations.expect(client->intact(), "a client got other bytes than were sent");
      to_clients += client->received();
      from_clients += client->sent();
    }
    for (const auto& origin : origins_) {
      violations.expect(origin->intact(), "an origin got other bytes than were sent");
      from_origins += origin->sent();
      to_origins += origin->received();
    }
    violations.expect(to_clients <= from_origins, "clients got more than origins sent");
    violations.expect(to_origins <= from_clients, "origins got more than clients sent");
    violations.expect(stat("tcp.main.downstream_cx_rx_bytes_total") == proxy.platform.accepted().read,
                      "other bytes of clients counted");
    violations.expect(stat("tcp.main.downstream_cx_tx_bytes_total") == proxy.platform.accepted().written,
                      "other bytes to clients counted");
    violations.expect(stat("cluster.origin.upstream_cx_rx_bytes_total") == proxy.platform.connected().read,
                      "other bytes of origins counted");
    violations.expect(stat("cluster.origin.upstream_cx_tx_bytes_total") == proxy.platform.connected().written,
                      "other bytes to origins counted");
  }
  void check_counters() {
    for (const char* gauge : {"listener.10.0.0.2_8080.downstream_cx_active", "cluster.origin.upstream_cx_active",
                              "cluster.origin.upstream_rq_active", "cluster.origin.upstream_rq_pending_active",
                              "tcp.main.upstream_flush_active"}) {
      violations.expect(stat(gauge) == 0, cat("something is left: ", gauge));
    }
    violations.expect(stat("cluster.origin.upstream_cx_total") == stat("cluster.origin.upstream_cx_destroy"),
                      "upstream connections that have not ended");
    const uint64_t connections = stat("tcp.main.downstream_cx_total");
    violations.expect(connections >= 4, "hardly anybody came");
    violations.expect(stat("listener.10.0.0.2_8080.downstream_cx_total") == connections,
                      "the listener counts other connections than its chain");
    violations.expect(proxy.platform.files().lines("/log").size() == connections,
                      "connections and lines of the log differ");
    violations.expect(proxy.platform.files().lines("/listener").size() == connections,
                      "connections and lines of the listener's log differ");
  }
  uint64_t stat(std::string_view name) { return proxy.server->registry().value(name).value_or(999'999); }

  SimMachine machine_;
  SimRandom random_;
  const MonotonicTime began_;
  Manner manner_of_origins_ = Manner::kRough;
  Talkers origins_, clients_;
  std::unique_ptr<net::ListenSocket> socket_;
  std::unique_ptr<net::Acceptor> acceptor_;
};

}  // namespace

Played play_tcp(uint64_t seed, Trace trace) {
  Conversations conversations(seed, trace);
  conversations.play();
  conversations.recover();
  return conversations.end();
}

}  // namespace sluice::test
