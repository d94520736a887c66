// An HTTP/2 client whose server sends anything. Properties:
//   - each response is told of in order: interim heads, head, body, end or reset, and nothing behind; nothing after
//     on_error();
//   - all memory comes back, whatever is paused, reset or left open.
#include "stats/names_http.h"
#include "test/fuzz/http2_fuzzing.h"
#include "test/http/http2_pair.h"

namespace sluice::http::http2 {
namespace {

// Has five requests open. Thread: its owner's.
class Subject final : private Http2ClientEvents {
 public:
  explicit Subject(uint8_t bits) : bits_(bits), out_(memory_.slabs) {
    options_.max_head_bytes = 4096;
    options_.max_fields = 20;
    http2_.stream_error_on_invalid_message = (bits & 2) != 0;
    http2_.stream_window = 65535;
    codec_ = std::make_unique<Http2ClientCodec>(options_, http2_, 1000, counters_.block(),
                                                static_cast<Http2ClientEvents&>(*this), memory_.slabs);
    for (const std::string_view method : {"GET", "HEAD", "POST", "CONNECT", "GET"}) {
      RequestHeaders headers(arena_);
      headers.method = method;
      headers.path = method == "CONNECT" ? "" : "/";
      headers.scheme = "http";
      headers.authority = "a:80";
      headers.tunnel = method == "CONNECT" ? Tunnel::kConnect : Tunnel::kNone;
      const End end = method == "POST" || method == "CONNECT" ? End::kNo : End::kYes;
      const StreamId stream = codec_->encode_headers(headers, end, out_);
      order_.begin(stream);
      if (method == "POST") {
        buffer::Buffer body(memory_.slabs);
        body.append_copy(std::string(3000, 'x'));
        codec_->encode_data(stream, body, End::kNo, out_);
      }
    }
    (void)codec_->flush(out_);
  }
  ~Subject() {
    codec_ = nullptr;
    SLUICE_CHECK(counters_.get(stats::Http2Stat::kStreamsActive) == 0);
  }
  void feed(std::string_view bytes) {
    buffer::Buffer in(memory_.slabs);
    in.append_borrowed(bytes);
    const Decoded decoded = codec_->decode(in);
    SLUICE_CHECK((decoded == Decoded::kFailed) == order_.over());
    (void)codec_->flush(out_);
    out_.clear();
    codec_->sent(0);
  }

 private:
  Arena& on_begin(StreamId) override { return arena_; }
  void on_interim(StreamId stream, ResponseHeaders&) override { order_.interim(stream); }
  void on_headers(StreamId stream, ResponseHeaders&, End end) override {
    order_.head(stream, end);
    if ((bits_ & 4) != 0) codec_->pause(stream);
    over(stream, end);
  }
  void on_data(StreamId stream, buffer::Buffer&, End end) override {
    order_.data(stream, end);
    over(stream, end);
  }
  void on_trailers(StreamId stream, HeaderMap&) override {
    order_.trailers(stream);
    over(stream, End::kYes);
  }
  void on_reset(StreamId stream, const StreamReset&) override { order_.reset(stream); }
  void on_error(StreamId, const CodecError&) override { order_.error(); }
  void on_stream_full(StreamId, bool) override {}
  void on_goaway() override {}
  void on_settings() override {}
  void on_ping_ack() override {}
  // As a connection does with a response that is complete.
  void over(StreamId stream, End end) {
    if (end == End::kYes && (bits_ & 8) != 0) codec_->reset(stream, out_);
  }

  const uint8_t bits_;
  CodecOptions options_;
  Http2Options http2_;
  http1::Memory memory_;
  Arena arena_{memory_.chunks};
  Counters counters_;
  OrderOfEvents order_;
  buffer::Buffer out_;
  std::unique_ptr<Http2ClientCodec> codec_;
};

}  // namespace
}  // namespace sluice::http::http2

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sluice::http::http2;
  if (size > 16384) {
    return 0;
  }
  const FuzzInput input = read_input(data, size);
  Subject subject(input.bits);
  subject.feed(std::string("\0\0\0\4\0\0\0\0\0", 9));
  const std::string_view wire = input.wire;
  subject.feed(wire.substr(0, wire.size() / 3));
  subject.feed(wire.substr(wire.size() / 3));
  return 0;
}
