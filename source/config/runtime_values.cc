#include "config/runtime_values.h"

#include <google/protobuf/util/json_util.h>

#include <algorithm>

#include "base/strings.h"

namespace sluice::config {
namespace {

using google::protobuf::Struct;
using ProtoValue = google::protobuf::Value;

bool is_share(const Struct& map) {
  return map.fields().empty() || map.fields().contains("numerator") || map.fields().contains("denominator");
}

std::optional<uint32_t> numerator_of(const ProtoValue& value) {
  if (value.kind_case() == ProtoValue::kStringValue) return parse_number<uint32_t>(value.string_value());
  const double number = value.number_value();
  if (value.kind_case() != ProtoValue::kNumberValue || number < 0 || number > UINT32_MAX) return std::nullopt;
  return static_cast<uint32_t>(number);
}

// None when it is no FractionalPercent.
std::optional<runtime::Share> share_of(const Struct& map) {
  runtime::Share out;
  for (const auto& [name, value] : map.fields()) {
    const bool is_numerator = name == "numerator";
    const auto number = is_numerator            ? numerator_of(value)
                        : name == "denominator" ? runtime::denominator_of(value.string_value())
                                                : std::nullopt;
    if (!number) return std::nullopt;
    (is_numerator ? out.numerator : out.denominator) = *number;
  }
  return out;
}

runtime::Value share_value(const Struct& map) {
  runtime::Value out;
  (void)google::protobuf::util::MessageToJsonString(map, &out.text);
  if (!map.fields().empty()) out.share = share_of(map);
  return out;
}

void read(const std::string& key, const ProtoValue& value, runtime::Values& out, std::vector<std::string>& refused) {
  switch (value.kind_case()) {
    case ProtoValue::kNumberValue:
      out.insert_or_assign(key, runtime::value_of_number(value.number_value()));
      return;
    case ProtoValue::kBoolValue:
      out.insert_or_assign(key, runtime::value_of_boolean(value.bool_value()));
      return;
    case ProtoValue::kStringValue:
      out.insert_or_assign(key, runtime::value_of_text(value.string_value()));
      return;
    case ProtoValue::kStructValue:
      break;
    default:
      refused.push_back(key);
      return;
  }
  if (is_share(value.struct_value())) {
    out.insert_or_assign(key, share_value(value.struct_value()));
    return;
  }
  for (const auto& [name, inner] : value.struct_value().fields()) read(cat(key, ".", name), inner, out, refused);
}

}  // namespace

std::vector<std::string> RuntimeValues::read_layer(const Struct& layer, runtime::Values& out) {
  std::vector<std::string> refused;
  for (const auto& [key, value] : layer.fields()) read(key, value, out, refused);
  std::sort(refused.begin(), refused.end());
  return refused;
}

std::optional<uint64_t> RuntimeValues::number(std::string_view key) const {
  const runtime::Value* value = layers_->find(key);
  return value == nullptr ? std::nullopt : value->whole();
}

std::optional<bool> RuntimeValues::boolean(std::string_view key) const {
  const runtime::Value* value = layers_->find(key);
  return value == nullptr ? std::nullopt : value->boolean;
}

runtime::Fraction RuntimeValues::fraction(runtime::Fraction fallback) const {
  if (!fallback.runtime_key.empty()) fallback.key = layers_->key(fallback.runtime_key);
  return fallback;
}

runtime::Number RuntimeValues::live_number(uint64_t fallback, std::string_view key) const {
  return {fallback, key.empty() ? nullptr : layers_->key(key)};
}

runtime::Decimal RuntimeValues::live_decimal(double fallback, std::string_view key) const {
  return {fallback, key.empty() ? nullptr : layers_->key(key)};
}

runtime::Flag RuntimeValues::live_flag(bool fallback, std::string_view key) const {
  return {fallback, key.empty() ? nullptr : layers_->key(key)};
}

}  // namespace sluice::config
