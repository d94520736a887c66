// PendingConnection: an accepted connection while the listener filters look at it.
#pragma once

#include <memory>

#include "base/intrusive_list.h"
#include "event/loop.h"
#include "net/transport.h"
#include "proxy/accepted.h"
#include "proxy/listener_filter.h"

namespace sluice::proxy {

class Listener;

// In its Listener's list; ends when the filters are done, when one of them refuses, when the client goes, or after
// listener_filters_timeout. Thread: worker.
class PendingConnection final : public event::Deferred, public IntrusiveNode<Listener>, private net::TransportHandler {
 public:
  PendingConnection(Listener& listener, std::unique_ptr<net::Transport> transport, AcceptedPtr accepted);
  ~PendingConnection() override;

  void start();
  // Cuts it.
  void close();

 private:
  void on_ready(net::Ready ready) override;
  void read();
  void run();
  void refuse();
  void client_gone();
  void on_timeout();
  void pass_on();
  void leave();

  Listener& listener_;
  std::unique_ptr<net::Transport> transport_;
  AcceptedPtr accepted_;
  buffer::Buffer seen_;
  size_t filter_ = 0;
  size_t wanted_ = 0;     // bytes that it waits for; 0: was not told of the connection yet
  bool passing_ = false;  // all filters are done
  bool over_ = false;
  event::Timer timer_;
};

}  // namespace sluice::proxy
