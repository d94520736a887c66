#include "http/http2/client_codec.h"

namespace sluice::http::http2 {

Decoded Http2ClientCodec::decode(buffer::Buffer& in) {
  if (session_.failed()) {
    in.clear();
    return Decoded::kFailed;
  }
  return session_.receive(in) ? Decoded::kMore : fail();
}

Decoded Http2ClientCodec::flush(buffer::Buffer& out) { return session_.flush(out) ? Decoded::kMore : fail(); }

Decoded Http2ClientCodec::fail() {
  if (!told_) {
    told_ = true;
    session_.for_each_fault([this](Stream& stream) { events_.on_reset(stream.id, {stream.by, stream.fault}); });
    events_.on_error(0, {0, session_.failure()});
  }
  return Decoded::kFailed;
}

void Http2ClientCodec::on_head(Stream& stream, HeadReader& reader, End end) {
  ResponseHeaders& headers = *reader.finish_response();
  if (!stream.head_seen) {
    events_.on_interim(stream.id, headers);
    return;
  }
  // The answer to an extended CONNECT is what a 101 is to an upgrade.
  if (stream.extended && headers.status == 200) {
    headers.status = 101;
    headers.fields.set(Token::kConnection, "upgrade");
    headers.fields.set(Token::kUpgrade, stream.upgrade);
  }
  events_.on_headers(stream.id, headers, end);
}

StreamId Http2ClientCodec::encode_headers(const RequestHeaders& headers, End end, buffer::Buffer&) {
  const Stream* stream = session_.submit_request(headers, end);
  return stream == nullptr ? 0 : stream->id;
}

void Http2ClientCodec::encode_data(StreamId id, buffer::Buffer& data, End end, buffer::Buffer&) {
  if (Stream* stream = session_.find(id)) {
    session_.submit_data(*stream, data, end);
  } else {
    data.clear();
  }
}

void Http2ClientCodec::encode_trailers(StreamId id, const HeaderMap& trailers, buffer::Buffer&) {
  if (Stream* stream = session_.find(id)) session_.submit_trailers(*stream, trailers);
}

void Http2ClientCodec::reset(StreamId id, buffer::Buffer&) {
  if (Stream* stream = session_.find(id)) session_.release(*stream, NGHTTP2_INTERNAL_ERROR);
}

void Http2ClientCodec::pause(StreamId id) {
  if (Stream* stream = session_.find(id)) session_.pause(*stream);
}

void Http2ClientCodec::resume(StreamId id) {
  if (Stream* stream = session_.find(id)) session_.resume(*stream);
}

ByteMeter Http2ClientCodec::bytes(StreamId id) {
  const Stream* stream = session_.find(id);
  return stream == nullptr ? ByteMeter() : stream->bytes;
}

size_t Http2ClientCodec::unsent(StreamId id) {
  const Stream* stream = session_.find(id);
  return stream == nullptr ? 0 : stream->pending.size();
}

void Http2ClientCodec::set_user(StreamId id, void* user) {
  if (Stream* stream = session_.find(id)) stream->user = user;
}

}  // namespace sluice::http::http2
