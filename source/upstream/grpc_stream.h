// GrpcStream: a gRPC call of the proxy itself: messages both ways, and a status at the end.
// https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "http/grpc.h"
#include "upstream/call.h"

namespace sluice::upstream {

// Never called inside start() and send(); the stream may be let go inside. Thread: its stream's.
class GrpcUser {
 public:
  // One message, whole; the bytes live as long as the call.
  virtual void on_grpc_message(std::string_view message) = 0;
  // The last call: what the peer said (grpc-status and grpc-message, or an HTTP status mapped to one), or what went
  // wrong on the way (UNAVAILABLE, DEADLINE_EXCEEDED, INTERNAL, RESOURCE_EXHAUSTED).
  virtual void on_grpc_end(uint32_t status, std::string_view message) = 0;

 protected:
  ~GrpcUser() = default;
};

// Ends with its owner: `GrpcStreamPtr`. Thread: worker or main.
class GrpcStream final : public event::Deferred, private CallUser {
 public:
  // `path`: "/package.Service/Method". A message of the peer above `max_message` bytes ends the stream.
  GrpcStream(WorkerLocal& local, GrpcUser& user, std::string_view path, const CallOptions& options, size_t max_message);

  // Metadata and an authority may be added before start().
  http::RequestHeaders& headers() { return call_->headers(); }
  void start(Cluster* cluster);
  // One message; kept while there is no stream yet.
  void send(std::string_view message);
  // What was sent has left, or may have: there is a connection, or was one.
  bool connected() const { return call_ != nullptr ? call_->had_stream() : connected_; }
  // Bytes of messages that did not leave for the connection yet.
  size_t queued() const { return user_ == nullptr ? 0 : call_->queued(); }
  // We send no more messages.
  void finish();
  // For GrpcStreamPtr.
  void let_go();

 private:
  // CallUser
  void on_call_headers(http::ResponseHeaders& headers, http::End end) override;
  void on_call_data(buffer::Buffer& data, http::End end) override;
  void on_call_trailers(http::HeaderMap& trailers) override;
  void on_call_failed(const CallFailure& failure) override;

  // By what the peer said last.
  void ended_with(const http::HeaderMap& fields);
  // Nothing may be touched after it but the call stack's own.
  void end(uint32_t status, std::string_view message);

  event::Loop& loop_;
  GrpcUser* user_;  // null: let go, or told the end
  CallPtr call_;
  bool connected_ = false;  // when the call went
  http::GrpcDecoder decoder_;
};

using GrpcStreamPtr = std::unique_ptr<GrpcStream, LetGo>;

}  // namespace sluice::upstream
