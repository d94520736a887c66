// Brotli by Google's library.
#include <brotli/decode.h>
#include <brotli/encode.h>

#include "base/check.h"
#include "http/body_coding.h"

namespace sluice::http {
namespace {

constexpr uint32_t kMaxRatio = 100;  // Envoy's, of both libraries that have no setting for it

const uint8_t* bytes_of(std::string_view input) { return reinterpret_cast<const uint8_t*>(input.data()); }

class BrotliWriter final : public BodyWriter {
 public:
  explicit BrotliWriter(const BrotliPacking& packing)
      : encoder_(BrotliEncoderCreateInstance(nullptr, nullptr, nullptr)), chunk_(packing.chunk_size) {
    SLUICE_CHECK(encoder_ != nullptr);
    set(BROTLI_PARAM_QUALITY, packing.quality);
    set(BROTLI_PARAM_MODE, packing.mode);
    set(BROTLI_PARAM_LGWIN, packing.window_bits);
    set(BROTLI_PARAM_LGBLOCK, packing.input_block_bits);
    set(BROTLI_PARAM_DISABLE_LITERAL_CONTEXT_MODELING, packing.literal_context_modeling ? 0 : 1);
  }
  ~BrotliWriter() override { BrotliEncoderDestroyInstance(encoder_); }

 private:
  void set(BrotliEncoderParameter parameter, uint32_t value) {
    SLUICE_CHECK(BrotliEncoderSetParameter(encoder_, parameter, value) == BROTLI_TRUE);
  }

  void pack(std::string_view input, Push push, buffer::Buffer& out) override {
    const BrotliEncoderOperation operation = push == Push::kFinish  ? BROTLI_OPERATION_FINISH
                                             : push == Push::kFlush ? BROTLI_OPERATION_FLUSH
                                                                    : BROTLI_OPERATION_PROCESS;
    const uint8_t* from = bytes_of(input);
    size_t left = input.size();
    do {
      auto* to = reinterpret_cast<uint8_t*>(out.reserve(chunk_));
      size_t room = chunk_;
      const BROTLI_BOOL fine = BrotliEncoderCompressStream(encoder_, operation, &left, &from, &room, &to, nullptr);
      out.commit(chunk_ - room);
      SLUICE_CHECK(fine == BROTLI_TRUE);
    } while (left > 0 || BrotliEncoderHasMoreOutput(encoder_) == BROTLI_TRUE);
  }

  BrotliEncoderState* encoder_;
  const uint32_t chunk_;
};

class BrotliReader final : public BodyReader {
 public:
  explicit BrotliReader(const BrotliUnpacking& unpacking)
      : BodyReader(kMaxRatio),
        decoder_(BrotliDecoderCreateInstance(nullptr, nullptr, nullptr)),
        chunk_(unpacking.chunk_size) {
    SLUICE_CHECK(decoder_ != nullptr);
    BrotliDecoderSetParameter(decoder_, BROTLI_DECODER_PARAM_DISABLE_RING_BUFFER_REALLOCATION,
                              unpacking.ring_buffer_reallocation ? 0 : 1);
  }
  ~BrotliReader() override { BrotliDecoderDestroyInstance(decoder_); }

 private:
  Unpacked unpack(std::string_view input, buffer::Buffer& out) override {
    const uint8_t* from = bytes_of(input);
    size_t left = input.size();
    for (;;) {
      auto* to = reinterpret_cast<uint8_t*>(out.reserve(chunk_));
      size_t room = chunk_;
      const BrotliDecoderResult word = BrotliDecoderDecompressStream(decoder_, &left, &from, &room, &to, nullptr);
      out.commit(chunk_ - room);
      if (word == BROTLI_DECODER_RESULT_ERROR) return Unpacked::kBadData;
      if (is_too_much(out)) return Unpacked::kTooMuch;
      // It asks for input, too, when it holds text for which the chunk had no room.
      if (word == BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT || BrotliDecoderHasMoreOutput(decoder_) == BROTLI_TRUE)
        continue;
      if (word == BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT) return Unpacked::kFine;
      // There is nothing behind the end of a stream.
      return left == 0 ? Unpacked::kFine : Unpacked::kBadData;
    }
  }

  BrotliDecoderState* decoder_;
  const uint32_t chunk_;
};

}  // namespace

BodyWriter* make_writer(Arena& arena, const BrotliPacking& packing) { return arena.create<BrotliWriter>(packing); }

BodyReader* make_reader(Arena& arena, const BrotliUnpacking& unpacking) {
  return arena.create<BrotliReader>(unpacking);
}

}  // namespace sluice::http
