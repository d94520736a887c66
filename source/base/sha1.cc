#include "base/sha1.h"

#include <bit>
#include <string>

namespace sluice {
namespace {

void add_block(uint32_t (&state)[5], const char* block) {
  uint32_t words[80];
  for (int i = 0; i < 16; ++i) {
    words[i] = 0;
    for (int k = 0; k < 4; ++k) words[i] = words[i] << 8 | static_cast<uint8_t>(block[4 * i + k]);
  }
  for (int i = 16; i < 80; ++i) words[i] = std::rotl(words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16], 1);
  uint32_t a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];
  for (int i = 0; i < 80; ++i) {
    const uint32_t mixed = i < 20   ? ((b & c) | (~b & d)) + 0x5a827999
                           : i < 40 ? (b ^ c ^ d) + 0x6ed9eba1
                           : i < 60 ? ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc
                                    : (b ^ c ^ d) + 0xca62c1d6;
    const uint32_t next = std::rotl(a, 5) + mixed + e + words[i];
    e = d;
    d = c;
    c = std::rotl(b, 30);
    b = a;
    a = next;
  }
  state[0] += a;
  state[1] += b;
  state[2] += c;
  state[3] += d;
  state[4] += e;
}

}  // namespace

std::array<char, 20> sha1(std::string_view bytes) {
  uint32_t state[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
  const size_t whole = bytes.size() / 64 * 64;
  for (size_t i = 0; i < whole; i += 64) add_block(state, bytes.data() + i);
  std::string tail(bytes.substr(whole));
  tail += '\x80';
  tail.resize(tail.size() <= 56 ? 56 : 120);
  for (int shift = 56; shift >= 0; shift -= 8) tail += static_cast<char>(uint64_t{bytes.size()} * 8 >> shift & 0xff);
  for (size_t i = 0; i < tail.size(); i += 64) add_block(state, tail.data() + i);
  std::array<char, 20> out;
  for (size_t i = 0; i < out.size(); ++i) out[i] = static_cast<char>(state[i / 4] >> (24 - 8 * (i % 4)) & 0xff);
  return out;
}

}  // namespace sluice
