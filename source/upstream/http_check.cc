#include "upstream/http_check.h"

#include <algorithm>

#include "base/strings.h"
#include "upstream/check_payload.h"

namespace sluice::upstream {

using http::Token;

namespace {

bool is_in(const std::vector<match::IntegerRange>& ranges, uint16_t status) {
  return std::any_of(ranges.begin(), ranges.end(), [status](const match::IntegerRange& range) {
    return status >= range.start && status < range.end;
  });
}

}  // namespace

HttpCheckSession::HttpCheckSession(HealthChecker& checker, std::shared_ptr<Host> host)
    : RequestCheckSession(checker, std::move(host), checker.plan().http->http2 ? Codec::kHttp2 : Codec::kHttp1,
                          checker.plan().http->receive.empty() ? 0 : checker.plan().http->response_buffer),
      check_(*checker.plan().http) {}

std::string_view HttpCheckSession::make_request(http::RequestHeaders& request) {
  request.method = check_.method;
  request.path = check_.path;
  request.authority = authority_or(check_.host);
  request.fields.add(Token::kUserAgent, "Envoy/HC");
  apply(check_.request_headers, request);
  if (!check_.send.empty()) {
    request.fields.set_copy(Token::kContentLength, Piece(check_.send.size()).text());
  }
  return check_.send;
}

bool HttpCheckSession::is_of_service() {
  checker().count_verified_service();
  return check_.service->matches(response().fields.get("x-envoy-upstream-healthchecked-cluster"));
}

void HttpCheckSession::judge() {
  const uint16_t status = response().status;
  const bool expected = check_.expected.empty() ? status == 200 : is_in(check_.expected, status);
  if (!expected) {
    if (response().fields.has(Token::kXEnvoyImmediateHealthCheckFail)) goes();
    failed(CheckFailure::kActive, is_in(check_.retriable, status) ? Severity::kCounts : Severity::kHard, status);
  } else if (!has_payloads(body(), check_.receive)) {
    failed(CheckFailure::kActive, Severity::kHard, status);
  } else if (check_.service && check_.verify_service.includes(checker().local().random.next()) && !is_of_service()) {
    failed(CheckFailure::kActive, Severity::kHard, status);
  } else {
    passed(response().fields.has(Token::kXEnvoyDegraded) ? Wellness::kDegraded : Wellness::kHealthy);
  }
}

}  // namespace sluice::upstream
