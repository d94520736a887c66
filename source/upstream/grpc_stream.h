// GrpcStream: a gRPC call of the proxy itself over the pools of a cluster.
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
#include "upstream/grpc_call.h"

namespace sluice::upstream {

// Ends with its owner: `GrpcStreamPtr`. Thread: worker or main.
class GrpcStream final : public event::Deferred, public GrpcCall, private CallUser {
 public:
  // `path`: "/package.Service/Method". A message of the peer above `max_message` bytes ends the stream.
  GrpcStream(WorkerLocal& local, GrpcUser& user, std::string_view path, const CallOptions& options, size_t max_message);

  // Metadata and an authority may be added before start().
  http::RequestHeaders& headers() { return call_->headers(); }
  void start(Cluster* cluster);
  // GrpcCall
  void send(std::string_view message) override;
  void finish() override;
  bool connected() const override { return call_ != nullptr ? call_->had_stream() : connected_; }
  size_t queued() const override { return user_ == nullptr ? 0 : call_->queued(); }
  void let_go() override;

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
