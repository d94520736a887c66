// Bodies that are packed or unpacked while they pass by in pieces, in the content codings of RFC 9110 (8.4.1): gzip
// (RFC 1952), br (RFC 7932) and zstd (RFC 8878). Each library stays in a file of its own: gzip.cc, brotli.cc, zstd.cc.
#pragma once

#include <cstdint>
#include <string_view>
#include <variant>

#include "base/arena.h"
#include "buffer/buffer.h"

namespace sluice::http {

enum class Coding : uint8_t { kGzip, kBrotli, kZstd };
inline constexpr size_t kCodings = 3;
// As in content-encoding: "gzip", "br", "zstd".
std::string_view name_of(Coding coding);

// How bodies are packed. The defaults are Envoy's, as all below; chunks are what a library is given to write into.
struct GzipPacking {
  int level = -1;    // zlib's own: 6
  int strategy = 0;  // zlib's numbers
  int memory_level = 5;
  int window_bits = 12;
  uint32_t chunk_size = 4096;
};
struct BrotliPacking {
  uint32_t quality = 3;
  uint32_t mode = 0;  // the library's numbers: any content, text, font
  uint32_t window_bits = 18;
  uint32_t input_block_bits = 24;
  bool literal_context_modeling = true;
  uint32_t chunk_size = 4096;
};
struct ZstdPacking {
  uint32_t level = 3;
  uint32_t strategy = 0;  // the library's numbers; 0: as the level says
  bool checksum = false;
  uint32_t chunk_size = 4096;
};
using Packing = std::variant<GzipPacking, BrotliPacking, ZstdPacking>;  // in the order of Coding

struct GzipUnpacking {
  int window_bits = 15;
  uint32_t chunk_size = 4096;
  uint32_t max_ratio = 100;
};
struct BrotliUnpacking {
  bool ring_buffer_reallocation = true;
  uint32_t chunk_size = 4096;
};
struct ZstdUnpacking {
  uint32_t chunk_size = 4096;
};
using Unpacking = std::variant<GzipUnpacking, BrotliUnpacking, ZstdUnpacking>;  // in the order of Coding

inline Coding coding_of(const Packing& packing) { return static_cast<Coding>(packing.index()); }
inline Coding coding_of(const Unpacking& unpacking) { return static_cast<Coding>(unpacking.index()); }

// Packs one body. Lives in its exchange's arena. Thread: its exchange's.
class BodyWriter {
 public:
  virtual ~BodyWriter() = default;
  enum class Then : uint8_t { kFlush, kFinish };
  // Replaces what is in `data`. All of it can be read from what has come out.
  void write(buffer::Buffer& data, Then then);

 protected:
  enum class Push : uint8_t { kNone, kFlush, kFinish };
  // All of `input` is taken; with a push (and no input) everything comes out.
  virtual void pack(std::string_view input, Push push, buffer::Buffer& out) = 0;
};

// What came of a piece of a body.
enum class Unpacked : uint8_t { kFine, kBadData, kBadChecksum, kTooMuch };

// Unpacks one body. Bytes that are not of its coding end it, and so does what unpacks to more than its ratio allows: an
// answer of a few bytes could fill the memory. Lives in its exchange's arena. Thread: its exchange's.
class BodyReader {
 public:
  virtual ~BodyReader() = default;
  // Replaces what is in `data`. After anything but kFine the reader is not to be used any more.
  Unpacked read(buffer::Buffer& data);

 protected:
  explicit BodyReader(uint32_t max_ratio) : max_ratio_(max_ratio) {}
  // All of `input`, which is not empty. Asks is_too_much() after each chunk.
  virtual Unpacked unpack(std::string_view input, buffer::Buffer& out) = 0;
  bool is_too_much(const buffer::Buffer& out) const { return out.size() > allowed_; }

 private:
  const uint32_t max_ratio_;
  uint64_t allowed_ = 64 * 1024;  // so much may come of the bytes so far; at first: short bodies pack very well
};

BodyWriter* make_writer(Arena& arena, const GzipPacking& packing);
BodyWriter* make_writer(Arena& arena, const BrotliPacking& packing);
BodyWriter* make_writer(Arena& arena, const ZstdPacking& packing);
BodyWriter* make_writer(Arena& arena, const Packing& packing);
BodyReader* make_reader(Arena& arena, const GzipUnpacking& unpacking);
BodyReader* make_reader(Arena& arena, const BrotliUnpacking& unpacking);
BodyReader* make_reader(Arena& arena, const ZstdUnpacking& unpacking);
BodyReader* make_reader(Arena& arena, const Unpacking& unpacking);

}  // namespace sluice::http
