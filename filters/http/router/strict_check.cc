#include "filters/http/router/strict_check.h"

#include "filters/http/router/timeouts.h"
#include "model/retry_policy.h"

namespace sluice::filters::router {

using http::Token;

namespace {

bool is_good(Token token, std::string_view value) {
  switch (token) {
    case Token::kXEnvoyRetryOn:
      return model::parse_retry_on(value).all_known;
    case Token::kXEnvoyRetryGrpcOn:
      return model::parse_retry_grpc_on(value).all_known;
    default:
      return number_of_field(value).has_value();
  }
}

}  // namespace

const http::HeaderField* find_bad_field(std::span<const Token> checked, const http::HeaderMap& fields) {
  for (const Token token : checked) {
    if (!fields.has(token)) continue;
    const http::HeaderField* field = fields.find(token);
    if (!is_good(token, field->value())) return field;
  }
  return nullptr;
}

}  // namespace sluice::filters::router
