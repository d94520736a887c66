#include "format/forwarded_cert.h"

#include <algorithm>

#include "base/strings.h"

namespace sluice::format {
namespace {

constexpr std::string_view kCertKeys[] = {"by", "hash", "cert", "chain", "subject", "uri", "dns"};
// Where `separator` stands outside of quotes, or the end; npos when quotes do not end.
size_t find_unquoted(std::string_view text, char separator) {
  bool quoted = false;
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '"') {
      quoted = !quoted;
    } else if (quoted && text[at] == '\\') {
      ++at;
    } else if (!quoted && text[at] == separator) {
      return at;
    }
  }
  return quoted ? std::string_view::npos : text.size();
}

void append_unquoted(std::string& to, std::string_view value) {
  if (value.size() < 2 || value.front() != '"' || value.back() != '"') {
    to += value;
    return;
  }
  value = value.substr(1, value.size() - 2);
  for (size_t at = 0; at < value.size(); ++at) {
    const bool escape = value[at] == '\\' && at + 1 < value.size() && (value[at + 1] == '"' || value[at + 1] == '\\');
    to += value[escape ? ++at : at];
  }
}

bool append_of_element(std::string& to, std::string_view element, std::string_view key) {
  for (;;) {
    const size_t end = find_unquoted(element, ';');
    const std::string_view pair = element.substr(0, end);
    const size_t equals = pair.find('=');
    if (equal_ignore_case(trim(pair.substr(0, equals)), key)) {
      append_unquoted(to, equals == std::string_view::npos ? "" : trim(pair.substr(equals + 1)));
      return true;
    }
    if (end >= element.size()) return false;
    element.remove_prefix(end + 1);
  }
}

}  // namespace

bool is_forwarded_cert_key(std::string_view key) {
  return std::any_of(std::begin(kCertKeys), std::end(kCertKeys),
                     [&](auto known) { return equal_ignore_case(known, key); });
}

bool append_forwarded_cert(std::string& to, std::string_view field, std::string_view key) {
  for (;;) {
    const size_t end = find_unquoted(field, ',');
    if (end == std::string_view::npos) return false;
    if (append_of_element(to, field.substr(0, end), key)) return true;
    if (end == field.size()) return false;
    field.remove_prefix(end + 1);
  }
}

}  // namespace sluice::format
