// Attempt: one try of an exchange against one host.
#pragma once

#include <string_view>

#include "buffer/buffer.h"
#include "proxy/exchange.h"
#include "upstream/pool.h"
#include "upstream/stream.h"

namespace sluice::filters::router {

class Attempt;

// The router, as its attempt sees it. Every attempt ends in one response with End::kYes, or in one on_failed().
class AttemptOwner {
 public:
  virtual void on_headers(Attempt& attempt, http::ResponseHeaders& headers, http::End end) = 0;
  virtual void on_data(Attempt& attempt, buffer::Buffer& data, http::End end) = 0;
  virtual void on_trailers(Attempt& attempt, http::HeaderMap& trailers) = 0;
  virtual void on_failed(Attempt& attempt, upstream::ResetReason reason, std::string_view details) = 0;

 protected:
  ~AttemptOwner() = default;
};

// Keeps request bytes only until it has a stream. Lives in the exchange's arena. Thread: worker.
class Attempt final : private upstream::PoolRequest, private upstream::StreamUser {
 public:
  Attempt(AttemptOwner& owner, proxy::Exchange& exchange) : owner_(owner), exchange_(exchange), waiting_(exchange.local().slabs) {}

  void start(upstream::Pool& pool, uint8_t priority, http::End end);
  void send_data(buffer::Buffer& data, http::End end);
  void send_trailers(const http::HeaderMap& trailers);
  // Gives up; the owner hears nothing more.
  void reset();
  // Stops and starts reading the response.
  void pause_response(bool pause);
  size_t request_room() const;
  // The response has begun.
  bool answered() const { return answered_; }

 private:
  // upstream::PoolRequest
  void on_stream(upstream::UpstreamStream& stream) override;
  void on_no_stream(upstream::ResetReason reason, std::string_view details) override;
  upstream::StreamUser& user() override { return *this; }
  // upstream::StreamUser
  Arena& response_arena() override { return exchange_.arena(); }
  void on_interim(http::ResponseHeaders& headers) override;
  void on_response_headers(http::ResponseHeaders& headers, http::End end) override;
  void on_response_data(buffer::Buffer& data, http::End end) override;
  void on_response_trailers(http::HeaderMap& trailers) override;
  void on_stream_reset(upstream::ResetReason reason, std::string_view details) override;
  void on_request_full(bool full) override;
  size_t response_room() const override { return exchange_.response_room(); }

  void sent_all();

  AttemptOwner& owner_;
  proxy::Exchange& exchange_;
  upstream::UpstreamStream* stream_ = nullptr;
  buffer::Buffer waiting_;  // body that came before the stream
  const http::HeaderMap* waiting_trailers_ = nullptr;
  http::End end_ = http::End::kNo;  // of the headers, then of waiting_
  bool headers_only_ = false;
  bool answered_ = false;
  bool interim_seen_ = false;
  bool over_ = false;
};

}  // namespace sluice::filters::router
