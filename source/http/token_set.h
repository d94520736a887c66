// TokenSet: a set of header names that we know, so that one pass over a head answers many questions about it.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <utility>

#include "http/token.h"

namespace sluice::http {

// A value of two words. Thread: any.
class TokenSet {
 public:
  constexpr TokenSet() = default;
  constexpr TokenSet(std::initializer_list<Token> tokens) {
    for (const Token token : tokens) add(token);
  }

  constexpr void add(Token token) { bits_[index(token) / 64] |= uint64_t{1} << (index(token) % 64); }
  constexpr void add(const TokenSet& others) {
    bits_[0] |= others.bits_[0];
    bits_[1] |= others.bits_[1];
  }
  // The same; true when it was not there yet.
  constexpr bool insert(Token token) {
    uint64_t& word = bits_[index(token) / 64];
    const uint64_t before = std::exchange(word, word | uint64_t{1} << (index(token) % 64));
    return word != before;
  }
  constexpr bool has(Token token) const { return (bits_[index(token) / 64] >> (index(token) % 64) & 1) != 0; }
  constexpr bool intersects(const TokenSet& others) const {
    return ((bits_[0] & others.bits_[0]) | (bits_[1] & others.bits_[1])) != 0;
  }

 private:
  static constexpr uint32_t index(Token token) { return static_cast<uint32_t>(token); }

  uint64_t bits_[2] = {0, 0};
};

}  // namespace sluice::http
