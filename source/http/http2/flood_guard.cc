#include "http/http2/flood_guard.h"

#include <algorithm>

namespace sluice::http::http2 {

using stats::Http2Stat;

FloodGuard::~FloodGuard() { sent(0); }

bool FloodGuard::on_payload(bool empty) {
  empty_ = empty ? empty_ + 1 : 0;
  if (empty_ <= options_.max_empty_frames) {
    return true;
  }
  stats_.inc(Http2Stat::kInboundEmptyFramesFlood);
  return false;
}

bool FloodGuard::on_priority() {
  if (++priorities_ <= uint64_t{options_.max_priority_frames_per_stream} * (1 + streams_)) {
    return true;
  }
  stats_.inc(Http2Stat::kInboundPriorityFramesFlood);
  return false;
}

bool FloodGuard::on_window_update() {
  const uint64_t for_data = data_frames_ * options_.max_window_updates_per_data_frame;
  if (++window_updates_ <= kFreeWindowUpdates + 2 * (streams_ + for_data)) {
    return true;
  }
  stats_.inc(Http2Stat::kInboundWindowUpdateFramesFlood);
  return false;
}

void FloodGuard::on_stream_closed() {
  --streams_;
  priorities_ -= std::min<uint64_t>(priorities_, options_.max_priority_frames_per_stream);
  window_updates_ -= std::min<uint64_t>(window_updates_, 2);
}

bool FloodGuard::on_flushed(size_t appended, size_t waiting) {
  written_ += appended;
  sent(waiting);
  if (frames_ > 0 && waiting > 0) {
    marks_.push_back({written_, frames_, control_});
    waiting_frames_ += frames_;
    waiting_control_ += control_;
    stats_.add(Http2Stat::kOutboundFramesActive, frames_);
    if (control_ > 0) stats_.add(Http2Stat::kOutboundControlFramesActive, control_);
  }
  frames_ = control_ = 0;
  if (waiting_control_ > options_.max_outbound_control_frames) {
    stats_.inc(Http2Stat::kOutboundControlFlood);
    return false;
  }
  if (waiting_frames_ > options_.max_outbound_frames) {
    stats_.inc(Http2Stat::kOutboundFlood);
    return false;
  }
  return true;
}

void FloodGuard::sent(size_t waiting) {
  const uint64_t left = written_ - waiting;
  while (first_ < marks_.size() && marks_[first_].end <= left) {
    const Mark& mark = marks_[first_++];
    waiting_frames_ -= mark.frames;
    waiting_control_ -= mark.control;
    stats_.sub(Http2Stat::kOutboundFramesActive, mark.frames);
    if (mark.control > 0) stats_.sub(Http2Stat::kOutboundControlFramesActive, mark.control);
  }
  if (first_ == marks_.size()) {
    marks_.clear();
    first_ = 0;
  } else if (first_ >= 64 && first_ * 2 >= marks_.size()) {
    marks_.erase(marks_.begin(), marks_.begin() + static_cast<ptrdiff_t>(first_));
    first_ = 0;
  }
}

}  // namespace sluice::http::http2
