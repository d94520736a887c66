// MessageReader: scalars, and the well-known types except Any.
#include <limits>
#include <unordered_set>

#include "base/strings.h"
#include "base/utf8.h"
#include "config/message_reader.h"
#include "config/reader_scalars.h"
#include "config/well_known.h"

namespace sluice::config {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// Sets `value`, or adds it when the field is repeated. An empty value does not override: that is how protobuf merges
// fields that cannot tell empty from absent.
template <typename T>
void store(Message& out, const FieldDescriptor& field, T value,
           void (Reflection::*set)(Message*, const FieldDescriptor*, T) const,
           void (Reflection::*add)(Message*, const FieldDescriptor*, T) const) {
  const Reflection& reflection = *out.GetReflection();
  if (field.is_repeated()) {
    (reflection.*add)(&out, &field, std::move(value));
  } else if (field.has_presence() || value != T{}) {
    (reflection.*set)(&out, &field, std::move(value));
  }
}

bool store_integer(const Node& node, Message& out, const FieldDescriptor& field, std::string& why) {
  constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      if (const auto value = to_signed(node, INT32_MIN, INT32_MAX, why)) {
        store(out, field, static_cast<int32_t>(*value), &Reflection::SetInt32, &Reflection::AddInt32);
        return true;
      }
      return false;
    case FieldDescriptor::CPPTYPE_INT64:
      if (const auto value = to_signed(node, kMin, kMax, why)) {
        store(out, field, *value, &Reflection::SetInt64, &Reflection::AddInt64);
        return true;
      }
      return false;
    case FieldDescriptor::CPPTYPE_UINT32:
      if (const auto value = to_unsigned(node, UINT32_MAX, why)) {
        store(out, field, static_cast<uint32_t>(*value), &Reflection::SetUInt32, &Reflection::AddUInt32);
        return true;
      }
      return false;
    default:
      if (const auto value = to_unsigned(node, UINT64_MAX, why)) {
        store(out, field, *value, &Reflection::SetUInt64, &Reflection::AddUInt64);
        return true;
      }
      return false;
  }
}

bool store_other(const Node& node, Message& out, const FieldDescriptor& field, std::string& why) {
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_DOUBLE:
      if (const auto value = to_double(node, why)) {
        store(out, field, *value, &Reflection::SetDouble, &Reflection::AddDouble);
        return true;
      }
      return false;
    case FieldDescriptor::CPPTYPE_FLOAT:
      if (const auto value = to_double(node, why)) {
        store(out, field, static_cast<float>(*value), &Reflection::SetFloat, &Reflection::AddFloat);
        return true;
      }
      return false;
    case FieldDescriptor::CPPTYPE_BOOL:
      if (const auto value = to_boolean(node, why)) {
        store(out, field, *value, &Reflection::SetBool, &Reflection::AddBool);
        return true;
      }
      return false;
    default: {
      auto value = field.type() == FieldDescriptor::TYPE_BYTES ? to_bytes(node, why) : to_text(node, why);
      if (!value) return false;
      store(out, field, std::move(*value), &Reflection::SetString, &Reflection::AddString);
      return true;
    }
  }
}

void add_default(Message& out, const FieldDescriptor& field) {
  std::string unused;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      return out.GetReflection()->AddString(&out, &field, "");
    case FieldDescriptor::CPPTYPE_ENUM:
      return out.GetReflection()->AddEnumValue(&out, &field, field.default_value_enum()->number());
    case FieldDescriptor::CPPTYPE_BOOL:
      return out.GetReflection()->AddBool(&out, &field, false);
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return out.GetReflection()->AddDouble(&out, &field, 0);
    case FieldDescriptor::CPPTYPE_FLOAT:
      return out.GetReflection()->AddFloat(&out, &field, 0);
    default: {
      const Node zero{.kind = Node::Kind::Number, .text = "0"};
      store_integer(zero, out, field, unused);
    }
  }
}

}  // namespace

