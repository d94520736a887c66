#include "explain/client_hello.h"

#include <cstdint>

namespace sluice::explain {
namespace {

// `text` behind its length in `bytes` bytes.
std::string sized(size_t bytes, std::string_view text) {
  std::string out;
  for (size_t i = bytes; i > 0; --i) out += static_cast<char>(text.size() >> (8 * (i - 1)));
  return out.append(text);
}

std::string extension(uint16_t type, std::string_view content) {
  return std::string{static_cast<char>(type >> 8), static_cast<char>(type)} + sized(2, content);
}

}  // namespace

std::string client_hello(std::string_view server_name) {
  constexpr uint16_t kServerName = 0, kAlpn = 16;
  std::string extensions;
  if (!server_name.empty()) {
    extensions += extension(kServerName, sized(2, std::string(1, '\0') + sized(2, server_name)));
  }
  extensions += extension(kAlpn, sized(2, sized(1, "http/1.1")));
  std::string hello = "\x03\x03" + std::string(32, 'r');  // TLS 1.2 or later, random
  hello += sized(1, "");                                  // session
  hello += sized(2, "\x13\x01");                          // one cipher suite
  hello += sized(1, std::string(1, '\0'));                // no compression
  hello += sized(2, extensions);
  return "\x16\x03\x01" + sized(2, "\x01" + sized(3, hello));
}

}  // namespace sluice::explain
