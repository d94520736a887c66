// gRPC as it looks from inside HTTP: messages with a length before them, and how a call ended.
// https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "buffer/buffer.h"
#include "http/header_map.h"

namespace sluice::http {

// content-type is application/grpc or application/grpc+something; grpc-web is not gRPC.
inline bool is_grpc(const HeaderMap& fields) {
  constexpr std::string_view kGrpc = "application/grpc";
  const std::string_view type = fields.get(Token::kContentType);
  return type.starts_with(kGrpc) && (type.size() == kGrpc.size() || type[kGrpc.size()] == '+');
}

// Some of gRPC's numbers; others pass through as they are.
enum GrpcStatus : uint32_t {
  kGrpcOk = 0,
  kGrpcUnknown = 2,
  kGrpcDeadlineExceeded = 4,
  kGrpcPermissionDenied = 7,
  kGrpcResourceExhausted = 8,
  kGrpcUnimplemented = 12,
  kGrpcInternal = 13,
  kGrpcUnavailable = 14,
  kGrpcDataLoss = 15,
  kGrpcUnauthenticated = 16,
  kGrpcNoNumber = UINT32_MAX,  // not of gRPC: what stands there is no number, or none of 32 bits
};

// 400 INTERNAL, 401 UNAUTHENTICATED, 403 PERMISSION_DENIED, 404 UNIMPLEMENTED, 429, 502, 503, 504 UNAVAILABLE, else
// UNKNOWN.
uint32_t grpc_status_of(uint16_t http_status);
// grpc-status of trailers, or of the headers of an answer that has nothing else. A plus and zeros before the number do
// no harm. Nothing: none there, or an empty one.
std::optional<uint32_t> grpc_status_in(const HeaderMap& fields);
// grpc-message, its %XX resolved; what is no %XX stays as it is.
std::string grpc_message_in(const HeaderMap& fields);

// The five bytes before a message.
struct GrpcPrefix {
  char bytes[5];
  std::string_view view() const { return {bytes, sizeof bytes}; }
};
GrpcPrefix grpc_prefix(uint32_t message_bytes);

// Bytes to messages. Keeps no more than one message, and of that no more than came. Thread: its owner's.
class GrpcDecoder {
 public:
  explicit GrpcDecoder(size_t max_message) : max_message_(max_message) {}

  enum class Found : uint8_t {
    kMore,        // `data` is used up
    kMessage,     // message() is whole; call again for what is behind it
    kTooLong,     // a message above the limit
    kCompressed,  // nobody asked for that
  };
  // Takes from the front of `data`. After kTooLong and kCompressed nothing sensible follows.
  Found next(buffer::Buffer& data);
  // Valid until next().
  std::string_view message() const { return message_; }
  // The bytes so far end between two messages.
  bool at_boundary() const { return prefix_size_ == 0 || whole_; }

 private:
  const size_t max_message_;
  char prefix_[5];
  uint8_t prefix_size_ = 0;
  uint32_t missing_ = 0;  // of the message whose prefix is known
  bool whole_ = false;
  std::string message_;
};

}  // namespace sluice::http
