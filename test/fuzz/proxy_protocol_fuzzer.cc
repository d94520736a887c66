// The head of PROXY protocol: every cut of the bytes asks for more or says what the whole says; a head never reaches
// beyond the bytes that there are, and neither do its TLVs.
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "filters/listener/proxy_protocol/proxy_header.h"

using sluice::filters::proxy_protocol::HeaderStatus;
using sluice::filters::proxy_protocol::may_be_header;
using sluice::filters::proxy_protocol::ProxyHeader;
using sluice::filters::proxy_protocol::read_proxy_header;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view wire(reinterpret_cast<const char*>(data), size);
  ProxyHeader whole;
  const auto verdict = read_proxy_header(wire, whole);
  for (size_t cut = 0; cut <= size; ++cut) {
    ProxyHeader header;
    const auto result = read_proxy_header(wire.substr(0, cut), header);
    if (result.status == HeaderStatus::kMore) {
      SLUICE_CHECK(result.wanted > cut);
    } else if (result.status == HeaderStatus::kDone) {
      SLUICE_CHECK(may_be_header(wire.substr(0, cut)));
      SLUICE_CHECK(result.size <= cut);
      SLUICE_CHECK(verdict.status == HeaderStatus::kDone && verdict.size == result.size);
      SLUICE_CHECK(header.source == whole.source && header.tlvs.size() == whole.tlvs.size());
      for (const auto& tlv : header.tlvs) {
        SLUICE_CHECK(tlv.value.data() >= wire.data() &&
                     tlv.value.data() + tlv.value.size() <= wire.data() + result.size);
      }
    }
  }
  return 0;
}
