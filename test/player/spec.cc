#include "test/player/spec.h"

#include <cmath>
#include <cstdio>

#include "base/base64.h"
#include "base/strings.h"

namespace sluice::player {

Spec Spec::operator[](std::string_view key) const {
  const Value::Map* map = value_ == nullptr ? nullptr : value_->as_map();
  return Spec(map == nullptr ? nullptr : map->find(key));
}

bool Spec::truthy() const {
  if (is_null()) {
    return false;
  }
  if (const bool* truth = value_->as_boolean()) {
    return *truth;
  }
  if (const double* number = value_->as_number()) {
    return *number != 0;
  }
  if (const std::string* text = value_->as_text()) {
    return !text->empty();
  }
  return value_->as_list() != nullptr ? !value_->as_list()->empty() : !value_->as_map()->empty();
}

std::string Spec::text(std::string_view otherwise) const {
  if (is_null()) {
    return std::string(otherwise);
  }
  return as_text() != nullptr ? *as_text() : to_json(*value_);
}

double Spec::number(double otherwise) const {
  if (is_null()) {
    return otherwise;
  }
  if (const double* number = value_->as_number()) {
    return *number;
  }
  return as_text() != nullptr ? std::strtod(as_text()->c_str(), nullptr) : otherwise;
}

Duration Spec::ms(double otherwise) const { return Duration(static_cast<int64_t>(number(otherwise) * 1e6)); }

std::vector<Spec> Spec::list() const {
  std::vector<Spec> out;
  if (value_ != nullptr && value_->as_list() != nullptr) {
    for (const Value& one : *value_->as_list()) {
      out.emplace_back(&one);
    }
  }
  return out;
}

std::vector<std::pair<std::string, Spec>> Spec::members() const {
  std::vector<std::pair<std::string, Spec>> out;
  if (value_ != nullptr && value_->as_map() != nullptr) {
    for (const Value::Member& member : *value_->as_map()) {
      out.emplace_back(member.key, Spec(&member.value));
    }
  }
  return out;
}

Pairs Spec::pairs() const {
  Pairs out;
  for (const Spec& pair : list()) {
    const std::vector<Spec> both = pair.list();
    if (both.size() == 2) {
      out.emplace_back(as_bytes(both[0].text()), as_bytes(both[1].text()));
    }
  }
  return out;
}

std::string as_bytes(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const unsigned char c = static_cast<unsigned char>(text[i]);
    if (c < 0x80) {
      out += text[i];
    } else if ((c == 0xC2 || c == 0xC3) && i + 1 < text.size()) {
      out += static_cast<char>((c << 6) | (static_cast<unsigned char>(text[++i]) & 0x3F));
    } else {
      return std::string(text);
    }
  }
  return out;
}

std::string filler(size_t size) {
  std::string out(size, '\0');
  for (size_t i = 0; i < size; ++i) {
    out[i] = "0123456789abcdef"[i % 16];
  }
  return out;
}

std::string body_of(const Spec& spec) {
  if (spec.has("body_base64")) {
    return decode_base64(spec["body_base64"].text()).value_or("");
  }
  return spec.has("body_size") ? filler(spec["body_size"].size()) : as_bytes(spec["body"].text());
}

Value bytes(std::string_view data, Shown shown) {
  Value::Map map;
  map.set(shown == Shown::kAsItIs ? "$bytes" : "$json", encode_base64(data));
  return map;
}

std::string shown_bytes(const Value& value) {
  const Value* data = value.as_map() == nullptr ? nullptr : value.as_map()->find("$bytes");
  return data == nullptr ? "" : decode_base64(*data->as_text()).value_or("");
}

Value text(std::string_view data) {
  std::string out;
  for (const char c : data) {
    const unsigned char byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      out += c;
    } else {
      out += static_cast<char>(0xC0 | (byte >> 6));
      out += static_cast<char>(0x80 | (byte & 0x3F));
    }
  }
  return out;
}

Value pairs(const Pairs& pairs) {
  Value::List out;
  for (const auto& [name, value] : pairs) {
    out.push_back(Value::List{text(name), text(value)});
  }
  return out;
}

Value number(double number) { return Value::number(number); }

std::string to_json(const Value& value) {
  if (value.is_null()) {
    return "null";
  }
  if (const bool* truth = value.as_boolean()) {
    return *truth ? "true" : "false";
  }
  if (const double* number = value.as_number()) {
    if (*number == std::floor(*number) && std::fabs(*number) < 1e15) {
      return cat(static_cast<int64_t>(*number));
    }
    char out[32];
    std::snprintf(out, sizeof(out), "%.17g", *number);
    return out;
  }
  if (const std::string* text = value.as_text()) {
    return json_quote(*text);
  }
  std::string out;
  if (const Value::List* list = value.as_list()) {
    for (const Value& one : *list) {
      append(out, out.empty() ? "" : ",", to_json(one));
    }
    return cat("[", out, "]");
  }
  for (const Value::Member& member : *value.as_map()) {
    append(out, out.empty() ? "" : ",", json_quote(member.key), ":", to_json(member.value));
  }
  return cat("{", out, "}");
}

}  // namespace sluice::player
