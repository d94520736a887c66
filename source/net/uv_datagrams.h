// UvDatagrams: a socket for datagrams, of UDP or of the unix domain.
#pragma once

#include "net/address.h"
#include "net/datagrams.h"

namespace sluice::net {

// The socket is made with the first datagram, and again after one that could not be sent. Thread: its owner's.
class UvDatagrams final : public Datagrams {
 public:
  explicit UvDatagrams(Address to) : to_(std::move(to)) {}
  ~UvDatagrams() override { close(); }
  void send(std::string_view bytes) override;

 private:
  bool open();
  void close();

  const Address to_;
  int fd_ = -1;
};

}  // namespace sluice::net
