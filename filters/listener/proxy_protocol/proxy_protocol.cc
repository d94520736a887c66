#include "filters/listener/proxy_protocol/proxy_protocol.h"

#include "filters/listener/proxy_protocol/proxy_header.h"

namespace sluice::filters::proxy_protocol {

using proxy::Need;
using Stat = ProxyProtocolStat;

namespace {

// As Envoy writes it: a byte that is none of UTF-8's becomes '!'.
std::string valid_utf8(std::string_view bytes) {
  std::string out(bytes);
  for (size_t i = 0; i < out.size();) {
    const auto byte = static_cast<uint8_t>(out[i]);
    const size_t length = byte < 0x80                      ? 1
                          : byte >> 5 == 6 && byte > 0xc1  ? 2
                          : byte >> 4 == 14                ? 3
                          : byte >> 3 == 30 && byte < 0xf5 ? 4
                                                           : 0;
    bool good = length != 0 && i + length <= out.size();
    for (size_t k = 1; good && k < length; ++k) good = (static_cast<uint8_t>(out[i + k]) & 0xc0) == 0x80;
    if (!good) out[i] = '!';
    i += good ? length : 1;
  }
  return out;
}

}  // namespace

ProxyProtocol::ProxyProtocol(const proxy::ProxyLocal& proxy, std::shared_ptr<const Settings> settings)
    : registry_(proxy.local.registry),
      settings_(std::move(settings)),
      stats_(registry_.add_block<Stat>(settings_->stat_prefix)),
      block_(proxy.local.cells.block<Stat>(stats_)),
      errors_(proxy.local.cells.counter("downstream_cx_proxy_proto_error")) {}

ProxyProtocol::~ProxyProtocol() { registry_.release_block(stats_); }

Need ProxyProtocol::on_accept(proxy::Accepted&) { return Need::bytes(1); }

Need ProxyProtocol::on_bytes(proxy::Accepted& accepted, std::string_view seen) {
  if (settings_->allow_without && !may_be_header(seen)) {
    block_.inc(Stat::kNotFoundAllowed);
    return Need::done();
  }
  ProxyHeader header;
  const HeaderResult result = read_proxy_header(seen, header);
  switch (result.status) {
    case HeaderStatus::kMore:
      return Need::bytes(result.wanted);
    case HeaderStatus::kNone:
      block_.inc(Stat::kNotFoundDisallowed);
      errors_.inc();
      return Need::refuse();
    case HeaderStatus::kBroken:
      count(result.version, Stat::kV1Error, Stat::kV2Error);
      errors_.inc();
      return Need::refuse();
    case HeaderStatus::kDone:
      break;
  }
  count(result.version, Stat::kV1Found, Stat::kV2Found);
  if (settings_->refused[result.version]) {
    count(result.version, Stat::kV1Disallowed, Stat::kV2Disallowed);
    return Need::refuse();
  }
  if (header.real) {
    accepted.found().remote = header.source;
    accepted.found().local = header.destination;
  }
  for (const TlvRule& rule : settings_->rules) {
    for (const Tlv& tlv : header.tlvs) {
      if (tlv.type == rule.type) {
        accepted.found().metadata.set(rule.space, rule.key, valid_utf8(tlv.value));
      }
    }
  }
  return Need::done(result.size);
}

}  // namespace sluice::filters::proxy_protocol
