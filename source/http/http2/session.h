// Session: an nghttp2 session, as both codecs see it. nghttp2 knows frames, HPACK, windows and the rules of messages;
// everything that it would have to be asked about time, floods and limits is here. Sans-io.
#pragma once

#include <nghttp2/nghttp2.h>

#include <cstdint>
#include <memory>
#include <string_view>

#include "buffer/buffer.h"
#include "http/codec.h"
#include "http/http2/closed_streams.h"
#include "http/http2/flood_guard.h"
#include "http/http2/frame_heads.h"
#include "http/http2/head_reader.h"
#include "http/http2/stream.h"
#include "http/http2_options.h"

namespace sluice::http::http2 {

enum class Side : uint8_t { kServer, kClient };

// What a session cannot continue after; details as of CodecError.
inline constexpr std::string_view kInvalidField = "http2.invalid.header.field";
inline constexpr std::string_view kInvalidMessage = "http2.violation.of.messaging.rule";
inline constexpr std::string_view kRemoteReset = "http2.remote_reset";
inline constexpr std::string_view kCodecFailed = "codec_error:The_user_callback_function_failed";
inline constexpr std::string_view kGoawaySent = "http2.protocol_error";

// The codec behind a session. Nothing is called for a stream that was released.
class SessionOwner {
 public:
  // A request of the peer, or a response, begins; its texts will stand in the arena.
  virtual Arena& on_head_begin(Stream& stream) = 0;
  virtual void on_head(Stream& stream, HeadReader& reader, End end) = 0;
  virtual void on_data(Stream& stream, buffer::Buffer& data, End end) = 0;
  virtual void on_trailers(Stream& stream, HeaderMap& trailers) = 0;
  // Before both messages were complete.
  virtual void on_stream_reset(Stream& stream, const StreamReset& reset) = 0;
  // Both messages are complete, and all of them is sent: the stream goes.
  virtual void on_stream_complete(Stream&) {}
  // `pending` rose above its mark, or fell to half of it.
  virtual void on_stream_full(Stream& stream) = 0;
  virtual void on_goaway() = 0;
  virtual void on_settings() = 0;
  virtual void on_ping_ack() = 0;

 protected:
  ~SessionOwner() = default;
};

// Part of its codec. Thread: worker.
class Session {
 public:
  using Stats = stats::Block<stats::Http2Stat>;

  // All outlive the session. `stream_limit`: the mark of a stream's unsent bytes.
  Session(Side side, const CodecOptions& options, const Http2Options& http2, size_t stream_limit, Stats stats,
          buffer::SlabPool& slabs, SessionOwner& owner);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Consumes all of `in`. False: the session is broken, failure() says why; nothing is fed to it any more.
  bool receive(buffer::Buffer& in);
  // Writes what may be sent now behind `out`. False: too much waits unread; the session is broken.
  bool flush(buffer::Buffer& out);
  // So many bytes of what was flushed have not left.
  void sent(size_t waiting) { guard_.sent(waiting); }
  bool failed() const { return failed_; }
  // Nothing more comes in or goes out.
  void abandon() { fail("http2.abandoned"); }
  std::string_view failure() const { return failure_; }

  Stream* find(StreamId id);
  // Null: this connection can open no more streams.
  Stream* submit_request(const RequestHeaders& headers, End end);
  void submit_interim(Stream& stream, const ResponseHeaders& headers);
  void submit_response(Stream& stream, const ResponseHeaders& headers, End end);
  // Moves all of `data`.
  void submit_data(Stream& stream, buffer::Buffer& data, End end);
  void submit_trailers(Stream& stream, const HeaderMap& trailers);
  // The user hears nothing more. What is complete still leaves, and the rest is reset with `code`.
  void release(Stream& stream, uint32_t code);
  // Resets the stream now; its user is told, unless it was released.
  void reset(Stream& stream, uint32_t code);
  // The user takes no more for now: the stream's window stays as it is until resume().
  void pause(Stream& stream) { stream.paused = true; }
  void resume(Stream& stream);

  // GOAWAY: first with the highest number, then with the last stream that was taken.
  void announce_goaway();
  void send_goaway();
  void ping();
  uint32_t streams() const { return streams_; }
  // What the peer allows.
  uint32_t peer_max_streams() const;
  bool can_open() const;
  // Streams whose message was found to be wrong when the session failed.
  template <typename Visit>
  void for_each_fault(Visit&& visit) {
    for (Stream* stream = all_.front(); stream != nullptr;) {
      Stream* next = all_.next(*stream);
      if (!stream->fault.empty() && !stream->released) visit(*stream);
      stream = next;
    }
  }

 private:
  static constexpr size_t kFrameHead = 9;  // bytes
  struct Callbacks;                        // nghttp2's, in session_callbacks.cc

  static nghttp2_data_source_read_callback read_callback();
  void start();
  int on_begin_headers(const nghttp2_frame& frame);
  int on_header(const nghttp2_frame& frame, std::string_view name, std::string_view value);
  int on_frame(const nghttp2_frame& frame);
  int on_frame_head(const nghttp2_frame_hd& head);
  int on_invalid_frame(const nghttp2_frame& frame, int error);
  int on_message_fault(Stream* stream, std::string_view details);
  bool is_stray(StreamId id) const;
  void stop();
  int on_refused_field(Stream& stream, HeadReader::Status status);
  void on_chunk(StreamId id, std::string_view bytes);
  void on_closed(StreamId id, uint32_t code);
  void on_not_sent(const nghttp2_frame& frame);
  void close(Stream& stream, uint32_t code);
  void on_sent_frame(const nghttp2_frame& frame);
  void on_sent_frame_of(Stream& stream, const nghttp2_frame_hd& head);
  ssize_t provide(Stream& stream, size_t length, uint32_t& flags);
  void send_data(Stream& stream, const uint8_t* head, size_t length);

  void head_complete(Stream& stream, const nghttp2_frame& frame);
  void deliver(Stream& stream, End end);
  void consume(Stream& stream, size_t bytes);
  void unblock(Stream& stream);
  void open_tunnel(Stream& stream);
  void release_held();
  void on_window_reset(int32_t id);
  void touch(Stream& stream);
  void settle_touched();
  int fail(std::string_view failure);
  Stream* stream_of(StreamId id) const;
  Stream& open_stream(StreamId id);

  const Side side_;
  const CodecOptions& options_;
  const Http2Options& http2_;
  const size_t stream_limit_;
  Stats stats_;
  buffer::SlabPool& slabs_;
  SessionOwner& owner_;
  FloodGuard guard_;
  ClosedStreams closed_;
  FrameHeads heads_;
  HeadReader reader_;
  nghttp2_session* session_ = nullptr;
  buffer::Buffer* out_ = nullptr;  // while flush() runs
  Stream* receiving_ = nullptr;    // has bytes in `received`
  Stream* last_ = nullptr;         // found last
  IntrusiveList<Stream, InSession> all_;
  IntrusiveList<Stream, Touched> touched_;
  IntrusiveList<Stream, Opened> opened_;
  std::unique_ptr<Stream> spare_;  // memory of the stream that closed last
  buffer::Buffer consumed_;        // bodies may be views of it until the next flush
  std::string_view failure_;
  uint32_t streams_ = 0;
  bool failed_ = false;
  bool stopped_ = false;  // nothing more is taken in: GOAWAY has to leave, then it fails
  bool announced_ = false;
  bool goaway_sent_ = false;
};

}  // namespace sluice::http::http2
