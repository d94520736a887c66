// Readers of packed bodies: the first byte chooses the coding and where the rest is cut. Both halves, each byte alone
// and the whole give the same text until one of them ends it; what comes out stays within what the ratio allows.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/check.h"
#include "buffer/slab.h"
#include "http/body_coding.h"

namespace {

using namespace sluice;

constexpr size_t kStart = 64 * 1024;
constexpr size_t kRatio = 100;

http::Unpacking unpacking_of(uint8_t byte) {
  if (byte % 3 == 0) return http::GzipUnpacking{};
  if (byte % 3 == 1) return http::BrotliUnpacking{};
  return http::ZstdUnpacking{};
}

// None: the body was refused.
std::optional<std::string> text_of(std::string_view wire, size_t step, uint8_t coding) {
  Owner owner("fuzz");
  ChunkPool chunks(owner);
  buffer::SlabPool slabs(owner);
  Arena arena(chunks);
  http::BodyReader& reader = *make_reader(arena, unpacking_of(coding));
  std::string out;
  for (size_t at = 0; at < wire.size(); at += step) {
    buffer::Buffer data(slabs);
    data.append_borrowed(wire.substr(at, step));
    if (reader.read(data) != http::Unpacked::kFine) return std::nullopt;
    for (; !data.empty(); data.drain(data.front().size())) out += data.front();
    SLUICE_CHECK(out.size() <= kStart + kRatio * wire.size());
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const std::string_view wire(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto whole = text_of(wire, wire.size(), data[0]);
  const auto halves = text_of(wire, wire.size() / 2 + 1, data[0]);
  const auto bytes = text_of(wire, 1, data[0]);
  // A bomb may end sooner when it comes in pieces, never later.
  for (const auto& pieces : {halves, bytes}) {
    SLUICE_CHECK(!pieces || (whole && *pieces == *whole));
  }
  return 0;
}
