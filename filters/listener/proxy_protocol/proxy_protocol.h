// ProxyProtocol: takes the client's real addresses from the head that a proxy before us sends.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "proxy/listener_filter.h"
#include "stats/stats.h"

namespace sluice::filters::proxy_protocol {

// Prefix "proxy_proto." (and STAT_PREFIX.).
// clang-format off
#define SLUICE_PROXY_PROTOCOL_STATS(X) \
  X(kCounter, kNotFoundAllowed, "not_found_allowed") X(kCounter, kNotFoundDisallowed, "not_found_disallowed") \
  X(kCounter, kV1Disallowed, "versions.v1.disallowed") X(kCounter, kV1Error, "versions.v1.error") \
  X(kCounter, kV1Found, "versions.v1.found") X(kCounter, kV2Disallowed, "versions.v2.disallowed") \
  X(kCounter, kV2Error, "versions.v2.error") X(kCounter, kV2Found, "versions.v2.found")
// clang-format on
SLUICE_STAT_BLOCK(ProxyProtocolStat, SLUICE_PROXY_PROTOCOL_STATS)

// A TLV that becomes dynamic metadata of the connection. Thread: any (immutable).
struct TlvRule {
  uint8_t type;
  std::string space, key;
};

// Thread: any (immutable).
struct Settings {
  std::vector<TlvRule> rules;
  std::string stat_prefix;           // "proxy_proto."
  bool allow_without = false;        // clients that send no head are served as they are
  std::array<bool, 3> refused = {};  // by version
};

// Owned by its Listener. Thread: worker.
class ProxyProtocol final : public proxy::ListenerFilter {
 public:
  ProxyProtocol(const proxy::ProxyLocal& proxy, std::shared_ptr<const Settings> settings);
  ~ProxyProtocol() override;

  proxy::Need on_accept(proxy::Accepted& accepted) override;
  proxy::Need on_bytes(proxy::Accepted& accepted, std::string_view seen) override;

 private:
  void count(uint8_t version, ProxyProtocolStat v1, ProxyProtocolStat v2) { block_.inc(version == 1 ? v1 : v2); }

  stats::Registry& registry_;
  std::shared_ptr<const Settings> settings_;
  stats::BlockId stats_;
  stats::Block<ProxyProtocolStat> block_;
  stats::Single errors_;  // an old name for all of them
};

}  // namespace sluice::filters::proxy_protocol
