// ClosedStreams: whether a frame of a stream that is no more was sent before its sender could know, or breaks the
// protocol (RFC 9113 5.1).
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "http/codec.h"

namespace sluice::http::http2 {

// Part of its Session. Thread: worker.
class ClosedStreams {
 public:
  void on_opened(StreamId id) { highest_ = std::max(highest_, id); }
  // We ended it, and the peer may still be sending.
  void on_reset_by_us(StreamId id) {
    if (reset_.size() < kKept) {
      reset_.push_back(id);
    } else {
      forgotten_ = std::max(forgotten_, reset_[oldest_]);
      reset_[oldest_] = id;
      oldest_ = (oldest_ + 1) % kKept;
    }
  }
  // Whether a stream of that number was ever open, so that it is closed if it is not there.
  bool passed(StreamId id) const { return id <= highest_; }
  // Of a stream that was reset so long ago that nobody remembers it, too.
  bool may_be_late(StreamId id) const {
    return id <= forgotten_ || std::find(reset_.begin(), reset_.end(), id) != reset_.end();
  }

 private:
  static constexpr size_t kKept = 64;

  StreamId highest_ = 0;
  StreamId forgotten_ = 0;  // the highest one that had to make room
  std::vector<StreamId> reset_;
  size_t oldest_ = 0;
};

}  // namespace sluice::http::http2
