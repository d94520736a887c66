#include "http/http1/message_writer.h"

#include <algorithm>
#include <cstring>

#include "http/authority.h"
#include "http/chars.h"
#include "http/http1/body_reader.h"
#include "http/http1/fields.h"
#include "http/http1/head_text.h"

namespace sluice::http::http1 {

namespace {

// Start line, framing and connection fields, and the empty line, without their variable parts.
constexpr size_t kFixedParts = 160;

// Methods whose requests have no meaning for a body: without one they say nothing about its length.
bool is_bodiless(std::string_view method) {
  return method == "GET" || method == "HEAD" || method == "DELETE" || method == "TRACE" || method == "CONNECT";
}

bool forbids_body(uint16_t status) { return status < 200 || status == 204 || status == 304; }

char* put_hex(char* at, uint64_t value) {
  int digits = 1;
  while (digits < 16 && value >> (4 * digits) != 0) {
    ++digits;
  }
  for (int i = digits; i-- > 0; ++at) {
    *at = "0123456789abcdef"[value >> (4 * i) & 15];
  }
  return at;
}

// Text that filters may have made: what `allowed` refuses is percent-encoded. The peer's own texts pass unchanged.
template <typename Allowed>
char* put_escaped(char* at, std::string_view text, Allowed&& allowed) {
  for (const char c : text) {
    if (allowed(c)) {
      *at++ = c;
    } else {
      *at++ = '%';
      *at++ = "0123456789ABCDEF"[static_cast<unsigned char>(c) >> 4];
      *at++ = "0123456789ABCDEF"[static_cast<unsigned char>(c) & 15];
    }
  }
  return at;
}

bool is_same(std::string_view text, std::string_view checked) {
  return text.data() == checked.data() && text.size() == checked.size();
}

char* put_method(char* at, std::string_view method, std::string_view checked) {
  if (is_same(method, checked) || is_token(method)) {
    return put(at, method);
  }
  *at++ = '_';  // no method that an origin knows
  for (const char c : method) {
    *at++ = is_token_char(c) ? c : '_';
  }
  return at;
}

// Origin form, or "*" for OPTIONS.
char* put_target(char* at, std::string_view method, std::string_view target, std::string_view checked) {
  if (!target.starts_with('/') && !(target == "*" && method == "OPTIONS")) {
    *at++ = '/';
  }
  if (target.empty() || is_same(target, checked) || is_request_target(target, Hash::kRefused)) {
    return put(at, target);
  }
  return put_escaped(at, target, [](char c) { return is_target_char(c) && c != '#'; });
}

char* put_authority(char* at, std::string_view authority, std::string_view checked) {
  if (authority.empty() || is_same(authority, checked) || is_authority(authority)) {
    return put(at, authority);
  }
  return put_escaped(at, authority, is_reg_name_char);
}

// What makes a target absolute (RFC 9112 3.2.2); "*" and a request that names no host have no such form.
char* put_origin(char* at, const RequestHeaders& headers) {
  if (headers.path == "*" || headers.authority.empty()) return at;
  at = put(at, headers.scheme == "https" ? "https://" : "http://");
  return put_authority(at, headers.authority, headers.checked.authority);
}

char* put_status_line(char* at, Protocol protocol, const ResponseHeaders& headers) {
  if (headers.status == 200 && protocol != Protocol::kHttp10 && (headers.reason.empty() || headers.reason == "OK")) {
    return put(at, "HTTP/1.1 200 OK\r\n");
  }
  at = put(at, protocol == Protocol::kHttp10 ? "HTTP/1.0 " : "HTTP/1.1 ");
  at = put(at, status_text(headers.status));
  at = put(at, " ");
  at = put(at,
           !headers.reason.empty() && is_field_value(headers.reason) ? headers.reason : reason_phrase(headers.status));
  return put(at, "\r\n");
}

// The fields that the framing writes, or that never come from a map.
// What is not copied from a map: the framing is the writer's, Connection too unless it opens a tunnel.
constexpr TokenSet kSkip = {Token::kTransferEncoding, Token::kConnection, Token::kContentLength};
constexpr TokenSet kSkipButLength = {Token::kTransferEncoding, Token::kConnection};
constexpr TokenSet kSkipButConnection = {Token::kTransferEncoding, Token::kContentLength};
// Of requests: Host is the authority.
constexpr TokenSet kRequestSkip = {Token::kTransferEncoding, Token::kConnection, Token::kContentLength, Token::kHost};
constexpr TokenSet kRequestSkipButLength = {Token::kTransferEncoding, Token::kConnection, Token::kHost};
constexpr TokenSet kRequestSkipButConnection = {Token::kTransferEncoding, Token::kContentLength, Token::kHost};

constexpr TokenSet kNoTrailers = [] {
  TokenSet set;
  for (int token = 1; token < static_cast<int>(Token::kCount); ++token) {
    if (forbidden_in_trailers(static_cast<Token>(token))) {
      set.add(static_cast<Token>(token));
    }
  }
  return set;
}();

// Whether the map has one length, and it is valid.
bool has_length(const HeaderMap& fields, uint64_t& length) {
  const HeaderField* field = fields.find(Token::kContentLength);
  if (field == nullptr || !parse_length(field->value(), length)) {
    return false;
  }
  for (const HeaderField* next = field + 1; next != fields.end(); ++next) {
    if (next->token == Token::kContentLength) {
      return false;
    }
  }
  return true;
}

}  // namespace

// ---- framing

MessageWriter::Framing MessageWriter::frame_body(const HeaderMap& fields, End end) {
  Framing framing;
  framing.own_length = has_length(fields, framing.length) && (end == End::kNo || framing.length == 0);
  framing.body = framing.own_length ? Body::kLength : end == End::kYes ? Body::kNone : Body::kChunked;
  framing.write_chunked = framing.body == Body::kChunked;
  framing.write_zero = framing.body == Body::kNone;
  return framing;
}

MessageWriter::Framing MessageWriter::frame_request(const RequestHeaders& headers, End end) {
  if (headers.tunnel != Tunnel::kNone) {
    Framing framing;
    framing.body = Body::kTunnel;
    return framing;
  }
  Framing framing = frame_body(headers.fields, end);
  framing.write_zero &= !is_bodiless(headers.method);
  return framing;
}

MessageWriter::Framing MessageWriter::frame_response(const ResponseHeaders& headers, End end,
                                                     const ResponseTerms& terms) {
  Framing framing;
  const bool opens_connect = terms.tunnel == Tunnel::kConnect && headers.status >= 200 && headers.status < 300;
  if (opens_connect || (terms.tunnel == Tunnel::kUpgrade && headers.status == 101)) {
    framing.body = Body::kTunnel;
    return framing;
  }
  if (terms.to_head || forbids_body(headers.status)) {
    // Content-Length tells what GET would have got (RFC 9110 8.6), but 1xx and 204 have none.
    uint64_t length = 0;
    framing.own_length = headers.status >= 200 && headers.status != 204 && has_length(headers.fields, length);
    framing.write_chunked =
        !framing.own_length && headers.chunked && !forbids_body(headers.status) && terms.protocol != Protocol::kHttp10;
    return framing;
  }
  framing = frame_body(headers.fields, end);
  if (framing.body == Body::kChunked && terms.protocol == Protocol::kHttp10) {
    framing.body = Body::kUntilClose;
    framing.write_chunked = false;
  }
  return framing;
}

void MessageWriter::begin(const Framing& framing, End end) {
  body_ = framing.body;
  left_ = framing.length;
  intact_ = framing.body != Body::kUntilClose;
  if (end == End::kYes && body_ != Body::kTunnel) {
    body_ = Body::kDone;
  }
}

// ---- heads

void MessageWriter::write_request(const RequestHeaders& headers, End end, buffer::Buffer& out) {
  const Framing framing = frame_request(headers, end);
  const Spelling* spelling = headers.fields.spelling();
  const CodecOptions::Case header_case = options_.header_case;
  const TokenSet& skip = framing.own_length                   ? kRequestSkipButLength
                         : headers.tunnel == Tunnel::kUpgrade ? kRequestSkipButConnection
                                                              : kRequestSkip;
  // Escapes make texts three times as long, at worst.
  const size_t texts = headers.method.size() + headers.path.size() + 3 * headers.authority.size();
  const size_t bound = kFixedParts + 3 * texts + bound_of(headers.fields);
  char* const start = out.reserve(bound + std::min<uint64_t>(framing.length, kCopyBelow));
  char* at = put_method(start, headers.method, headers.checked.method);
  *at++ = ' ';
  if (headers.tunnel == Tunnel::kConnect) {
    at = put_authority(at, headers.authority, headers.checked.authority);
  } else {
    if (options_.send_fully_qualified_url) at = put_origin(at, headers);
    at = put_target(at, headers.method, headers.path, headers.checked.path);
  }
  at = put(at, " HTTP/1.1\r\n");
  const char* const fields = at;
  at = spelling != nullptr && !spelling->host.empty() ? put(at, spelling->host) : put_name(at, "host", header_case);
  at = put(at, ": ");
  at = put_authority(at, headers.authority, headers.checked.authority);
  at = put(at, "\r\n");
  at = put_fields(at, headers.fields, skip, header_case);
  if (framing.write_zero) at = put_line(at, "content-length", "0", header_case);
  if (framing.write_chunked) at = put_line(at, "transfer-encoding", "chunked", header_case);
  field_bytes_ = static_cast<uint32_t>(at - fields);
  at = put(at, "\r\n");
  out.commit(static_cast<size_t>(at - start));
  begin(framing, end);
}

void MessageWriter::write_response(const ResponseHeaders& headers, End end, const ResponseTerms& terms,
                                   buffer::Buffer& out) {
  const Framing framing = frame_response(headers, end, terms);
  const CodecOptions::Case header_case = options_.header_case;
  const bool switches = framing.body == Body::kTunnel && terms.tunnel == Tunnel::kUpgrade;
  const TokenSet& skip = framing.own_length ? kSkipButLength : switches ? kSkipButConnection : kSkip;
  const size_t bound = kFixedParts + headers.reason.size() + bound_of(headers.fields);
  char* const start = out.reserve(bound + std::min<uint64_t>(framing.length, kCopyBelow));
  char* at = put_status_line(start, terms.protocol, headers);
  const char* const fields = at;
  at = put_fields(at, headers.fields, skip, header_case);
  if (framing.write_zero) at = put_line(at, "content-length", "0", header_case);
  if (framing.write_chunked) at = put_line(at, "transfer-encoding", "chunked", header_case);
  if (switches) {
    if (!headers.fields.has(Token::kConnection)) at = put_line(at, "connection", "upgrade", header_case);
  } else if (framing.body == Body::kTunnel) {
    // The connection is a tunnel now: nothing to say about its end.
  } else if (!terms.keep_alive || framing.body == Body::kUntilClose) {
    at = put_line(at, "connection", "close", header_case);
  } else if (terms.protocol == Protocol::kHttp10) {
    at = put_line(at, "connection", "keep-alive", header_case);
  }
  field_bytes_ = static_cast<uint32_t>(at - fields);
  at = put(at, "\r\n");
  out.commit(static_cast<size_t>(at - start));
  begin(framing, end);
}

void MessageWriter::write_interim(const ResponseHeaders& headers, buffer::Buffer& out) {
  char* const start = out.reserve(kFixedParts + headers.reason.size() + bound_of(headers.fields));
  char* at = put_status_line(start, Protocol::kHttp11, headers);
  const char* const fields = at;
  at = put_fields(at, headers.fields, kSkip, options_.header_case);
  field_bytes_ = static_cast<uint32_t>(at - fields);
  at = put(at, "\r\n");
  out.commit(static_cast<size_t>(at - start));
}

// ---- bodies

void MessageWriter::write_data(buffer::Buffer& data, End end, buffer::Buffer& out) {
  switch (body_) {
    case Body::kBefore:
    case Body::kNone:
    case Body::kDone:
      data.clear();
      break;
    case Body::kLength:
      write_length(data, end, out);
      break;
    case Body::kChunked:
      write_chunk(data, end, out);
      break;
    case Body::kUntilClose:
    case Body::kTunnel:
      out.move_from(data);
      break;
  }
  if (end == End::kYes) {
    body_ = Body::kDone;
  }
}

void MessageWriter::write_length(buffer::Buffer& data, End end, buffer::Buffer& out) {
  const size_t bytes = static_cast<size_t>(std::min<uint64_t>(data.size(), left_));
  left_ -= bytes;
  intact_ &= bytes == data.size() && (end == End::kNo || left_ == 0);
  if (bytes > 0 && bytes <= kCopyBelow && !out.empty()) {
    char* to = out.reserve(bytes);
    out.commit(data.copy_out(to, bytes));
  } else {
    out.move_from(data, bytes);
  }
  data.clear();
}

void MessageWriter::write_chunk(buffer::Buffer& data, End end, buffer::Buffer& out) {
  const size_t bytes = data.size();
  if (bytes > 0) {
    constexpr size_t kAround = 16 + 2 + 2 + 5;
    const bool copied = bytes <= kCopyBelow && !out.empty();
    char* const start = out.reserve(kAround + (copied ? bytes : 0));
    char* at = put_hex(start, bytes);
    *at++ = '\r';
    *at++ = '\n';
    if (copied) {
      at += data.copy_out(at, bytes);
      data.clear();
      std::memcpy(at, "\r\n0\r\n\r\n", 7);
      at += end == End::kYes ? 7 : 2;
      out.commit(static_cast<size_t>(at - start));
      return;
    }
    out.commit(static_cast<size_t>(at - start));
    out.move_from(data);
    out.append_borrowed(end == End::kYes ? "\r\n0\r\n\r\n" : "\r\n");
  } else if (end == End::kYes) {
    out.append_copy("0\r\n\r\n");
  }
}

void MessageWriter::write_trailers(const HeaderMap& trailers, buffer::Buffer& out) {
  field_bytes_ = 0;
  if (body_ == Body::kChunked) {
    char* const start = out.reserve(kFixedParts + bound_of(trailers));
    char* at = put(start, "0\r\n");
    const char* const fields = at;
    if (options_.enable_trailers) {
      at = put_fields(at, trailers, kNoTrailers, options_.header_case);
    }
    field_bytes_ = static_cast<uint32_t>(at - fields);
    at = put(at, "\r\n");
    out.commit(static_cast<size_t>(at - start));
  }
  intact_ &= body_ != Body::kLength || left_ == 0;
  body_ = Body::kDone;
}

}  // namespace sluice::http::http1
