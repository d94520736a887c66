// ByteStream: plain bytes to and from an upstream: a connection of its own, or a tunnel through an HTTP stream.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "buffer/buffer.h"
#include "net/address.h"
#include "net/transport.h"
#include "upstream/reset_reason.h"

namespace sluice::upstream {

// Told what happens on its stream. After on_failed(), on_lost() and its own close() it hears nothing more, and the
// stream must not be touched. Thread: worker.
class ByteStreamUser {
 public:
  virtual void on_connected() = 0;
  // It could not be opened. kOverflow: a circuit breaker refused.
  virtual void on_failed(ResetReason reason, std::string_view details) = 0;
  // Takes all of `data`; it is borrowed for this dispatch.
  virtual void on_upstream_data(buffer::Buffer& data) = 0;
  // The upstream ended its side.
  virtual void on_upstream_end() = 0;
  // The upstream broke off.
  virtual void on_lost() = 0;
  // What waits to be sent rose above its limit, or fell to half of it.
  virtual void on_upstream_full(bool full) = 0;
  virtual void on_upstream_sent(size_t bytes) = 0;
  // How many bytes may be read at once: the room of where they go.
  virtual size_t downstream_room() const = 0;

 protected:
  ~ByteStreamUser() = default;
};

// Destroys itself through the loop. Thread: worker.
class ByteStream {
 public:
  virtual void send(buffer::Buffer& data) = 0;
  // Our side ends when everything is sent.
  virtual void finish() = 0;
  virtual void close(net::CloseHow how) = 0;
  virtual void want_read(bool on) = 0;
  // Nothing waits to be sent.
  virtual bool sent_all() const = 0;
  virtual size_t room() const = 0;
  virtual const net::Address& local_address() const = 0;
  // Where it really went: a host may have several addresses.
  virtual const net::Address& remote_address() const = 0;
  virtual uint64_t connection_id() const = 0;
  // What the handshake of its connection told, once it is connected; null: not TLS.
  virtual const net::TlsFacts* tls() const = 0;

 protected:
  ~ByteStream() = default;
};

}  // namespace sluice::upstream
