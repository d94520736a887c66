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

}  // namespace

bool is_token(std::string_view text) { return !text.empty() && all_of(text, is_token_char); }

bool is_field_value(std::string_view text) {
  const char* p = text.data();
  const char* const end = p + text.size();
  for (; end - p >= 16; p += 16) {
    const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(block, _mm_set1_epi8(0x1f)), block);
    const __m128i tab = _mm_cmpeq_epi8(block, _mm_set1_epi8('\t'));
    const __m128i del = _mm_cmpeq_epi8(block, _mm_set1_epi8(0x7f));
    if (_mm_movemask_epi8(_mm_or_si128(_mm_andnot_si128(tab, low), del)) != 0) {
      return false;
    }
  }
  return all_of({p, static_cast<size_t>(end - p)}, is_field_char);
}

bool is_request_target(std::string_view text) {
  const char* p = text.data();
  const char* const end = p + text.size();
  for (; end - p >= 16; p += 16) {
    const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    // Signed: bytes above 0x7f are below zero.
    const __m128i visible = _mm_cmpgt_epi8(block, _mm_set1_epi8(0x20));
    const __m128i del = _mm_cmpeq_epi8(block, _mm_set1_epi8(0x7f));
    if (_mm_movemask_epi8(_mm_andnot_si128(del, visible)) != 0xffff) {
      return false;
    }
  }
  return !text.empty() && all_of({p, static_cast<size_t>(end - p)}, is_target_char);
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
