// The parts of HTTP messages that pass between codecs, exchanges and filters.
#pragma once

#include <cstdint>
#include <string_view>

#include "buffer/buffer.h"
#include "http/header_map.h"

namespace sluice::http {

// Whether a part is the last one of its message.
enum class End : uint8_t { kNo, kYes };

enum class Protocol : uint8_t { kHttp10, kHttp11, kHttp2 };
std::string_view name_of(Protocol protocol);  // "HTTP/1.0", "HTTP/1.1", "HTTP/2"

// Whether a request asks for a byte tunnel in place of, or after, its answer.
enum class Tunnel : uint8_t {
  kNone,
  kUpgrade,  // `connection: upgrade` with `upgrade` (both stand in the fields): a tunnel after 101 (RFC 9110 7.8)
  kConnect,  // CONNECT: a tunnel after any 2xx (RFC 9110 9.3.6)
};

// The head of a request: what Envoy shows as pseudo headers stands in fields of its own, the rest in `fields`.
// `host` never stands in `fields`: it is `authority`. Nor does `transfer-encoding`: codecs own it. Thread: its
// exchange's.
struct RequestHeaders {
  explicit RequestHeaders(Arena& arena) : fields(arena) {}

  std::string_view method;     // ":method", as sent (methods are case-sensitive)
  std::string_view path;       // ":path", the request target in origin form with its query; "" for CONNECT
  std::string_view authority;  // ":authority"; may be empty
  std::string_view scheme;     // ":scheme": from an absolute target, else empty until the exchange sets it
  Protocol protocol = Protocol::kHttp11;
  Tunnel tunnel = Tunnel::kNone;  // set by the server codec, obeyed by the client codec
  uint16_t dropped_fields = 0;    // left out because of CodecOptions::underscores
  HeaderMap fields;

  // What a codec found to be of the right characters when it came. The same view is so still, whatever filters did; the
  // codec that writes the request looks at all others.
  struct Checked {
    std::string_view method;
    std::string_view path;
    std::string_view authority;
  };
  Checked checked;

  // With pseudo header names too (":path", "host" means ":authority"); null data when absent.
  std::string_view get(std::string_view name) const;
  bool has(std::string_view name) const { return get(name).data() != nullptr; }
};

// The head of a response. `transfer-encoding` never stands in `fields`. Thread: its exchange's.
struct ResponseHeaders {
  explicit ResponseHeaders(Arena& arena) : fields(arena) {}

  uint16_t status = 0;
  std::string_view reason;  // the peer's (CodecOptions::forward_reason_phrase); empty: the standard phrase is written
  Protocol protocol = Protocol::kHttp11;
  bool chunked = false;  // it came chunked; an answer to HEAD says so to the client too
  HeaderMap fields;

  std::string_view get(std::string_view name) const;  // also ":status"; null data when absent
};

// Three digits that live for ever.
std::string_view status_text(uint16_t status);
// The standard reason phrase of a status code ("Not Found"), "Unknown" for others.
std::string_view reason_phrase(uint16_t status);

}  // namespace sluice::http
