// FilteredTransport: a connection behind network filters, as the chain's last filter sees it: a transport like any
// other.
//
//   starting --all filters say next--> serving --a filter, its user or the peer closes it--> closed
//      +------a filter says close, the peer goes---------------------------------------------> closed
#pragma once

#include <memory>
#include <vector>

#include "base/intrusive_list.h"
#include "net/transport.h"
#include "proxy/accepted.h"
#include "proxy/chain_server.h"
#include "proxy/network_filter.h"
#include "upstream/worker_local.h"

namespace sluice::proxy {

// While it is starting it stands in its Listener's list and owns itself; then its user owns it. Thread: worker.
class FilteredTransport final : public net::Transport, public IntrusiveNode<Listener>, private net::TransportHandler {
 public:
  // Takes the connection from here on: `server` gets it when all filters have let it pass.
  FilteredTransport(std::unique_ptr<net::Transport> inner, AcceptedPtr accepted,
                    std::vector<std::unique_ptr<NetworkFilter>> filters, upstream::WorkerLocal& worker,
                    ChainServer& server);
  ~FilteredTransport() override;

  void start();

  // ---- for filters
  Accepted& accepted() { return *accepted_; }
  upstream::WorkerLocal& worker() { return worker_; }
  // After NetworkStep::pause(); not inside the hook.
  void resume();
  // Not inside a hook: there NetworkStep::close() says it.
  void close_now(std::string_view details);

  // ---- net::Transport
  void set_handler(net::TransportHandler* handler) override { handler_ = handler; }
  net::IoResult read(net::ReadLease& lease, size_t max, buffer::Buffer& into) override;
  net::IoResult write(buffer::Buffer& from) override;
  void want_read(bool on) override;
  void want_write(bool on) override { inner_->want_write(on); }
  void shutdown_write() override { inner_->shutdown_write(); }
  void close(net::CloseHow how) override;
  bool closed() const override { return inner_->closed(); }
  const net::Address& local() const override { return inner_->local(); }
  const net::Address& remote() const override { return inner_->remote(); }
  std::string_view failure() const override { return inner_->failure(); }
  std::string_view alpn() const override { return inner_->alpn(); }
  const net::TlsFacts* tls() const override { return inner_->tls(); }

 private:
  enum class State : uint8_t { kStarting, kServing, kClosed };

  void on_ready(net::Ready ready) override;
  void run_start();
  void end_unserved(ClosedBy by);
  bool run_data(buffer::Buffer& data);
  void sync_reading() { inner_->want_read(read_on_ && !paused_); }

  State state_ = State::kStarting;
  bool paused_ = false;
  bool read_on_ = true;
  bool ended_ = false;  // the client's side, which a filter paused at: not told yet
  size_t next_ = 0;     // the filter that sees the event next
  std::unique_ptr<net::Transport> inner_;
  AcceptedPtr owned_;  // until it is served
  Accepted* accepted_;
  upstream::WorkerLocal& worker_;
  ChainServer& server_;
  net::TransportHandler* handler_ = nullptr;
  std::vector<std::unique_ptr<NetworkFilter>> filters_;
  buffer::Buffer held_;  // paused at; then, let through but not read yet
};

}  // namespace sluice::proxy
