// Transport: a pausable byte pipe between us and one peer. Plain sockets, TLS over another transport, in-memory pipes
// and simulated connections all look like this. Pull model: the pipe says that it is ready, its user reads or writes.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "base/check.h"
#include "buffer/buffer.h"
#include "event/loop.h"
#include "net/address.h"

namespace sluice::net {

// The one read buffer of a thread (256 KiB): measured 27-33 us cheaper per 100 KB body than 16 KiB buffers, and idle
// connections hold none. One for each worker. Thread: its owner's.
class ReadBuffer {
 public:
  static constexpr size_t kBytes = 256 * 1024;
  ReadBuffer() : bytes_(new char[kBytes]) {}

 private:
  friend class ReadLease;
  std::unique_ptr<char[]> bytes_;
  bool leased_ = false;
};

// The right to use the thread's read buffer until the end of a dispatch. Bytes read into it are borrowed by Buffers;
// whoever keeps them longer must own() them before the lease ends. Never nested. Thread: its owner's.
class ReadLease {
 public:
  explicit ReadLease(ReadBuffer& buffer) : buffer_(buffer) {
    SLUICE_CHECK(!buffer.leased_);
    buffer.leased_ = true;
  }
  ~ReadLease() { buffer_.leased_ = false; }
  ReadLease(const ReadLease&) = delete;
  ReadLease& operator=(const ReadLease&) = delete;

  // The whole buffer; a second read in the same dispatch starts behind the first one's bytes.
  std::span<char> room() { return {buffer_.bytes_.get() + used_, ReadBuffer::kBytes - used_}; }
  void use(size_t bytes) { used_ += bytes; }

 private:
  ReadBuffer& buffer_;
  size_t used_ = 0;
};

enum class IoStatus : uint8_t {
  kOk,      // some bytes moved
  kAgain,   // nothing now; the handler is called when that changes
  kEof,     // the peer closed its sending side (read only)
  kFailed,  // reset or another error: the transport is dead
};

struct IoResult {
  IoStatus status;
  size_t bytes = 0;
};

// When a connect failed.
enum class ConnectFault : uint8_t {
  kLater,   // the peer or the network said so
  kAtOnce,  // the system did not even try
  kBind,    // the source address cannot be used
};

// What happened on a transport; several may be set.
struct Ready {
  bool readable = false;
  bool writable = false;
  bool connected = false;  // a connect finished well (once)
  bool failed = false;     // connect failed, or the peer reset: nothing more will come
  // Told once, and only while reading is off: the peer ended its sending side, so it is half-closed or gone. While
  // reading is on the same comes as kEof from read().
  bool peer_closed = false;
  ConnectFault fault = ConnectFault::kLater;  // with `failed`, of a connect
};

class Transport;
struct TlsFacts;  // net/tls_facts.h

// Implemented by the connection that uses the transport. Inside, it may close the transport and give it to
// Loop::destroy_later. Thread: its loop's.
class TransportHandler {
 public:
  virtual void on_ready(Ready ready) = 0;

 protected:
  ~TransportHandler() = default;
};

enum class CloseHow : uint8_t {
  kFin,    // orderly: what the kernel has is still sent
  kReset,  // abortive: the peer sees a reset
};

// Readable events are level-triggered and on from the start; writable events come only while asked for. Without a
// handler nothing is lost: bytes wait in the kernel. After kEof no readable event follows. After close() no call to the
// handler follows, reading and writing say kFailed. Its destructor closes it (kFin). Owned by its user, destroyed
// before its Network. Thread: its loop's.
class Transport : public event::Deferred {
 public:
  virtual void set_handler(TransportHandler* handler) = 0;

  // Reads at most `max` bytes (at most 4 GiB, and what the lease has room for) and borrows them into `into`. A short
  // read means that the pipe is empty for now. Bytes that came before a reset are read before kFailed.
  virtual IoResult read(ReadLease& lease, size_t max, buffer::Buffer& into) = 0;
  // Writes from the front of `from` and drains what was taken: kOk when that was something, kAgain when there is no
  // room (or the connect has not finished). One system call in the usual case.
  virtual IoResult write(buffer::Buffer& from) = 0;

  // Reading off: bytes stay in the kernel, the peer's window closes. Costs nothing when no bytes arrive before it is on
  // again.
  virtual void want_read(bool on) = 0;
  // Writable events until switched off; for when write() took less than all.
  virtual void want_write(bool on) = 0;

  // Sends FIN, reading goes on.
  virtual void shutdown_write() = 0;
  virtual void close(CloseHow how) = 0;
  virtual bool closed() const = 0;

  virtual const Address& local() const = 0;
  virtual const Address& remote() const = 0;
  // Why a transport failed, in the system's words ("Connection refused"); empty when it did not.
  virtual std::string_view failure() const = 0;

  // The application protocol that both ends agreed on (ALPN: "h2", "http/1.1"); empty without one. Known before the
  // first byte can be read.
  virtual std::string_view alpn() const { return {}; }
  // What the handshake told; null when this is not TLS, or not yet.
  virtual const TlsFacts* tls() const { return nullptr; }
  // Where an accepted connection wanted to go before the kernel redirected it to us; none: here.
  virtual std::optional<Address> original_destination() const { return std::nullopt; }
  // Bytes that the lowest layer has taken so far; and whether the peer's system has received none of those that came
  // after so many. That costs a system call; false when nobody knows.
  virtual uint64_t written() const { return 0; }
  virtual bool nothing_arrived_since(uint64_t) const { return false; }
};

}  // namespace sluice::net
