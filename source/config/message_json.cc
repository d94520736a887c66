#include "config/message_json.h"

#include <google/protobuf/any.pb.h>
#include <google/protobuf/duration.pb.h>
#include <google/protobuf/field_mask.pb.h>
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/timestamp.pb.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string_view>
#include <utility>
#include <vector>

#include "base/base64.h"
#include "base/strings.h"
#include "config/any.h"
#include "config/well_known.h"

namespace sluice::config {
namespace {

using google::protobuf::Any;
using google::protobuf::FieldDescriptor;
using google::protobuf::ListValue;
using google::protobuf::Message;
using google::protobuf::Struct;
using google::protobuf::Timestamp;
using ProtoDuration = google::protobuf::Duration;
using ProtoValue = google::protobuf::Value;

// ".5" as ".500": none, three, six or nine digits, as protobuf writes them.
std::string fraction_of(int32_t nanos) {
  if (nanos == 0) return {};
  char digits[16];
  std::snprintf(digits, sizeof(digits), ".%09d", std::abs(nanos));
  std::string_view text(digits, 10);
  while (text.ends_with("000")) text.remove_suffix(3);
  return std::string(text);
}

std::string text_of(const ProtoDuration& duration) {
  const bool negative = duration.seconds() < 0 || duration.nanos() < 0;
  return cat(negative ? "-" : "", std::abs(duration.seconds()), fraction_of(duration.nanos()), "s");
}

std::string text_of(const Timestamp& timestamp) {
  const time_t seconds = static_cast<time_t>(timestamp.seconds());
  tm parts{};
  gmtime_r(&seconds, &parts);
  char text[40];
  const size_t size = std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &parts);
  return cat(std::string_view(text, size), fraction_of(timestamp.nanos()), "Z");
}

// snake_case paths as lowerCamelCase.
std::string text_of(const google::protobuf::FieldMask& mask) {
  std::string out;
  for (const std::string& path : mask.paths()) {
    if (!out.empty()) out += ',';
    for (size_t i = 0; i < path.size(); ++i) {
      const bool raise = path[i] == '_' && i + 1 < path.size() && path[i + 1] >= 'a' && path[i + 1] <= 'z';
      out += raise ? static_cast<char>(path[++i] - 'a' + 'A') : path[i];
    }
  }
  return out;
}

std::string number_text(double value, int digits) {
  if (std::isnan(value)) return "\"NaN\"";
  if (std::isinf(value)) return value > 0 ? "\"Infinity\"" : "\"-Infinity\"";
  // The shortest text that is read as the same number.
  for (int precision = digits;; ++precision) {
    char text[40];
    std::snprintf(text, sizeof(text), "%.*g", precision, value);
    const double back = std::strtod(text, nullptr);
    if (precision >= 17 || (digits == 6 ? static_cast<float>(back) == static_cast<float>(value) : back == value)) {
      return text;
    }
  }
}

// One document. Thread: any.
class Printer {
 public:
  void message(const Message& message) {
    const auto* type = message.GetDescriptor();
    switch (well_known(type->full_name())) {
      case WellKnown::Any:
        return any(static_cast<const Any&>(message));
      case WellKnown::Duration:
        return text(text_of(static_cast<const ProtoDuration&>(message)));
      case WellKnown::Timestamp:
        return text(text_of(static_cast<const Timestamp&>(message)));
      case WellKnown::FieldMask:
        return text(text_of(static_cast<const google::protobuf::FieldMask&>(message)));
      case WellKnown::Struct:
        return structure(static_cast<const Struct&>(message));
      case WellKnown::Value:
        return value(static_cast<const ProtoValue&>(message));
      case WellKnown::ListValue:
        return list(static_cast<const ListValue&>(message));
      case WellKnown::Wrapper:
        return single(message, *type->field(0), -1);
      case WellKnown::None:
        break;
    }
    open('{');
    fields(message);
    close('}');
  }

  std::string take() { return std::move(out_); }

 private:
  void open(char bracket) {
    out_ += bracket;
    filled_.push_back(false);
  }
  void close(char bracket) {
    const bool filled = filled_.back();
    filled_.pop_back();
    if (filled) line();
    out_ += bracket;
  }
  void line() {
    out_ += '\n';
    out_.append(filled_.size(), ' ');
  }
  // Before an element of a list.
  void element() {
    if (filled_.back()) out_ += ',';
    filled_.back() = true;
    line();
  }
  void key(std::string_view name) {
    element();
    text(name);
    out_ += ": ";
  }

  void text(std::string_view from) {
    out_ += '"';
    for (const char c : from) {
      switch (c) {
        case '"':
        case '\\':
          out_ += '\\';
          out_ += c;
          break;
        case '\n':
          out_ += "\\n";
          break;
        case '\r':
          out_ += "\\r";
          break;
        case '\t':
          out_ += "\\t";
          break;
        default:
          if (static_cast<unsigned char>(c) >= ' ' && c != '<' && c != '>' && c != '\x7f') {
            out_ += c;
          } else {
            char escape[8];
            std::snprintf(escape, sizeof(escape), "\\u%04x", static_cast<unsigned>(c));
            out_ += escape;
          }
      }
    }
    out_ += '"';
  }

