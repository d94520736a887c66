// HttpCheckSession: health checks by HTTP/1 requests, on a connection of their own that is kept between them.
#pragma once

#include <memory>
#include <string>

#include "base/arena.h"
#include "buffer/buffer.h"
#include "http/codec.h"
#include "http/http1/client_codec.h"
#include "net/transport.h"
#include "upstream/health_checker.h"

namespace sluice::upstream {

// Thread: main.
class HttpCheckSession final : public CheckSession, private net::TransportHandler, private http::ClientEvents {
 public:
  HttpCheckSession(HealthChecker& checker, std::shared_ptr<Host> host);
  ~HttpCheckSession() override;

 private:
  // CheckSession
  void begin_check() override;
  void give_up_check() override;
  // net::TransportHandler
  void on_ready(net::Ready ready) override;
  // http::ClientEvents
  Arena& on_begin(http::StreamId stream) override;
  void on_interim(http::StreamId, http::ResponseHeaders&) override {}
  void on_headers(http::StreamId stream, http::ResponseHeaders& headers, http::End end) override;
  void on_data(http::StreamId stream, buffer::Buffer& data, http::End end) override;
  void on_trailers(http::StreamId, http::HeaderMap&) override { complete_ = true; }
  void on_reset(http::StreamId, const http::StreamReset&) override { broken_ = true; }
  void on_error(http::StreamId, const http::CodecError&) override { broken_ = true; }

  void connect();
  void close();
  void send();
  void write();
  void read();
  // The connection cannot be used any more.
  void lost();
  void judge();

  const model::HttpCheck& check_;
  const http::CodecOptions options_;
  std::unique_ptr<net::Transport> transport_;  // null: not connected
  std::unique_ptr<http::http1::Http1ClientCodec> codec_;
  Arena arena_;  // of the current check
  buffer::Buffer in_, out_;
  const http::ResponseHeaders* response_ = nullptr;
  std::string body_;
  bool connected_ = false;
  bool complete_ = false;
  bool broken_ = false;
};

}  // namespace sluice::upstream
