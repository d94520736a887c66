#include "upstream/http_check.h"

#include <algorithm>

#include "base/strings.h"
#include "format/facts.h"
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
    : CheckSession(checker, std::move(host)),
      check_(*checker.plan().http),
      arena_(checker.local().chunks),
      in_(checker.local().slabs),
      out_(checker.local().slabs) {}

HttpCheckSession::~HttpCheckSession() { close(); }

void HttpCheckSession::begin_check() {
  response_ = nullptr;
  complete_ = broken_ = false;
  body_.clear();
  arena_.clear();
  if (transport_ == nullptr) {
    connect();
  } else {
    send();
  }
}

void HttpCheckSession::connect() {
  connected_ = false;
  codec_ = std::make_unique<http::http1::Http1ClientCodec>(options_, static_cast<http::ClientEvents&>(*this),
                                                           checker().local().slabs);
  transport_ = checker().local().network.connect(address(), checker().cluster().plan->connect);
  transport_->set_handler(this);
}

void HttpCheckSession::close() {
  if (transport_ == nullptr) {
    return;
  }
  transport_->close(net::CloseHow::kFin);
  checker().local().loop.destroy_later(std::move(transport_));
  in_.clear();
  out_.clear();
}

void HttpCheckSession::give_up_check() { close(); }

void HttpCheckSession::send() {
  auto* request = arena_.create<http::RequestHeaders>(arena_);
  request->method = check_.method;
  request->path = check_.path;
  request->scheme = "http";
  request->authority = !check_hostname().empty() ? check_hostname()
                       : !check_.host.empty()    ? check_.host
                                                 : checker().cluster().plan->name;
  request->fields.add(Token::kUserAgent, "Envoy/HC");
  if (!check_.request_headers.empty()) {
    format::Facts facts;
    facts.start_wall = checker().local().loop.wall_now();
    facts.start = checker().local().loop.now();
    facts.request = request;
    check_.request_headers.apply(*request, facts);
  }
  if (check_.send.empty()) {
    codec_->encode_headers(*request, http::End::kYes, out_);
  } else {
    request->fields.set(Token::kContentLength, arena_.copy(Piece(check_.send.size()).text()));
    const http::StreamId stream = codec_->encode_headers(*request, http::End::kNo, out_);
    buffer::Buffer body(checker().local().slabs);
    body.append_copy(check_.send);
    codec_->encode_data(stream, body, http::End::kYes, out_);
  }
  out_.own();
  write();
}

void HttpCheckSession::write() {
  while (!out_.empty()) {
    const net::IoResult result = transport_->write(out_);
    if (result.status == net::IoStatus::kAgain) break;
    if (result.status == net::IoStatus::kFailed) {
      return;  // reading tells why
    }
  }
  transport_->want_write(!out_.empty());
}

void HttpCheckSession::on_ready(net::Ready ready) {
  if (!connected_) {
    if (ready.failed) {
      lost();
    } else if (ready.connected) {
      connected_ = true;
      send();
    }
    return;
  }
  if (ready.writable) write();
  if (ready.readable) {
    read();
  } else if (ready.failed) {
    lost();
  }
}

void HttpCheckSession::read() {
  net::IoResult result{};
  {
    net::ReadLease lease(checker().local().network.read_buffer());
    result = transport_->read(lease, SIZE_MAX / 2, in_);
    if (result.bytes > 0 && codec_->decode(in_) == http::Decoded::kFailed) broken_ = true;
    in_.own();
  }
  if (result.status == net::IoStatus::kEof && checking() && !complete_) codec_->decode_eof();
  const bool ended = result.status == net::IoStatus::kEof || result.status == net::IoStatus::kFailed;
  if (complete_ && checking()) {
    const bool keep = !ended && !broken_ && in_.empty() && checker().plan().reuse_connection && codec_->reusable();
    if (!keep) close();
    judge();
    return;
  }
  if (broken_ || ended || (!checking() && !in_.empty())) lost();
}

void HttpCheckSession::lost() {
  close();
  if (checking()) failed(CheckFailure::kNetwork, Severity::kCounts);
}

Arena& HttpCheckSession::on_begin(http::StreamId) { return arena_; }

void HttpCheckSession::on_headers(http::StreamId, http::ResponseHeaders& headers, http::End end) {
  response_ = &headers;
  complete_ = end == http::End::kYes;
}

void HttpCheckSession::on_data(http::StreamId, buffer::Buffer& data, http::End end) {
  if (!check_.receive.empty() && body_.size() < check_.response_buffer) {
    body_ += data.to_string().substr(0, check_.response_buffer - body_.size());
  }
  complete_ = end == http::End::kYes;
}

void HttpCheckSession::judge() {
  const uint16_t status = response_->status;
  const bool expected = check_.expected.empty() ? status == 200 : is_in(check_.expected, status);
  if (!expected) {
    failed(CheckFailure::kActive, is_in(check_.retriable, status) ? Severity::kCounts : Severity::kHard, status);
  } else if (!has_payloads(body_, check_.receive)) {
    failed(CheckFailure::kActive, Severity::kHard, status);
  } else {
    passed(response_->fields.has(Token::kXEnvoyDegraded) ? Wellness::kDegraded : Wellness::kHealthy);
  }
}

}  // namespace sluice::upstream
