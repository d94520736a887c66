#include "http/http2/head_reader.h"

#include <cstring>

#include "http/authority.h"
#include "http/chars.h"

namespace sluice::http::http2 {

void HeadReader::begin(Arena& arena) {
  arena_ = &arena;
  request_ = arena.create<RequestHeaders>(arena);
  bytes_ = 0;
  count_ = 0;
  status_ = 0;
  dropped_ = 0;
  method_ = path_ = authority_ = scheme_ = protocol_ = host_ = {};
  first_crumb_ = last_crumb_ = nullptr;
  cookie_bytes_ = 0;
}

HeadReader::Status HeadReader::add(std::string_view name, std::string_view value) {
  // RFC 9113 8.2.1 forbids both. Spaces are common enough to be taken away, as Envoy does.
  while (!value.empty() && value.front() == ' ') value.remove_prefix(1);
  while (!value.empty() && value.back() == ' ') value.remove_suffix(1);
  if (!value.empty() && (value.front() == '\t' || value.back() == '\t')) {
    return Status::kInvalid;
  }
  bytes_ += name.size() + value.size();
  if (bytes_ > options_.max_head_bytes) {
    return Status::kTooLarge;
  }
  if (!name.empty() && name.front() == ':') {
    ++count_;
    return count_ > options_.max_fields ? Status::kTooMany : add_pseudo(name, value);
  }
  if (++count_ > options_.max_fields) {
    return Status::kTooMany;
  }
  const Token token = token_of(name);
  if (token == Token::kCookie) {  // browsers send each cookie as a field of its own: together they are one
    add_crumb(value);
    return Status::kTaken;
  }
  if (token == Token::kHost) {
    if (!is_authority(value)) {
      return Status::kInvalid;
    }
    if (host_.empty()) host_ = arena_->copy(value);
    return Status::kTaken;
  }
  if (options_.underscores != CodecOptions::Underscores::kAllow && name.find('_') != std::string_view::npos) {
    if (options_.underscores == CodecOptions::Underscores::kReject) {
      return Status::kUnderscore;
    }
    ++dropped_;
    return Status::kTaken;
  }
  add_field(token, name, value);
  return Status::kTaken;
}

// Which of them may stand there, and how often, was looked at by nghttp2.
HeadReader::Status HeadReader::add_pseudo(std::string_view name, std::string_view value) {
  if (name == ":path") {
    path_ = arena_->copy(value);
  } else if (name == ":method") {
    method_ = arena_->copy(value);
  } else if (name == ":scheme") {
    scheme_ = arena_->copy(value);
  } else if (name == ":authority") {
    if (!value.empty() && !is_authority(value)) {
      return Status::kInvalid;
    }
    authority_ = arena_->copy(value);
  } else if (name == ":protocol") {
    protocol_ = arena_->copy(value);
  } else if (name == ":status") {
    status_ = 0;
    for (const char digit : value) {
      if (!is_digit(digit)) return Status::kInvalid;
      status_ = static_cast<uint16_t>(status_ * 10 + (digit - '0'));
    }
  }
  return Status::kTaken;
}

// As HTTP/1 writes it, so that runs of fields that nobody touched are sent there as one block.
void HeadReader::add_field(Token token, std::string_view name, std::string_view value) {
  char* at = static_cast<char*>(arena_->allocate(name.size() + value.size() + 4, 1));
  HeaderField& field = request_->fields.append(token);
  field.name_data = at;
  field.name_size = static_cast<uint16_t>(name.size());
  std::memcpy(at, name.data(), name.size());
  at += name.size();
  *at++ = ':';
  *at++ = ' ';
  field.value_data = at;
  field.value_size = static_cast<uint32_t>(value.size());
  if (!value.empty()) std::memcpy(at, value.data(), value.size());
  at += value.size();
  *at++ = '\r';
  *at = '\n';
  field.as_on_wire = true;
}

void HeadReader::add_crumb(std::string_view value) {
  cookie_bytes_ += value.size() + (first_crumb_ == nullptr ? 0 : 2);
  auto* crumb = static_cast<Crumb*>(arena_->allocate(sizeof(Crumb), alignof(Crumb)));
  *crumb = {nullptr, arena_->copy(value)};
  (first_crumb_ == nullptr ? first_crumb_ : last_crumb_->next) = crumb;
  last_crumb_ = crumb;
}

// RFC 9113 8.2.3.
void HeadReader::join_cookies() {
  if (first_crumb_ == nullptr) {
    return;
  }
  char* const start = static_cast<char*>(arena_->allocate(cookie_bytes_ + 1, 1));
  char* at = start;
  for (const Crumb* crumb = first_crumb_; crumb != nullptr; crumb = crumb->next) {
    if (crumb != first_crumb_) {
      *at++ = ';';
      *at++ = ' ';
    }
    if (!crumb->text.empty()) std::memcpy(at, crumb->text.data(), crumb->text.size());
    at += crumb->text.size();
  }
  request_->fields.add(Token::kCookie, {start, cookie_bytes_});
}

RequestHeaders* HeadReader::finish_request() {
  join_cookies();
  arena_ = nullptr;
  RequestHeaders& headers = *request_;
  headers.protocol = Protocol::kHttp2;
  headers.method = headers.checked.method = method_;
  headers.path = path_;
  headers.scheme = scheme_;
  headers.authority = headers.checked.authority = authority_.empty() ? host_ : authority_;
  headers.dropped_fields = dropped_;
  if (method_ == "CONNECT") {
    if (protocol_.empty()) {
      headers.tunnel = Tunnel::kConnect;
    } else {
      become_upgrade(headers);
    }
  }
  return &headers;
}

// Extended CONNECT (RFC 8441) is an upgrade everywhere behind the codec.
void HeadReader::become_upgrade(RequestHeaders& headers) const {
  headers.tunnel = Tunnel::kUpgrade;
  headers.method = headers.checked.method = "GET";
  headers.fields.remove(Token::kContentLength);
  headers.fields.set(Token::kConnection, "upgrade");
  headers.fields.set(Token::kUpgrade, protocol_);
}

ResponseHeaders* HeadReader::finish_response() {
  join_cookies();
  auto* headers = arena_->create<ResponseHeaders>(*arena_);
  arena_ = nullptr;
  headers->protocol = Protocol::kHttp2;
  headers->status = status_;
  headers->fields = std::move(request_->fields);
  return headers;
}

HeaderMap* HeadReader::finish_trailers() {
  join_cookies();
  arena_ = nullptr;
  return &request_->fields;
}

}  // namespace sluice::http::http2
