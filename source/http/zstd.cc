// Zstandard by its library.
#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>

#include "base/check.h"
#include "http/body_coding.h"

namespace sluice::http {
namespace {

constexpr uint32_t kMaxRatio = 100;  // Envoy's, of both libraries that have no setting for it
constexpr int kWindowBits = 23;      // RFC 9659: a body's window has at most 8 MiB, which the reader must allocate

class ZstdWriter final : public BodyWriter {
 public:
  explicit ZstdWriter(const ZstdPacking& packing) : packer_(ZSTD_createCCtx()), chunk_(packing.chunk_size) {
    SLUICE_CHECK(packer_ != nullptr);
    const auto highest = static_cast<uint32_t>(ZSTD_maxCLevel());
    set(ZSTD_c_compressionLevel, static_cast<int>(std::min(packing.level, highest)));
    set(ZSTD_c_strategy, static_cast<int>(packing.strategy));
    set(ZSTD_c_checksumFlag, packing.checksum ? 1 : 0);
  }
  ~ZstdWriter() override { ZSTD_freeCCtx(packer_); }

 private:
  void set(ZSTD_cParameter parameter, int value) {
    SLUICE_CHECK(ZSTD_isError(ZSTD_CCtx_setParameter(packer_, parameter, value)) == 0);
  }

  void pack(std::string_view input, Push push, buffer::Buffer& out) override {
    const ZSTD_EndDirective mode = push == Push::kFinish  ? ZSTD_e_end
                                   : push == Push::kFlush ? ZSTD_e_flush
                                                          : ZSTD_e_continue;
    ZSTD_inBuffer from{input.data(), input.size(), 0};
    size_t rest = 0;
    do {
      ZSTD_outBuffer to{out.reserve(chunk_), chunk_, 0};
      rest = ZSTD_compressStream2(packer_, &to, &from, mode);
      out.commit(to.pos);
      SLUICE_CHECK(ZSTD_isError(rest) == 0);
    } while (push == Push::kNone ? from.pos < from.size : rest > 0);
  }

  ZSTD_CCtx* packer_;
  const uint32_t chunk_;
};

class ZstdReader final : public BodyReader {
 public:
  explicit ZstdReader(const ZstdUnpacking& unpacking)
      : BodyReader(kMaxRatio), unpacker_(ZSTD_createDCtx()), chunk_(unpacking.chunk_size) {
    SLUICE_CHECK(unpacker_ != nullptr);
    ZSTD_DCtx_setParameter(unpacker_, ZSTD_d_windowLogMax, kWindowBits);
  }
  ~ZstdReader() override { ZSTD_freeDCtx(unpacker_); }

 private:
  // Frames may stand one behind the other; the library goes from one to the next.
  Unpacked unpack(std::string_view input, buffer::Buffer& out) override {
    ZSTD_inBuffer from{input.data(), input.size(), 0};
    for (;;) {
      ZSTD_outBuffer to{out.reserve(chunk_), chunk_, 0};
      const size_t word = ZSTD_decompressStream(unpacker_, &to, &from);
      out.commit(to.pos);
      if (ZSTD_isError(word) != 0) {
        return ZSTD_getErrorCode(word) == ZSTD_error_checksum_wrong ? Unpacked::kBadChecksum : Unpacked::kBadData;
      }
      if (is_too_much(out)) return Unpacked::kTooMuch;
      if (from.pos == from.size && to.pos < to.size) return Unpacked::kFine;
    }
  }

  ZSTD_DCtx* unpacker_;
  const uint32_t chunk_;
};

}  // namespace

BodyWriter* make_writer(Arena& arena, const ZstdPacking& packing) { return arena.create<ZstdWriter>(packing); }

BodyReader* make_reader(Arena& arena, const ZstdUnpacking& unpacking) { return arena.create<ZstdReader>(unpacking); }

}  // namespace sluice::http
