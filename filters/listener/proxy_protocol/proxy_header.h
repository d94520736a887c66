// ProxyHeader: the head of PROXY protocol, versions 1 (a line of text) and 2 (binary).
// https://www.haproxy.org/download/1.8/doc/proxy-protocol.txt
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "net/address.h"

namespace sluice::filters::proxy_protocol {

struct Tlv {
  uint8_t type;
  std::string_view value;  // in the bytes that were read
};

struct ProxyHeader {
  bool real = false;  // LOCAL, UNKNOWN: the connection's own addresses are meant
  net::Address source;
  net::Address destination;
  std::vector<Tlv> tlvs;
};

enum class HeaderStatus : uint8_t {
  kMore,    // `wanted` bytes are needed to go on
  kDone,    // of `size` bytes
  kBroken,  // begins like one and is wrong
  kNone,    // something else
};

struct HeaderResult {
  HeaderStatus status;
  uint8_t version = 0;  // 1 or 2, once it is known
  size_t wanted = 0;    // in all, with those that are there
  size_t size = 0;
};

// `bytes`: the connection's bytes from its start.
HeaderResult read_proxy_header(std::string_view bytes, ProxyHeader& out);
// Whether a header may still come of these first bytes.
bool may_be_header(std::string_view bytes);

}  // namespace sluice::filters::proxy_protocol
