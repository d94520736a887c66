#include "http/grpc.h"

#include <algorithm>

#include "base/percent.h"
#include "base/strings.h"

namespace sluice::http {

namespace {

// A message of more bytes is not worth keeping its memory for the next one.
constexpr size_t kKeptCapacity = 64 * 1024;

}  // namespace

uint32_t grpc_status_of(uint16_t http_status) {
  switch (http_status) {
    case 400:
      return kGrpcInternal;
    case 401:
      return kGrpcUnauthenticated;
    case 403:
      return kGrpcPermissionDenied;
    case 404:
      return kGrpcUnimplemented;
    case 429:
    case 502:
    case 503:
    case 504:
      return kGrpcUnavailable;
    default:
      return kGrpcUnknown;
  }
}

std::optional<uint32_t> grpc_status_in(const HeaderMap& fields) {
  std::string_view text = fields.get(Token::kGrpcStatus);
  if (text.empty()) return std::nullopt;
  if (text.front() == '+') text.remove_prefix(1);
  return parse_number<uint32_t>(text).value_or(kGrpcNoNumber);
}

std::string grpc_message_in(const HeaderMap& fields) { return percent_decoded(fields.get(Token::kGrpcMessage)); }

GrpcPrefix grpc_prefix(uint32_t message_bytes) {
  return {{0, static_cast<char>(message_bytes >> 24), static_cast<char>(message_bytes >> 16),
           static_cast<char>(message_bytes >> 8), static_cast<char>(message_bytes)}};
}

GrpcDecoder::Found GrpcDecoder::next(buffer::Buffer& data) {
  if (whole_) {
    whole_ = false;
    prefix_size_ = 0;
    if (message_.capacity() > kKeptCapacity) {
      std::string().swap(message_);  // an assignment would keep the memory
    } else {
      message_.clear();
    }
  }
  if (prefix_size_ < sizeof prefix_) {
    const size_t took = data.copy_out(prefix_ + prefix_size_, sizeof prefix_ - prefix_size_);
    data.drain(took);
    prefix_size_ = static_cast<uint8_t>(prefix_size_ + took);
    if (prefix_size_ < sizeof prefix_) {
      return Found::kMore;
    }
    if (prefix_[0] != 0) {
      return Found::kCompressed;
    }
    missing_ = 0;
    for (int i = 1; i < 5; ++i) {
      missing_ = missing_ << 8 | static_cast<uint8_t>(prefix_[i]);
    }
    if (missing_ > max_message_) {
      return Found::kTooLong;
    }
  }
  while (missing_ > 0 && !data.empty()) {
    const std::string_view part = data.front().substr(0, missing_);
    message_.append(part);
    missing_ -= static_cast<uint32_t>(part.size());
    data.drain(part.size());
  }
  whole_ = missing_ == 0;
  return whole_ ? Found::kMessage : Found::kMore;
}

}  // namespace sluice::http