void MessageReader::scalar(const Node& node, Message& out, const Field& field) {
  const Visit visit(*this, node);
  if (!visit) return;
  if (node.is(Node::Kind::Null)) {
    if (field.is_repeated()) {
      add_default(out, field);
    }
    return;
  }
  std::string why;
  bool fits = false;
  switch (field.cpp_type()) {
    case Field::CPPTYPE_ENUM:
      return enum_value(node, out, field);
    case Field::CPPTYPE_INT32:
    case Field::CPPTYPE_INT64:
    case Field::CPPTYPE_UINT32:
    case Field::CPPTYPE_UINT64:
      fits = store_integer(node, out, field, why);
      break;
    default:
      fits = store_other(node, out, field, why);
  }
  if (!fits) {
    fail(node.at, std::move(why));
  }
}

void MessageReader::enum_value(const Node& node, Message& out, const Field& field) {
  std::string why;
  bool unknown_name = false;
  const auto value = to_enum(node, *field.enum_type(), why, unknown_name);
  if (!value) {
    if (unknown_name && options_.unknown_fields == ReadOptions::UnknownFields::Note) {
      return note(ConfigNote::Kind::UnknownField, node.at, std::move(why));
    }
    return fail(node.at, std::move(why));
  }
  store(out, field, *value, &Reflection::SetEnumValue, &Reflection::AddEnumValue);
}

void MessageReader::parsed_text(const Node& node, Message& out) {
  const std::string& name = out.GetDescriptor()->full_name();
  const WellKnown kind = well_known(name);
  if (kind == WellKnown::Duration) {
    const auto duration = node.is(Node::Kind::Text) ? parse_duration(node.text) : std::nullopt;
    if (duration) return out.MergeFrom(*duration);
    return fail(node.at, cat("expected a duration in seconds like 1s or 0.25s, got ", describe(node)));
  }
  if (kind == WellKnown::Timestamp) {
    const auto time = node.is(Node::Kind::Text) ? parse_timestamp(node.text) : std::nullopt;
    if (time) return out.MergeFrom(*time);
    return fail(node.at, cat("expected a time like 2030-01-31T12:00:00Z, got ", describe(node)));
  }
  if (node.is(Node::Kind::Text) && is_utf8(node.text)) return out.MergeFrom(parse_field_mask(node.text));
  fail(node.at, cat("expected names of fields like \"a.b,c\", got ", describe(node)));
}

void MessageReader::struct_value(const Node& node, google::protobuf::Struct& out) {
  if (!node.is(Node::Kind::Map)) return fail(node.at, cat("expected a map, got ", describe(node)));
  std::unordered_set<std::string_view> seen;
  for (const NodeEntry& each : node.entries) {
    const std::string quoted = json_quote(each.key);
    const Step step(*this, {"[", quoted, "]"});
    if (!seen.insert(each.key).second) {
      fail(each.key_at, "this key stands twice");
    } else if (!is_utf8(each.key)) {
      fail(each.key_at, "this key is not UTF-8");
    } else {
      const Visit visit(*this, each.value);
      auto& value = (*out.mutable_fields())[std::string(each.key)];
      value.Clear();
      if (visit) {
        json_value(each.value, value);
      }
    }
  }
}

void MessageReader::list_value(const Node& node, google::protobuf::ListValue& out) {
  if (!node.is(Node::Kind::List)) return fail(node.at, cat("expected a list, got ", describe(node)));
  for (const NodeEntry& each : node.entries) {
    const Visit visit(*this, each.value);
    if (!visit) return;
    json_value(each.value, *out.add_values());
  }
}

void MessageReader::json_value(const Node& node, google::protobuf::Value& out) {
  std::string why;
  switch (node.kind) {
    case Node::Kind::Null:
      return out.set_null_value(google::protobuf::NULL_VALUE);
    case Node::Kind::Boolean:
      return out.set_bool_value(node.boolean);
    case Node::Kind::Number:
      if (const auto number = to_double(node, why)) return out.set_number_value(*number);
      return fail(node.at, std::move(why));
    case Node::Kind::Text:
      if (auto text = to_text(node, why)) return out.set_string_value(std::move(*text));
      return fail(node.at, std::move(why));
    case Node::Kind::List:
      return list_value(node, *out.mutable_list_value());
    case Node::Kind::Map:
      return struct_value(node, *out.mutable_struct_value());
  }
}

}  // namespace sluice::config
