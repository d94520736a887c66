// The text of a head: pieces that are put one behind the other at a cursor, in memory that has room for all of them.
// (A cursor that is passed and returned stays in a register; one in an object is stored and loaded for each piece.)
#pragma once

#include <cstring>
#include <string_view>

#include "http/codec.h"
#include "http/header_map.h"
#include "http/token_set.h"

namespace sluice::http::http1 {

template <size_t N>
inline void copy_both_ends(char* to, const char* from, size_t bytes) {
  char last[N];
  std::memcpy(last, from + bytes - N, N);
  std::memcpy(to, from, N);
  std::memcpy(to + bytes - N, last, N);
}

// Each returns the place behind what it put.
// Most pieces are short: two moves that overlap cost less than a call.
inline char* put(char* at, std::string_view text) {
  const size_t bytes = text.size();
  const char* const from = text.data();
  if (bytes > 32) {
    std::memcpy(at, from, bytes);
  } else if (bytes >= 16) {
    copy_both_ends<16>(at, from, bytes);
  } else if (bytes >= 8) {
    copy_both_ends<8>(at, from, bytes);
  } else if (bytes >= 4) {
    copy_both_ends<4>(at, from, bytes);
  } else if (bytes > 0) {
    at[0] = from[0];
    at[bytes / 2] = from[bytes / 2];
    at[bytes - 1] = from[bytes - 1];
  }
  return at + bytes;
}

// A field name in the case that is asked for.
char* put_name(char* at, std::string_view name, CodecOptions::Case header_case);
char* put_line(char* at, std::string_view name, std::string_view value, CodecOptions::Case header_case);

// All fields but those in `skip`, and but those that HTTP/1 cannot carry.
char* put_fields(char* at, const HeaderMap& fields, const TokenSet& skip, CodecOptions::Case header_case);

// A generous bound for what put_fields() puts.
inline size_t bound_of(const HeaderMap& fields) { return fields.byte_size() + 4 * fields.size(); }

}  // namespace sluice::http::http1
