// FrameHeads: cuts what comes in where DATA begins. nghttp2 says nothing of DATA that it ignores, so that somebody else has to
// look whether its stream is there.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "http/codec.h"

namespace sluice::http::http2 {

// Part of its Session. Thread: worker.
class FrameHeads {
 public:
  // So many bytes come before the first frame.
  explicit FrameHeads(size_t preface) : skip_(preface) {}

  struct Piece {
    size_t size;
    StreamId data_of;  // the first head in it is of DATA, of that stream; 0: it is not
  };
  // What to take from the front of `bytes`, which are not empty.
  Piece next(std::string_view bytes) {
    Piece out{0, 0};
    StreamId open = 0;  // DATA may follow in the same piece: nothing has ended its stream
    while (out.size < bytes.size()) {
      const size_t part = std::min(skip_, bytes.size() - out.size);
      skip_ -= part;
      out.size += part;
      const size_t missing = std::min(head_.size() - size_, bytes.size() - out.size);
      std::copy_n(bytes.data() + out.size, missing, head_.data() + size_);
      if (size_ + missing < head_.size()) {
        size_ += missing;
        out.size += missing;
        break;
      }
      if (head_[3] != 0) {
        open = 0;
      } else if (const StreamId id = number(5) & 0x7fffffff; id != open) {
        if (out.size > 0) break;
        out.data_of = open = id;
      }
      if ((head_[4] & 1) != 0) open = 0;
      skip_ = number(0) >> 8;
      size_ = 0;
      out.size += missing;
    }
    return out;
  }

 private:
  uint32_t number(size_t at) const {
    return uint32_t{head_[at]} << 24 | uint32_t{head_[at + 1]} << 16 | uint32_t{head_[at + 2]} << 8 | head_[at + 3];
  }

  size_t skip_;
  size_t size_ = 0;  // of the head, as far as it was taken
  std::array<unsigned char, 9> head_;
};

}  // namespace sluice::http::http2
