#include "config/runtime_values.h"

#include <algorithm>

#include "base/strings.h"

namespace sluice::config {
namespace {

using google::protobuf::Struct;

std::optional<model::Fraction> fraction_of(const Struct& map) {
  const auto numerator = map.fields().find("numerator");
  if (numerator == map.fields().end() || !numerator->second.has_number_value()) return std::nullopt;
  model::Fraction fraction;
  fraction.numerator = static_cast<uint32_t>(numerator->second.number_value());
  if (const auto unit = map.fields().find("denominator"); unit != map.fields().end()) {
    const std::string& name = unit->second.string_value();
    fraction.denominator = name == "MILLION" ? 1000000 : name == "TEN_THOUSAND" ? 10000 : 100;
  }
  return fraction;
}

}  // namespace

std::vector<std::string> RuntimeValues::add_layer(const Struct& layer) {
  std::vector<std::string> refused;
  for (const auto& [key, value] : layer.fields()) add(key, value, refused);
  std::sort(refused.begin(), refused.end());
  return refused;
}

void RuntimeValues::add(const std::string& key, const google::protobuf::Value& value,
                        std::vector<std::string>& refused) {
  Value out;
  switch (value.kind_case()) {
    case google::protobuf::Value::kNumberValue: out.number = value.number_value(); break;
    case google::protobuf::Value::kBoolValue: out.boolean = value.bool_value(); break;
    case google::protobuf::Value::kStringValue: {
      const std::string& text = value.string_value();
      if (text == "true" || text == "false") out.boolean = text == "true";
      if (const auto number = parse_number<int64_t>(text)) out.number = static_cast<double>(*number);
      break;
    }
    case google::protobuf::Value::kStructValue:
      out.fraction = fraction_of(value.struct_value());
      if (!out.fraction) {
        for (const auto& [name, inner] : value.struct_value().fields()) add(cat(key, ".", name), inner, refused);
        return;
      }
      break;
    default: refused.push_back(key); return;
  }
  values_.insert_or_assign(key, std::move(out));
}

const RuntimeValues::Value* RuntimeValues::find(std::string_view key) const {
  const auto at = values_.find(key);
  return at == values_.end() ? nullptr : &at->second;
}

std::optional<uint64_t> RuntimeValues::number(std::string_view key) const {
  const Value* value = find(key);
  if (value == nullptr || !value->number || *value->number < 0) return std::nullopt;
  return static_cast<uint64_t>(*value->number);
}

std::optional<bool> RuntimeValues::boolean(std::string_view key) const {
  const Value* value = find(key);
  return value == nullptr ? std::nullopt : value->boolean;
}

model::Fraction RuntimeValues::fraction(model::Fraction fallback) const {
  const Value* value = fallback.runtime_key.empty() ? nullptr : find(fallback.runtime_key);
  if (value == nullptr) return fallback;
  if (value->fraction) {
    fallback.numerator = value->fraction->numerator;
    fallback.denominator = value->fraction->denominator;
  } else if (value->number && *value->number >= 0) {
    fallback.numerator = static_cast<uint32_t>(*value->number);
    fallback.denominator = 100;
  }
  return fallback;
}

}  // namespace sluice::config
