// ReplayTransport: a transport whose first bytes were read already, by those who had to look at them before it was
// known who serves the connection; and that may be said to lead to other addresses than its socket does.
#pragma once

#include <memory>

#include "net/transport.h"

namespace sluice::net {

// After the bytes that were seen it passes everything through. Owned by the connection's user. Thread: its loop's.
class ReplayTransport final : public Transport, private TransportHandler {
 public:
  // `seen` comes before what `inner` still has. Addresses of kind kNone are the inner transport's.
  ReplayTransport(std::unique_ptr<Transport> inner, buffer::Buffer seen, const Address& remote, const Address& local,
                  event::Loop& loop);
  ~ReplayTransport() override;

  // Lets the handler read what was seen; as the pipe would do if it were there still. Called outside of a dispatch that
  // holds the read lease, once the handler is set.
  void deliver();

  void set_handler(TransportHandler* handler) override;
  IoResult read(ReadLease& lease, size_t max, buffer::Buffer& into) override;
  IoResult write(buffer::Buffer& from) override { return inner_->write(from); }
  void want_read(bool on) override;
  void want_write(bool on) override { inner_->want_write(on); }
  void shutdown_write() override { inner_->shutdown_write(); }
  void close(CloseHow how) override;
  bool closed() const override { return inner_->closed(); }
  const Address& local() const override { return local_.kind() == AddressKind::kNone ? inner_->local() : local_; }
  const Address& remote() const override { return remote_.kind() == AddressKind::kNone ? inner_->remote() : remote_; }
  std::string_view failure() const override { return inner_->failure(); }
  std::string_view alpn() const override { return inner_->alpn(); }
  const TlsFacts* tls() const override { return inner_->tls(); }

 private:
  void on_ready(Ready ready) override;
  void deliver_later();

  std::unique_ptr<Transport> inner_;
  buffer::Buffer seen_;
  const Address remote_;
  const Address local_;
  TransportHandler* handler_ = nullptr;
  bool read_on_ = true;
  event::Timer later_;
};

}  // namespace sluice::net
