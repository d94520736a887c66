#include "server/admin/connection.h"

#include <algorithm>

#include "base/strings.h"
#include "http/path.h"

namespace sluice::server::admin {

using stats::HttpStat;
using stats::ListenerStat;

AdminConnection::AdminConnection(Admin& admin, std::unique_ptr<net::Transport> transport)
    : admin_(admin),
      pools_(admin.pools_),
      transport_(std::move(transport)),
      arena_(pools_->chunks),
      codec_(admin.codec_options_, static_cast<http::ServerEvents&>(*this), pools_->slabs),
      in_(pools_->slabs),
      out_(pools_->slabs),
      linger_(admin.loop_.timers(), [this] { close(); }) {
  admin_.listener_.inc(ListenerStat::kDownstreamCxTotal);
  admin_.listener_.inc(ListenerStat::kDownstreamCxActive);
  admin_.http_.inc(HttpStat::kDownstreamCxTotal);
  admin_.http_.inc(HttpStat::kDownstreamCxActive);
  admin_.http_.inc(HttpStat::kDownstreamCxHttp1Total);
  admin_.http_.inc(HttpStat::kDownstreamCxHttp1Active);
  transport_->set_handler(this);
}

AdminConnection::~AdminConnection() { SLUICE_DCHECK(closed_); }

void AdminConnection::on_ready(net::Ready ready) {
  if (ready.writable && !closed_) {
    write();
  }
  if (ready.readable && !closed_) {
    read();
  } else if (ready.failed && !closed_) {
    close();
  }
}

void AdminConnection::read() {
  net::ReadLease lease(admin_.network_.read_buffer());
  const net::IoResult result = transport_->read(lease, kMaxBody, in_);
  admin_.http_.add(HttpStat::kDownstreamCxRxBytesTotal, result.bytes);
  if (closing_) {
    in_.clear();  // only read so that the client does not see a reset
  } else {
    decode();
  }
  in_.own();
  const bool gone = result.status == net::IoStatus::kEof || result.status == net::IoStatus::kFailed;
  // A client that half-closes still gets the answer that is on its way.
  if (!closed_ && gone) {
    if (out_.empty() || result.status == net::IoStatus::kFailed) {
      close();
    } else {
      last_ = true;
    }
  }
}

// Messages one by one; the next one waits until the answer to the one before it has left.
void AdminConnection::decode() {
  decoding_ = true;
  while (!closed_ && !in_.empty() && out_.empty() && !last_) {
    const http::Decoded result = codec_.decode(in_);
    if (result == http::Decoded::kMore || (result == http::Decoded::kBlocked && !codec_.ready())) {
      break;
    }
    if (result == http::Decoded::kFailed) {
      in_.clear();
      break;
    }
  }
  decoding_ = false;
}

Arena& AdminConnection::on_begin(http::StreamId stream) {
  arena_.clear();
  body_.clear();
  request_ = nullptr;
  stream_ = stream;
  begun_ = admin_.loop_.now();
  begun_wall_ = admin_.loop_.wall_now();
  admin_.http_.inc(HttpStat::kDownstreamRqTotal);
  admin_.http_.inc(HttpStat::kDownstreamRqHttp1Total);
  admin_.http_.inc(HttpStat::kDownstreamRqActive);
  return arena_;
}

void AdminConnection::on_headers(http::StreamId, http::RequestHeaders& headers, http::End end) {
  request_ = &headers;
  if (end == http::End::kYes) {
    answer_request();
  }
}

void AdminConnection::on_data(http::StreamId, buffer::Buffer& data, http::End end) {
  if (body_.size() < kMaxBody) {
    const size_t taken = std::min(data.size(), kMaxBody - body_.size());
    const size_t at = body_.size();
    body_.resize(at + taken);
    data.copy_out(body_.data() + at, taken);
  }
  data.clear();
  if (end == http::End::kYes) {
    answer_request();
  }
}

void AdminConnection::on_trailers(http::StreamId, http::HeaderMap&) { answer_request(); }

void AdminConnection::on_reset(http::StreamId, const http::StreamReset&) {}

void AdminConnection::on_error(http::StreamId stream, const http::CodecError& error) {
  admin_.http_.inc(HttpStat::kDownstreamCxProtocolError);
  stream_ = stream;
  request_ = nullptr;
  Reply reply;
  reply.fail(error.status, cat(http::reason_phrase(error.status), "\n"));
  last_ = true;
  codec_.start_drain(out_);
  send(reply);
}

void AdminConnection::answer_request() {
  Reply reply;
  constexpr http::PathRules kRules{.normalize = true, .merge_slashes = true};
  if (http::apply_path_rules(kRules, request_->path, arena_) != http::PathVerdict::kContinue) {
    reply.fail(400, "");
  } else if (!admin_.source_.serves(request_->path)) {
    reply.fail(403, cat("request to path ", request_->path, " not allowed"));
  } else {
    answer(parse_request(request_->method, request_->path, request_->fields.get(http::Token::kContentType), body_),
           admin_.source_, reply);
  }
  afterwards_ = std::move(reply.afterwards);
  send(reply);
}

void AdminConnection::send(const Reply& reply) {
  http::ResponseHeaders headers(arena_);
  headers.status = reply.status;
  headers.chunked = true;
  headers.fields.add(http::Token::kContentType, reply.content_type);
  headers.fields.add(http::Token::kCacheControl, "no-cache, max-age=0");
  headers.fields.add("x-content-type-options", "nosniff");
  headers.fields.set_copy(http::Token::kDate, admin_.date_.at(admin_.loop_.wall_now()));
  headers.fields.add(http::Token::kServer, "envoy");
  codec_.encode_headers(stream_, headers, http::End::kNo, out_);
  buffer::Buffer body(pools_->slabs);
  body.append_copy(reply.body);
  codec_.encode_data(stream_, body, http::End::kYes, out_);
  count(reply.status);
  log(headers, reply.body.size());
  last_ = last_ || !codec_.keep_alive();
  write();
}

void AdminConnection::count(uint16_t status) {
  admin_.http_.dec(HttpStat::kDownstreamRqActive);
  admin_.http_.inc(HttpStat::kDownstreamRqCompleted);
  constexpr HttpStat kClasses[] = {HttpStat::kDownstreamRq1xx, HttpStat::kDownstreamRq2xx, HttpStat::kDownstreamRq3xx,
                                   HttpStat::kDownstreamRq4xx, HttpStat::kDownstreamRq5xx};
  admin_.http_.inc(kClasses[status / 100 - 1]);
}

void AdminConnection::log(const http::ResponseHeaders& headers, size_t bytes) {
  if (admin_.access_log_.empty()) {
    return;
  }
  add_client_address();
  format::Facts facts;
  facts.start_wall = begun_wall_;
  facts.start = facts.request_end = begun_;
  facts.response_start = facts.response_end = facts.end = admin_.loop_.now();
  facts.remote = facts.direct_remote = &transport_->remote();
  facts.local = &transport_->local();
  facts.has_protocol = true;
  facts.request = request_;
  facts.response = &headers;
  facts.response_code = headers.status;
  facts.bytes_received = body_.size();
  facts.bytes_sent = bytes;
  facts.log_type = format::LogType::kDownstreamEnd;
  admin_.access_log_.log(facts);
}

// As the connection manager does: a client on this machine has the machine's address.
void AdminConnection::add_client_address() {
  const net::Address& remote = transport_->remote();
  if (request_ == nullptr || !remote.is_ip()) {
    return;
  }
  const std::string machine = remote.is_loopback() ? admin_.source_.machine_ip() : std::string();
  const std::string ip = machine.empty() ? remote.ip_to_string() : machine;
  const std::string_view before = request_->fields.get(http::Token::kXForwardedFor);
  request_->fields.set_copy(http::Token::kXForwardedFor, before.empty() ? ip : cat(before, ",", ip));
}

void AdminConnection::write() {
  while (!out_.empty()) {
    const net::IoResult result = transport_->write(out_);
    admin_.http_.add(HttpStat::kDownstreamCxTxBytesTotal, result.bytes);
    if (result.status == net::IoStatus::kFailed) {
      close();
      return;
    }
    if (result.status == net::IoStatus::kAgain || result.bytes == 0) {
      out_.own();
      transport_->want_write(true);
      transport_->want_read(false);
      return;
    }
  }
  transport_->want_write(false);
  wrote_all();
}

void AdminConnection::wrote_all() {
  run_afterwards();
  transport_->want_read(true);
  if (last_ && !closing_) {
    closing_ = true;
    transport_->shutdown_write();
    linger_.arm(kLinger);
  } else if (!decoding_ && !in_.empty()) {
    decode();
    in_.own();
  }
}

// In a turn of its own: it may end the server, and us with it.
void AdminConnection::run_afterwards() {
  if (afterwards_) {
    admin_.loop_.post(std::move(afterwards_));
  }
}

void AdminConnection::shut() {
  closed_ = true;
  linger_.cancel();
  transport_->close(net::CloseHow::kFin);
  admin_.listener_.dec(ListenerStat::kDownstreamCxActive);
  admin_.listener_.inc(ListenerStat::kDownstreamCxDestroy);
  admin_.http_.dec(HttpStat::kDownstreamCxActive);
  admin_.http_.dec(HttpStat::kDownstreamCxHttp1Active);
  admin_.http_.inc(HttpStat::kDownstreamCxDestroy);
  unlink();
}

void AdminConnection::close() {
  if (closed_) {
    return;
  }
  // What was to happen behind the answer happens even when the client did not wait for it.
  run_afterwards();
  shut();
  admin_.loop_.destroy_later(std::unique_ptr<event::Deferred>(this));
}

}  // namespace sluice::server::admin
