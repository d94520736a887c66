// The first line of a message (RFC 9112 3 and 4). Pure functions on text without its CRLF, which holds no control
// character but HTAB: the section reader saw to that.
#pragma once

#include <cstdint>
#include <string_view>

#include "http/codec.h"
#include "http/http1/fault.h"
#include "http/message.h"

namespace sluice::http::http1 {

// The four forms of a request target, taken apart. Views into the line, or texts that live for ever.
struct RequestLine {
  std::string_view method;
  std::string_view path;       // "" for CONNECT; "/" when an absolute target has none
  std::string_view authority;  // of an absolute target or of CONNECT; then it replaces the Host field
  std::string_view scheme;     // "http" or "https" with an absolute target
  bool has_hash = false;       // a '#' stands in the target
  Protocol protocol = Protocol::kHttp11;
};
Fault parse_request_line(std::string_view line, const CodecOptions& options, RequestLine& out);

struct StatusLine {
  Protocol protocol = Protocol::kHttp11;
  uint16_t status = 0;
  std::string_view reason;
};
Fault parse_status_line(std::string_view line, StatusLine& out);

}  // namespace sluice::http::http1
