#include "config/message_reader.h"

#include <google/protobuf/descriptor.pb.h>

#include <limits>
#include <unordered_set>

#include "base/strings.h"
#include "config/map_access.h"
#include "config/reader_scalars.h"
#include "config/well_known.h"

namespace sluice::config {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::MapKey;

// Aliases may show a small text as a huge tree. No real file comes near.
constexpr uint32_t kMaxSharedNodes = 1'000'000;

const FieldDescriptor* find_field(const Descriptor& type, std::string_view key) {
  const std::string name(key);
  if (const auto* field = type.FindFieldByName(name)) return field;
  if (const auto* field = type.FindFieldByCamelcaseName(name); field != nullptr && field->json_name() == name) {
    return field;
  }
  for (int i = 0; i < type.field_count(); ++i) {
    if (type.field(i)->json_name() == name) return type.field(i);
  }
  return nullptr;
}

// "; did you mean ...?", in the spelling (snake or camel) that was used; empty when nothing is near.
std::string suggestion(const Descriptor& type, std::string_view key) {
  std::vector<std::string_view> names;
  for (int i = 0; i < type.field_count(); ++i) {
    names.push_back(type.field(i)->name());
    names.push_back(type.field(i)->json_name());
  }
  const std::string_view near = nearest(key, names);
  return near.empty() ? std::string() : cat("; did you mean \"", near, "\"?");
}

bool to_map_key(const NodeEntry& entry, const FieldDescriptor& field, MapKey& out, std::string& why) {
  const Node node{.kind = Node::Kind::Text, .at = entry.key_at, .text = entry.key};
  constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING: {
      auto text = to_text(node, why);
      if (text) out.SetStringValue(std::move(*text));
      return text.has_value();
    }
    case FieldDescriptor::CPPTYPE_BOOL: {
      const auto value = to_boolean(node, why);
      if (value) out.SetBoolValue(*value);
      return value.has_value();
    }
    case FieldDescriptor::CPPTYPE_UINT32:
    case FieldDescriptor::CPPTYPE_UINT64: {
      const bool narrow = field.cpp_type() == FieldDescriptor::CPPTYPE_UINT32;
      const auto value = to_unsigned(node, narrow ? UINT32_MAX : UINT64_MAX, why);
      if (!value) return false;
      narrow ? out.SetUInt32Value(static_cast<uint32_t>(*value)) : out.SetUInt64Value(*value);
      return true;
    }
    default: {
      const bool narrow = field.cpp_type() == FieldDescriptor::CPPTYPE_INT32;
      const auto value = to_signed(node, narrow ? INT32_MIN : kMin, narrow ? INT32_MAX : kMax, why);
      if (!value) return false;
      narrow ? out.SetInt32Value(static_cast<int32_t>(*value)) : out.SetInt64Value(*value);
      return true;
    }
  }
}

}  // namespace

MessageReader::MessageReader(SourceMap& map, Findings& findings, const ReadOptions& options, std::string_view path)
    : map_(map), findings_(findings), options_(options), path_(path) {}

MessageReader::Step::Step(MessageReader& reader, std::initializer_list<std::string_view> parts)
    : path_(reader.path_), size_(reader.path_.size()) {
  append_pieces(path_, parts);
}

MessageReader::Visit::Visit(MessageReader& reader, const Node& node) : reader_(reader), shared_(node.shared) {
  ++reader_.depth_;
  reader_.inside_shared_ += node.shared ? 1 : 0;
  const bool container = node.is(Node::Kind::List) || node.is(Node::Kind::Map);
  if (container && reader_.depth_ > kMaxDepth) {
    allowed_ = false;
    reader_.fail(node.at, "more than 100 lists and maps within each other");
  }
  if (reader_.inside_shared_ > 0 && ++reader_.shared_nodes_ > kMaxSharedNodes) {
    allowed_ = false;
    if (reader_.shared_nodes_ == kMaxSharedNodes + 1) {
      reader_.fail(node.at, "the aliases of this file expand to more than 1000000 values");
    }
  }
}

MessageReader::Visit::~Visit() {
  --reader_.depth_;
  reader_.inside_shared_ -= shared_ ? 1 : 0;
}

