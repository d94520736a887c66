// Http1ServerCodec: HTTP/1 as a server speaks it (RFC 9112), strictly.
//
//   input:  head -> (length | chunks | nothing) -> complete --response complete--> head
//             |               |                       +--connection must close---> discard
//             |               +--response complete first, reset-------------------> discard
//             +--CONNECT, Upgrade--> held --101, 2xx--> tunnel
//                                     +---other response complete-----------------> discard
//   any --fault--> failed
//
// Pipelining: a request is not looked at before the response to the one before it is complete, so requests are served
// in order and one at a time; their bytes stay with the connection.
#pragma once

#include "http/codec.h"
#include "http/http1/body_reader.h"
#include "http/http1/fields.h"
#include "http/http1/message_writer.h"
#include "http/http1/section_reader.h"
#include "http/http1/start_line.h"

namespace sluice::http::http1 {

// Holds no memory between messages. Owned by its connection. Thread: worker.
class Http1ServerCodec final : public ServerCodec {
 public:
  // `options` and `events` outlive the codec.
  Http1ServerCodec(const CodecOptions& options, ServerEvents& events, buffer::SlabPool& pool);

  Decoded decode(buffer::Buffer& in) override;
  bool ready() const override { return input_ == Input::kHead || input_ == Input::kTunnel; }

  void encode_interim(StreamId stream, const ResponseHeaders& headers, buffer::Buffer& out) override;
  void encode_headers(StreamId stream, const ResponseHeaders& headers, End end, buffer::Buffer& out) override;
  void encode_data(StreamId stream, buffer::Buffer& data, End end, buffer::Buffer& out) override;
  void encode_trailers(StreamId stream, const HeaderMap& trailers, buffer::Buffer& out) override;
  void reset(StreamId stream, buffer::Buffer& out) override;

  void start_drain(buffer::Buffer&) override { draining_ = true; }
  bool keep_alive() const override { return keep_alive_; }
  // The client said that no request follows: `connection: close`, HTTP/1.0 without keep-alive.
  bool peer_leaves() const { return peer_leaves_; }
  Protocol protocol() const override { return terms_.protocol; }
  ByteMeter bytes(StreamId stream) override { return stream == stream_ && bytes_ != nullptr ? *bytes_ : ByteMeter(); }

 private:
  enum class Input : uint8_t { kHead, kBody, kHeld, kTunnel, kComplete, kDiscard, kFailed };

  Decoded decode_head(buffer::Buffer& in);
  Decoded decode_body(buffer::Buffer& in);
  // Makes the request out of the section that the reader found.
  Fault parse_head(RequestHeaders& headers, const LineEnds& lines, FieldFacts& facts);
  Fault check_framing(const RequestLine& line, const FieldFacts& facts, RequestHeaders& headers);
  Fault check_host(const RequestLine& line, const SectionCopy& section, const FieldFacts& facts,
                   RequestHeaders& headers) const;
  Tunnel tunnel_of(RequestHeaders& headers, const FieldFacts& facts) const;
  const HeaderField* drop_ignored(const HeaderField& upgrade, HeaderMap& fields) const;
  End begin_body(const RequestHeaders& headers, const FieldFacts& facts);
  void begin_stream();
  Decoded fail(Fault fault);
  void finish_response();
  Decoded after_message(const buffer::Buffer& in) const;
  // What was written behind `before` bytes of `out`; the fields of a head or trailers in it.
  void count_sent(const buffer::Buffer& out, size_t before) {
    if (bytes_ != nullptr) bytes_->wire_sent += out.size() - before;
  }
  void count_fields() {
    if (bytes_ == nullptr) return;
    bytes_->header_sent += writer_.field_bytes();
    bytes_->plain_header_sent += writer_.field_bytes();
  }

  const CodecOptions& options() const { return sections_.options(); }

  ServerEvents& events_;
  SectionReader sections_;
  BodyReader body_;
  MessageWriter writer_;
  ByteMeter* bytes_ = nullptr;  // of the current stream, in its arena
  Arena* arena_ = nullptr;      // of the current stream
  StreamId stream_ = 0;
  ResponseTerms terms_;
  Input input_ = Input::kHead;
  bool keep_alive_ = true;
  bool peer_leaves_ = false;
  bool draining_ = false;
};

}  // namespace sluice::http::http1
