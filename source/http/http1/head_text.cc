#include "http/http1/head_text.h"

#include "http/chars.h"

namespace sluice::http::http1 {

namespace {

bool writable(const HeaderField& field) {
  return (field.token != Token::kNone || is_token(field.name())) && is_field_value(field.value());
}

bool is_letter(char c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; }

char* put_respelt(char* at, const HeaderMap& fields, const TokenSet& skip, CodecOptions::Case header_case) {
  for (const HeaderField& field : fields) {
    if (skip.has(field.token) || !writable(field)) {
      continue;
    }
    if (fields.spelling() != nullptr) {
      at = put(at, fields.spelling()->of(field.name_data, field.name_size));
      at = put(at, ": ");
      at = put(at, field.value());
      at = put(at, "\r\n");
    } else {
      at = put_line(at, field.name(), field.value(), header_case);
    }
  }
  return at;
}

}  // namespace

// Envoy's proper case: a letter is a capital unless a letter or a digit stands before it.
char* put_name(char* at, std::string_view name, CodecOptions::Case header_case) {
  if (header_case != CodecOptions::Case::kProper) {
    return put(at, name);
  }
  bool capital = true;
  for (const char c : name) {
    *at++ = capital && is_letter(c) ? static_cast<char>(c & ~0x20) : c;
    capital = !is_letter(c) && !is_digit(c);
  }
  return at;
}

char* put_line(char* at, std::string_view name, std::string_view value, CodecOptions::Case header_case) {
  at = put_name(at, name, header_case);
  at = put(at, ": ");
  at = put(at, value);
  return put(at, "\r\n");
}

char* put_fields(char* at, const HeaderMap& fields, const TokenSet& skip, CodecOptions::Case header_case) {
  if (header_case == CodecOptions::Case::kProper || fields.spelling() != nullptr) {
    return put_respelt(at, fields, skip, header_case);
  }
  // Neighbours that stand in memory as they are sent leave as one block.
  const char* run = nullptr;
  size_t run_bytes = 0;
  for (const HeaderField& field : fields) {
    if (skip.has(field.token)) {
      continue;
    }
    const size_t bytes = field.name_size + field.value_size + size_t{4};
    if (field.as_on_wire && run + run_bytes == field.name_data) {
      run_bytes += bytes;
      continue;
    }
    at = put(at, {run, run_bytes});
    run_bytes = 0;
    if (field.as_on_wire) {
      run = field.name_data;
      run_bytes = bytes;
    } else if (writable(field)) {
      at = put_line(at, field.name(), field.value(), CodecOptions::Case::kLower);
    }
  }
  return put(at, {run, run_bytes});
}

}  // namespace sluice::http::http1
