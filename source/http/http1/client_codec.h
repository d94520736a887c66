// Http1ClientCodec: HTTP/1 as a client speaks it: one request, then its response, on a connection that is kept.
//
//   idle --request--> head --1xx--> head
//                      +--final--> body --end--> idle
//                      +--101, 2xx to CONNECT--> tunnel
//   any --fault, bytes nobody asked for--> failed
#pragma once

#include <string>

#include "http/codec.h"
#include "http/http1/body_reader.h"
#include "http/http1/fields.h"
#include "http/http1/message_writer.h"
#include "http/http1/section_reader.h"
#include "http/http1/start_line.h"

namespace sluice::http::http1 {

// Holds no memory between messages. Owned by its connection. Thread: worker.
class Http1ClientCodec final : public ClientCodec {
 public:
  // `options` and `events` outlive the codec.
  Http1ClientCodec(const CodecOptions& options, ClientEvents& events, buffer::SlabPool& pool);

  Decoded decode(buffer::Buffer& in) override;
  void decode_eof() override;

  StreamId encode_headers(const RequestHeaders& headers, End end, buffer::Buffer& out) override;
  void encode_data(StreamId stream, buffer::Buffer& data, End end, buffer::Buffer& out) override;
  void encode_trailers(StreamId stream, const HeaderMap& trailers, buffer::Buffer& out) override;
  void reset(StreamId stream, buffer::Buffer& out) override;

  bool reusable() const override {
    return keep_alive_ && input_ == Input::kIdle && (stream_ == 0 || writer_.complete());
  }
  Protocol protocol() const override { return Protocol::kHttp11; }
  ByteMeter bytes(StreamId stream) override { return stream == stream_ ? bytes_ : ByteMeter(); }

 private:
  enum class Input : uint8_t { kIdle, kHead, kBody, kTunnel, kDiscard, kFailed };

  Decoded decode_rest(buffer::Buffer& in);
  Decoded decode_heads(buffer::Buffer& in);
  Decoded decode_body(buffer::Buffer& in);
  Decoded decode_idle(buffer::Buffer& in);
  Fault parse_head(ResponseHeaders& headers, const LineEnds& lines, Arena& arena, FieldFacts& facts);
  // Faults of a 1xx, and of a peer that sends too many.
  Fault check_interim(const ResponseHeaders& headers, const FieldFacts& facts);
  Fault check_framing(ResponseHeaders& headers, const FieldFacts& facts) const;
  bool offered(const ResponseHeaders& headers) const;
  // Chooses what follows a final head.
  End begin_body(const ResponseHeaders& headers, const FieldFacts& facts);
  void finish_response(const buffer::Buffer& in);
  Decoded fail(Fault fault);
  void count_sent(const buffer::Buffer& out, size_t before) { bytes_.wire_sent += out.size() - before; }
  void count_fields() {
    bytes_.header_sent += writer_.field_bytes();
    bytes_.plain_header_sent += writer_.field_bytes();
  }

  // Peers that send interim responses without end hold memory of the exchange with each.
  static constexpr uint32_t kMaxInterims = 1000;

  const CodecOptions& options_;
  ClientEvents& events_;
  buffer::SlabPool& pool_;
  SectionReader sections_;
  BodyReader body_;
  MessageWriter writer_;
  ByteMeter bytes_;         // of the current message
  Arena* arena_ = nullptr;  // of the current response
  StreamId stream_ = 0;
  Input input_ = Input::kIdle;
  bool keep_alive_ = true;
  bool to_head_ = false;           // the request was HEAD
  Tunnel tunnel_ = Tunnel::kNone;  // what the request asked for
  uint32_t interims_ = 0;
  size_t interim_bytes_ = 0;
  std::string offer_;  // the protocols of the request's Upgrade
};

}  // namespace sluice::http::http1
