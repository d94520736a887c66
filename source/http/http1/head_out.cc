#include "http/http1/head_out.h"

#include <algorithm>

#include "http/chars.h"

namespace sluice::http::http1 {

namespace {

bool writable(const HeaderField& field) {
  return (field.token != Token::kNone || is_token(field.name())) && is_field_value(field.value());
}

bool is_letter(char c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; }

}  // namespace

// Envoy's proper case: a letter is a capital unless a letter or a digit stands before it.
void HeadOut::add_name(std::string_view name, CodecOptions::Case header_case) {
  if (header_case != CodecOptions::Case::kProper) {
    add(name);
    return;
  }
  bool capital = true;
  while (!name.empty()) {
    char piece[64];
    const size_t bytes = std::min(name.size(), sizeof(piece));
    for (size_t i = 0; i < bytes; ++i) {
      const char c = name[i];
      piece[i] = capital && is_letter(c) ? static_cast<char>(c & ~0x20) : c;
      capital = !is_letter(c) && !is_digit(c);
    }
    add(piece, bytes);
    name.remove_prefix(bytes);
  }
}

void HeadOut::add_fields(const HeaderMap& fields, const TokenSet& skip, CodecOptions::Case header_case) {
  if (header_case == CodecOptions::Case::kProper || fields.spelling() != nullptr) {
    add_respelt(fields, skip, header_case);
    return;
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
    if (run_bytes > 0) {
      add(run, run_bytes);
      run_bytes = 0;
    }
    if (field.as_on_wire) {
      run = field.name_data;
      run_bytes = bytes;
    } else if (writable(field)) {
      add_line(field.name(), field.value(), CodecOptions::Case::kLower);
    }
  }
  if (run_bytes > 0) {
    add(run, run_bytes);
  }
}

void HeadOut::add_respelt(const HeaderMap& fields, const TokenSet& skip, CodecOptions::Case header_case) {
  for (const HeaderField& field : fields) {
    if (skip.has(field.token) || !writable(field)) {
      continue;
    }
    if (fields.spelling() != nullptr) {
      add_line(fields.spelling()->of(field.name_data, field.name_size), field.value(), CodecOptions::Case::kLower);
    } else {
      add_line(field.name(), field.value(), header_case);
    }
  }
}

}  // namespace sluice::http::http1
