// GrpcCall: a gRPC call of the proxy itself: messages both ways, and a status at the end. Over our own pools
// (upstream/grpc_stream.h), or by gRPC's library (upstream/google_grpc.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "upstream/call.h"

namespace sluice::upstream {

// Never called while a call is made or sent on; the call may be let go inside. Thread: its call's.
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

// Ends with its owner: `GrpcCallPtr`. Thread: worker or main.
class GrpcCall {
 public:
  // One message; kept while there is no stream yet.
  virtual void send(std::string_view message) = 0;
  // We send no more messages.
  virtual void finish() = 0;
  // What was sent has left, or may have: there is a connection, or was one.
  virtual bool connected() const = 0;
  // Bytes of messages that did not leave for the connection yet.
  virtual size_t queued() const = 0;
  // For GrpcCallPtr.
  virtual void let_go() = 0;

 protected:
  ~GrpcCall() = default;
};

using GrpcCallPtr = std::unique_ptr<GrpcCall, LetGo>;

}  // namespace sluice::upstream
