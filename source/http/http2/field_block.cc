#include "http/http2/field_block.h"

#include "http/chars.h"
#include "http/token_set.h"

namespace sluice::http::http2 {
namespace {

// Fields of the connection, which HTTP/2 has not (RFC 9113 8.2.2), and Host, which is the authority.
constexpr TokenSet kSkip = {Token::kConnection, Token::kKeepAlive,        Token::kProxyConnection,
                            Token::kUpgrade,    Token::kTransferEncoding, Token::kHttp2Settings,
                            Token::kHost};

uint8_t* bytes_of(std::string_view text) {
  // nghttp2 does not write there.
  return const_cast<uint8_t*>(reinterpret_cast<const uint8_t*>(text.data() == nullptr ? "" : text.data()));
}

nghttp2_nv nv_of(std::string_view name, std::string_view value) {
  return {bytes_of(name), bytes_of(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}

// What came from a peer was looked at by its codec; what a filter made may hold anything.
bool can_be_sent(const HeaderField& field) {
  if (kSkip.has(field.token)) {
    return false;
  }
  if (field.token == Token::kTe) {
    return field.value() == "trailers";
  }
  return field.as_on_wire || is_field_value(field.value());
}

}  // namespace

void FieldBlock::add(std::string_view name, std::string_view value) {
  fields_.push_back(nv_of(name, value));
  bytes_ += name.size() + value.size();
}

void FieldBlock::add_fields(const HeaderMap& fields) {
  for (const HeaderField& field : fields) {
    if (can_be_sent(field)) {
      add(field.name(), trim_blanks(field.value()));
    }
  }
}

void FieldBlock::make(const RequestHeaders& headers) {
  start();
  const bool extended = headers.tunnel == Tunnel::kUpgrade;
  add(":method", extended ? "CONNECT" : is_token(headers.method) ? headers.method : std::string_view("_"));
  if (headers.tunnel != Tunnel::kConnect) {
    add(":path", headers.path.empty() ? std::string_view("/") : headers.path);
    add(":scheme", headers.scheme.empty() ? std::string_view("http") : headers.scheme);
  }
  if (!headers.authority.empty()) {
    add(":authority", headers.authority);
  }
  if (extended) {
    add(":protocol", headers.fields.get(Token::kUpgrade));
  }
  add_fields(headers.fields);
}

void FieldBlock::make(const ResponseHeaders& headers, uint16_t status) {
  start();
  add(":status", status_text(status));
  add_fields(headers.fields);
}

void FieldBlock::make(const HeaderMap& trailers) {
  start();
  add_fields(trailers);
}

KeptTrailers::KeptTrailers(const HeaderMap& trailers) {
  size_t bytes = 0;
  for (const HeaderField& field : trailers) {
    bytes += field.name_size + field.value_size;
  }
  bytes_.reserve(bytes);  // so that the views stay good
  fields_.reserve(trailers.size());
  for (const HeaderField& field : trailers) {
    if (!can_be_sent(field)) {
      continue;
    }
    const size_t name = bytes_.size();
    bytes_ += field.name();
    const size_t value = bytes_.size();
    bytes_ += trim_blanks(field.value());
    const std::string_view all = bytes_;
    fields_.push_back(nv_of(all.substr(name, value - name), all.substr(value)));
  }
}

}  // namespace sluice::http::http2
