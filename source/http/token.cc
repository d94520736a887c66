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

// Two perfect hashes, their multipliers found by the compiler. Names of up to 16 bytes, which are most of those that
// come, are looked up by all their bytes at once; longer ones by length and four letters.
constexpr size_t kShort = 16;
constexpr size_t kLongest = [] {
  size_t longest = 0;
  for (const std::string_view name : kTokenNames) {
    longest = name.size() > longest ? name.size() : longest;
  }
  return longest;
}();

struct Words {
  uint64_t low = 0;
  uint64_t high = 0;
};
constexpr Words words_of(std::string_view name) {
  Words words;
  for (size_t i = 0; i < name.size() && i < kShort; ++i) {
    (i < 8 ? words.low : words.high) |= static_cast<uint64_t>(static_cast<unsigned char>(name[i])) << (i % 8 * 8);
  }
  return words;
}
constexpr auto kWords = [] {
  std::array<Words, kNames> words;
  for (size_t i = 0; i < kNames; ++i) {
    words[i] = words_of(kTokenNames[i]);
  }
  return words;
}();

constexpr size_t kSlots = 1024;
struct Table {
  uint64_t multiplier = 0;
  std::array<uint8_t, kSlots> token{};
};

constexpr uint32_t short_slot(Words words, uint64_t multiplier) {
  return static_cast<uint32_t>(((words.low ^ (words.high << 7 | words.high >> 57)) * multiplier) >> 54);
}
constexpr uint32_t long_slot(std::string_view name, uint64_t multiplier) {
  const size_t n = name.size();
  const auto at = [name](size_t i) { return static_cast<uint32_t>(static_cast<unsigned char>(name[i])); };
  // Letters at the end and at three quarters tell the many "x-envoy-" names apart.
  const uint32_t key =
      at(0) ^ static_cast<uint32_t>(n << 1) ^ (at(n - 1) << 8) ^ (at(n / 2) << 16) ^ (at(n * 3 / 4) << 24);
  return (key * static_cast<uint32_t>(multiplier)) >> 22;
}

constexpr bool fill(Table& table, bool shorts) {
  table.token = {};
  for (size_t i = 1; i < kNames; ++i) {
    if ((kTokenNames[i].size() <= kShort) != shorts) {
      continue;
    }
    uint8_t& entry = table.token[shorts ? short_slot(kWords[i], table.multiplier)
                                        : long_slot(kTokenNames[i], table.multiplier)];
    if (entry != 0) {
      return false;
    }
    entry = static_cast<uint8_t>(i);
  }
  return true;
}
constexpr Table make_table(bool shorts) {
  Table table;
  for (uint64_t i = 0; i < 500; ++i) {
    table.multiplier = (0x9e3779b97f4a7c15U + i * 0xd1342543de82ef95U) | 1;
    if (fill(table, shorts)) {
      return table;
    }
  }
  return Table{};
}
constexpr Table kShortTable = make_table(true);
constexpr Table kLongTable = make_table(false);
static_assert(kShortTable.multiplier != 0 && kLongTable.multiplier != 0, "no multiplier makes a hash perfect");

uint64_t load(const char* p, size_t bytes) {
  uint64_t value = 0;
  if (bytes >= 8) {
    std::memcpy(&value, p, 8);
  } else if (bytes >= 4) {
    uint32_t first = 0;
    uint32_t last = 0;
    std::memcpy(&first, p, 4);
    std::memcpy(&last, p + bytes - 4, 4);
    value = first | static_cast<uint64_t>(last) << (8 * (bytes - 4));
  } else {
    for (size_t i = 0; i < bytes; ++i) {
      value |= static_cast<uint64_t>(static_cast<unsigned char>(p[i])) << (8 * i);
    }
  }
  return value;
}

}  // namespace

std::string_view name_of(Token token) { return kTokenNames[static_cast<size_t>(token)]; }

Token token_of_words(uint64_t low, uint64_t high) {
  const uint8_t candidate = kShortTable.token[short_slot({low, high}, kShortTable.multiplier)];
  return kWords[candidate].low == low && kWords[candidate].high == high ? static_cast<Token>(candidate) : Token::kNone;
}

Token token_of(std::string_view name) {
  if (name.size() <= kShort) {
    const size_t first = name.size() < 8 ? name.size() : 8;
    return token_of_words(load(name.data(), first), load(name.data() + first, name.size() - first));
  }
  if (name.size() > kLongest) {
    return Token::kNone;
  }
  const uint8_t candidate = kLongTable.token[long_slot(name, kLongTable.multiplier)];
  return kTokenNames[candidate] == name ? static_cast<Token>(candidate) : Token::kNone;
}

}  // namespace sluice::http
