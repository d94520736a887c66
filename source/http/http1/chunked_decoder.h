// The chunked transfer coding (RFC 9112 7.1), strictly: hexadecimal sizes of at most 16 digits and below 2^63, lines
// ended by CRLF and nothing else, extensions of the right grammar, which are skipped and bounded.
#pragma once

#include <cstdint>

#include "buffer/buffer.h"

namespace sluice::http::http1 {

// Decodes up to and with the line of the last chunk; the trailer section behind it is read as lines
// (section_reader.h). Owned by its body reader. Thread: worker.
class ChunkedDecoder {
 public:
  enum class Status : uint8_t {
    kMore,  // all of `in` was taken
    kLast,  // the line of the last chunk is over
    kBad,
  };

  void start() { *this = ChunkedDecoder(); }
  // Moves the bytes of chunks from `in` to the end of `data`.
  Status decode(buffer::Buffer& in, buffer::Buffer& data);

 private:
  enum class State : uint8_t {
    kSize,       // digits
    kAfterSize,  // blanks, which only an extension may follow
    kNameStart,  // behind ';': blanks, then the name of an extension
    kName,
    kAfterName,   // blanks, then '=' or ';' or the end
    kValueStart,  // behind '=': blanks, then a token or a quoted string
    kValue,
    kQuoted,
    kEscaped,     // behind '\' in a quoted string
    kAfterValue,  // blanks, which only a further extension may follow; or the end
    kLineFeed,    // behind the CR of a size line
    kData,
    kDataReturn,  // CR, LF behind the data
    kDataLineFeed,
    kBad,
  };
  // The state that byte `c` of a size line leads to.
  State next(char c);
  State size_digit(char c);
  void end_line();

  // What size lines cost beyond the data they announce. One that grows without end is an attack on our time.
  static constexpr int32_t kMaxExcess = 16 * 1024;

  // Sixteen bytes: every idle connection holds them.
  State state_ = State::kSize;
  uint8_t digits_ = 0;
  uint16_t line_ = 0;   // bytes of the current size line, at most kMaxExcess and one
  int32_t excess_ = 0;  // at most twice kMaxExcess
  uint64_t left_ = 0;   // size being read, then data bytes to come
};

}  // namespace sluice::http::http1
