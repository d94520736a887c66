#include "http/gzip.h"

#include <zlib.h>

#include "base/check.h"

namespace sluice::http {
namespace {

constexpr int kGzip = 16;             // added to the window bits: with gzip's head and tail
constexpr size_t kSlack = 64 * 1024;  // a short input may unpack to so much whatever the ratio says

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

}  // namespace

struct GzipWriter::State {
  z_stream stream{};
  uint32_t chunk;
};

GzipWriter::GzipWriter(const GzipOptions& options) : state_(std::make_unique<State>()) {
  state_->chunk = options.chunk_size;
  const int made = deflateInit2(&state_->stream, options.level, Z_DEFLATED, options.window_bits + kGzip,
                                options.memory_level, options.strategy);
  SLUICE_CHECK(made == Z_OK);
}

GzipWriter::~GzipWriter() { deflateEnd(&state_->stream); }

void GzipWriter::write(buffer::Buffer& data, Then then) {
  z_stream& stream = state_->stream;
  buffer::Buffer out(data.pool());
  while (!data.empty()) {
    const size_t size = data.front().size();
    point_at(stream, data.front());
    while (stream.avail_in > 0) {
      const int word = step(stream, out, state_->chunk, [&] { return deflate(&stream, Z_NO_FLUSH); });
      SLUICE_CHECK(word == Z_OK || word == Z_BUF_ERROR);
    }
    data.drain(size);
  }
  const int mode = then == Then::kFinish ? Z_FINISH : Z_SYNC_FLUSH;
  point_at(stream, {});
  do {
    const int word = step(stream, out, state_->chunk, [&] { return deflate(&stream, mode); });
    SLUICE_CHECK(word != Z_STREAM_ERROR);
  } while (stream.avail_out == 0);
  data = std::move(out);
}

struct GzipReader::State {
  z_stream stream{};
  uint32_t chunk;
  uint32_t max_ratio;
  bool complete = false;
};

GzipReader::GzipReader(const Options& options) : state_(std::make_unique<State>()) {
  state_->chunk = options.chunk_size;
  state_->max_ratio = options.max_ratio;
  const int made = inflateInit2(&state_->stream, options.window_bits + kGzip);
  SLUICE_CHECK(made == Z_OK);
}

GzipReader::~GzipReader() { inflateEnd(&state_->stream); }

GzipReader::Result GzipReader::read(buffer::Buffer& data) {
  z_stream& stream = state_->stream;
  buffer::Buffer out(data.pool());
  while (!data.empty()) {
    const size_t size = data.front().size();
    point_at(stream, data.front());
    do {
      // Several members stand one behind the other.
      if (state_->complete) {
        inflateReset(&stream);
        state_->complete = false;
      }
      const int word = step(stream, out, state_->chunk, [&] { return inflate(&stream, Z_NO_FLUSH); });
      if (word == Z_STREAM_END) {
        state_->complete = true;
      } else if (word == Z_BUF_ERROR) {
        break;  // it wants more input
      } else if (word != Z_OK) {
        return Result::kBadData;
      }
      if (out.size() > kSlack + static_cast<uint64_t>(size) * state_->max_ratio) return Result::kTooMuch;
    } while (stream.avail_in > 0 || (stream.avail_out == 0 && !state_->complete));
    data.drain(size);
  }
  data = std::move(out);
  return Result::kFine;
}

}  // namespace sluice::http
