// Datagrams: what is sent to one address and nobody answers.
#pragma once

#include <string_view>

namespace sluice::net {

// Thread: its owner's.
class Datagrams {
 public:
  virtual ~Datagrams() = default;
  // One datagram; never blocks. What the system does not take is lost, as anything may be on its way.
  virtual void send(std::string_view bytes) = 0;
};

}  // namespace sluice::net
