// An HTTP/2 server whose client sends anything. Properties:
//   - each stream is told of in order: head, body, end or reset, and nothing behind; nothing after on_error();
//   - what is told fits the limits;
//   - all memory comes back, whatever is paused, answered, reset or left open.
#include "stats/names_http.h"
#include "test/fuzz/http2_fuzzing.h"
#include "test/http/http2_pair.h"

namespace sluice::http::http2 {
namespace {

// Answers by the bits of the input. Thread: its owner's.
class Subject final : private Http2ServerEvents {
 public:
  explicit Subject(uint8_t bits) : bits_(bits), out_(memory_.slabs) {
    options_.max_head_bytes = 4096;
    options_.max_fields = 20;
    http2_.stream_error_on_invalid_message = (bits & 2) != 0;
    http2_.allow_connect = (bits & 4) != 0;
    http2_.max_concurrent_streams = 8;
    http2_.stream_window = 65535;
    codec_ = std::make_unique<Http2ServerCodec>(options_, http2_, 1000, counters_.block(),
                                                static_cast<Http2ServerEvents&>(*this), memory_.slabs);
  }
  ~Subject() {
    codec_ = nullptr;
    SLUICE_CHECK(counters_.get(stats::Http2Stat::kStreamsActive) == 0);
  }
  void feed(std::string_view bytes) {
    buffer::Buffer in(memory_.slabs);
    in.append_borrowed(bytes);
    const Decoded decoded = codec_->decode(in);
    SLUICE_CHECK(in.empty());
    SLUICE_CHECK((decoded == Decoded::kFailed) == order_.over());
    (void)codec_->flush(out_);
    if ((bits_ & 16) == 0) {  // otherwise nothing leaves
      out_.clear();
      codec_->sent(0);
    }
  }

 private:
  Arena& on_begin(StreamId stream) override {
    order_.begin(stream);
    return arena_;
  }
  void on_headers(StreamId stream, RequestHeaders& headers, End end) override {
    order_.head(stream, end);
    SLUICE_CHECK(headers.fields.size() <= options_.max_fields + 3);
    SLUICE_CHECK(headers.fields.byte_size() <= options_.max_head_bytes + 2 * options_.max_head_bytes);
    if ((bits_ & 32) != 0) codec_->pause(stream);
    if ((bits_ & 64) != 0) answer(stream);
    if (end == End::kYes) answer(stream);
  }
  void on_data(StreamId stream, buffer::Buffer&, End end) override {
    order_.data(stream, end);
    if (end == End::kYes) answer(stream);
  }
  void on_trailers(StreamId stream, HeaderMap&) override {
    order_.trailers(stream);
    answer(stream);
  }
  void on_reset(StreamId stream, const StreamReset&) override { order_.reset(stream); }
  void on_error(StreamId, const CodecError&) override { order_.error(); }
  void on_stream_full(StreamId stream, bool full) override {
    if (full && (bits_ & 128) != 0) codec_->reset(stream, out_);
  }
  void on_ping_ack() override {}

  void answer(StreamId stream) {
    ResponseHeaders headers(arena_);
    headers.status = 200;
    codec_->encode_headers(stream, headers, End::kNo, out_);
    buffer::Buffer data(memory_.slabs);
    data.append_copy(std::string(stream % 3 * 1000, 'x'));
    const End end = (bits_ & 8) != 0 ? End::kNo : End::kYes;
    codec_->encode_data(stream, data, end, out_);
    if (end == End::kNo) {
      HeaderMap trailers(arena_);
      trailers.add("x-t", "v");
      codec_->encode_trailers(stream, trailers, out_);
    }
  }

  const uint8_t bits_;
  CodecOptions options_;
  Http2Options http2_;
  http1::Memory memory_;
  Arena arena_{memory_.chunks};
  Counters counters_;
  OrderOfEvents order_;
  buffer::Buffer out_;
  std::unique_ptr<Http2ServerCodec> codec_;
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
  subject.feed(std::string("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") + std::string("\0\0\0\4\0\0\0\0\0", 9));
  const std::string_view wire = input.wire;
  subject.feed(wire.substr(0, wire.size() / 3));
  subject.feed(wire.substr(wire.size() / 3));
  return 0;
}