void MessageReader::fail(Position at, std::string text) { findings_.fail({map_.file(at), at, path_, std::move(text)}); }

void MessageReader::note(ConfigNote::Kind kind, Position at, std::string text) {
  findings_.note({kind, {map_.file(at), at, path_, std::move(text)}});
}

void MessageReader::read(const Node& node, Message& out) { value(node, out); }

void MessageReader::value(const Node& node, Message& out) {
  const Visit visit(*this, node);
  if (!visit) return;
  switch (well_known(out.GetDescriptor()->full_name())) {
    case WellKnown::None:
      return fields(node, out);
    case WellKnown::Any:
      return any(node, static_cast<google::protobuf::Any&>(out));
    case WellKnown::Struct:
      return struct_value(node, static_cast<google::protobuf::Struct&>(out));
    case WellKnown::Value:
      return json_value(node, static_cast<google::protobuf::Value&>(out));
    case WellKnown::ListValue:
      return list_value(node, static_cast<google::protobuf::ListValue&>(out));
    case WellKnown::Duration:
    case WellKnown::Timestamp:
    case WellKnown::FieldMask:
      return node.is(Node::Kind::Map) ? fields(node, out) : parsed_text(node, out);
    case WellKnown::Wrapper:
      if (node.is(Node::Kind::Map)) return fields(node, out);
      map_.add_field(out, 1, -1, node.at);
      return scalar(node, out, *out.GetDescriptor()->field(0));
  }
}

void MessageReader::fields(const Node& node, Message& out) {
  const bool has_type = inside_any_;
  inside_any_ = false;
  if (!node.is(Node::Kind::Map)) {
    fail(node.at, cat("expected a map (", out.GetDescriptor()->full_name(), "), got ", describe(node)));
    return;
  }
  std::vector<Chosen> chosen;
  for (const NodeEntry& each : node.entries) {
    if (has_type && each.key == "@type") continue;
    entry(each, out, chosen);
  }
}

void MessageReader::entry(const NodeEntry& entry, Message& out, std::vector<Chosen>& chosen) {
  const Field* const known = find_field(*out.GetDescriptor(), entry.key);
  const std::string_view name = known != nullptr ? std::string_view(known->name()) : entry.key;
  const Step step(*this, {path_.empty() ? "" : ".", name});
  if (known == nullptr) return unknown_field(entry, *out.GetDescriptor());
  if (known->options().deprecated()) {
    note(ConfigNote::Kind::DeprecatedField, entry.key_at, "this field is deprecated");
  }
  if (!choose(entry, *known, chosen)) return;
  field(entry, out, *known);
}

bool MessageReader::choose(const NodeEntry& entry, const Field& field, std::vector<Chosen>& chosen) {
  const auto* oneof = field.real_containing_oneof();
  if (oneof == nullptr || entry.value.is(Node::Kind::Null)) return true;
  for (const Chosen& other : chosen) {
    if (other.oneof == oneof) {
      fail(entry.key_at, cat("only one of \"", other.key, "\" (line ", other.line, ") and \"", entry.key,
                             "\" may be set: both belong to the choice ", oneof->name()));
      return false;
    }
  }
  chosen.push_back({oneof, entry.key, entry.key_at.line});
  return true;
}

void MessageReader::unknown_field(const NodeEntry& entry, const Descriptor& type) {
  std::string text;
  if (entry.key == "<<") {
    text = "merge keys (<<) are not read; write the fields out";
  } else if (type.IsReservedName(std::string(entry.key))) {
    text = cat(type.full_name(), " has no field \"", entry.key, "\" any more: it was removed from the API");
  } else {
    text = cat("unknown field: ", type.full_name(), " has no field \"", entry.key, "\"", suggestion(type, entry.key));
  }
  if (options_.unknown_fields == ReadOptions::UnknownFields::Note) {
    note(ConfigNote::Kind::UnknownField, entry.key_at, std::move(text));
  } else {
    fail(entry.key_at, std::move(text));
  }
}

