#include "filters/listener/tls_inspector/tls_inspector.h"

#include "filters/listener/tls_inspector/client_hello.h"

namespace sluice::filters::tls_inspector {

using proxy::Need;

TlsInspector::TlsInspector(const proxy::ProxyLocal& proxy, const Settings& settings)
    : registry_(proxy.local.registry),
      settings_(settings),
      stats_(registry_.add_block<TlsInspectorStat>("tls_inspector.")),
      block_(proxy.local.cells.block<TlsInspectorStat>(stats_)) {}

TlsInspector::~TlsInspector() { registry_.release_block(stats_); }

Need TlsInspector::on_accept(proxy::Accepted&) { return Need::bytes(5); }  // the head of a record

Need TlsInspector::on_bytes(proxy::Accepted& accepted, std::string_view seen) {
  ClientHello hello;
  const HelloResult result = read_client_hello(seen.substr(0, settings_.most), hello);
  if (result.status == HelloStatus::kMore) {
    if (seen.size() >= settings_.most) {
      block_.inc(TlsInspectorStat::kClientHelloTooLarge);
      return Need::refuse();
    }
    return Need::bytes(std::min(result.wanted, settings_.most));
  }
  block_.record(TlsInspectorStat::kBytesProcessed, seen.size());
  if (result.status == HelloStatus::kNotTls) {
    block_.inc(TlsInspectorStat::kTlsNotFound);
    return settings_.close_on_error && seen.starts_with("\x16\x03") ? Need::refuse() : Need::done();
  }
  block_.inc(TlsInspectorStat::kTlsFound);
  block_.inc(hello.server_name.empty() ? TlsInspectorStat::kSniNotFound : TlsInspectorStat::kSniFound);
  block_.inc(hello.application_protocols.empty() ? TlsInspectorStat::kAlpnNotFound : TlsInspectorStat::kAlpnFound);
  proxy::Found& found = accepted.found();
  found.transport_protocol = "tls";
  found.server_name = std::move(hello.server_name);
  found.application_protocols = std::move(hello.application_protocols);
  return Need::done();
}

}  // namespace sluice::filters::tls_inspector
