// DryWorld: a worker of the data plane without an outside: virtual time, and a network that leads to itself. What
// connects upstream is told to an invented origin, which answers every request with an empty 200.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/arena.h"
#include "base/owner.h"
#include "base/random.h"
#include "buffer/slab.h"
#include "event/loop.h"
#include "net/network.h"
#include "net/outbox.h"
#include "net/tls_facts.h"
#include "proxy/chain_server.h"
#include "stats/registry.h"
#include "upstream/cluster_set.h"
#include "upstream/worker_local.h"

namespace sluice::explain {

class DryTransport;

// Turns come one after the other; time passes only when nothing else is left to do. Thread: main.
class DryLoop final : public event::Loop {
 public:
  DryLoop() : Loop(MonotonicTime{1'000'000'000}) {}
  ~DryLoop() override;

  WallTime wall_now() const override;
  void post(Function<void()> work) override { posted_.push_back(std::move(work)); }
  void run() override {}
  void stop() override {}

  // Until nothing is left to do, or so much time has passed.
  void run_for(Duration limit);

 private:
  friend class DryTransport;
  void wake_for_turn_end() override { wanted_ = true; }
  bool turn();

  std::vector<Function<void()>> posted_;
  std::vector<DryTransport*> open_;  // null: closed while a turn went through them
  bool wanted_ = false;
};

// One end of a connection; whoever made it plays the other. Thread: main.
class DryTransport final : public net::Transport {
 public:
  DryTransport(DryLoop& loop, net::Address local, net::Address remote);
  ~DryTransport() override { close(net::CloseHow::kFin); }

  // The other end: bytes to be read, and what is called with all bytes that were written so far.
  void receive(std::string_view bytes) { incoming_ += bytes; }
  void on_written(Function<void(std::string_view)> hook) { on_written_ = std::move(hook); }
  // The connection is (as if it were) TLS.
  void set_tls(std::shared_ptr<net::TlsTexts> facts) { tls_ = std::move(facts); }
  // A connect that is not answered yet.
  void connecting() { connected_told_ = false; }

  void set_handler(net::TransportHandler* handler) override { handler_ = handler; }
  net::IoResult read(net::ReadLease& lease, size_t max, buffer::Buffer& into) override;
  net::IoResult write(buffer::Buffer& from) override;
  void want_read(bool on) override { read_on_ = on; }
  void want_write(bool on) override { write_on_ = on; }
  void shutdown_write() override {}
  void close(net::CloseHow how) override;
  bool closed() const override { return closed_; }
  const net::Address& local() const override { return local_; }
  const net::Address& remote() const override { return remote_; }
  std::string_view failure() const override { return {}; }
  const net::TlsFacts* tls() const override { return tls_.get(); }

 private:
  friend class DryLoop;
  net::Ready judge() const;
  bool dispatch();

  DryLoop& loop_;
  const net::Address local_, remote_;
  net::TransportHandler* handler_ = nullptr;
  std::shared_ptr<net::TlsTexts> tls_;
  Function<void(std::string_view)> on_written_;
  std::string incoming_, written_;
  bool read_on_ = true;
  bool write_on_ = false;
  bool connected_told_ = true;
  bool closed_ = false;
};

// A request that left for an upstream, as its bytes were.
struct Sent {
  net::Address to;
  std::string head;
};

// Thread: main.
class DryNetwork final : public net::Network {
 public:
  explicit DryNetwork(DryLoop& loop) : loop_(loop) {}

  Result<std::unique_ptr<net::ListenSocket>> bind(const net::Address&, const net::ListenOptions&, uint32_t) override {
    return Error{"nothing listens here"};
  }
  std::unique_ptr<net::Acceptor> accept(net::ListenSocket&, uint32_t, const net::AcceptOptions&,
                                        net::OnAccept) override {
    return nullptr;
  }
  std::unique_ptr<net::Transport> connect(const net::Address& address, const net::ConnectOptions& options) override;
  net::ReadBuffer& read_buffer() override { return read_buffer_; }

  const std::vector<Sent>& sent() const { return sent_; }

 private:
  DryLoop& loop_;
  net::ReadBuffer read_buffer_;
  std::vector<Sent> sent_;
};

// Thread: main.
struct DryWorld {
  DryWorld();

  DryLoop loop;
  DryNetwork network{loop};
  SeededRandom random{1};
  Owner arena_owner{"explain arenas"};
  Owner slab_owner{"explain slabs"};
  ChunkPool chunks{arena_owner};
  buffer::SlabPool slabs{slab_owner};
  net::FlushQueue flushes;
  stats::Registry registry;
  stats::WorkerCells cells{registry};
  upstream::WorkerLocal local{loop, network, random, chunks, slabs, flushes, registry, cells, 0};
  upstream::ClusterSet clusters{local};
  proxy::ServerState state;
  proxy::ProxyLocal proxy{local, clusters, state, nullptr};
};

}  // namespace sluice::explain
