#include "exporters/wire.h"

#include <algorithm>
#include <bit>

#include "base/utf8.h"
#include "base/varint.h"

namespace sluice::exporters::wire {

namespace {

enum Type : uint32_t { kVarint = 0, kFixed64 = 1, kBytes = 2 };

void append_tag(std::string& to, uint32_t field, Type type) { append_varint(to, field << 3 | type); }

size_t write_varint(char* to, uint64_t value) {
  size_t size = 0;
  for (; value >= 0x80; value >>= 7) to[size++] = static_cast<char>(value | 0x80);
  to[size++] = static_cast<char>(value);
  return size;
}

}  // namespace

void append_number(std::string& to, uint32_t field, uint64_t value) {
  append_tag(to, field, kVarint);
  append_varint(to, value);
}

void append_fixed64(std::string& to, uint32_t field, uint64_t value) {
  append_tag(to, field, kFixed64);
  for (int i = 0; i < 8; ++i, value >>= 8) to.push_back(static_cast<char>(value));
}

void append_double(std::string& to, uint32_t field, double value) {
  append_fixed64(to, field, std::bit_cast<uint64_t>(value));
}

void append_bytes(std::string& to, uint32_t field, std::string_view bytes) { append_field(to, field, bytes); }

void append_text(std::string& to, uint32_t field, std::string_view text) {
  append_bytes(to, field, text);
  make_utf8(to, to.size() - text.size());
}

void make_utf8(std::string& to, size_t start) {
  const auto rest = [&](size_t at) { return std::string_view(to).substr(at); };
  for (size_t at = start + utf8_prefix(rest(start)); at < to.size(); at += utf8_prefix(rest(at))) to[at++] = '!';
}

void put_number(std::string& to, uint32_t field, uint64_t value) {
  if (value != 0) append_number(to, field, value);
}

void put_text(std::string& to, uint32_t field, std::string_view text) {
  if (!text.empty()) append_text(to, field, text);
}

Nested::Nested(std::string& to, uint32_t field) : to_(to) {
  append_tag(to, field, kBytes);
  start_ = to.size();
  to.push_back('\0');  // nearly all lengths are one byte
}

Nested::~Nested() {
  char bytes[10];
  const size_t size = write_varint(bytes, to_.size() - start_ - 1);
  to_.insert(start_, size - 1, '\0');
  std::copy_n(bytes, size, to_.begin() + static_cast<std::ptrdiff_t>(start_));
}

}  // namespace sluice::exporters::wire
