#include "upstream/grpc_check.h"

#include "base/strings.h"
#include "format/facts.h"
#include "http/grpc.h"

namespace sluice::upstream {

using http::Token;

namespace {

constexpr size_t kMaxAnswer = 4096;
constexpr uint64_t kServing = 1;

void append_varint(std::string& out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
}

// False: cut short, or longer than a number can be.
bool take_varint(std::string_view& from, uint64_t& value) {
  value = 0;
  for (int shift = 0; shift < 64 && !from.empty(); shift += 7) {
    const auto byte = static_cast<uint8_t>(from.front());
    from.remove_prefix(1);
    value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

// HealthCheckRequest with its prefix.
std::string request_of(const std::string& service) {
  std::string message;
  if (!service.empty()) {
    message.push_back('\x0a');  // field 1, a text
    append_varint(message, service.size());
    message.append(service);
  }
  return cat(http::grpc_prefix(static_cast<uint32_t>(message.size())).view(), message);
}

}  // namespace

bool says_serving(std::string_view response) {
  uint64_t status = 0;
  while (!response.empty()) {
    uint64_t tag = 0;
    uint64_t value = 0;
    if (!take_varint(response, tag)) return false;
    size_t skip = 0;
    switch (tag & 7) {
      case 0:
        if (!take_varint(response, value)) return false;
        if (tag >> 3 == 1) status = value;
        break;
      case 1:
        skip = 8;
        break;
      case 2:
        if (!take_varint(response, value) || value > response.size()) return false;
        skip = value;
        break;
      case 5:
        skip = 4;
        break;
      default:
        return false;
    }
    if (skip > response.size()) return false;
    response.remove_prefix(skip);
  }
  return status == kServing;
}

GrpcCheckSession::GrpcCheckSession(HealthChecker& checker, std::shared_ptr<Host> host)
    : RequestCheckSession(checker, std::move(host), Codec::kHttp2, kMaxAnswer),
      check_(*checker.plan().grpc),
      message_(request_of(check_.service)) {}

std::string_view GrpcCheckSession::make_request(http::RequestHeaders& request) {
  request.method = "POST";
  request.path = "/grpc.health.v1.Health/Check";
  request.authority = authority_or(check_.authority);
  request.protocol = http::Protocol::kHttp2;
  request.fields.add(Token::kTe, "trailers");
  request.fields.add(Token::kContentType, "application/grpc");
  request.fields.add(Token::kUserAgent, "Envoy/HC");
  if (!check_.initial_metadata.empty()) {
    format::Facts facts;
    facts.start_wall = checker().local().loop.wall_now();
    facts.start = checker().local().loop.now();
    facts.request = &request;
    check_.initial_metadata.apply(request, facts);
  }
  request.fields.set_copy(Token::kGrpcTimeout, cat(to_ms(checker().plan().timeout), "m"));
  return message_;
}

bool GrpcCheckSession::serving() const {
  if (response().status != 200) return false;
  const http::HeaderMap& last = trailers() != nullptr ? *trailers() : response().fields;
  if (http::grpc_status_in(last) != http::kGrpcOk) return false;
  buffer::Buffer data(checker().local().slabs);
  data.append_borrowed(body());
  http::GrpcDecoder decoder(kMaxAnswer);
  return decoder.next(data) == http::GrpcDecoder::Found::kMessage && data.empty() && says_serving(decoder.message());
}

void GrpcCheckSession::judge() {
  if (serving()) {
    passed(Wellness::kHealthy);
  } else {
    failed(CheckFailure::kActive, Severity::kHard);
  }
}

}  // namespace sluice::upstream
