#include "http/http1/client_codec.h"

#include <cstring>

#include "base/buggify.h"
#include "base/check.h"
#include "base/strings.h"
#include "http/chars.h"

namespace sluice::http::http1 {

Http1ClientCodec::Http1ClientCodec(const CodecOptions& options, ClientEvents& events, buffer::SlabPool& pool)
    : options_(options), events_(events), pool_(pool), sections_(options, pool), body_(sections_), writer_(options) {}

// ---- output

StreamId Http1ClientCodec::encode_headers(const RequestHeaders& headers, End end, buffer::Buffer& out) {
  SLUICE_DCHECK(reusable());
  writer_.start();
  bytes_ = ByteMeter();
  const size_t before = out.size();
  writer_.write_request(headers, end, out);
  count_sent(out, before);
  count_fields();
  to_head_ = headers.method == "HEAD";
  tunnel_ = headers.tunnel;
  if (tunnel_ == Tunnel::kUpgrade) {
    offer_ = headers.fields.get(Token::kUpgrade);
  }
  interims_ = 0;
  interim_bytes_ = 0;
  input_ = Input::kHead;
  return ++stream_;
}

void Http1ClientCodec::encode_data(StreamId stream, buffer::Buffer& data, End end, buffer::Buffer& out) {
  if (stream != stream_ || input_ == Input::kFailed || input_ == Input::kDiscard) {
    data.clear();
    return;
  }
  if (writer_.tunnel() && input_ != Input::kTunnel) {
    return;  // not accepted yet: the bytes stay where they are
  }
  const size_t before = out.size();
  writer_.write_data(data, end, out);
  count_sent(out, before);
}

void Http1ClientCodec::encode_trailers(StreamId stream, const HeaderMap& trailers, buffer::Buffer& out) {
  if (stream == stream_ && input_ != Input::kFailed && input_ != Input::kDiscard && !writer_.complete()) {
    const size_t before = out.size();
    writer_.write_trailers(trailers, out);
    count_sent(out, before);
    count_fields();
  }
}

void Http1ClientCodec::reset(StreamId stream, buffer::Buffer&) {
  if (stream == stream_ && input_ != Input::kFailed) {
    keep_alive_ = false;
    input_ = Input::kDiscard;
    sections_.drop();
  }
}

// ---- input

// Whatever is read is for the one message that is under way.
Decoded Http1ClientCodec::decode(buffer::Buffer& in) {
  bytes_.wire_received += in.size();
  return decode_rest(in);
}

Decoded Http1ClientCodec::decode_rest(buffer::Buffer& in) {
  switch (input_) {
    case Input::kIdle:
      return decode_idle(in);
    case Input::kHead:
      return decode_heads(in);
    case Input::kBody:
      return decode_body(in);
    case Input::kTunnel:
      if (!in.empty()) {
        events_.on_data(stream_, in, End::kNo);
        in.clear();
      }
      return Decoded::kMore;
    case Input::kDiscard:
      in.clear();
      return Decoded::kMore;
    case Input::kFailed:
      in.clear();
      return Decoded::kFailed;
  }
  return Decoded::kFailed;
}

// Bytes that no request asked for would be taken for the answer to the next one (RFC 9112 9.2).
Decoded Http1ClientCodec::decode_idle(buffer::Buffer& in) {
  if (in.empty()) {
    return Decoded::kMore;
  }
  keep_alive_ = false;
  input_ = Input::kFailed;
  events_.on_error(0, error_of(Fault::kUnasked));
  return Decoded::kFailed;
}

Decoded Http1ClientCodec::decode_heads(buffer::Buffer& in) {
  while (input_ == Input::kHead) {
    LineEnds lines;
    switch (sections_.read(in, Section::kResponseHead, lines)) {
      case SectionReader::Status::kMore:
        return Decoded::kMore;
      case SectionReader::Status::kFault:
        return fail(sections_.fault());
      case SectionReader::Status::kWhole:
        break;
    }
    Arena& arena = events_.on_begin(stream_);
    arena_ = &arena;
    auto* headers = arena.create<ResponseHeaders>(arena);
    FieldFacts facts;
    Fault fault = parse_head(*headers, lines, arena, facts);
    bytes_.header_received += facts.bytes;
    bytes_.plain_header_received += facts.bytes;
    sections_.done(in, lines);
    const bool interim = headers->status < 200 && headers->status != 101;
    if (fault == Fault::kNone) {
      fault = interim ? check_interim(*headers, facts) : check_framing(*headers, facts);
    }
    if (fault != Fault::kNone) {
      return fail(fault);
    }
    if (interim) {
      events_.on_interim(stream_, *headers);
      continue;
    }
    const End end = begin_body(*headers, facts);
    if (end == End::kYes) {
      finish_response(in);
    }
    events_.on_headers(stream_, *headers, end);
  }
  return decode_rest(in);
}

Decoded Http1ClientCodec::decode_body(buffer::Buffer& in) {
  if (in.size() > 1 && buggify::here(buggify::Point::kBodyByByte)) {
    buffer::Buffer byte(pool_);
    byte.move_from(in, 1);
    (void)decode_body(byte);
    return decode(in);
  }
  if (End end; body_.take_all(in, end)) {
    if (end == End::kYes) {
      input_ = Input::kIdle;
    }
    if (!in.empty()) {
      events_.on_data(stream_, in, end);
      in.clear();
    }
    return Decoded::kMore;
  }
  buffer::Buffer data(pool_);
  const BodyReader::Status status = body_.read(in, data, *arena_);
  if (status == BodyReader::Status::kEnd) {
    finish_response(in);
    events_.on_data(stream_, data, End::kYes);
    return decode_rest(in);
  }
  if (!data.empty()) {
    events_.on_data(stream_, data, End::kNo);
  }
  if (input_ != Input::kBody) {
    return decode_rest(in);
  }
  switch (status) {
    case BodyReader::Status::kFault:
      return fail(body_.fault());
    case BodyReader::Status::kTrailers:
      bytes_.header_received += body_.trailer_bytes();
      finish_response(in);
      events_.on_trailers(stream_, *body_.trailers());
      return decode_rest(in);
    case BodyReader::Status::kEnd:
    case BodyReader::Status::kMore:
      break;
  }
  return Decoded::kMore;
}

void Http1ClientCodec::decode_eof() {
  switch (input_) {
    case Input::kHead:
      fail(Fault::kCutShort);
      break;
    case Input::kBody:
      if (!body_.until_close()) {
        fail(Fault::kCutShort);
        break;
      }
      [[fallthrough]];
    case Input::kTunnel: {
      buffer::Buffer nothing(pool_);
      keep_alive_ = false;
      input_ = Input::kIdle;
      events_.on_data(stream_, nothing, End::kYes);
      break;
    }
    case Input::kIdle:
    case Input::kDiscard:
    case Input::kFailed:
      break;
  }
}

// Before the last event of a response, so that whoever hears it may ask reusable(): what the peer sent behind the end
// spoils the connection.
void Http1ClientCodec::finish_response(const buffer::Buffer& in) {
  input_ = Input::kIdle;
  keep_alive_ = keep_alive_ && in.empty();
}

Decoded Http1ClientCodec::fail(Fault fault) {
  sections_.drop();
  keep_alive_ = false;
  input_ = Input::kFailed;
  CodecError error = error_of(fault);
  error.status = 502;
  events_.on_error(stream_, error);
  return Decoded::kFailed;
}

// ---- heads

Fault Http1ClientCodec::parse_head(ResponseHeaders& headers, const LineEnds& lines, Arena& arena, FieldFacts& facts) {
  interim_bytes_ += lines.bytes.size();
  const SectionCopy section(lines, Section::kResponseHead, arena);
  const size_t first_end = line_end(section, 0, 0);
  StatusLine line;
  Fault fault = parse_status_line({section.wire, first_end}, line);
  if (fault == Fault::kNone) {
    fault = parse_fields(section, 1, first_end + 2, options_, headers.fields, facts);
  }
  if (fault == Fault::kNone && options_.header_case == CodecOptions::Case::kPreserve) {
    auto* spelling = arena.create<Spelling>();
    *spelling = {section.data, arena.copy(lines.bytes).data(), section.size, {}};
    headers.fields.set_spelling(spelling);
  }
  headers.status = line.status;
  if (options_.forward_reason_phrase) headers.reason = section.kept(line.reason);
  headers.protocol = line.protocol;
  headers.chunked = facts.codings > 0;
  return fault;
}

// 1xx has no body whatever it says (RFC 9110 15.2): one that says so is not to be trusted.
Fault Http1ClientCodec::check_interim(const ResponseHeaders&, const FieldFacts& facts) {
  if (facts.codings > 0 || facts.length > 0 || facts.bad_length) {
    return Fault::kLengthHere;
  }
  return ++interims_ > kMaxInterims || interim_bytes_ > options_.max_head_bytes ? Fault::kTooManyInterims
                                                                                : Fault::kNone;
}

Fault Http1ClientCodec::check_framing(ResponseHeaders& headers, const FieldFacts& facts) const {
  if (headers.status == 101) {
    return tunnel_ == Tunnel::kUpgrade && headers.protocol == Protocol::kHttp11 && offered(headers) ? Fault::kNone
                                                                                                    : Fault::kUnasked;
  }
  if (facts.codings > 0) {
    if (headers.protocol == Protocol::kHttp10) {
      return Fault::kTransferEncodingHere;
    }
    if (facts.codings > 1 || !facts.chunked) {
      return Fault::kTransferEncoding;
    }
  }
  if (facts.lengths > 1 || facts.bad_length) {
    return Fault::kMalformed;
  }
  if (facts.lengths > 0 && facts.codings > 0) {
    if (!options_.allow_chunked_length) {
      return Fault::kChunkedLength;
    }
    headers.fields.remove(Token::kContentLength);
  }
  return Fault::kNone;
}

// Whether the protocols of a 101 are among those that the request offered (RFC 9110 7.8).
bool Http1ClientCodec::offered(const ResponseHeaders& headers) const {
  bool any = false;
  bool all = headers.fields.count(Token::kUpgrade) == 1;
  for_each_element(headers.fields.get(Token::kUpgrade), [&](std::string_view chosen) {
    any = true;
    bool found = false;
    for_each_element(offer_, [&](std::string_view ours) { found |= equal_ignore_case(ours, chosen); });
    all &= found;
  });
  return any && all;
}

// RFC 9112 6.3, in its order.
End Http1ClientCodec::begin_body(const ResponseHeaders& headers, const FieldFacts& facts) {
  keep_alive_ = keep_alive_ && !facts.close && (headers.protocol == Protocol::kHttp11 || facts.keep_alive);
  if (headers.status == 101 || (tunnel_ == Tunnel::kConnect && headers.status / 100 == 2)) {
    keep_alive_ = false;
    input_ = Input::kTunnel;
    return End::kNo;
  }
  input_ = Input::kBody;
  if (to_head_ || headers.status == 204 || headers.status == 304) {
    return End::kYes;
  }
  if (facts.codings > 0) {
    body_.start_chunked();
  } else if (facts.lengths > 0) {
    body_.start_length(facts.length);
    return facts.length == 0 ? End::kYes : End::kNo;
  } else {
    keep_alive_ = false;
    body_.start_until_close();
  }
  return End::kNo;
}

}  // namespace sluice::http::http1
