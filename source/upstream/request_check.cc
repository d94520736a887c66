#include "upstream/request_check.h"

#include <algorithm>

#include "base/strings.h"
#include "format/facts.h"
#include "http/http1/client_codec.h"

namespace sluice::upstream {

RequestCheckSession::RequestCheckSession(HealthChecker& checker, std::shared_ptr<Host> host, Codec codec,
                                         size_t max_body)
    : CheckSession(checker, std::move(host)),
      kind_(codec),
      max_body_(max_body),
      pipe_(checker.local(), static_cast<CheckPipeUser&>(*this)),
      arena_(checker.local().chunks) {
  options_.enable_trailers = kind_ == Codec::kHttp2;
  if (kind_ == Codec::kHttp2) {
    http2_stats_ =
        checker.local().registry.add_block<stats::Http2Stat>(cat(checker.cluster().plan->stat_prefix(), "http2."));
  }
}

RequestCheckSession::~RequestCheckSession() {
  close();
  if (http2_stats_.valid()) checker().local().registry.release_block(http2_stats_);
}

std::string_view RequestCheckSession::authority_or(const std::string& of_check) const {
  return !check_hostname().empty() ? std::string_view(check_hostname())
         : !of_check.empty()       ? std::string_view(of_check)
                                   : std::string_view(checker().cluster().plan->name);
}

void RequestCheckSession::apply(const model::HeaderRules& rules, http::RequestHeaders& request) const {
  if (rules.empty()) return;
  const WorkerLocal& local = checker().local();
  const net::Transport& transport = pipe_.transport();
  format::Facts facts;
  facts.start_wall = local.loop.wall_now();
  facts.start = local.loop.now();
  facts.local = &transport.local();
  facts.remote = facts.direct_remote = &transport.remote();
  facts.protocol = kind_ == Codec::kHttp2 ? http::Protocol::kHttp2 : http::Protocol::kHttp11;
  facts.has_protocol = true;
  facts.request = &request;
  rules.apply(request, facts);
}

void RequestCheckSession::begin_check() {
  response_ = nullptr;
  trailers_ = nullptr;
  complete_ = broken_ = false;
  body_.clear();
  arena_.clear();
  if (pipe_.exists()) {
    send();
  } else {
    open(pipe_);
  }
}

void RequestCheckSession::close() {
  pipe_.close();
  http2_ = nullptr;
  codec_.reset();
}

void RequestCheckSession::on_pipe_open() {
  WorkerLocal& local = checker().local();
  if (kind_ == Codec::kHttp1) {
    codec_ =
        std::make_unique<http::http1::Http1ClientCodec>(options_, static_cast<http::ClientEvents&>(*this), local.slabs);
  } else {
    auto codec = std::make_unique<http::http2::Http2ClientCodec>(
        options_, *checker().cluster().plan->http2, checker().cluster().plan->buffer_limit,
        local.cells.block<stats::Http2Stat>(http2_stats_), static_cast<http::http2::Http2ClientEvents&>(*this),
        local.slabs);
    http2_ = codec.get();
    codec_ = std::move(codec);
  }
  send();
}

void RequestCheckSession::send() {
  auto* request = arena_.create<http::RequestHeaders>(arena_);
  request->scheme = "http";
  if (net::TransportSocket* socket = transport_socket(); socket != nullptr) request->scheme = "https";
  const std::string_view body = make_request(*request);
  const http::StreamId stream =
      codec_->encode_headers(*request, body.empty() ? http::End::kYes : http::End::kNo, pipe_.out());
  if (http2_ != nullptr) {
    if (stream == 0) {
      lost();
      return;
    }
    http2_->set_user(stream, this);
  }
  if (!body.empty()) {
    buffer::Buffer data(checker().local().slabs);
    data.append_copy(body);
    codec_->encode_data(stream, data, http::End::kYes, pipe_.out());
  }
  write();
}

void RequestCheckSession::write() {
  if (http2_ != nullptr) (void)http2_->flush(pipe_.out());
  pipe_.write();
}

void RequestCheckSession::on_pipe_data(buffer::Buffer& in) {
  if (codec_->decode(in) == http::Decoded::kFailed) broken_ = true;
}

void RequestCheckSession::on_pipe_read(Peer peer) {
  const bool ended = peer == Peer::kEnded;
  if (ended && checking() && !complete_) codec_->decode_eof();
  if (!ended && !broken_) write();
  if (complete_ && checking()) {
    const bool keep = !ended && !broken_ && pipe_.in().empty() && pipe_.out().empty() &&
                      checker().plan().reuse_connection && codec_->reusable();
    if (!keep) close();
    judge();
    return;
  }
  // Between checks: bytes that nobody asked for, or a GOAWAY.
  const bool useless = !checking() && (!pipe_.in().empty() || !codec_->reusable());
  if (broken_ || ended || useless) lost();
}

void RequestCheckSession::lost() {
  close();
  if (checking()) failed(CheckFailure::kNetwork, Severity::kCounts);
}

Arena& RequestCheckSession::on_begin(http::StreamId) { return arena_; }

void RequestCheckSession::on_headers(http::StreamId, http::ResponseHeaders& headers, http::End end) {
  response_ = &headers;
  complete_ = end == http::End::kYes;
}

void RequestCheckSession::on_data(http::StreamId, buffer::Buffer& data, http::End end) {
  for (; !data.empty(); data.drain(data.front().size())) {
    body_.append(data.front().substr(0, max_body_ - std::min(max_body_, body_.size())));
  }
  complete_ = end == http::End::kYes;
}

void RequestCheckSession::on_trailers(http::StreamId, http::HeaderMap& trailers) {
  trailers_ = &trailers;
  complete_ = true;
}

}  // namespace sluice::upstream
