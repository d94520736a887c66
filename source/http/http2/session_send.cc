// The output half of Session: frames as nghttp2 writes them, and what users send.
#include <algorithm>
#include <memory>
#include <utility>

#include "http/http2/session.h"

namespace sluice::http::http2 {

using stats::Http2Stat;

namespace {
// A block is built and given to nghttp2 in one go.
thread_local FieldBlock block;
// Behind a frame head so much is copied, so that they are one piece for the kernel.
constexpr size_t kCopyBelow = 8 * 1024;
constexpr int32_t kNotice = INT32_MAX;  // the last stream of a GOAWAY that announces the one that counts
}  // namespace

bool Session::flush(buffer::Buffer& out) {
  if (failed_) {
    consumed_.clear();
    return false;
  }
  release_held();
  out_ = &out;
  const size_t before = out.size();
  const uint8_t* bytes = nullptr;
  ssize_t size = 0;
  while ((size = nghttp2_session_mem_send(session_, &bytes)) > 0) {
    out.append_copy({reinterpret_cast<const char*>(bytes), static_cast<size_t>(size)});
  }
  out_ = nullptr;
  if (size < 0) fail(kGoawaySent);
  settle_touched();
  consumed_.clear();
  if (!guard_.on_flushed(out.size() - before, out.size())) {
    fail("http2.outbound_frames_flood");
  }
  return !failed_;
}

// Tunnels that were accepted since: what their clients sent for them already.
void Session::release_held() {
  while (Stream* stream = opened_.pop_front()) {
    deliver(*stream, stream->remote_ended ? End::kYes : End::kNo);
  }
}

// Bytes that could not be framed are kept past the dispatch; users learn of the room that there is.
void Session::settle_touched() {
  while (Stream* stream = touched_.pop_front()) {
    stream->pending.own();
    if (stream->full && stream->pending.size() <= stream_limit_ / 2) {
      stream->full = false;
      if (!stream->released) owner_.on_stream_full(*stream);
    }
  }
}

void Session::touch(Stream& stream) {
  if (!static_cast<IntrusiveNode<Touched>&>(stream).linked()) {
    touched_.push_back(stream);
  }
}

ssize_t Session::provide(Stream& stream, size_t length, uint32_t& flags) {
  const size_t bytes = std::min(length, stream.pending.size());
  if (bytes == 0 && !stream.end_pending) {
    stream.deferred = true;
    return NGHTTP2_ERR_DEFERRED;
  }
  if (bytes > 0) {
    flags |= NGHTTP2_DATA_FLAG_NO_COPY;
  }
  if (stream.end_pending && bytes == stream.pending.size()) {
    flags |= NGHTTP2_DATA_FLAG_EOF;
    if (stream.trailers != nullptr) {
      flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
      nghttp2_submit_trailer(session_, static_cast<int32_t>(stream.id), stream.trailers->data(),
                             stream.trailers->size());
    }
  }
  return static_cast<ssize_t>(bytes);
}

void Session::send_data(Stream& stream, const uint8_t* head, size_t length) {
  const std::string_view frame_head(reinterpret_cast<const char*>(head), kFrameHead);
  if (length > kCopyBelow) {
    out_->append_copy(frame_head);
    out_->move_from(stream.pending, length);
  } else {
    char* at = out_->reserve(kFrameHead + length);
    std::copy(frame_head.begin(), frame_head.end(), at);
    stream.pending.copy_out(at + kFrameHead, length);
    stream.pending.drain(length);
    out_->commit(kFrameHead + length);
  }
  stream.bytes.wire_sent += kFrameHead + length;
  touch(stream);
}

void Session::on_sent_frame(const nghttp2_frame& frame) {
  const bool ack = (frame.hd.flags & NGHTTP2_FLAG_ACK) != 0;
  switch (frame.hd.type) {
    case NGHTTP2_DATA:
      guard_.on_data_sent();
      break;
    case NGHTTP2_PING:
    case NGHTTP2_SETTINGS:
      guard_.on_frame_sent(ack);
      break;
    case NGHTTP2_RST_STREAM:
      stats_.inc(Http2Stat::kTxReset);
      guard_.on_frame_sent(true);
      if (frame.rst_stream.error_code == NGHTTP2_FLOW_CONTROL_ERROR) on_window_reset(frame.hd.stream_id);
      break;
    case NGHTTP2_GOAWAY:
      if (frame.goaway.last_stream_id != kNotice) stats_.inc(Http2Stat::kGoawaySent);
      guard_.on_frame_sent(false);
      // nghttp2's own: the peer broke the protocol. Nothing more is fed to it.
      if (frame.goaway.error_code != NGHTTP2_NO_ERROR) fail(kGoawaySent);
      break;
    default:
      guard_.on_frame_sent(false);
      break;
  }
  if (frame.hd.stream_id == 0 || (frame.hd.type == NGHTTP2_DATA && (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) == 0)) {
    return;
  }
  if (Stream* stream = stream_of(static_cast<StreamId>(frame.hd.stream_id))) {
    on_sent_frame_of(*stream, frame.hd);
  }
}

void Session::on_sent_frame_of(Stream& stream, const nghttp2_frame_hd& head) {
  const bool data = head.type == NGHTTP2_DATA;
  if (!data || head.length == 0) stream.bytes.wire_sent += kFrameHead + head.length;  // else in send_data()
  if (head.type == NGHTTP2_HEADERS) stream.bytes.header_sent += kFrameHead + head.length;
  if ((data || head.type == NGHTTP2_HEADERS) && (head.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
    stream.local_ended = true;
    if (stream.reset_after_end && !stream.remote_ended) {
      nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, head.stream_id, NGHTTP2_NO_ERROR);
    }
  }
}

// RFC 9113 6.9.2: settings that overflow the window of a stream are an error of the connection. nghttp2 resets the
// stream alone.
void Session::on_window_reset(int32_t id) {
  const Stream* stream = stream_of(static_cast<StreamId>(id));
  if (stream != nullptr && !stream->window_fault) {
    nghttp2_session_terminate_session(session_, NGHTTP2_FLOW_CONTROL_ERROR);
  }
}

namespace {
bool opens_tunnel(const Stream& stream, uint16_t status) { return stream.extended ? status == 101 : status / 100 == 2; }

nghttp2_data_provider provider_of(Stream& stream, nghttp2_data_source_read_callback read) {
  nghttp2_data_provider provider;
  provider.source.ptr = &stream;
  provider.read_callback = read;
  return provider;
}
}  // namespace

Stream* Session::submit_request(const RequestHeaders& headers, End end) {
  block.make(headers);
  Stream& stream = open_stream(0);
  stream.begun = true;
  stream.bytes.plain_header_sent = block.bytes();
  stream.to_head = headers.method == "HEAD";
  stream.connect = headers.tunnel != Tunnel::kNone;
  stream.extended = headers.tunnel == Tunnel::kUpgrade;
  if (stream.extended) stream.upgrade = headers.fields.get(Token::kUpgrade);
  stream.end_pending = end == End::kYes;
  nghttp2_data_provider provider = provider_of(stream, read_callback());
  const int32_t id = nghttp2_submit_request(session_, nullptr, block.data(), block.size(),
                                            end == End::kYes ? nullptr : &provider, &stream);
  if (id < 0) {  // no numbers are left
    stream.released = true;
    close(stream, NGHTTP2_REFUSED_STREAM);
    return nullptr;
  }
  stream.id = static_cast<StreamId>(id);
  closed_.on_opened(stream.id);
  last_ = &stream;
  return &stream;
}

void Session::submit_interim(Stream& stream, const ResponseHeaders& headers) {
  if (!stream.begun) {
    block.make(headers, headers.status);
    stream.bytes.plain_header_sent += block.bytes();
    nghttp2_submit_headers(session_, NGHTTP2_FLAG_NONE, static_cast<int32_t>(stream.id), nullptr, block.data(),
                           block.size(), nullptr);
  }
}

void Session::submit_response(Stream& stream, const ResponseHeaders& headers, End end) {
  if (stream.begun) {
    return;
  }
  stream.begun = true;
  stream.end_pending = end == End::kYes;
  if (stream.held && opens_tunnel(stream, headers.status)) {
    open_tunnel(stream);
  }
  block.make(headers, stream.extended && headers.status == 101 ? 200 : headers.status);
  stream.bytes.plain_header_sent += block.bytes();
  nghttp2_data_provider provider = provider_of(stream, read_callback());
  nghttp2_submit_response(session_, static_cast<int32_t>(stream.id), block.data(), block.size(),
                          end == End::kYes ? nullptr : &provider);
}

void Session::open_tunnel(Stream& stream) {
  stream.held = false;
  if (!stream.received.empty() || stream.remote_ended) opened_.push_back(stream);
}

void Session::unblock(Stream& stream) {
  if (stream.deferred) {
    stream.deferred = false;
    nghttp2_session_resume_data(session_, static_cast<int32_t>(stream.id));
  }
}

void Session::submit_data(Stream& stream, buffer::Buffer& data, End end) {
  if (stream.end_pending) {
    data.clear();
    return;
  }
  stream.pending.move_from(data);
  stream.end_pending = end == End::kYes;
  touch(stream);
  unblock(stream);
  if (!stream.full && stream.pending.size() > stream_limit_) {
    stream.full = true;
    if (!stream.released) owner_.on_stream_full(stream);
  }
}

void Session::submit_trailers(Stream& stream, const HeaderMap& trailers) {
  if (stream.end_pending) {
    return;
  }
  auto kept = std::make_unique<KeptTrailers>(trailers);
  stream.bytes.plain_header_sent += kept->bytes();
  if (kept->size() > 0) stream.trailers = std::move(kept);
  stream.end_pending = true;
  unblock(stream);
}

void Session::reset(Stream& stream, uint32_t code) {
  stream.pending.clear();
  nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, static_cast<int32_t>(stream.id), code);
}

