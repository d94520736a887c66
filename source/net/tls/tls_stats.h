// The counters of TLS on one worker, below "listener.ADDRESS." or "cluster.NAME.".
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "net/tls/openssl.h"
#include "stats/names_tls.h"
#include "stats/registry.h"

namespace sluice::net::tls {

// Part of a TransportSocket. Thread: worker.
class TlsStats {
 public:
  TlsStats(stats::Registry& registry, stats::WorkerCells& cells, std::string_view prefix, std::string_view factory);
  ~TlsStats();
  TlsStats(const TlsStats&) = delete;
  TlsStats& operator=(const TlsStats&) = delete;

  stats::Block<stats::TlsStat>& block() { return block_; }
  stats::Block<stats::TlsFactoryStat>& factory() { return factory_; }
  // A finished handshake: what was agreed on, by name.
  void count_handshake(SSL& ssl);

 private:
  void count(std::string_view kind, std::string_view name);

  stats::Registry& registry_;
  stats::WorkerCells& cells_;
  const std::string prefix_;
  stats::BlockId id_, factory_id_;
  stats::Block<stats::TlsStat> block_;
  stats::Block<stats::TlsFactoryStat> factory_;
  std::map<std::string, stats::Single, std::less<>> named_;
};

}  // namespace sluice::net::tls