void MessageReader::field(const NodeEntry& entry, Message& out, const Field& field) {
  const Node& node = entry.value;
  const bool message = field.cpp_type() == Field::CPPTYPE_MESSAGE;
  const bool null_counts =
      message && !field.is_repeated() && well_known(field.message_type()->full_name()) == WellKnown::Value;
  if (node.is(Node::Kind::Null) && !null_counts) return;
  if (field.is_map()) return map_entries(node, out, field);
  if (field.is_repeated()) return elements(node, out, field);
  if (message) return message_field(node, entry.key_at, out, field, -1);
  map_.add_field(out, field.number(), -1, node.at);
  scalar(node, out, field);
}

void MessageReader::message_field(const Node& node, Position at, Message& out, const Field& field, int index) {
  const auto* reflection = out.GetReflection();
  Message& sub = index < 0 ? *reflection->MutableMessage(&out, &field) : *reflection->AddMessage(&out, &field);
  // A block begins with its key, a value that is written like a scalar (a duration, a wrapper) where it stands.
  const bool block = node.is(Node::Kind::Map) || node.is(Node::Kind::List);
  map_.add_message(sub, &out, field.number(), index, at);
  if (!block) map_.add_field(out, field.number(), index, node.at);
  const bool null_counts = well_known(field.message_type()->full_name()) == WellKnown::Value;
  if (!node.is(Node::Kind::Null) || null_counts) {
    value(node, sub);
  }
}

void MessageReader::elements(const Node& node, Message& out, const Field& field) {
  if (!node.is(Node::Kind::List)) return element(node, node.at, out, field);
  const Visit visit(*this, node);
  if (!visit) return;
  if (node.entries.empty()) {
    map_.add_field(out, field.number(), -1, node.at);
  }
  for (const NodeEntry& each : node.entries) {
    element(each.value, each.key_at, out, field);
  }
}

void MessageReader::element(const Node& node, Position at, Message& out, const Field& field) {
  const bool message = field.cpp_type() == Field::CPPTYPE_MESSAGE;
  const WellKnown kind = message ? well_known(field.message_type()->full_name()) : WellKnown::None;
  // Lists within a list are taken as if their elements stood in the outer one, as Envoy does.
  const bool list_fits = kind == WellKnown::Value || kind == WellKnown::ListValue;
  if (node.is(Node::Kind::List) && !list_fits) return elements(node, out, field);
  const int index = out.GetReflection()->FieldSize(out, &field);
  const std::string number = cat(index);
  const Step step(*this, {"[", number, "]"});
  if (message) return message_field(node, at, out, field, index);
  map_.add_field(out, field.number(), index, at);
  scalar(node, out, field);
}

void MessageReader::map_entries(const Node& node, Message& out, const Field& field) {
  const Visit visit(*this, node);
  if (!visit) return;
  if (!node.is(Node::Kind::Map)) {
    fail(node.at, cat("expected a map, got ", describe(node)));
    return;
  }
  map_.add_field(out, field.number(), -1, node.at);
  std::unordered_set<std::string_view> seen;
  for (const NodeEntry& each : node.entries) {
    const std::string key = json_quote(each.key);
    const Step step(*this, {"[", key, "]"});
    if (!seen.insert(each.key).second) {
      fail(each.key_at, "this key stands twice");
      continue;
    }
    map_entry(each, out, field);
  }
}

void MessageReader::map_entry(const NodeEntry& entry, Message& out, const Field& field) {
  const Field& key_field = *field.message_type()->map_key();
  const Field& value_field = *field.message_type()->map_value();
  MapKey key;
  std::string why;
  if (!to_map_key(entry, key_field, key, why)) return fail(entry.key_at, cat("as a key: ", why));
  if (value_field.cpp_type() != Field::CPPTYPE_MESSAGE) {
    const Node key_node{.kind = Node::Kind::Text, .at = entry.key_at, .text = entry.key};
    Message& pair = *out.GetReflection()->AddMessage(&out, &field);
    scalar(key_node, pair, key_field);
    return scalar(entry.value, pair, value_field);
  }
  Message& value_message = *map_value(out, field, key).MutableMessageValue();
  value_message.Clear();
  map_.add_map_value(value_message, out, field.number(), entry.key, entry.key_at);
  const bool null_counts = well_known(value_message.GetDescriptor()->full_name()) == WellKnown::Value;
  if (!entry.value.is(Node::Kind::Null) || null_counts) {
    value(entry.value, value_message);
  }
}

}  // namespace sluice::config