void Session::release(Stream& stream, uint32_t code) {
  if (stream.released) {
    return;
  }
  stream.released = true;
  stream.user = nullptr;
  stream.paused = false;
  consume(stream, std::exchange(stream.unconsumed, 0));
  if (std::exchange(stream.held, false)) {  // nobody's
    consume(stream, stream.received.size());
    stream.received.clear();
  }
  if (stream.remote_ended && stream.end_pending) {
    return;
  }
  if (side_ == Side::kClient || !stream.end_pending || !stream.begun) {
    reset(stream, code);
  } else if (stream.local_ended) {
    reset(stream, NGHTTP2_NO_ERROR);  // RFC 9113 8.1: a complete response does not need the rest of its request
  } else {
    stream.reset_after_end = true;
  }
}

void Session::announce_goaway() {
  if (!announced_ && !failed_) {
    announced_ = true;
    nghttp2_submit_shutdown_notice(session_);
  }
}

void Session::send_goaway() {
  if (!goaway_sent_ && !failed_) {
    goaway_sent_ = announced_ = true;
    nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(session_),
                          NGHTTP2_NO_ERROR, nullptr, 0);
  }
}

void Session::ping() { nghttp2_submit_ping(session_, NGHTTP2_FLAG_NONE, nullptr); }

uint32_t Session::peer_max_streams() const {
  return nghttp2_session_get_remote_settings(session_, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
}

bool Session::can_open() const { return !failed_ && nghttp2_session_check_request_allowed(session_) != 0; }

}  // namespace sluice::http::http2
