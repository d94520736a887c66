// HeadOut: the text of one head on its way into a buffer: one piece of memory when it fits, which it does unless it is
// very long.
#pragma once

#include <cstring>
#include <string_view>

#include "buffer/buffer.h"
#include "http/codec.h"
#include "http/header_map.h"
#include "http/token_set.h"

namespace sluice::http::http1 {

// Lives while a head is written. Thread: worker.
class HeadOut {
 public:
  // At most `bound` bytes will be added; room for `behind` more is made in the same piece if possible.
  HeadOut(size_t bound, size_t behind, buffer::Buffer& out) : out_(out) {
    if (bound <= kLargestPiece) {
      at_ = start_ = out.reserve(bound + behind <= kLargestPiece ? bound + behind : bound);
    }
  }
  ~HeadOut() {
    if (start_ != nullptr) {
      out_.commit(static_cast<size_t>(at_ - start_));
    }
  }
  HeadOut(const HeadOut&) = delete;
  HeadOut& operator=(const HeadOut&) = delete;

  void add(std::string_view text) { add(text.data(), text.size()); }
  void add(const char* text, size_t bytes) {
    if (bytes == 0) {
      return;
    }
    if (start_ != nullptr) {
      copy(at_, text, bytes);
      at_ += bytes;
    } else {
      out_.append_copy({text, bytes});
    }
  }

  // A field name in the case that is asked for.
  void add_name(std::string_view name, CodecOptions::Case header_case);
  void add_line(std::string_view name, std::string_view value, CodecOptions::Case header_case) {
    add_name(name, header_case);
    add(": ");
    add(value);
    add("\r\n");
  }
  // All fields but those in `skip`, and but those that HTTP/1 cannot carry.
  void add_fields(const HeaderMap& fields, const TokenSet& skip, CodecOptions::Case header_case);

  // A generous bound for what add_fields() adds.
  static size_t bound_of(const HeaderMap& fields) { return fields.byte_size() + 4 * fields.size(); }

 private:
  // Most pieces are short: two moves that overlap cost less than a call.
  static void copy(char* to, const char* from, size_t bytes) {
    if (bytes > 32) {
      std::memcpy(to, from, bytes);
    } else if (bytes >= 16) {
      copy_ends<16>(to, from, bytes);
    } else if (bytes >= 8) {
      copy_ends<8>(to, from, bytes);
    } else if (bytes >= 4) {
      copy_ends<4>(to, from, bytes);
    } else {
      to[0] = from[0];
      to[bytes / 2] = from[bytes / 2];
      to[bytes - 1] = from[bytes - 1];
    }
  }
  template <size_t N>
  static void copy_ends(char* to, const char* from, size_t bytes) {
    char last[N];
    std::memcpy(last, from + bytes - N, N);
    std::memcpy(to, from, N);
    std::memcpy(to + bytes - N, last, N);
  }

  static constexpr size_t kLargestPiece = buffer::SlabPool::kLarge / 2;
  void add_respelt(const HeaderMap& fields, const TokenSet& skip, CodecOptions::Case header_case);

  buffer::Buffer& out_;
  char* start_ = nullptr;
  char* at_ = nullptr;
};

}  // namespace sluice::http::http1
