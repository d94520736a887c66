#include "http/cookies.h"

#include <algorithm>

namespace sluice::http {
namespace {

std::optional<std::string_view> find_in_line(std::string_view line, std::string_view name) {
  while (!line.empty()) {
    const std::string_view pair = line.substr(0, line.find(';'));
    const std::string_view text = pair.substr(std::min(pair.size(), pair.find_first_not_of(" \t")));
    const size_t equals = text.find('=');
    if (equals != std::string_view::npos && text.substr(0, equals) == name) {
      std::string_view value = text.substr(equals + 1);
      if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
      return value;
    }
    line.remove_prefix(std::min(line.size(), pair.size() + 1));
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string_view> find_cookie(const HeaderMap& fields, std::string_view name) {
  if (!fields.has(Token::kCookie)) return std::nullopt;
  for (const HeaderField& field : fields) {
    if (field.token != Token::kCookie) continue;
    if (const auto value = find_in_line(field.value(), name)) return value;
  }
  return std::nullopt;
}

}  // namespace sluice::http
