#include "upstream/grpc_check.h"

#include "base/strings.h"
#include "base/varint.h"
#include "http/grpc.h"

namespace sluice::upstream {

using http::Token;

namespace {

constexpr size_t kMaxAnswer = 4096;
constexpr uint64_t kServing = 1;

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
    const auto tag = take_varint(response);
    if (!tag) return false;
    const auto value = (*tag & 7) == 0 || (*tag & 7) == 2 ? take_varint(response) : std::nullopt;
    size_t skip = 0;
    switch (*tag & 7) {
      case 0:
        if (!value) return false;
        if (*tag >> 3 == 1) status = *value;
        break;
      case 1:
        skip = 8;
        break;
      case 2:
        if (!value) return false;
        skip = *value;
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
  apply(check_.initial_metadata, request);
  request.fields.set_copy(Token::kGrpcTimeout, cat(to_ms(checker().plan().timeout), "m"));
  return message_;
}

bool GrpcCheckSession::serving() const {
  if (response().status != 200 || !http::is_grpc(response().fields)) return false;
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
