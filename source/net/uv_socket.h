// UvSocket: the Transport over a socket of the kernel.
#pragma once

#include "base/intrusive_list.h"
#include "event/epoll_set.h"
#include "event/uv_loop.h"
#include "net/address.h"
#include "net/network.h"
#include "net/transport.h"

namespace sluice::net {

// What all sockets of one thread share. Part of a UvNetwork. Thread: its loop's.
struct UvSocketShared {
  // Several fragments up to this size are copied behind each other and sent flat: a copy of 16 KiB costs less than the
  // kernel's work on an iovec, and a small head in front of the body stays in one segment.
  static constexpr size_t kFlat = 20 * 1024;

  explicit UvSocketShared(event::UvLoop& loop) : set(loop.epoll_set()), flat(new char[kFlat]) {}

  event::EpollSet& set;
  std::unique_ptr<char[]> flat;
  IntrusiveList<class UvSocket> open;     // every socket with a descriptor
  IntrusiveList<class UvSocket> failing;  // connects that failed at once; told in the next turn
};

// Owns its descriptor. The interest in readiness is changed lazily: reading switched off is told to the kernel only
// when an event comes that nobody wants. Errors and hang-ups are reported by the kernel always, so that a reset is seen
// while reading is off. Thread: its loop's.
class UvSocket final : public Transport, public event::Pollable, public IntrusiveNode<> {
 public:
  // Takes over a connected descriptor. `local` may be null: then it is looked up when wanted. Null (and the descriptor
  // closed) when the epoll set has no room.
  static std::unique_ptr<UvSocket> accepted(UvSocketShared& shared, int fd, const Address& remote,
                                            std::shared_ptr<const Address> local);
  // Begins to connect. After an immediate failure the socket stands in shared.failing.
  static std::unique_ptr<UvSocket> connecting(UvSocketShared& shared, const Address& remote,
                                              const ConnectOptions& options);
  ~UvSocket() override;

  void set_handler(TransportHandler* handler) override;
  IoResult read(ReadLease& lease, size_t max, buffer::Buffer& into) override;
  IoResult write(buffer::Buffer& from) override;
  void want_read(bool on) override;
  void want_write(bool on) override;
  void shutdown_write() override;
  void close(CloseHow how) override;
  bool closed() const override { return state_ == State::kClosed; }
  const Address& local() const override;
  const Address& remote() const override { return remote_; }
  std::string_view failure() const override;
  std::optional<Address> original_destination() const override;
  uint64_t written() const override { return written_; }
  bool nothing_arrived_since(uint64_t mark) const override;

  // For a socket of shared.failing.
  void tell_failure();
  void on_events(uint32_t events) override;

 private:
  enum class State : uint8_t { kConnecting, kOpen, kFailed, kClosed };

  UvSocket(UvSocketShared& shared, int fd, const Address& remote, State state)
      : shared_(shared), fd_(fd), state_(state), remote_(remote) {}

  int begin_connect(const ConnectOptions& options);
  uint32_t wanted_events() const;
  void sync_events();
  void stop_events();
  IoResult fail(int error);
  bool finish_connect(uint32_t events);
  Ready judge(uint32_t events);
  bool reading() const { return read_on_ && !eof_ && handler_ != nullptr; }

  UvSocketShared& shared_;
  TransportHandler* handler_ = nullptr;
  uint64_t written_ = 0;
  int fd_;
  uint32_t events_ = 0;  // what the epoll set was told; 0: the descriptor is not in it
  uint16_t error_ = 0;   // errno of the failure
  State state_;
  ConnectFault fault_ = ConnectFault::kAtOnce;  // of a failure in begin_connect()
  bool read_on_ = true;
  bool write_on_ : 1 = false;
  bool left_unread_ : 1 = false;   // bytes were told of while reading is off, once
  bool eof_ = false;               // read() said so
  bool peer_closed_told_ = false;  // Ready::peer_closed
  Address remote_;
  mutable std::shared_ptr<const Address> local_;  // null: not looked up yet
};

}  // namespace sluice::net
