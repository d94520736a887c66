// The scan for line ends and control characters, 16 bytes at a time (SSE2 is part of x86-64).
#pragma once

#include <emmintrin.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "http/chars.h"

namespace sluice::http::http1 {

// CR LF, as a little-endian word has them.
inline constexpr uint16_t kLineEnd = 0x0a0d;

struct Scan {
  enum class Status : uint8_t {
    kMore,     // no empty line yet; `at` is where to go on
    kEnd,      // an empty line; `at` is the offset behind it
    kBad,      // a control character, or CR or LF alone; `at` is the offset of the byte that shows it
    kStopped,  // on_line() said so
  };
  Status status;
  uint32_t at;
};

// Bit i: the i-th byte is a control character other than HTAB.
inline uint32_t control_mask(const char* p) {
  const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(block, _mm_set1_epi8(0x1f)), block);
  const __m128i tab = _mm_cmpeq_epi8(block, _mm_set1_epi8('\t'));
  const __m128i del = _mm_cmpeq_epi8(block, _mm_set1_epi8(0x7f));
  return static_cast<uint32_t>(_mm_movemask_epi8(_mm_or_si128(_mm_andnot_si128(tab, low), del)));
}

// Bit i: the i-th byte is a control character, HTAB among them. The second form looks at the 32 bytes from `at` on, or
// at as many as there are, but not at the last of all: nothing that ends there is whole.
inline uint32_t low_mask(const char* p) {
  const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(block, _mm_set1_epi8(0x1f)), block);
  const __m128i del = _mm_cmpeq_epi8(block, _mm_set1_epi8(0x7f));
  return static_cast<uint32_t>(_mm_movemask_epi8(_mm_or_si128(low, del)));
}
inline uint32_t low_mask(const char* data, uint32_t at, uint32_t size) {
  const uint32_t bytes = size - at;
  if (bytes > 32) [[likely]] {
    return low_mask(data + at) | low_mask(data + at + 16) << 16;
  }
  uint32_t mask = 0;
  if (size >= 32) {  // the last 32 bytes, without those that were seen
    mask = (low_mask(data + size - 32) | low_mask(data + size - 16) << 16) >> (32 - bytes);
  } else {
    for (uint32_t i = 0; i < bytes; ++i) {
      mask |= static_cast<uint32_t>(!is_field_char(data[at + i])) << i;
    }
  }
  return mask & ~(uint32_t{1} << (bytes - 1));
}

// The fast way through a section that is whole and faultless: the offset behind its empty line, and where the lines
// before that end (at most `max`). 0 otherwise: then scan_lines() tells why.
inline uint32_t find_section(const char* data, uint32_t size, uint32_t* ends, uint32_t max, uint32_t& count) {
  constexpr uint32_t kLinesInBlock = 16;
  uint32_t lines = 0;
  uint32_t line_start = 0;
  for (uint32_t block = 0; block < size; block += 32) {
    uint32_t low = low_mask(data, block, size);
    low &= ~static_cast<uint32_t>(line_start == block + 1);  // an LF whose CR ended the block before
    if (lines + kLinesInBlock > max) [[unlikely]] {
      return 0;
    }
    while (low != 0) {
      const uint32_t at = block + static_cast<uint32_t>(__builtin_ctz(low));
      uint16_t both;
      std::memcpy(&both, data + at, 2);  // there are two: the last byte's bit is never set
      low &= low - 1;
      if (both != kLineEnd) [[unlikely]] {
        if (data[at] == '\t') {
          continue;
        }
        return 0;
      }
      if (at == line_start) {
        count = lines;
        return at + 2;
      }
      low &= low - 1;  // the LF
      ends[lines++] = at;
      line_start = at + 2;
    }
  }
  return 0;
}

// Scans data[from, size). `line_start` is where the line that holds `from` begins, and is kept up to date;
// on_line(start, end) is called for each line that is not empty and returns false to stop the scan.
template <typename OnLine>
Scan scan_lines(const char* data, uint32_t size, uint32_t from, uint32_t& line_start, OnLine&& on_line) {
  uint32_t block = from;
  while (block < size) {
    uint32_t mask;
    if (size - block >= 16) {
      mask = control_mask(data + block);
    } else {
      mask = 0;
      for (uint32_t i = 0; i < size - block; ++i) {
        mask |= static_cast<uint32_t>(!is_field_char(data[block + i])) << i;
      }
    }
    uint32_t next = block + 16;
    while (mask != 0) {
      const uint32_t at = block + static_cast<uint32_t>(__builtin_ctz(mask));
      if (data[at] != '\r') {
        return {Scan::Status::kBad, at};
      }
      if (at + 1 == size) {
        return {Scan::Status::kMore, at};
      }
      if (data[at + 1] != '\n') {
        return {Scan::Status::kBad, at + 1};
      }
      if (at == line_start) {
        return {Scan::Status::kEnd, at + 2};
      }
      if (!on_line(line_start, at)) {
        return {Scan::Status::kStopped, at + 2};
      }
      line_start = at + 2;
      mask &= ~(3u << (at - block));
      if (at - block == 15) {
        next = block + 17;  // the LF is the next block's first byte
      }
    }
    block = next;
  }
  return {Scan::Status::kMore, size};
}

}  // namespace sluice::http::http1