  void fields(const Message& message) {
    std::vector<const FieldDescriptor*> set;
    message.GetReflection()->ListFields(message, &set);
    for (const FieldDescriptor* field : set) {
      key(field->name());
      if (field->is_map()) {
        map(message, *field);
      } else if (field->is_repeated()) {
        open('[');
        for (int i = 0; i < message.GetReflection()->FieldSize(message, field); ++i) {
          element();
          single(message, *field, i);
        }
        close(']');
      } else {
        single(message, *field, -1);
      }
    }
  }

  void map(const Message& message, const FieldDescriptor& field) {
    const FieldDescriptor& name = *field.message_type()->map_key();
    std::vector<std::pair<std::string, const Message*>> entries;
    for (int i = 0; i < message.GetReflection()->FieldSize(message, &field); ++i) {
      const Message& entry = message.GetReflection()->GetRepeatedMessage(message, &field, i);
      Printer plain;
      plain.single(entry, name, -1);
      entries.emplace_back(name.cpp_type() == FieldDescriptor::CPPTYPE_STRING
                               ? entry.GetReflection()->GetString(entry, &name)
                               : plain.take(),
                           &entry);
    }
    std::sort(entries.begin(), entries.end());
    open('{');
    for (const auto& [label, entry] : entries) {
      key(label);
      single(*entry, *field.message_type()->map_value(), -1);
    }
    close('}');
  }

  // One value of a field: its element at `index`, or -1: the field is no list.
  void single(const Message& from, const FieldDescriptor& field, int index) {
    const auto* r = from.GetReflection();
    const auto get = [&](auto one, auto of_list) {
      return index < 0 ? (r->*one)(from, &field) : (r->*of_list)(from, &field, index);
    };
    using R = google::protobuf::Reflection;
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_INT32:
        out_ += cat(get(&R::GetInt32, &R::GetRepeatedInt32));
        break;
      case FieldDescriptor::CPPTYPE_UINT32:
        out_ += cat(get(&R::GetUInt32, &R::GetRepeatedUInt32));
        break;
      case FieldDescriptor::CPPTYPE_INT64:
        out_ += cat("\"", get(&R::GetInt64, &R::GetRepeatedInt64), "\"");
        break;
      case FieldDescriptor::CPPTYPE_UINT64:
        out_ += cat("\"", get(&R::GetUInt64, &R::GetRepeatedUInt64), "\"");
        break;
      case FieldDescriptor::CPPTYPE_DOUBLE:
        out_ += number_text(get(&R::GetDouble, &R::GetRepeatedDouble), 15);
        break;
      case FieldDescriptor::CPPTYPE_FLOAT:
        out_ += number_text(static_cast<double>(get(&R::GetFloat, &R::GetRepeatedFloat)), 6);
        break;
      case FieldDescriptor::CPPTYPE_BOOL:
        out_ += get(&R::GetBool, &R::GetRepeatedBool) ? "true" : "false";
        break;
      case FieldDescriptor::CPPTYPE_ENUM: {
        const int number = get(&R::GetEnumValue, &R::GetRepeatedEnumValue);
        const auto* value = field.enum_type()->FindValueByNumber(number);
        if (field.enum_type()->full_name() == "google.protobuf.NullValue") {
          out_ += "null";
        } else if (value != nullptr) {
          text(value->name());
        } else {
          out_ += cat(number);
        }
        break;
      }
      case FieldDescriptor::CPPTYPE_STRING: {
        const std::string bytes = get(&R::GetString, &R::GetRepeatedString);
        text(field.type() == FieldDescriptor::TYPE_BYTES ? encode_base64(bytes) : bytes);
        break;
      }
      case FieldDescriptor::CPPTYPE_MESSAGE:
        message(index < 0 ? r->GetMessage(from, &field) : r->GetRepeatedMessage(from, &field, index));
        break;
    }
  }

  void any(const Any& any) {
    open('{');
    if (!any.type_url().empty()) {
      key("@type");
      text(any.type_url());
      const auto content = new_message(type_name(any.type_url()));
      if (content == nullptr || !content->ParsePartialFromString(any.value())) {
        key("value");
        text(encode_base64(any.value()));
      } else if (well_known(content->GetDescriptor()->full_name()) != WellKnown::None) {
        key("value");
        message(*content);
      } else {
        fields(*content);
      }
    }
    close('}');
  }

  void structure(const Struct& from) {
    std::vector<std::pair<std::string_view, const ProtoValue*>> sorted;
    for (const auto& [name, content] : from.fields()) sorted.emplace_back(name, &content);
    std::sort(sorted.begin(), sorted.end());
    open('{');
    for (const auto& [name, content] : sorted) {
      key(name);
      value(*content);
    }
    close('}');
  }

  void list(const ListValue& from) {
    open('[');
    for (const ProtoValue& each : from.values()) {
      element();
      value(each);
    }
    close(']');
  }

  void value(const ProtoValue& from) {
    switch (from.kind_case()) {
      case ProtoValue::kBoolValue:
        out_ += from.bool_value() ? "true" : "false";
        break;
      case ProtoValue::kNumberValue:
        out_ += number_text(from.number_value(), 15);
        break;
      case ProtoValue::kStringValue:
        text(from.string_value());
        break;
      case ProtoValue::kStructValue:
        structure(from.struct_value());
        break;
      case ProtoValue::kListValue:
        list(from.list_value());
        break;
      default:
        out_ += "null";
    }
  }

  std::string out_;
  std::vector<bool> filled_;  // by level: has an element already
};

}  // namespace

std::string to_json(const Message& message) {
  Printer printer;
  printer.message(message);
  return printer.take() + '\n';
}

}  // namespace sluice::config
