// Gzip by zlib.
#include <zlib.h>

#include "base/check.h"
#include "http/body_coding.h"

namespace sluice::http {
namespace {

constexpr int kGzip = 16;  // added to the window bits: with gzip's head and tail

void point_at(z_stream& stream, std::string_view input) {
  // zlib does not write there.
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(input.data()));
  stream.avail_in = static_cast<uInt>(input.size());
}

// Room for the output; returns zlib's word.
template <typename Run>
int step(z_stream& stream, buffer::Buffer& out, uint32_t chunk, Run&& run) {
  stream.next_out = reinterpret_cast<Bytef*>(out.reserve(chunk));
  stream.avail_out = chunk;
  const int word = run();
  out.commit(chunk - stream.avail_out);
  return word;
}

class GzipWriter final : public BodyWriter {
 public:
  explicit GzipWriter(const GzipPacking& packing) : chunk_(packing.chunk_size) {
    const int made = deflateInit2(&stream_, packing.level, Z_DEFLATED, packing.window_bits + kGzip,
                                  packing.memory_level, packing.strategy);
    SLUICE_CHECK(made == Z_OK);
  }
  ~GzipWriter() override { deflateEnd(&stream_); }

 private:
  void pack(std::string_view input, Push push, buffer::Buffer& out) override {
    const int mode = push == Push::kFinish ? Z_FINISH : push == Push::kFlush ? Z_SYNC_FLUSH : Z_NO_FLUSH;
    point_at(stream_, input);
    do {
      const int word = step(stream_, out, chunk_, [&] { return deflate(&stream_, mode); });
      SLUICE_CHECK(word != Z_STREAM_ERROR);
    } while (stream_.avail_in > 0 || stream_.avail_out == 0);
  }

  z_stream stream_{};
  const uint32_t chunk_;
};

class GzipReader final : public BodyReader {
 public:
  explicit GzipReader(const GzipUnpacking& unpacking) : BodyReader(unpacking.max_ratio), chunk_(unpacking.chunk_size) {
    const int made = inflateInit2(&stream_, unpacking.window_bits + kGzip);
    SLUICE_CHECK(made == Z_OK);
  }
  ~GzipReader() override { inflateEnd(&stream_); }

 private:
  Unpacked unpack(std::string_view input, buffer::Buffer& out) override {
    point_at(stream_, input);
    do {
      // Several members stand one behind the other.
      if (complete_) {
        inflateReset(&stream_);
        complete_ = false;
      }
      const int word = step(stream_, out, chunk_, [&] { return inflate(&stream_, Z_NO_FLUSH); });
      if (word == Z_STREAM_END) {
        complete_ = true;
      } else if (word == Z_BUF_ERROR) {
        break;  // it wants more input
      } else if (word != Z_OK) {
        return Unpacked::kBadData;
      }
      if (is_too_much(out)) return Unpacked::kTooMuch;
    } while (stream_.avail_in > 0 || (stream_.avail_out == 0 && !complete_));
    return Unpacked::kFine;
  }

  z_stream stream_{};
  const uint32_t chunk_;
  bool complete_ = false;
};

}  // namespace

BodyWriter* make_writer(Arena& arena, const GzipPacking& packing) { return arena.create<GzipWriter>(packing); }

BodyReader* make_reader(Arena& arena, const GzipUnpacking& unpacking) { return arena.create<GzipReader>(unpacking); }

}  // namespace sluice::http
