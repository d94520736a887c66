#include "http/body_coding.h"

#include <utility>

namespace sluice::http {

std::string_view name_of(Coding coding) {
  switch (coding) {
    case Coding::kGzip:
      return "gzip";
    case Coding::kBrotli:
      return "br";
    case Coding::kZstd:
      return "zstd";
  }
  return {};
}

void BodyWriter::write(buffer::Buffer& data, Then then) {
  buffer::Buffer out(data.pool());
  while (!data.empty()) {
    const std::string_view input = data.front();
    pack(input, Push::kNone, out);
    data.drain(input.size());
  }
  pack({}, then == Then::kFinish ? Push::kFinish : Push::kFlush, out);
  data = std::move(out);
}

Unpacked BodyReader::read(buffer::Buffer& data) {
  buffer::Buffer out(data.pool());
  while (!data.empty()) {
    const std::string_view input = data.front();
    allowed_ += uint64_t{input.size()} * max_ratio_;
    if (const Unpacked result = unpack(input, out); result != Unpacked::kFine) return result;
    data.drain(input.size());
  }
  allowed_ -= out.size();
  data = std::move(out);
  return Unpacked::kFine;
}

BodyWriter* make_writer(Arena& arena, const Packing& packing) {
  return std::visit([&](const auto& one) { return make_writer(arena, one); }, packing);
}

BodyReader* make_reader(Arena& arena, const Unpacking& unpacking) {
  return std::visit([&](const auto& one) { return make_reader(arena, one); }, unpacking);
}

}  // namespace sluice::http
