// TlsInspector: tells TLS from everything else, and which name and protocols the client asks for. It only looks.
#pragma once

#include "proxy/listener_filter.h"
#include "stats/stats.h"

namespace sluice::filters::tls_inspector {

// Prefix "tls_inspector.".
// clang-format off
#define SLUICE_TLS_INSPECTOR_STATS(X) \
  X(kCounter, kAlpnFound, "alpn_found") X(kCounter, kAlpnNotFound, "alpn_not_found") \
  X(kHistogram, kBytesProcessed, "bytes_processed") \
  X(kCounter, kClientHelloTooLarge, "client_hello_too_large") X(kCounter, kSniFound, "sni_found") \
  X(kCounter, kSniNotFound, "sni_not_found") X(kCounter, kTlsFound, "tls_found") \
  X(kCounter, kTlsNotFound, "tls_not_found")
// clang-format on
SLUICE_STAT_BLOCK(TlsInspectorStat, SLUICE_TLS_INSPECTOR_STATS)

// Thread: any (immutable).
struct Settings {
  size_t most = 16 * 1024;      // max_client_hello_size
  bool close_on_error = false;  // what begins like TLS and is broken
};

// Owned by its Listener. Thread: worker.
class TlsInspector final : public proxy::ListenerFilter {
 public:
  TlsInspector(const proxy::ProxyLocal& proxy, const Settings& settings);
  ~TlsInspector() override;

  proxy::Need on_accept(proxy::Accepted& accepted) override;
  proxy::Need on_bytes(proxy::Accepted& accepted, std::string_view seen) override;

 private:
  stats::Registry& registry_;
  const Settings settings_;
  stats::BlockId stats_;
  stats::Block<TlsInspectorStat> block_;
};

}  // namespace sluice::filters::tls_inspector
