#include "config/reader_scalars.h"

#include <array>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <vector>

#include "base/strings.h"
#include "base/utf8.h"

namespace sluice::config {
namespace {

bool has_number(const Node& node) { return node.is(Node::Kind::Number) || node.is(Node::Kind::Text); }

// As strtod over the whole text: also 0x10, inf and nan, as Envoy has it.
std::optional<double> parse_double(std::string_view text) {
  const std::string copy(trim(text));
  char* end = nullptr;
  const double value = std::strtod(copy.c_str(), &end);
  if (copy.empty() || end != copy.c_str() + copy.size()) return std::nullopt;
  return value;
}

// A sign is fine, "+5" too; blanks are not.
template <typename T>
std::optional<T> parse_whole(std::string_view text) {
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') {
    text.remove_prefix(1);
  }
  if (std::is_unsigned_v<T> && text == "-0") return T{0};
  return parse_number<T>(text);
}

template <typename T>
std::optional<T> whole(const Node& node, T min, T max, std::string& why) {
  std::optional<T> value;
  const bool blanks = node.text.find_first_of(" \t\n\v\f\r") != std::string_view::npos;
  if (has_number(node) && !blanks) {
    value = parse_whole<T>(node.text);
    if (!value) {
      const auto fraction = parse_double(node.text);
      // 2^63 and 2^64 themselves are the first values that do not fit.
      const double top = std::ldexp(1.0, std::numeric_limits<T>::digits);
      const double bottom = std::is_signed_v<T> ? -top : 0;
      if (fraction && std::trunc(*fraction) == *fraction && *fraction >= bottom && *fraction < top) {
        value = static_cast<T>(*fraction);
      }
    }
  }
  if (value && *value >= min && *value <= max) return value;
  why = cat("expected a whole number from ", min, " to ", max, ", got ", describe(node));
  return std::nullopt;
}

int base64_digit(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+' || c == '-') return 62;
  if (c == '/' || c == '_') return 63;
  return -1;
}

std::optional<std::string> decode_base64(std::string_view text) {
  size_t padding = 0;
  while (padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
  if (padding > 2 || (padding > 0 && text.size() % 4 != 0)) return std::nullopt;
  text.remove_suffix(padding);
  if (text.size() % 4 == 1) return std::nullopt;
  std::string out;
  out.reserve(text.size() * 3 / 4);
  uint32_t bits = 0;
  int count = 0;
  for (char c : text) {
    const int digit = base64_digit(c);
    if (digit < 0) return std::nullopt;
    bits = (bits << 6) | static_cast<uint32_t>(digit);
    count += 6;
    if (count >= 8) {
      count -= 8;
      out += static_cast<char>((bits >> count) & 0xff);
    }
  }
  return out;
}

std::string enum_choices(const google::protobuf::EnumDescriptor& type, std::string_view word) {
  std::vector<std::string_view> names;
  for (int i = 0; i < type.value_count(); ++i) {
    names.push_back(type.value(i)->name());
  }
  std::string upper(word);
  for (char& c : upper) {
    c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c == '-' ? '_' : c;
  }
  if (const std::string_view near = nearest(upper, names); !near.empty()) return cat("; did you mean \"", near, "\"?");
  return names.size() <= 12 ? cat("; expected ", one_of(names)) : std::string();
}

}  // namespace

std::optional<int64_t> to_signed(const Node& node, int64_t min, int64_t max, std::string& why) {
  return whole<int64_t>(node, min, max, why);
}

std::optional<uint64_t> to_unsigned(const Node& node, uint64_t max, std::string& why) {
  return whole<uint64_t>(node, 0, max, why);
}

std::optional<double> to_double(const Node& node, std::string& why) {
  if (has_number(node)) {
    const auto value = parse_double(node.text);
    // A JSON number has to be one; only a text may overflow or be infinite.
    if (value && (node.is(Node::Kind::Text) || std::isfinite(*value))) return value;
  }
  why = cat("expected a number, got ", describe(node));
  return std::nullopt;
}

std::optional<bool> to_boolean(const Node& node, std::string& why) {
  if (node.is(Node::Kind::Boolean)) return node.boolean;
  if (node.is(Node::Kind::Text)) {
    constexpr std::array<std::string_view, 5> kTrue = {"true", "t", "yes", "y", "1"};
    constexpr std::array<std::string_view, 5> kFalse = {"false", "f", "no", "n", "0"};
    for (size_t i = 0; i < kTrue.size(); ++i) {
      if (equal_ignore_case(node.text, kTrue[i])) return true;
      if (equal_ignore_case(node.text, kFalse[i])) return false;
    }
  }
  why = cat("expected true or false, got ", describe(node));
  return std::nullopt;
}

std::optional<std::string> to_text(const Node& node, std::string& why) {
  if (node.is(Node::Kind::Text)) {
    if (is_utf8(node.text)) return std::string(node.text);
    why = "this text is not UTF-8";
    return std::nullopt;
  }
  const bool plain = node.is(Node::Kind::Boolean) || node.is(Node::Kind::Number);
  why = cat("expected a text, got ", describe(node), plain ? "; put it in quotes" : "");
  return std::nullopt;
}

std::optional<std::string> to_bytes(const Node& node, std::string& why) {
  if (node.is(Node::Kind::Text)) {
    if (auto bytes = decode_base64(node.text)) return bytes;
  }
  why = cat("expected bytes in base64, got ", describe(node));
  return std::nullopt;
}

std::optional<int> to_enum(const Node& node, const google::protobuf::EnumDescriptor& type, std::string& why,
                           bool& unknown_name) {
  unknown_name = false;
  constexpr int64_t kMin = std::numeric_limits<int32_t>::min();
  constexpr int64_t kMax = std::numeric_limits<int32_t>::max();
  if (node.is(Node::Kind::Number)) {
    const auto number = to_signed(node, kMin, kMax, why);
    return number ? std::optional<int>(static_cast<int>(*number)) : std::nullopt;
  }
  if (!node.is(Node::Kind::Text)) {
    why = cat("expected a name of ", type.name(), ", got ", describe(node));
    return std::nullopt;
  }
  if (const auto* value = type.FindValueByName(std::string(node.text))) return value->number();
  for (int i = 0; i < type.value_count(); ++i) {
    if (equal_ignore_case(type.value(i)->name(), node.text)) return type.value(i)->number();
  }
  if (const auto number = parse_whole<int32_t>(trim(node.text))) return *number;
  unknown_name = true;
  why = cat(type.name(), " has no value ", json_quote(node.text), enum_choices(type, node.text));
  return std::nullopt;
}

}  // namespace sluice::config
