#include "filters/http/grpc_web/base64_stream.h"

#include <algorithm>
#include <array>

namespace sluice::filters::grpc_web {
namespace {

constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr uint8_t kNone = 64;
constexpr std::array<uint8_t, 256> kValues = [] {
  std::array<uint8_t, 256> table{};
  table.fill(kNone);
  for (uint8_t i = 0; i < kDigits.size(); ++i) table[static_cast<unsigned char>(kDigits[i])] = i;
  return table;
}();

// Contiguous room is asked for in pieces of this size.
constexpr size_t kGroups = 1024;

// The bytes of a group; 0: it is none.
size_t read_group(const char* text, char* out) {
  const size_t digits = text[3] != '=' ? 4 : text[2] != '=' ? 3 : 2;
  uint32_t group = 0;
  for (size_t i = 0; i < digits; ++i) {
    const uint8_t value = kValues[static_cast<unsigned char>(text[i])];
    if (value == kNone) return 0;
    group |= uint32_t{value} << (18 - 6 * i);
  }
  for (size_t i = 0; i < 3; ++i) out[i] = static_cast<char>(group >> (16 - 8 * i));
  // Bits that belong to no byte would make two texts of one value.
  return (group & ((1U << (8 * (4 - digits))) - 1)) == 0 ? digits - 1 : 0;
}

void write_group(const char* bytes, size_t size, char* out) {
  uint32_t group = 0;
  for (size_t i = 0; i < 3; ++i) group = group << 8 | (i < size ? static_cast<unsigned char>(bytes[i]) : 0U);
  for (size_t i = 0; i < 4; ++i) out[i] = i > size ? '=' : kDigits[group >> (18 - 6 * i) & 63];
}

}  // namespace

bool Base64Reader::read(buffer::Buffer& data) {
  buffer::Buffer out(data.pool());
  for (; !data.empty(); data.drain(data.front().size())) {
    std::string_view text = data.front();
    while (!text.empty()) {
      char* const room = out.reserve(3 * kGroups);
      size_t made = 0;
      for (size_t groups = 0; groups < kGroups && !text.empty(); ++groups) {
        const char* group = text.data();
        const size_t missing = 4 - size_;
        if (size_ > 0 || text.size() < missing) {
          const size_t part = std::min(missing, text.size());
          std::copy_n(text.data(), part, group_ + size_);
          text.remove_prefix(part);
          size_ += part;
          if (size_ < 4) break;
          size_ = 0;
          group = group_;
        } else {
          text.remove_prefix(4);
        }
        const size_t bytes = read_group(group, room + made);
        if (bytes == 0) {
          out.commit(made);
          return false;
        }
        made += bytes;
      }
      out.commit(made);
    }
  }
  data = std::move(out);
  return true;
}

void Base64Writer::text(std::string_view bytes, buffer::Buffer& out) {
  while (!bytes.empty()) {
    char* const room = out.reserve(4 * kGroups);
    size_t made = 0;
    for (; made < 4 * kGroups && !bytes.empty(); made += 4) {
      if (size_ == 0 && bytes.size() >= 3) {
        write_group(bytes.data(), 3, room + made);
        bytes.remove_prefix(3);
        continue;
      }
      const size_t part = std::min(3 - size_, bytes.size());
      std::copy_n(bytes.data(), part, group_ + size_);
      bytes.remove_prefix(part);
      size_ += part;
      if (size_ < 3) break;
      write_group(group_, 3, room + made);
      size_ = 0;
    }
    out.commit(made);
  }
}

void Base64Writer::finish(buffer::Buffer& out) {
  if (size_ == 0) return;
  write_group(group_, size_, out.reserve(4));
  out.commit(4);
  size_ = 0;
}

void Base64Writer::frame(std::string_view bytes, buffer::Buffer& out) {
  while (!bytes.empty()) {
    size_t part = left_;
    if (head_ < 5) {
      part = 1;
      length_ = head_ == 0 ? 0 : length_ << 8 | static_cast<unsigned char>(bytes[0]);
      if (++head_ == 5) left_ = length_;
    } else {
      part = std::min<size_t>(left_, bytes.size());
      left_ -= static_cast<uint32_t>(part);
    }
    text(bytes.substr(0, part), out);
    bytes.remove_prefix(part);
    if (head_ == 5 && left_ == 0) {
      finish(out);
      head_ = 0;
    }
  }
}

void Base64Writer::write(buffer::Buffer& data) {
  buffer::Buffer out(data.pool());
  for (; !data.empty(); data.drain(data.front().size())) frame(data.front(), out);
  data = std::move(out);
}

}  // namespace sluice::filters::grpc_web
