// RequestCheckSession: what health checks by requests have in common: HTTP/1 or HTTP/2 on a connection of their own.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/arena.h"
#include "buffer/buffer.h"
#include "http/codec.h"
#include "http/http2/client_codec.h"
#include "upstream/check_pipe.h"
#include "upstream/health_checker.h"

namespace sluice::upstream {

// A kind of check makes the request and judges the answer. Thread: main.
class RequestCheckSession : public CheckSession, private CheckPipeUser, private http::http2::Http2ClientEvents {
 public:
  ~RequestCheckSession() override;

 protected:
  enum class Codec : uint8_t { kHttp1, kHttp2 };
  // No more than `max_body` bytes of an answer are kept.
  RequestCheckSession(HealthChecker& checker, std::shared_ptr<Host> host, Codec codec, size_t max_body);

  // Fills the head and returns the body, which stays until the answer came.
  virtual std::string_view make_request(http::RequestHeaders& request) = 0;
  // The answer is whole.
  virtual void judge() = 0;

  // Of the endpoint, of the check, or the cluster's name.
  std::string_view authority_or(const std::string& of_check) const;
  // What the configuration adds and removes. Of a connection there is only the one to the host: it stands for the
  // client's, too.
  void apply(const model::HeaderRules& rules, http::RequestHeaders& request) const;
  const http::ResponseHeaders& response() const { return *response_; }
  const http::HeaderMap* trailers() const { return trailers_; }
  std::string_view body() const { return body_; }

 private:
  // CheckSession
  void begin_check() override;
  void give_up_check() override { close(); }
  // CheckPipeUser
  void on_pipe_open() override;
  void on_pipe_failed() override { lost(); }
  void on_pipe_data(buffer::Buffer& in) override;
  void on_pipe_read(Peer peer) override;
  // http::http2::Http2ClientEvents
  Arena& on_begin(http::StreamId stream) override;
  void on_interim(http::StreamId, http::ResponseHeaders&) override {}
  void on_headers(http::StreamId stream, http::ResponseHeaders& headers, http::End end) override;
  void on_data(http::StreamId stream, buffer::Buffer& data, http::End end) override;
  void on_trailers(http::StreamId stream, http::HeaderMap& trailers) override;
  void on_reset(http::StreamId, const http::StreamReset&) override { broken_ = true; }
  void on_error(http::StreamId, const http::CodecError&) override { broken_ = true; }
  void on_stream_full(http::StreamId, bool) override {}
  void on_goaway() override {}
  void on_settings() override {}
  void on_ping_ack() override {}

  void send();
  void write();
  void close();
  // The connection cannot be used any more.
  void lost();

  const Codec kind_;
  const size_t max_body_;
  http::CodecOptions options_;
  stats::BlockId http2_stats_;  // valid with HTTP/2
  CheckPipe pipe_;
  Arena arena_;                               // of the current check
  std::unique_ptr<http::ClientCodec> codec_;  // null: not connected
  http::http2::Http2ClientCodec* http2_ = nullptr;
  const http::ResponseHeaders* response_ = nullptr;
  const http::HeaderMap* trailers_ = nullptr;
  std::string body_;
  bool complete_ = false;
  bool broken_ = false;
};

}  // namespace sluice::upstream
