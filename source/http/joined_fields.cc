#include "http/joined_fields.h"

#include <algorithm>

namespace sluice::http {
namespace {

constexpr TokenSet kKeepTheirLines{
    Token::kNone,    Token::kContentLength, Token::kCookie,  Token::kForwarded,   Token::kGrpcEncoding, Token::kHost,
    Token::kReferer, Token::kSetCookie,     Token::kTrailer, Token::kTraceparent, Token::kTracestate,
};

std::string_view joined(const HeaderMap& fields, Token token) {
  size_t size = 0;
  for (const HeaderField& field : fields) {
    if (field.token == token) size += field.value_size + 1u;
  }
  char* const start = static_cast<char*>(fields.arena().allocate(size, 1));
  char* at = start;
  for (const HeaderField& field : fields) {
    if (field.token != token || field.value_size == 0) continue;
    if (at != start) *at++ = ',';
    at = std::copy_n(field.value_data, field.value_size, at);
  }
  return {start, static_cast<size_t>(at - start)};
}

}  // namespace

TokenSet join_repeated(HeaderMap& fields) {
  TokenSet present;
  TokenSet repeated;
  bool any = false;
  for (const HeaderField& field : fields) {
    if (present.has(field.token) && !kKeepTheirLines.has(field.token)) {
      repeated.add(field.token);
      any = true;
    }
    present.add(field.token);
  }
  // set() leaves one line of the name, so each is joined once.
  for (uint32_t i = 0; any && i < fields.size(); ++i) {
    const Token token = fields.begin()[i].token;
    if (repeated.has(token) && fields.count(token) > 1) fields.set(token, joined(fields, token));
  }
  return present;
}

}  // namespace sluice::http
