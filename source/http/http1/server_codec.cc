#include "http/http1/server_codec.h"

#include <algorithm>
#include <cstring>

#include "base/buggify.h"
#include "base/strings.h"
#include "http/authority.h"
#include "http/chars.h"
#include "http/hop_by_hop.h"
#include "match/string_matcher.h"

namespace sluice::http::http1 {

Http1ServerCodec::Http1ServerCodec(const CodecOptions& options, ServerEvents& events, buffer::SlabPool& pool)
    : events_(events), sections_(options, pool), body_(sections_), writer_(options) {}

// ---- input

Decoded Http1ServerCodec::decode(buffer::Buffer& in) {
  switch (input_) {
    case Input::kHead:
      return decode_head(in);
    case Input::kBody:
      return decode_body(in);
    case Input::kHeld:
    case Input::kComplete:
      return Decoded::kBlocked;
    case Input::kTunnel:
      if (!in.empty()) {
        bytes_->wire_received += in.size();
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

Decoded Http1ServerCodec::decode_head(buffer::Buffer& in) {
  LineEnds lines;
  switch (sections_.read(in, Section::kRequestHead, lines)) {
    case SectionReader::Status::kMore:
      return Decoded::kMore;
    case SectionReader::Status::kFault:
      begin_stream();
      return fail(sections_.fault());
    case SectionReader::Status::kWhole:
      break;
  }
  begin_stream();
  auto* headers = arena_->create<RequestHeaders>(*arena_);
  FieldFacts facts;
  const Fault fault = parse_head(*headers, lines, facts);
  bytes_->wire_received = lines.bytes.size();
  bytes_->header_received = bytes_->plain_header_received = facts.bytes;
  sections_.done(in, lines);
  if (fault != Fault::kNone) {
    return fail(fault);
  }
  const End end = begin_body(*headers, facts);
  events_.on_headers(stream_, *headers, end);
  if (end == End::kYes) {
    return after_message(in);
  }
  return in.empty() && input_ == Input::kBody ? Decoded::kMore : decode(in);
}

Decoded Http1ServerCodec::decode_body(buffer::Buffer& in) {
  if (in.size() > 1 && buggify::here(buggify::Point::kBodyByByte)) {
    buffer::Buffer byte(sections_.pool());
    byte.move_from(in, 1);
    (void)decode_body(byte);
    return decode(in);
  }
  buffer::Buffer data(sections_.pool());
  const size_t before = in.size();
  const BodyReader::Status status = body_.read(in, data, *arena_);
  bytes_->wire_received += before - in.size();
  if (status == BodyReader::Status::kEnd) {
    input_ = Input::kComplete;
    events_.on_data(stream_, data, End::kYes);
    return after_message(in);
  }
  if (!data.empty()) {
    events_.on_data(stream_, data, End::kNo);
  }
  if (input_ != Input::kBody) {
    return decode(in);  // the response ended meanwhile
  }
  switch (status) {
    case BodyReader::Status::kFault:
      return fail(body_.fault());
    case BodyReader::Status::kTrailers:
      bytes_->header_received += body_.trailer_bytes();
      input_ = Input::kComplete;
      events_.on_trailers(stream_, *body_.trailers());
      return after_message(in);
    case BodyReader::Status::kEnd:
    case BodyReader::Status::kMore:
      break;
  }
  return Decoded::kMore;
}

Decoded Http1ServerCodec::after_message(const buffer::Buffer& in) const {
  return in.empty() && input_ != Input::kComplete ? Decoded::kMore : Decoded::kBlocked;
}

void Http1ServerCodec::begin_stream() {
  terms_ = ResponseTerms();
  writer_.start();
  arena_ = &events_.on_begin(++stream_);
  bytes_ = arena_->create<ByteMeter>();
}

Decoded Http1ServerCodec::fail(Fault fault) {
  sections_.drop();
  keep_alive_ = false;
  input_ = Input::kFailed;
  events_.on_error(stream_, error_of(fault));
  return Decoded::kFailed;
}

// ---- heads

Fault Http1ServerCodec::parse_head(RequestHeaders& headers, const LineEnds& lines, FieldFacts& facts) {
  const SectionCopy section(lines, Section::kRequestHead, *arena_);
  const size_t first_end = line_end(section, 0, 0);
  RequestLine line;
  Fault fault = parse_request_line({section.wire, first_end}, options(), line);
  if (fault == Fault::kNone) {
    fault = parse_fields(section, 1, first_end + 2, options(), headers.fields, facts);
  }
  if (fault != Fault::kNone) {
    return fault;
  }
  if (options().header_case == CodecOptions::Case::kPreserve) {
    auto* spelling = arena_->create<Spelling>();
    *spelling = {section.data, arena_->copy(lines.bytes).data(), section.size, {}};
    if (facts.hosts > 0) {
      const std::string_view name = section.kept(facts.host_name);
      spelling->host = spelling->of(name.data(), name.size());
    }
    headers.fields.set_spelling(spelling);
  }
  headers.method = headers.checked.method = section.kept(line.method);
  headers.path = section.kept(line.path);
  headers.checked.path = line.has_hash ? std::string_view() : section.kept(line.path);
  headers.scheme = line.scheme;
  headers.protocol = line.protocol;
  headers.dropped_fields = facts.dropped;
  fault = check_host(line, section, facts, headers);
  return fault != Fault::kNone ? fault : check_framing(line, facts, headers);
}

// RFC 9112 3.2: one Host field, valid, in every HTTP/1.1 request. A target with an authority replaces it (3.2.2); the
// exchange refuses a request that has neither.
Fault Http1ServerCodec::check_host(const RequestLine& line, const SectionCopy& section, const FieldFacts& facts,
                                   RequestHeaders& headers) const {
  if (facts.hosts > 1 || (!facts.host.empty() && !is_authority(facts.host))) {
    return Fault::kMalformed;
  }
  if (!line.authority.empty()) {
    headers.authority = headers.checked.authority = section.kept(line.authority);
    return facts.hosts == 0 && line.protocol == Protocol::kHttp11 ? Fault::kMissingHost : Fault::kNone;
  }
  if (facts.hosts == 0 && line.protocol == Protocol::kHttp10) {
    headers.authority = options().default_host_for_http_10;
  } else {
    headers.authority = headers.checked.authority = section.kept(facts.host);
  }
  return Fault::kNone;
}

// RFC 9112 6.1 and 6.3: one framing, beyond doubt.
Fault Http1ServerCodec::check_framing(const RequestLine& line, const FieldFacts& facts, RequestHeaders& headers) {
  if (facts.codings > 0) {
    if (line.protocol == Protocol::kHttp10 || headers.method == "CONNECT") {
      return Fault::kTransferEncodingHere;
    }
    if (facts.codings > 1 || !facts.chunked) {
      return Fault::kTransferEncoding;
    }
  }
  if (facts.lengths > 1 || facts.bad_length) {
    return Fault::kMalformed;
  }
  if (facts.lengths > 0) {
    if (facts.codings > 0 && !options().allow_chunked_length) {
      return Fault::kChunkedLength;
    }
    if (headers.method == "CONNECT" && facts.length > 0) {
      return Fault::kLengthHere;
    }
    if (facts.codings > 0 || headers.method == "CONNECT") {
      headers.fields.remove(Token::kContentLength);
    }
  }
  if (facts.nominates && !remove_nominated(headers)) {
    return Fault::kConnection;
  }
  headers.tunnel = tunnel_of(headers, facts);
  return Fault::kNone;
}

// An upgrade is only seen where it can be served: RFC 9110 7.8 lets a server ignore it. Not in HTTP/1.0; not with a
// body, so that the tunnel's first byte is beyond doubt; not to h2c, which would end our view of the connection.
Tunnel Http1ServerCodec::tunnel_of(RequestHeaders& headers, const FieldFacts& facts) const {
  if (headers.method == "CONNECT") {
    return Tunnel::kConnect;
  }
  const HeaderField* upgrade = facts.upgrade ? headers.fields.find(Token::kUpgrade) : nullptr;
  if (upgrade == nullptr || !options().allow_upgrade || headers.protocol == Protocol::kHttp10 || facts.codings > 0 ||
      facts.length > 0 || headers.fields.count(Token::kUpgrade) > 1) {
    return Tunnel::kNone;
  }
  if (options().ignored_upgrades != nullptr) {
    upgrade = drop_ignored(*upgrade, headers.fields);
    if (upgrade == nullptr) return Tunnel::kNone;
  }
  bool named = false;
  bool h2c = false;
  for_each_element(upgrade->value(), [&](std::string_view protocol) {
    named = true;
    h2c |= equal_ignore_case(protocol, "h2c");
  });
  return named && !h2c ? Tunnel::kUpgrade : Tunnel::kNone;
}

// Takes the protocols out of Upgrade that are not to be seen; what is left, null when nothing is.
const HeaderField* Http1ServerCodec::drop_ignored(const HeaderField& upgrade, HeaderMap& fields) const {
  const std::string_view came = upgrade.value();
  char* const start = static_cast<char*>(fields.arena().allocate(came.size(), 1));
  char* at = start;
  bool any = false;
  for_each_element(came, [&](std::string_view protocol) {
    for (const match::StringMatcher& ignored : *options().ignored_upgrades) {
      if (!ignored.matches(protocol)) continue;
      any = true;
      return;
    }
    if (at != start) *at++ = ',';
    at = std::copy(protocol.begin(), protocol.end(), at);
  });
  if (!any) return &upgrade;
  if (at == start) {
    fields.remove(Token::kUpgrade);
    return nullptr;
  }
  fields.set(Token::kUpgrade, {start, static_cast<size_t>(at - start)});
  return fields.find(Token::kUpgrade);
}

// What follows the head, and the terms on which the response is written.
End Http1ServerCodec::begin_body(const RequestHeaders& headers, const FieldFacts& facts) {
  terms_.protocol = headers.protocol;
  terms_.tunnel = headers.tunnel;
  terms_.to_head = headers.method == "HEAD";
  peer_leaves_ = facts.close || (headers.protocol != Protocol::kHttp11 && !facts.keep_alive);
  keep_alive_ = keep_alive_ && !peer_leaves_;
  if (headers.tunnel != Tunnel::kNone) {
    input_ = Input::kHeld;
    return End::kNo;
  }
  if (facts.codings == 0 && facts.length == 0) {
    input_ = Input::kComplete;
    return End::kYes;
  }
  input_ = Input::kBody;
  if (facts.codings > 0) {
    body_.start_chunked();
  } else {
    body_.start_length(facts.length);
  }
  return End::kNo;
}

// ---- output

void Http1ServerCodec::encode_interim(StreamId stream, const ResponseHeaders& headers, buffer::Buffer& out) {
  // A client of HTTP/1.0 does not know of them (RFC 9110 15.2).
  if (stream == stream_ && !writer_.begun() && terms_.protocol != Protocol::kHttp10) {
    const size_t before = out.size();
    writer_.write_interim(headers, out);
    count_sent(out, before);
    count_fields();
  }
}

void Http1ServerCodec::encode_headers(StreamId stream, const ResponseHeaders& headers, End end, buffer::Buffer& out) {
  if (stream == 0 && input_ == Input::kHead) {
    terms_ = ResponseTerms();
    writer_.start();
    bytes_ = nullptr;
    stream_ = 0;
    keep_alive_ = false;
    input_ = Input::kDiscard;
    sections_.drop();
  }
  if (stream != stream_ || writer_.begun()) {
    return;
  }
  const bool opens = (terms_.tunnel == Tunnel::kUpgrade && headers.status == 101) ||
                     (terms_.tunnel == Tunnel::kConnect && headers.status / 100 == 2);
  // A client whose tunnel is refused may have sent bytes for it: nothing behind them can be trusted.
  if (draining_ || terms_.tunnel != Tunnel::kNone || (end == End::kYes && input_ != Input::kComplete)) {
    keep_alive_ = false;
  }
  terms_.keep_alive = keep_alive_;
  const size_t before = out.size();
  writer_.write_response(headers, end, terms_, out);
  count_sent(out, before);
  count_fields();
  if (opens && input_ == Input::kHeld) {
    input_ = Input::kTunnel;
  }
  if (writer_.complete()) {
    finish_response();
  }
}

void Http1ServerCodec::encode_data(StreamId stream, buffer::Buffer& data, End end, buffer::Buffer& out) {
  if (stream != stream_ || !writer_.begun()) {
    data.clear();
    return;
  }
  const size_t before = out.size();
  writer_.write_data(data, end, out);
  count_sent(out, before);
  if (writer_.complete()) {
    finish_response();
  }
}

void Http1ServerCodec::encode_trailers(StreamId stream, const HeaderMap& trailers, buffer::Buffer& out) {
  if (stream == stream_ && writer_.begun() && !writer_.complete()) {
    const size_t before = out.size();
    writer_.write_trailers(trailers, out);
    count_sent(out, before);
    count_fields();
    finish_response();
  }
}

void Http1ServerCodec::finish_response() {
  keep_alive_ = keep_alive_ && writer_.intact() && input_ == Input::kComplete;
  if (keep_alive_) {
    input_ = Input::kHead;
  } else if (input_ != Input::kFailed) {
    // What is left of the request, or comes behind it, is for nobody.
    input_ = Input::kDiscard;
    sections_.drop();
  }
}

void Http1ServerCodec::reset(StreamId stream, buffer::Buffer&) {
  if (stream == stream_) {
    keep_alive_ = false;
    sections_.drop();
    if (input_ != Input::kFailed) {
      input_ = Input::kDiscard;
    }
  }
}

}  // namespace sluice::http::http1
