// FloodGuard: what a peer may send and leave unread without giving us work that is worth it. Counts frames; no clock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "http/http2_options.h"
#include "stats/names_http.h"

namespace sluice::http::http2 {

// Part of its Session. Thread: worker.
class FloodGuard {
 public:
  using Stats = stats::Block<stats::Http2Stat>;

  FloodGuard(const Http2Options& options, Stats& stats) : options_(options), stats_(stats) {}
  ~FloodGuard();
  FloodGuard(const FloodGuard&) = delete;
  FloodGuard& operator=(const FloodGuard&) = delete;

  // ---- what comes in. False: too much; the counter says so.
  bool on_payload(bool empty);  // of DATA, HEADERS, CONTINUATION that do not end their stream
  bool on_priority();
  bool on_window_update();
  void on_stream_opened() { ++streams_; }
  // What the stream was good for goes with it.
  void on_stream_closed();

  // ---- what goes out. A flush adds what it wrote, sent() takes away what left.
  void on_data_sent() {
    ++frames_;
    ++data_frames_;
  }
  void on_frame_sent(bool control) {
    ++frames_;
    control_ += control ? 1 : 0;
  }
  // So many bytes wait in the outbox after this flush. False: too many frames do.
  bool on_flushed(size_t appended, size_t waiting);
  void sent(size_t waiting);

 private:
  // The frames of one flush, gone when `end` bytes have left.
  struct Mark {
    uint64_t end;
    uint32_t frames;
    uint32_t control;
  };
  static constexpr uint32_t kFreeWindowUpdates = 5;

  const Http2Options& options_;
  Stats& stats_;
  uint32_t streams_ = 0;
  uint32_t empty_ = 0;
  uint64_t priorities_ = 0;
  uint64_t window_updates_ = 0;
  uint32_t frames_ = 0;  // since the last mark
  uint32_t control_ = 0;
  uint64_t written_ = 0;  // bytes, in all
  uint32_t waiting_frames_ = 0;
  uint32_t waiting_control_ = 0;
  uint64_t data_frames_ = 0;
  std::vector<Mark> marks_;  // from first_ on
  size_t first_ = 0;
};

}  // namespace sluice::http::http2
