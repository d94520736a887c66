#include "http/token.h"

#include <array>
#include <cstring>

namespace sluice::http {

namespace {

constexpr size_t kNames = static_cast<size_t>(Token::kCount);
constexpr std::array<std::string_view, kNames> kTokenNames = {
    std::string_view(),
#define SLUICE_HTTP_TOKEN(id, name) std::string_view(name),
    SLUICE_HTTP_TOKENS(SLUICE_HTTP_TOKEN)
#undef SLUICE_HTTP_TOKEN
};

// A perfect hash of length and four letters, its multiplier found by the compiler: a look-up is a few instructions,
// one byte of a 1 KiB table and one comparison.
constexpr size_t kSlots = 1024;
constexpr size_t kLongest = [] {
  size_t longest = 0;
  for (const std::string_view name : kTokenNames) {
    longest = name.size() > longest ? name.size() : longest;
  }
  return longest;
}();

constexpr uint32_t slot_of(std::string_view name, uint32_t multiplier) {
  const size_t n = name.size();
  const auto at = [name](size_t i) { return static_cast<uint32_t>(static_cast<unsigned char>(name[i])); };
  // Letters at the end and at three quarters tell the many "x-envoy-" names apart.
  const uint32_t key =
      at(0) ^ static_cast<uint32_t>(n << 1) ^ (at(n - 1) << 8) ^ (at(n / 2) << 16) ^ (at(n * 3 / 4) << 24);
  return (key * multiplier) >> 22;
}

struct Table {
  uint32_t multiplier = 0;
  std::array<uint8_t, kSlots> token{};
};

constexpr bool fill(Table& table) {
  table.token = {};
  for (size_t i = 1; i < kNames; ++i) {
    uint8_t& entry = table.token[slot_of(kTokenNames[i], table.multiplier)];
    if (entry != 0) {
      return false;
    }
    entry = static_cast<uint8_t>(i);
  }
  return true;
}

constexpr Table kTable = [] {
  Table table;
  for (uint32_t i = 0; i < 500; ++i) {
    table.multiplier = (0x9e3779b1U + i * 0x3c6ef372U) | 1;
    if (fill(table)) {
      return table;
    }
  }
  return Table{};
}();
static_assert(kTable.multiplier != 0, "no multiplier makes the hash perfect: add a letter to slot_of()");

}  // namespace

std::string_view name_of(Token token) { return kTokenNames[static_cast<size_t>(token)]; }

Token token_of(std::string_view name) {
  if (name.empty() || name.size() > kLongest) {
    return Token::kNone;
  }
  const uint8_t candidate = kTable.token[slot_of(name, kTable.multiplier)];
  const std::string_view known = kTokenNames[candidate];
  return known.size() == name.size() && std::memcmp(known.data(), name.data(), name.size()) == 0
             ? static_cast<Token>(candidate)
             : Token::kNone;
}

}  // namespace sluice::http
