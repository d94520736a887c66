#include "http/referer.h"

#include <algorithm>
#include <cstdint>

#include "base/strings.h"
#include "http/chars.h"

namespace sluice::http {
namespace {

bool is_letter(char c) { return lower(c) >= 'a' && lower(c) <= 'z'; }
bool is_alnum(char c) { return is_letter(c) || is_digit(c); }

template <typename Is>
bool all(std::string_view text, Is is) {
  return std::all_of(text.begin(), text.end(), is);
}

bool is_scheme(std::string_view text) {
  return !text.empty() && is_letter(text[0]) &&
         all(text, [](char c) { return is_alnum(c) || c == '+' || c == '-' || c == '.'; });
}

// A name or address with an optional port; user information makes it none.
bool is_host_and_port(std::string_view text) {
  std::string_view host = text.substr(0, text.find(':'));
  if (text.starts_with('[')) {
    host = text.substr(0, text.find(']') + 1);
    if (host.size() < 3) return false;
    const std::string_view ip = host.substr(1, host.size() - 2);
    if (!all(ip, [](char c) { return hex_value(c) >= 0 || c == ':' || c == '.'; })) return false;
  } else if (host.empty() || !all(host, [](char c) { return is_alnum(c) || c == '-' || c == '.'; })) {
    return false;
  }
  const std::string_view port = text.substr(host.size());
  return port.empty() || (port[0] == ':' && parse_number<uint16_t>(port.substr(1)).has_value());
}

bool is_absolute(std::string_view url) {
  const size_t colon = url.find("://");
  if (colon == std::string_view::npos || !is_scheme(url.substr(0, colon))) return false;
  const std::string_view rest = url.substr(colon + 3);
  const size_t end = std::min(rest.find_first_of("/?#"), rest.size());
  return is_host_and_port(rest.substr(0, end)) &&
         all(rest.substr(end), [](char c) { return static_cast<unsigned char>(c) > ' ' && c != 0x7f && c != '#'; });
}

bool is_reference_char(char c) {
  return is_alnum(c) || std::string_view("-._~%/?:@[]!$&'()*+,;=").find(c) != std::string_view::npos;
}

// Characters of RFC 3986; a ':' before the first '/' would begin a scheme.
bool is_relative(std::string_view reference) {
  const bool scheme_first = reference.find(':') < reference.find('/');
  return !scheme_first && all(reference, is_reference_char);
}

}  // namespace

bool is_good_referer(std::string_view value) { return is_absolute(value) || is_relative(value); }

}  // namespace sluice::http
