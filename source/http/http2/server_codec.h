// Http2ServerCodec: HTTP/2 as a server speaks it (RFC 9113). What encode_*() is given waits in the session until
// flush(), which its connection calls once at the end of a dispatch.
#pragma once

#include "http/http2/session.h"

namespace sluice::http::http2 {

// What only a connection with many streams has to hear.
class Http2ServerEvents : public ServerEvents {
 public:
  // The bytes of the stream's response that are not sent are above their mark, or have room again.
  virtual void on_stream_full(StreamId stream, bool full) = 0;
  virtual void on_ping_ack() = 0;
  // Both messages are complete and sent, and nobody had reset the stream before: what it took.
  virtual void on_complete(StreamId, const ByteMeter&) {}

 protected:
  ~Http2ServerEvents() = default;
};

// Owned by its connection. Thread: worker.
class Http2ServerCodec final : public ServerCodec, private SessionOwner {
 public:
  // All outlive the codec.
  Http2ServerCodec(const CodecOptions& options, const Http2Options& http2, size_t stream_limit, Session::Stats stats,
                   Http2ServerEvents& events, buffer::SlabPool& slabs)
      : events_(events), session_(Side::kServer, options, http2, stream_limit, stats, slabs, *this) {}

  Decoded decode(buffer::Buffer& in) override;
  bool ready() const override { return true; }
  void encode_interim(StreamId stream, const ResponseHeaders& headers, buffer::Buffer& out) override;
  void encode_headers(StreamId stream, const ResponseHeaders& headers, End end, buffer::Buffer& out) override;
  void encode_data(StreamId stream, buffer::Buffer& data, End end, buffer::Buffer& out) override;
  void encode_trailers(StreamId stream, const HeaderMap& trailers, buffer::Buffer& out) override;
  void reset(StreamId stream, buffer::Buffer& out) override;
  void start_drain(buffer::Buffer&) override { session_.announce_goaway(); }
  bool keep_alive() const override { return !session_.failed(); }
  Protocol protocol() const override { return Protocol::kHttp2; }
  ByteMeter bytes(StreamId stream) override;

  // ---- of HTTP/2 alone
  // Writes what may be sent behind `out`. kFailed: the connection cannot go on, on_error() was called.
  Decoded flush(buffer::Buffer& out);
  void sent(size_t waiting) { session_.sent(waiting); }
  // No stream after those that came already.
  void finish_drain() { session_.send_goaway(); }
  void ping() { session_.ping(); }
  // Takes nothing more, and tells nothing more: the connection closes.
  void abandon() {
    told_ = true;
    session_.abandon();
  }
  uint32_t streams() const { return session_.streams(); }
  // It said GOAWAY: when its streams are done, nothing follows.
  bool peer_leaves() const { return peer_leaves_; }
  // Stops and opens the window of one stream.
  void pause(StreamId stream);
  void resume(StreamId stream);
  // What waits for windows.
  size_t unsent(StreamId stream);
  void*& user(StreamId stream) { return session_.find(stream)->user; }
  void* find_user(StreamId stream) {
    const Stream* found = session_.find(stream);
    return found == nullptr ? nullptr : found->user;
  }

 private:
  // SessionOwner
  Arena& on_head_begin(Stream& stream) override { return events_.on_begin(stream.id); }
  void on_head(Stream& stream, HeadReader& reader, End end) override;
  void on_data(Stream& stream, buffer::Buffer& data, End end) override { events_.on_data(stream.id, data, end); }
  void on_trailers(Stream& stream, HeaderMap& trailers) override { events_.on_trailers(stream.id, trailers); }
  void on_stream_reset(Stream& stream, const StreamReset& reset) override { events_.on_reset(stream.id, reset); }
  void on_stream_complete(Stream& stream) override { events_.on_complete(stream.id, stream.bytes); }
  void on_stream_full(Stream& stream) override { events_.on_stream_full(stream.id, stream.full); }
  void on_goaway() override { peer_leaves_ = true; }
  void on_settings() override {}
  void on_ping_ack() override { events_.on_ping_ack(); }

  Decoded fail();

  Http2ServerEvents& events_;
  Session session_;
  bool peer_leaves_ = false;
  bool told_ = false;  // on_error() was called
};

}  // namespace sluice::http::http2
