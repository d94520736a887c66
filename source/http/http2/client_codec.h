// Http2ClientCodec: HTTP/2 as a client speaks it (RFC 9113): many requests on one connection. What encode_*() is given
// waits in the session until flush(), which its connection calls once at the end of a dispatch.
#pragma once

#include "http/http2/session.h"

namespace sluice::http::http2 {

// What only a connection with many streams has to hear.
class Http2ClientEvents : public ClientEvents {
 public:
  // The bytes of the stream's request that are not sent are above their mark, or have room again.
  virtual void on_stream_full(StreamId stream, bool full) = 0;
  // The peer takes no further streams. Those that it did not take end as refused.
  virtual void on_goaway() = 0;
  // The peer's settings came: stream_limit() may be another one.
  virtual void on_settings() = 0;
  virtual void on_ping_ack() = 0;

 protected:
  ~Http2ClientEvents() = default;
};

// Owned by its connection. Thread: worker.
class Http2ClientCodec final : public ClientCodec, private SessionOwner {
 public:
  // All outlive the codec.
  Http2ClientCodec(const CodecOptions& options, const Http2Options& http2, size_t stream_limit, Session::Stats stats,
                   Http2ClientEvents& events, buffer::SlabPool& slabs)
      : events_(events), session_(Side::kClient, options, http2, stream_limit, stats, slabs, *this) {}

  Decoded decode(buffer::Buffer& in) override;
  // Streams in flight fail with their connection.
  void decode_eof() override {}
  // 0: no further stream can be opened here.
  StreamId encode_headers(const RequestHeaders& headers, End end, buffer::Buffer& out) override;
  void encode_data(StreamId stream, buffer::Buffer& data, End end, buffer::Buffer& out) override;
  void encode_trailers(StreamId stream, const HeaderMap& trailers, buffer::Buffer& out) override;
  void reset(StreamId stream, buffer::Buffer& out) override;
  bool reusable() const override { return session_.can_open(); }
  Protocol protocol() const override { return Protocol::kHttp2; }
  ByteMeter bytes(StreamId stream) override;

  // ---- of HTTP/2 alone
  // Writes what may be sent behind `out`. kFailed: the connection cannot go on, on_error() was called.
  Decoded flush(buffer::Buffer& out);
  void sent(size_t waiting) { session_.sent(waiting); }
  // How many streams the peer takes at once.
  uint32_t stream_limit() const { return session_.peer_max_streams(); }
  void goaway() { session_.send_goaway(); }
  void ping() { session_.ping(); }
  // Takes nothing more, and tells nothing more: the connection closes.
  void abandon() {
    told_ = true;
    session_.abandon();
  }
  void pause(StreamId stream);
  void resume(StreamId stream);
  size_t unsent(StreamId stream);
  void set_user(StreamId stream, void* user);
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
  void on_stream_full(Stream& stream) override { events_.on_stream_full(stream.id, stream.full); }
  void on_goaway() override { events_.on_goaway(); }
  void on_settings() override { events_.on_settings(); }
  void on_ping_ack() override { events_.on_ping_ack(); }

  Decoded fail();

  Http2ClientEvents& events_;
  Session session_;
  bool told_ = false;  // on_error() was called
};

}  // namespace sluice::http::http2
