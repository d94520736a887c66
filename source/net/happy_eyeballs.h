// HappyEyeballs: one connection out of several addresses of a peer: the first one that is made wins.
//
//   try the first --failed, or 300 ms without an answer--> try the next as well ...
//        | one is connected: the others close                 | all have failed: it has failed as the last one did
//        v                                                    v
//      that one                                             failed
//
// RFC 8305 (Happy Eyeballs), as far as it is about connecting.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/intro/arch_overview/upstream/connection_pooling#happy-eyeballs-support
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/function.h"
#include "event/loop.h"
#include "net/address.h"
#include "net/transport.h"

namespace sluice::net {

// Shared, for hosts give it to their workers. Thread: any (immutable).
using AddressesPtr = std::shared_ptr<const std::vector<Address>>;

// happy_eyeballs_config: so many addresses of the first family, then one of the other, and so on. Thread: any.
struct FamilyOrder {
  AddressKind first = AddressKind::kNone;  // kNone: the family of the first address
  uint32_t count = 1;
};

// All of `first` and `others` in the order in which they are tried.
std::vector<Address> in_turn(const Address& first, const std::vector<Address>& others, const FamilyOrder& order);

// Looks like the connection that wins, before that like one that connects. Handshakes are a part of the race where
// `connect` adds them. Owned by its user. Thread: its loop's.
class HappyEyeballs final : public Transport {
 public:
  static constexpr Duration kDelay = std::chrono::milliseconds(300);
  // Begins to connect; never null, its handler is called later. May be called until one is connected.
  using Connect = Function<std::unique_ptr<Transport>(const Address& address)>;

  // `addresses`: at least one, in the order to try them in.
  HappyEyeballs(event::Loop& loop, std::vector<Address> addresses, Connect connect);
  ~HappyEyeballs() override;

  void set_handler(TransportHandler* handler) override;
  IoResult read(ReadLease& lease, size_t max, buffer::Buffer& into) override;
  IoResult write(buffer::Buffer& from) override;
  void want_read(bool on) override;
  void want_write(bool on) override;
  void shutdown_write() override;
  void close(CloseHow how) override;
  bool closed() const override { return closed_; }
  const Address& local() const override;
  const Address& remote() const override;
  std::string_view failure() const override;
  std::string_view alpn() const override;
  const TlsFacts* tls() const override;
  uint64_t written() const override;
  bool nothing_arrived_since(uint64_t mark) const override;

 private:
  struct Try;

  void try_next();
  void on_ready(Try& one, Ready ready);
  // The race is over.
  void finish(Try& one, Ready ready);
  void give_up(std::unique_ptr<Transport> transport);

  event::Loop& loop_;
  const std::vector<Address> addresses_;
  Connect connect_;
  TransportHandler* handler_ = nullptr;
  size_t next_ = 0;                          // of addresses_
  std::vector<std::unique_ptr<Try>> tries_;  // by address, until the race is over; without a transport: it has failed
  std::unique_ptr<Transport> winner_;        // or the last one that failed; null: the race goes on
  bool closed_ = false;
  event::Timer delay_;
};

}  // namespace sluice::net
