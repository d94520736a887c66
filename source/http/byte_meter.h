// ByteMeter: what one message exchange took on its connection, counted by the codec where bytes are consumed and
// written. https://www.envoyproxy.io/docs/envoy/v1.36.0/configuration/observability/access_log/usage (*_WIRE_BYTES_*)
#pragma once

#include <cstdint>

namespace sluice::http {

// Bytes of one stream. Wire bytes are all that was read or written for it: HTTP/1 with start lines and chunk framing,
// HTTP/2 with frame heads. Header bytes are those of the fields among them: on HTTP/1 names, values and line ends (what
// comes in without blanks), trailers too; on HTTP/2 whole HEADERS frames. Plain header bytes are what a log calls
// decompressed: on HTTP/1 the fields of heads alone, on HTTP/2 names and values as they were before HPACK.
// Part of its codec's stream; copied into the facts of an exchange. Thread: worker.
struct ByteMeter {
  uint64_t wire_received = 0;
  uint64_t wire_sent = 0;
  uint32_t header_received = 0;
  uint32_t header_sent = 0;
  uint32_t plain_header_received = 0;
  uint32_t plain_header_sent = 0;

  ByteMeter& operator+=(const ByteMeter& other) {
    wire_received += other.wire_received;
    wire_sent += other.wire_sent;
    header_received += other.header_received;
    header_sent += other.header_sent;
    plain_header_received += other.plain_header_received;
    plain_header_sent += other.plain_header_sent;
    return *this;
  }
};

}  // namespace sluice::http
