// BodyReader: the body of one message, by the framing that its head chose (RFC 9112 6), and its trailer section.
#pragma once

#include <cstdint>

#include "buffer/buffer.h"
#include "http/codec.h"
#include "http/http1/chunked_decoder.h"
#include "http/http1/fault.h"
#include "http/http1/section_reader.h"

namespace sluice::http::http1 {

// Owned by its codec, which starts it for each message. Thread: worker.
class BodyReader {
 public:
  explicit BodyReader(SectionReader& sections) : sections_(sections) {}

  void start_length(uint64_t bytes) {
    framing_ = Framing::kLength;
    left_ = bytes;
  }
  void start_chunked() {
    framing_ = Framing::kChunked;
    chunks_.start();
  }
  void start_until_close() { framing_ = Framing::kUntilClose; }

  // The usual case of a body with a length: all that is in `in` belongs to it, and counts as read.
  bool take_all(const buffer::Buffer& in, End& end) {
    if (framing_ != Framing::kLength || in.size() > left_) {
      return false;
    }
    left_ -= in.size();
    end = left_ == 0 ? End::kYes : End::kNo;
    return true;
  }

  enum class Status : uint8_t {
    kMore,      // all of `in` was taken
    kEnd,       // the message is complete
    kTrailers,  // it is, and trailers() has something
    kFault,
  };
  // Moves body bytes from `in` to `data`. Trailers are made in `arena`, unless the options drop them.
  Status read(buffer::Buffer& in, buffer::Buffer& data, Arena& arena);
  HeaderMap* trailers() { return trailers_; }
  // What their fields took.
  uint64_t trailer_bytes() const { return trailer_bytes_; }
  Fault fault() const { return fault_; }
  bool until_close() const { return framing_ == Framing::kUntilClose; }

 private:
  enum class Framing : uint8_t { kLength, kChunked, kTrailers, kUntilClose };
  Status read_trailers(buffer::Buffer& in, Arena& arena);
  Fault parse_trailers(const LineEnds& lines, Arena& arena);
  Status fail(Fault fault) {
    fault_ = fault;
    return Status::kFault;
  }

  SectionReader& sections_;
  Framing framing_ = Framing::kLength;
  Fault fault_ = Fault::kNone;
  uint64_t left_ = 0;
  ChunkedDecoder chunks_;
  HeaderMap* trailers_ = nullptr;
  uint64_t trailer_bytes_ = 0;
};

// Whether a field may not stand in a trailer section: it frames, routes, or authenticates the message, or concerns
// one connection (RFC 9110 6.5.1).
constexpr bool forbidden_in_trailers(Token token) {
  switch (token) {
    case Token::kAuthorization:
    case Token::kCacheControl:
    case Token::kConnection:
    case Token::kContentEncoding:
    case Token::kContentLength:
    case Token::kContentType:
    case Token::kCookie:
    case Token::kExpect:
    case Token::kHost:
    case Token::kHttp2Settings:
    case Token::kKeepAlive:
    case Token::kProxyConnection:
    case Token::kSetCookie:
    case Token::kTe:
    case Token::kTrailer:
    case Token::kTransferEncoding:
    case Token::kUpgrade:
      return true;
    default:
      return false;
  }
}

}  // namespace sluice::http::http1
