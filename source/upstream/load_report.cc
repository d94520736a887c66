#include "upstream/load_report.h"

#include <charconv>
#include <cmath>
#include <string_view>

#include "base/base64.h"
#include "base/json.h"
#include "base/strings.h"
#include "base/wire_message.h"

namespace sluice::upstream {
namespace {

constexpr std::string_view kUtilization = "utilization.";
constexpr std::string_view kNamed = "named_metrics.";

// What a name of the report's own numbers means.
struct Number {
  std::string_view name, camel;  // as JSON may have it, too
  uint32_t field;                // in the message
  double LoadReport::*value;
};
constexpr Number kNumbers[] = {
    {"cpu_utilization", "cpuUtilization", 1, &LoadReport::cpu_utilization},
    {"mem_utilization", "memUtilization", 2, &LoadReport::mem_utilization},
    {"application_utilization", "applicationUtilization", 9, &LoadReport::application_utilization},
    {"rps_fractional", "rpsFractional", 6, &LoadReport::rps_fractional},
    {"eps", "eps", 7, &LoadReport::eps},
};

const Number* number_of(std::string_view name) {
  for (const Number& one : kNumbers) {
    if (one.name == name) return &one;
  }
  return nullptr;
}

// Decimal or hexadecimal, with blanks around it; not infinite, and no NaN.
std::optional<double> read_real(std::string_view text) {
  text = trim(text);
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) return std::nullopt;
  }
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  const bool hex = text.starts_with("0x") || text.starts_with("0X");
  if (hex) text.remove_prefix(2);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value,
                                            hex ? std::chars_format::hex : std::chars_format::general);
  if (error != std::errc() || end != text.data() + text.size() || text.starts_with('-') || !std::isfinite(value)) {
    return std::nullopt;
  }
  return negative ? -value : value;
}

// ---- TEXT: name=value, name:value, ...

bool take_metric(std::string_view name, double value, LoadReport& out) {
  if (const Number* number = number_of(name)) {
    out.*number->value = value;
    return true;
  }
  const auto add = [&](std::string_view prefix, LoadReport::Metrics& to) {
    return name.size() > prefix.size() && name.starts_with(prefix) &&
           to.emplace(std::string(name.substr(prefix.size())), value).second;
  };
  return add(kNamed, out.named_metrics) || add(kUtilization, out.utilization);
}

std::optional<LoadReport> read_text(std::string_view text) {
  LoadReport out;
  std::vector<std::string_view> seen;
  for (const std::string_view each : split(text, ',')) {
    const std::string_view metric = trim(each);
    if (metric.empty()) continue;
    const size_t at = metric.find_first_of("=:");
    if (at == std::string_view::npos) return std::nullopt;
    const std::string_view name = metric.substr(0, at);
    const std::optional<double> value = read_real(metric.substr(at + 1));
    if (!value || *value < 0 || !take_metric(name, *value, out)) return std::nullopt;
    if (number_of(name) == nullptr) continue;
    for (const std::string_view other : seen) {
      if (other == name) return std::nullopt;
    }
    seen.push_back(name);
  }
  return out;
}

// ---- BIN: the message of protobuf

constexpr uint32_t kUtilizationField = 5, kNamedField = 8;

// An entry of a map<string, double>.
bool read_entry(std::string_view message, LoadReport::Metrics& out) {
  std::string_view name;
  double value = 0;
  const bool good = for_each_field(message, 2, [&](const WireField& field, bool&) {
    if (field.number == 1 && field.wire == Wire::kBytes) {
      name = field.bytes;
    } else if (field.number == 2 && field.wire == Wire::kFixed64) {
      value = field.as_double();
    } else {
      return false;
    }
    return true;
  });
  if (good) out.insert_or_assign(std::string(name), value);
  return good;
}

