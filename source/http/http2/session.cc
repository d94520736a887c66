#include "http/http2/session.h"

#include <algorithm>
#include <new>
#include <utility>

#include "base/buggify.h"

namespace sluice::http::http2 {

using stats::Http2Stat;

Session::Session(Side side, const CodecOptions& options, const Http2Options& http2, size_t stream_limit, Stats stats,
                 buffer::SlabPool& slabs, SessionOwner& owner)
    : side_(side),
      options_(options),
      http2_(http2),
      stream_limit_(stream_limit == 0 ? SIZE_MAX : stream_limit),
      stats_(stats),
      slabs_(slabs),
      owner_(owner),
      guard_(http2, stats_),
      heads_(side == Side::kServer ? NGHTTP2_CLIENT_MAGIC_LEN : 0),
      reader_(options),
      consumed_(slabs) {
  start();
}

Session::~Session() {
  nghttp2_session_del(session_);
  while (Stream* stream = all_.pop_front()) {
    stats_.dec(Http2Stat::kStreamsActive);
    delete stream;
  }
}

int Session::fail(std::string_view failure) {
  if (!failed_) {
    failed_ = true;
    failure_ = failure;
  }
  return NGHTTP2_ERR_CALLBACK_FAILURE;
}

// ---- input

bool Session::receive(buffer::Buffer& in) {
  while (!in.empty() && !failed_ && !stopped_) {
    std::string_view bytes = in.front();
    const FrameHeads::Piece piece = heads_.next(bytes);
    if (piece.data_of != 0 && is_stray(piece.data_of)) {
      stop();
      break;
    }
    bytes = bytes.substr(0, piece.size);
    const ssize_t used =
        nghttp2_session_mem_recv(session_, reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
    if (used < 0 && stopped_) {
      break;
    }
    if (used < 0) {
      if (used == NGHTTP2_ERR_FLOODED) stats_.inc(Http2Stat::kOutboundControlFlood);
      fail(used == NGHTTP2_ERR_FLOODED ? "http2.outbound_frames_flood" : kGoawaySent);
      break;
    }
    if (receiving_ != nullptr) {
      deliver(*receiving_, End::kNo);
    }
    consumed_.move_from(in, static_cast<size_t>(used));
  }
  if (stopped_) consumed_.move_from(in);  // the streams are told later
  in.clear();
  return !failed_;
}

Stream* Session::stream_of(StreamId id) const {
  return static_cast<Stream*>(nghttp2_session_get_stream_user_data(session_, static_cast<int32_t>(id)));
}

Stream* Session::find(StreamId id) {
  if (last_ == nullptr || last_->id != id) {
    last_ = stream_of(id);
    if (last_ == nullptr) {  // a request whose head is not sent yet is not known to nghttp2
      last_ = all_.front();
      while (last_ != nullptr && last_->id != id) {
        last_ = all_.next(*last_);
      }
    }
  }
  return last_;
}

Stream& Session::open_stream(StreamId id) {
  Stream* stream = spare_.release();
  if (stream != nullptr) {
    stream->~Stream();
    new (stream) Stream(id, slabs_);
  } else {
    stream = new Stream(id, slabs_);
  }
  all_.push_back(*stream);
  ++streams_;
  closed_.on_opened(id);
  guard_.on_stream_opened();
  stats_.add(Http2Stat::kStreamsActive, 1);
  return *stream;
}

int Session::on_frame_head(const nghttp2_frame_hd& head) {
  if (failed_) {
    return NGHTTP2_ERR_CALLBACK_FAILURE;
  }
  if (head.type == NGHTTP2_HEADERS && is_stray(static_cast<StreamId>(head.stream_id))) {
    stop();
    return NGHTTP2_ERR_CALLBACK_FAILURE;
  }
  switch (head.type) {
    case NGHTTP2_HEADERS:
    case NGHTTP2_CONTINUATION:
      return guard_.on_payload(head.length == 0 && (head.flags & NGHTTP2_FLAG_END_STREAM) == 0)
                 ? 0
                 : fail("http2.inbound_empty_frames_flood");
    case NGHTTP2_PRIORITY:
      return guard_.on_priority() ? 0 : fail("http2.inbound_priority_frames_flood");
    case NGHTTP2_WINDOW_UPDATE:
      return guard_.on_window_update() ? 0 : fail("http2.inbound_window_update_frames_flood");
    default:
      return 0;
  }
}

int Session::on_begin_headers(const nghttp2_frame& frame) {
  const auto id = static_cast<StreamId>(frame.hd.stream_id);
  Stream* stream = stream_of(id);
  if (stream == nullptr) {
    if (side_ == Side::kClient) {
      return 0;
    }
    stream = &open_stream(id);
    nghttp2_session_set_stream_user_data(session_, frame.hd.stream_id, stream);
  }
  if (!stream->released) {
    if (stream->head_seen && side_ == Side::kServer) stats_.inc(Http2Stat::kTrailers);
    if (!stream->head_seen) stream->arena = &owner_.on_head_begin(*stream);
    reader_.begin(*stream->arena);
  }
  return 0;
}

int Session::on_header(const nghttp2_frame& frame, std::string_view name, std::string_view value) {
  if (!reader_.open()) {
    return 0;  // of a stream that nobody is interested in any more
  }
  const HeadReader::Status status = reader_.add(name, value);
  if (status == HeadReader::Status::kTaken) {
    return 0;
  }
  reader_.drop();
  Stream* stream = stream_of(static_cast<StreamId>(frame.hd.stream_id));
  return on_refused_field(*stream, status);
}

// A message goes on whose stream the peer itself ended, or passed by. (Even numbers are of streams that never are.)
bool Session::is_stray(StreamId id) const {
  if (!closed_.passed(id) || (last_ != nullptr && last_->id == id)) {
    return false;
  }
  return id % 2 == 1 && stream_of(id) == nullptr && !closed_.may_be_late(id);
}

// RFC 9113 5.1 has an error of the stream for some of these, too, but a peer that does not know its own streams is not
// to be trusted with the others.
void Session::stop() {
  stopped_ = true;
  nghttp2_session_terminate_session(session_, NGHTTP2_STREAM_CLOSED);
}

// nghttp2 goes on decoding the block, for the sake of its table, and resets the stream.
int Session::on_refused_field(Stream& stream, HeadReader::Status status) {
  switch (status) {
    case HeadReader::Status::kTooLarge:
      stats_.inc(Http2Stat::kHeaderListSizeTooLarge);
      stream.fault = "http2.header_list_size_too_large";
      stream.by = StreamReset::By::kLimit;
      return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    case HeadReader::Status::kTooMany:
      stats_.inc(Http2Stat::kHeaderOverflow);
      stream.fault = "http2.too_many_headers";
      stream.by = StreamReset::By::kLimit;
      return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    case HeadReader::Status::kUnderscore:
      stats_.inc(Http2Stat::kRequestsRejectedWithUnderscoresInHeaders);
      stream.fault = "http2.unexpected_underscore";
      stream.by = StreamReset::By::kLimit;
      return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    case HeadReader::Status::kInvalid:
    case HeadReader::Status::kTaken:
      break;
  }
  const int result = on_message_fault(&stream, kInvalidField);
  if (result == 0) {
    nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, static_cast<int32_t>(stream.id), NGHTTP2_PROTOCOL_ERROR);
  }
  return result;
}

// 0: the stream alone ends. Else the connection does: a peer whose messages are wrong is not to be trusted.
int Session::on_message_fault(Stream* stream, std::string_view details) {
  stats_.inc(Http2Stat::kRxMessagingError);
  if (stream != nullptr && stream->fault.empty()) {
    stream->fault = details;
    stream->by = StreamReset::By::kFault;
  }
  reader_.drop();
  return http2_.stream_error_on_invalid_message ? 0 : fail(kCodecFailed);
}

int Session::on_invalid_frame(const nghttp2_frame& frame, int error) {
  if (frame.hd.type == NGHTTP2_WINDOW_UPDATE) {
    if (Stream* stream = stream_of(static_cast<StreamId>(frame.hd.stream_id))) stream->window_fault = true;
  }
  switch (error) {
    case NGHTTP2_ERR_REFUSED_STREAM:
      closed_.on_reset_by_us(static_cast<StreamId>(frame.hd.stream_id));
      stats_.inc(Http2Stat::kStreamRefusedErrors);
      return 0;
    case NGHTTP2_ERR_HTTP_HEADER:
    case NGHTTP2_ERR_HTTP_MESSAGING:
      return on_message_fault(stream_of(static_cast<StreamId>(frame.hd.stream_id)),
                              error == NGHTTP2_ERR_HTTP_HEADER ? kInvalidField : kInvalidMessage);
    default:
      return 0;  // nghttp2 resets the stream, or says GOAWAY
  }
}

int Session::on_frame(const nghttp2_frame& frame) {
  Stream* stream = frame.hd.stream_id == 0 ? nullptr : stream_of(static_cast<StreamId>(frame.hd.stream_id));
  const bool ends = (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
  const size_t bytes = kFrameHead + frame.hd.length;
  switch (frame.hd.type) {
    case NGHTTP2_HEADERS:
      if (stream != nullptr) {
        stream->bytes.wire_received += bytes;
        stream->bytes.header_received += bytes;
        head_complete(*stream, frame);
      }
      return 0;
    case NGHTTP2_DATA:
      if (stream != nullptr) stream->bytes.wire_received += bytes;
      if (!guard_.on_payload(!ends && frame.hd.length == frame.data.padlen)) {
        return fail("http2.inbound_empty_frames_flood");
      }
      if (stream != nullptr && (ends || !stream->received.empty())) {
        stream->remote_ended |= ends;
        deliver(*stream, ends ? End::kYes : End::kNo);
      }
      return 0;
    case NGHTTP2_RST_STREAM:
      stats_.inc(Http2Stat::kRxReset);
      if (stream != nullptr) {
        stream->bytes.wire_received += bytes;
        stream->peer_reset = true;
      }
      return 0;
    case NGHTTP2_GOAWAY:
      owner_.on_goaway();
      return 0;
    case NGHTTP2_SETTINGS:
      if ((frame.hd.flags & NGHTTP2_FLAG_ACK) == 0) owner_.on_settings();
      return 0;
    case NGHTTP2_PING:
      if ((frame.hd.flags & NGHTTP2_FLAG_ACK) != 0) owner_.on_ping_ack();
      return 0;
    default:
      return 0;
  }
}

void Session::head_complete(Stream& stream, const nghttp2_frame& frame) {
  const End end = (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0 ? End::kYes : End::kNo;
  stream.remote_ended |= end == End::kYes;
  if (!reader_.open() || stream.released) {
    reader_.drop();
    return;
  }
  stats_.add(Http2Stat::kDroppedHeadersWithUnderscores, reader_.dropped());
  stream.bytes.plain_header_received += reader_.bytes();
  if (!stream.head_seen) {
    stream.head_seen = side_ == Side::kServer || reader_.status() >= 200;
    owner_.on_head(stream, reader_, end);
  } else {
    owner_.on_trailers(stream, *reader_.finish_trailers());
  }
}

void Session::on_chunk(StreamId id, std::string_view bytes) {
  Stream* stream = stream_of(id);
  if (stream == nullptr || stream->released || !stream->head_seen) {
    nghttp2_session_consume_connection(session_, bytes.size());
    return;
  }
  if (bytes.size() > 1 && buggify::here(buggify::Point::kBodyByByte)) {
    stream->received.append_borrowed(bytes.substr(0, 1));
    deliver(*stream, End::kNo);
    on_chunk(id, bytes.substr(1));
    return;
  }
  stream->received.append_borrowed(bytes);
  receiving_ = stream;
}

void Session::deliver(Stream& stream, End end) {
  receiving_ = nullptr;
  if (stream.held && !stream.released) {
    stream.received.own();  // its window is not opened again before
    return;
  }
  const size_t bytes = stream.received.size();
  if (!stream.released && stream.head_seen) {
    owner_.on_data(stream, stream.received, end);
  }
  stream.received.clear();
  if (stream.paused && !stream.released) {
    stream.unconsumed += bytes;
  } else {
    consume(stream, bytes);
  }
}

void Session::consume(Stream& stream, size_t bytes) {
  if (bytes > 0) {
    nghttp2_session_consume(session_, static_cast<int32_t>(stream.id), bytes);
  }
}

void Session::resume(Stream& stream) {
  stream.paused = false;
  consume(stream, std::exchange(stream.unconsumed, 0));
}

void Session::on_closed(StreamId id, uint32_t code) {
  if (Stream* stream = stream_of(id)) {
    nghttp2_session_set_stream_user_data(session_, static_cast<int32_t>(id), nullptr);
    close(*stream, code);
  }
}

// A request that the peer's limits or its GOAWAY keep from being sent, or that was given up before. One that nghttp2
// knows already is closed next.
void Session::on_not_sent(const nghttp2_frame& frame) {
  const auto id = static_cast<StreamId>(frame.hd.stream_id);
  if (frame.hd.type != NGHTTP2_HEADERS || frame.headers.cat != NGHTTP2_HCAT_REQUEST || stream_of(id) != nullptr) {
    return;
  }
  if (Stream* stream = find(id)) {
    close(*stream, NGHTTP2_REFUSED_STREAM);
  }
}

void Session::close(Stream& found, uint32_t code) {
  std::unique_ptr<Stream> stream(&found);
  if (receiving_ == &found) receiving_ = nullptr;
  if (last_ == &found) last_ = nullptr;
  if (const size_t held = stream->unconsumed + stream->received.size(); held > 0) {
    nghttp2_session_consume_connection(session_, held);
  }
  static_cast<IntrusiveNode<InSession>&>(*stream).unlink();
  static_cast<IntrusiveNode<Touched>&>(*stream).unlink();
  static_cast<IntrusiveNode<Opened>&>(*stream).unlink();
  --streams_;
  guard_.on_stream_closed();
  stats_.dec(Http2Stat::kStreamsActive);
  if (!stream->remote_ended && !stream->peer_reset) closed_.on_reset_by_us(stream->id);
  const bool complete = stream->remote_ended && stream->local_ended && code == NGHTTP2_NO_ERROR;
  if (!stream->released && !complete) {
    StreamReset reset{stream->by, stream->fault.empty() ? kRemoteReset : stream->fault};
    if (stream->fault.empty()) {
      if (code == NGHTTP2_REFUSED_STREAM) {
        reset = {StreamReset::By::kPeerRefused, "http2.remote_refuse"};
      } else if (code == NGHTTP2_PROTOCOL_ERROR) {
        reset.by = stream->peer_reset ? StreamReset::By::kPeerProtocol : StreamReset::By::kFault;
      } else if (stream->peer_reset) {
        reset.by = StreamReset::By::kPeer;
      }
    }
    stream->released = true;
    last_ = &found;  // it can be asked for once more
    owner_.on_stream_reset(*stream, reset);
    last_ = nullptr;
  }
  if (!stream->released && complete) {
    last_ = &found;
    owner_.on_stream_complete(*stream);
    last_ = nullptr;
  }
  stream->pending.clear();
  stream->received.clear();
  stream->trailers = nullptr;
  spare_ = std::move(stream);
}

}  // namespace sluice::http::http2
