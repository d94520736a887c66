#include "http/chars.h"

#include <emmintrin.h>

namespace sluice::http {

namespace {

template <typename Allowed>
bool all_of(std::string_view text, Allowed&& allowed) {
  for (const char c : text) {
    if (!allowed(c)) {
      return false;
    }
  }
  return true;
}

// Texts of 8 bytes and more are checked in blocks, the last of which overlaps the one before it.
template <typename BlockAllowed, typename Allowed>
bool all_of_blocks(std::string_view text, BlockAllowed&& block_allowed, Allowed&& allowed) {
  if (text.size() < 8) {
    return all_of(text, allowed);
  }
  if (text.size() < 16) {
    const auto half = [](const char* p) { return _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)); };
    return block_allowed(_mm_unpacklo_epi64(half(text.data()), half(text.data() + text.size() - 8)));
  }
  const auto load = [](const char* p) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p)); };
  const char* const last = text.data() + text.size() - 16;
  for (const char* p = text.data(); p < last; p += 16) {
    if (!block_allowed(load(p))) {
      return false;
    }
  }
  return block_allowed(load(last));
}

}  // namespace

bool is_token(std::string_view text) { return !text.empty() && all_of(text, is_token_char); }

bool is_field_value(std::string_view text) {
  return all_of_blocks(
      text,
      [](__m128i block) {
        const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(block, _mm_set1_epi8(0x1f)), block);
        const __m128i tab = _mm_cmpeq_epi8(block, _mm_set1_epi8('\t'));
        const __m128i del = _mm_cmpeq_epi8(block, _mm_set1_epi8(0x7f));
        return _mm_movemask_epi8(_mm_or_si128(_mm_andnot_si128(tab, low), del)) == 0;
      },
      is_field_char);
}

bool is_request_target(std::string_view text, Hash hash) {
  const char refused = hash == Hash::kRefused ? '#' : '\x7f';
  const auto block_allowed = [refused](__m128i block) {
    // Signed: bytes above 0x7f are below zero.
    const __m128i visible = _mm_cmpgt_epi8(block, _mm_set1_epi8(0x20));
    const __m128i del = _mm_cmpeq_epi8(block, _mm_set1_epi8(0x7f));
    const __m128i other = _mm_cmpeq_epi8(block, _mm_set1_epi8(refused));
    return _mm_movemask_epi8(_mm_andnot_si128(_mm_or_si128(del, other), visible)) == 0xffff;
  };
  const auto allowed = [refused](char c) { return is_target_char(c) && c != refused; };
  return !text.empty() && all_of_blocks(text, block_allowed, allowed);
}

std::string_view trim_blanks(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) {
    text.remove_prefix(1);
  }
  while (!text.empty() && is_blank(text.back())) {
    text.remove_suffix(1);
  }
  return text;
}

}  // namespace sluice::http
