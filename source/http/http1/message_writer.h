// MessageWriter: heads, bodies and trailers to bytes, with the framing that RFC 9112 6 asks for. Whatever the maps
// hold, what comes out is one well-formed message: fields that it cannot carry are left out, bytes that may not stand
// in a request target are escaped, a body that its length forbids is cut.
#pragma once

#include <cstdint>

#include "buffer/buffer.h"
#include "http/codec.h"
#include "http/message.h"

namespace sluice::http::http1 {

// How a response is to be written besides what its headers say.
struct ResponseTerms {
  Protocol protocol = Protocol::kHttp11;  // of the client
  Tunnel tunnel = Tunnel::kNone;          // what the request asked for
  bool to_head = false;                   // the request was HEAD
  bool keep_alive = true;
};

// One message at a time: a head, then data, then perhaps trailers. Owned by its codec. Thread: worker.
class MessageWriter {
 public:
  explicit MessageWriter(const CodecOptions& options) : options_(options) {}

  void write_request(const RequestHeaders& headers, End end, buffer::Buffer& out);
  void write_response(const ResponseHeaders& headers, End end, const ResponseTerms& terms, buffer::Buffer& out);
  // A whole message of its own: 1xx but 101.
  void write_interim(const ResponseHeaders& headers, buffer::Buffer& out);
  // Takes all of `data`.
  void write_data(buffer::Buffer& data, End end, buffer::Buffer& out);
  void write_trailers(const HeaderMap& trailers, buffer::Buffer& out);

  void start() {
    body_ = Body::kBefore;
    intact_ = true;
  }
  bool begun() const { return body_ != Body::kBefore; }
  bool complete() const { return body_ == Body::kDone; }
  bool tunnel() const { return body_ == Body::kTunnel; }
  // What the fields of the last head, or trailer section, took.
  uint32_t field_bytes() const { return field_bytes_; }
  // The head did not promise more or fewer bytes than the body had, and the end of the message shows.
  bool intact() const { return intact_; }

  // Up to that size a body is copied behind its head, so that both leave in one piece: cheaper than a second
  // fragment (measured equal at 16 KiB).
  static constexpr size_t kCopyBelow = 8 * 1024;

 private:
  enum class Body : uint8_t {
    kBefore,  // no head was written
    kNone,    // nothing follows the head: what comes is dropped
    kLength,
    kChunked,
    kUntilClose,
    kTunnel,
    kDone,
  };
  // What a head says about its body.
  struct Framing {
    Body body = Body::kNone;
    uint64_t length = 0;
    bool own_length = false;     // the map's Content-Length is written as it stands
    bool write_zero = false;     // `content-length: 0`
    bool write_chunked = false;  // `transfer-encoding: chunked`, also in an answer to HEAD
  };
  static Framing frame_request(const RequestHeaders& headers, End end);
  static Framing frame_response(const ResponseHeaders& headers, End end, const ResponseTerms& terms);
  static Framing frame_body(const HeaderMap& fields, End end);
  void begin(const Framing& framing, End end);
  void write_length(buffer::Buffer& data, End end, buffer::Buffer& out);
  void write_chunk(buffer::Buffer& data, End end, buffer::Buffer& out);

  const CodecOptions& options_;
  Body body_ = Body::kBefore;
  bool intact_ = true;
  uint32_t field_bytes_ = 0;
  uint64_t left_ = 0;  // of kLength
};

}  // namespace sluice::http::http1