bool read_message(std::string_view message, LoadReport& out) {
  return for_each_field(message, 1, [&](const WireField& field, bool& good) {
    if (field.wire == Wire::kBytes && (field.number == kUtilizationField || field.number == kNamedField)) {
      good = read_entry(field.bytes, field.number == kNamedField ? out.named_metrics : out.utilization);
      return true;
    }
    for (const Number& one : kNumbers) {
      if (one.field != field.number || field.wire != Wire::kFixed64) continue;
      out.*one.value = field.as_double();
      return true;
    }
    return false;
  });
}

// With or without its padding.
std::optional<LoadReport> read_binary(std::string_view text) {
  std::string padded(text);
  while (padded.size() % 4 != 0) padded += '=';
  const auto bytes = decode_base64(padded);
  if (!bytes) return std::nullopt;
  LoadReport out;
  if (!read_message(*bytes, out)) return std::nullopt;
  return out;
}

// ---- JSON: the message in protobuf's mapping

bool take_json(const Value& value, double& out) {
  if (value.is_null()) return true;
  if (const double* number = value.as_number()) {
    out = *number;
    return true;
  }
  const std::string* text = value.as_text();
  if (text == nullptr) return false;
  if (*text == "Infinity" || *text == "-Infinity" || *text == "NaN") {
    out = *text == "NaN" ? NAN : *text == "Infinity" ? HUGE_VAL : -HUGE_VAL;
    return true;
  }
  const std::optional<double> real = read_real(*text);
  if (real) out = *real;
  return real.has_value();
}

bool take_json(const Value& value, LoadReport::Metrics& out) {
  if (value.is_null()) return true;
  const Value::Map* map = value.as_map();
  if (map == nullptr) return false;
  for (const Value::Member& member : *map) {
    if (member.value.is_null() || !take_json(member.value, out[member.key])) return false;
  }
  return true;
}

// A field that the message does not have is an error.
bool take_member(std::string_view name, const Value& value, LoadReport& out) {
  for (const Number& one : kNumbers) {
    if (one.name == name || one.camel == name) return take_json(value, out.*one.value);
  }
  if (name == "utilization") return take_json(value, out.utilization);
  if (name == "named_metrics" || name == "namedMetrics") return take_json(value, out.named_metrics);
  LoadReport::Metrics unused;
  if (name == "request_cost" || name == "requestCost") return take_json(value, unused);
  double rps = 0;
  return name == "rps" && take_json(value, rps);
}

std::optional<LoadReport> read_json(std::string_view text) {
  const std::optional<Value> value = parse_json(text);
  if (!value || value->as_map() == nullptr) return std::nullopt;
  LoadReport out;
  for (const Value::Member& member : *value->as_map()) {
    if (!take_member(member.key, member.value, out)) return std::nullopt;
  }
  return out;
}

}  // namespace

double LoadReport::greatest(const std::vector<std::string>& names) const {
  double out = 0;
  const auto look_in = [&out](const Metrics& metrics, std::string_view name) {
    for (const auto& [key, value] : metrics) {
      if (name == "*" || name == key) out = std::fmax(out, value);
    }
  };
  for (const std::string_view name : names) {
    if (const Number* number = number_of(name)) {
      out = std::fmax(out, this->*number->value);
    } else if (name.starts_with(kNamed)) {
      look_in(named_metrics, name.substr(kNamed.size()));
    } else if (name.starts_with(kUtilization)) {
      look_in(utilization, name.substr(kUtilization.size()));
    }
  }
  return out;
}

std::optional<LoadReport> read_load_report(const http::HeaderMap& fields) {
  if (const std::string_view bytes = fields.get("endpoint-load-metrics-bin"); !bytes.empty()) return read_binary(bytes);
  const std::string_view text = fields.get("endpoint-load-metrics");
  if (text.starts_with("TEXT ")) return read_text(text.substr(5));
  if (text.starts_with("JSON ")) return read_json(text.substr(5));
  if (text.starts_with("BIN ")) return read_binary(text.substr(4));
  return std::nullopt;
}

}  // namespace sluice::upstream
