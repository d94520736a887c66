#include "http/authority.h"

#include <emmintrin.h>

#include <array>
#include <cstdint>

#include "http/chars.h"

namespace sluice::http {

namespace {

// unreserved and sub-delims (RFC 3986 2) but ',': no host has one, and to many recipients it separates two.
constexpr std::array<bool, 256> kNameChars = [] {
  std::array<bool, 256> table{};
  for (const char c :
       std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+;=")) {
    table[static_cast<unsigned char>(c)] = true;
  }
  return table;
}();

// The end of the registered name that `text` begins with: reg-name of RFC 3986 3.2.2.
size_t name_end(std::string_view text) {
  const char* const begin = text.data();
  const char* const end = begin + text.size();
  const char* p = begin;
  while (p != end) {
    if (kNameChars[static_cast<unsigned char>(*p)]) {
      ++p;
    } else if (*p == '%' && end - p > 2 && hex_value(p[1]) >= 0 && hex_value(p[2]) >= 0) {
      p += 3;
    } else {
      break;
    }
  }
  return static_cast<size_t>(p - begin);
}

// Up to 16 lower-case letters, digits, '-' and '.': what most names are made of.
bool is_plain_name(std::string_view text) {
  if (text.size() < 8 || text.size() > 16) {
    return false;
  }
  const auto half = [](const char* p) { return _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)); };
  const __m128i block = _mm_unpacklo_epi64(half(text.data()), half(text.data() + text.size() - 8));
  const auto within = [block](char first, char last) {
    const __m128i from = _mm_sub_epi8(block, _mm_set1_epi8(first));
    return _mm_cmpeq_epi8(_mm_min_epu8(from, _mm_set1_epi8(static_cast<char>(last - first))), from);
  };
  const __m128i plain = _mm_or_si128(_mm_or_si128(within('a', 'z'), within('0', '9')), within('-', '.'));
  return _mm_movemask_epi8(plain) == 0xffff;
}

bool is_port(std::string_view text) {
  uint32_t port = 0;
  for (const char c : text) {
    if (!is_digit(c)) {
      return false;
    }
    port = port * 10 + static_cast<uint32_t>(c - '0');
    if (port > 65535) {
      return false;
    }
  }
  return true;
}

bool is_ipv4_address(std::string_view text) {
  int parts = 0;
  while (true) {
    size_t digits = 0;
    int value = 0;
    while (digits < text.size() && is_digit(text[digits])) {
      value = value * 10 + (text[digits++] - '0');
      if (digits > 3) {
        return false;
      }
    }
    if (digits == 0 || value > 255) {
      return false;
    }
    ++parts;
    text.remove_prefix(digits);
    if (parts == 4) {
      return text.empty();
    }
    if (text.empty() || text[0] != '.') {
      return false;
    }
    text.remove_prefix(1);
  }
}

}  // namespace

bool is_reg_name_char(char c) { return kNameChars[static_cast<unsigned char>(c)]; }

bool is_ipv6_address(std::string_view text) {
  int groups = 0;
  bool gap = false;  // "::" was seen
  if (text.starts_with("::")) {
    gap = true;
    text.remove_prefix(2);
  }
  while (!text.empty()) {
    if (text.find(':') == std::string_view::npos && text.find('.') != std::string_view::npos) {
      groups += 2;  // the last 32 bits in IPv4 notation
      return is_ipv4_address(text) && (gap ? groups < 8 : groups == 8);
    }
    size_t digits = 0;
    while (digits < text.size() && hex_value(text[digits]) >= 0) {
      ++digits;
    }
    if (digits == 0 || digits > 4 || ++groups > 8) {
      return false;
    }
    text.remove_prefix(digits);
    if (text.empty()) {
      break;
    }
    if (text.starts_with("::")) {
      if (gap) {
        return false;
      }
      gap = true;
      text.remove_prefix(2);
    } else if (text[0] == ':' && text.size() > 1) {
      text.remove_prefix(1);
    } else {
      return false;
    }
  }
  return gap ? groups < 8 : groups == 8;
}

bool is_authority(std::string_view text, Port port) {
  if (port == Port::kOptional && is_plain_name(text)) {
    return true;
  }
  std::string_view rest;
  if (text.starts_with('[')) {
    const size_t end = text.find(']');
    if (end == std::string_view::npos || !is_ipv6_address(text.substr(1, end - 1))) {
      return false;
    }
    rest = text.substr(end + 1);
  } else {
    const size_t end = name_end(text);
    if (end == 0) {
      return false;
    }
    rest = text.substr(end);
  }
  if (rest.empty()) {
    return port == Port::kOptional;
  }
  if (rest[0] != ':' || !is_port(rest.substr(1))) {
    return false;
  }
  return port == Port::kOptional || rest.size() > 1;
}

}  // namespace sluice::http
