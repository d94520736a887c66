#include "http/http2/server_codec.h"

namespace sluice::http::http2 {

Decoded Http2ServerCodec::decode(buffer::Buffer& in) {
  if (session_.failed()) {
    in.clear();
    return Decoded::kFailed;
  }
  return session_.receive(in) ? Decoded::kMore : fail();
}

Decoded Http2ServerCodec::flush(buffer::Buffer& out) { return session_.flush(out) ? Decoded::kMore : fail(); }

Decoded Http2ServerCodec::fail() {
  if (!told_) {
    told_ = true;
    session_.for_each_fault([this](Stream& stream) { events_.on_reset(stream.id, {stream.by, stream.fault}); });
    events_.on_error(0, {0, session_.failure()});
  }
  return Decoded::kFailed;
}

void Http2ServerCodec::on_head(Stream& stream, HeadReader& reader, End end) {
  RequestHeaders& headers = *reader.finish_request();
  stream.to_head = headers.method == "HEAD";
  stream.connect = headers.tunnel != Tunnel::kNone;
  stream.extended = headers.tunnel == Tunnel::kUpgrade;
  stream.held = stream.connect;
  events_.on_headers(stream.id, headers, end);
}

void Http2ServerCodec::encode_interim(StreamId id, const ResponseHeaders& headers, buffer::Buffer&) {
  if (Stream* stream = session_.find(id)) session_.submit_interim(*stream, headers);
}

void Http2ServerCodec::encode_headers(StreamId id, const ResponseHeaders& headers, End end, buffer::Buffer&) {
  if (Stream* stream = session_.find(id)) session_.submit_response(*stream, headers, end);
}

void Http2ServerCodec::encode_data(StreamId id, buffer::Buffer& data, End end, buffer::Buffer&) {
  if (Stream* stream = session_.find(id)) {
    session_.submit_data(*stream, data, end);
  } else {
    data.clear();
  }
}

void Http2ServerCodec::encode_trailers(StreamId id, const HeaderMap& trailers, buffer::Buffer&) {
  if (Stream* stream = session_.find(id)) session_.submit_trailers(*stream, trailers);
}

void Http2ServerCodec::reset(StreamId id, buffer::Buffer&) {
  if (Stream* stream = session_.find(id)) session_.release(*stream, NGHTTP2_INTERNAL_ERROR);
}

void Http2ServerCodec::pause(StreamId id) {
  if (Stream* stream = session_.find(id)) session_.pause(*stream);
}

void Http2ServerCodec::resume(StreamId id) {
  if (Stream* stream = session_.find(id)) session_.resume(*stream);
}

ByteMeter Http2ServerCodec::bytes(StreamId id) {
  const Stream* stream = session_.find(id);
  return stream == nullptr ? ByteMeter() : stream->bytes;
}

size_t Http2ServerCodec::unsent(StreamId id) {
  const Stream* stream = session_.find(id);
  return stream == nullptr ? 0 : stream->pending.size();
}

}  // namespace sluice::http::http2
