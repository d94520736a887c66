// ClientHello: the first message of a TLS connection, read without taking part in TLS.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::filters::tls_inspector {

struct ClientHello {
  std::string server_name;  // lower case; empty: none
  std::vector<std::string> application_protocols;
};

enum class HelloStatus : uint8_t {
  kMore,    // may be one: `wanted` bytes are needed to go on
  kNotTls,  // something else, or broken
  kDone,
};

struct HelloResult {
  HelloStatus status;
  size_t wanted = 0;  // in all, with those that are there
};

// `bytes`: the connection's bytes from its start. It makes no difference into how many records or segments the message
// is cut. Every length is checked.
HelloResult read_client_hello(std::string_view bytes, ClientHello& out);

}  // namespace sluice::filters::tls_inspector
