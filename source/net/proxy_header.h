// The PROXY header towards an upstream: the first bytes of a connection say for which client it is.
// https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "net/transport_socket.h"

namespace sluice::net {

enum class ProxyVersion : uint8_t { kV1, kV2 };

// Immutable. Thread: any.
struct ProxyHeader {
  ProxyVersion version = ProxyVersion::kV1;
  std::vector<std::pair<uint8_t, std::string>> tlvs;  // of version 2

  // From `client` to where it wanted to go. Addresses that are not IP, or of two families, are nobody's: UNKNOWN,
  // LOCAL.
  std::string encode(const Address& client, const Address& wanted) const;
};

// Writes a header as soon as its connection is there, before everything else, and then wraps the connection into the
// socket inside, so that TLS comes behind the header. Without a client in the wishes it tells the connection's own
// addresses. Immutable, shared by all workers. Thread: any.
class ProxyHeaderPlan final : public TransportSocketPlan {
 public:
  // `inside` null: plain.
  ProxyHeaderPlan(ProxyHeader header, TransportSocketPlanPtr inside)
      : header_(std::move(header)), inside_(std::move(inside)) {}
  std::unique_ptr<TransportSocket> on_worker(const TransportScope& scope, std::string_view stat_prefix) const override;
  bool is_tls() const override { return inside_ != nullptr && inside_->is_tls(); }

 private:
  const ProxyHeader header_;
  const TransportSocketPlanPtr inside_;
};

}  // namespace sluice::net
