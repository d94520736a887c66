// The ClientHello inspector: every cut of the bytes asks for more or says what the whole says; what it asks for is more
// than it has; names come out in lower case and without NUL.
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "base/strings.h"
#include "filters/listener/tls_inspector/client_hello.h"

using sluice::filters::tls_inspector::ClientHello;
using sluice::filters::tls_inspector::HelloStatus;
using sluice::filters::tls_inspector::read_client_hello;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view wire(reinterpret_cast<const char*>(data), size);
  ClientHello whole;
  const auto verdict = read_client_hello(wire, whole);
  SLUICE_CHECK(whole.server_name == sluice::to_lower(whole.server_name));
  SLUICE_CHECK(whole.server_name.find('\0') == std::string::npos);
  for (size_t cut = 0; cut <= size; ++cut) {
    ClientHello part;
    const auto result = read_client_hello(wire.substr(0, cut), part);
    if (result.status == HelloStatus::kMore) {
      SLUICE_CHECK(result.wanted > cut);
      // Nothing was decided before the bytes that it asked for are there.
      if (result.wanted > size) {
        SLUICE_CHECK(verdict.status == HelloStatus::kMore);
      }
    } else {
      SLUICE_CHECK(result.status == verdict.status);
      SLUICE_CHECK(part.server_name == whole.server_name);
      SLUICE_CHECK(part.application_protocols == whole.application_protocols);
    }
  }
  return 0;
}
