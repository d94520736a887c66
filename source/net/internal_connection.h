// InternalConnection: one end of a connection to an internal listener: two buffers in memory, on one loop. No socket,
// no system call; a side that does not read stops the other one when its buffer is full.
#pragma once

#include <memory>
#include <utility>

#include "base/metadata.h"
#include "event/timer_wheel.h"
#include "net/transport.h"

namespace sluice::net {

// What the end that connects tells the listener beside bytes (the transport socket internal_upstream). A plain value.
struct Passed {
  Metadata metadata;
};

//   connecting --next turn--> open --fin both ways, close(), reset--> closed
//        +--nobody listens--> failed
// The ends do not own each other: one that goes takes what it has not read with it, and the other hears of it. Thread:
// its loop's.
class InternalConnection final : public Transport {
 public:
  // The end that connects, and the one that the listener accepts, both alive until they are closed. `limit`: bytes on
  // their way in each direction.
  using Pair = std::pair<std::unique_ptr<InternalConnection>, std::unique_ptr<InternalConnection>>;
  static Pair make(event::Loop& loop, buffer::SlabPool& slabs, size_t limit, const Address& listener);
  // One that fails as soon as it has a handler: nobody listens there.
  static std::unique_ptr<InternalConnection> refused(event::Loop& loop, buffer::SlabPool& slabs,
                                                     const Address& listener);
  ~InternalConnection() override { close(CloseHow::kFin); }

  // By the end that connects, before the other one is accepted.
  void pass(Passed passed);
  // What the other end passed; null: nothing.
  const Passed* passed() const { return passed_.get(); }

  void set_handler(TransportHandler* handler) override;
  IoResult read(ReadLease& lease, size_t max, buffer::Buffer& into) override;
  IoResult write(buffer::Buffer& from) override;
  void want_read(bool on) override;
  void want_write(bool on) override;
  void shutdown_write() override;
  void close(CloseHow how) override;
  bool closed() const override { return closed_; }
  const Address& local() const override { return local_; }
  const Address& remote() const override { return remote_; }
  std::string_view failure() const override { return failure_; }
  uint64_t written() const override { return written_; }

 private:
  InternalConnection(event::Loop& loop, buffer::SlabPool& slabs, size_t limit, const Address& local,
                     const Address& remote);
  // What the handler would be told now.
  Ready judge() const;
  // Tells it in the next turn, if there is something.
  void news();
  void tell();
  bool broken() const { return reset_ || refused_; }
  bool takes_more() const;
  size_t low_mark() const { return limit_ / 2; }

  InternalConnection* peer_ = nullptr;  // null: it is closed
  TransportHandler* handler_ = nullptr;
  const size_t limit_;
  buffer::Buffer arrived_;
  event::Timer turn_;
  const Address local_, remote_;
  std::unique_ptr<const Passed> passed_;
  std::string_view failure_;
  uint64_t written_ = 0;
  bool connecting_ = false;  // not yet told that it is connected
  bool refused_ = false;
  bool reading_ = true;
  bool writing_ = false;
  bool full_ = false;      // a write took less than all: room is told of at the low mark
  bool finished_ = false;  // by us
  bool fin_ = false;       // by the peer
  bool reset_ = false;     // by the peer
  bool eof_read_ = false;
  bool peer_closed_told_ = false;
  bool failed_told_ = false;
  bool closed_ = false;
};

}  // namespace sluice::net
