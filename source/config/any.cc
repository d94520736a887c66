#include "config/any.h"

#include <utility>

#include "api/messages.h"
#include "base/strings.h"
#include "config/node.h"
#include "config/reader.h"

namespace sluice::config {
namespace {

using google::protobuf::Any;
using google::protobuf::Message;
using google::protobuf::Struct;
using ProtoValue = google::protobuf::Value;

// A Struct as nodes, so that the one reader turns it into a message. It has no positions.
void add(const ProtoValue& value, NodeTree& tree);

void add(const Struct& fields, NodeTree& tree) {
  const size_t map = tree.add(Node::Kind::Map, {});
  for (const auto& [key, value] : fields.fields()) {
    tree.add(Node::Kind::Text, {}, key);
    add(value, tree);
  }
  tree.close(map);
}

void add(const ProtoValue& value, NodeTree& tree) {
  switch (value.kind_case()) {
    case ProtoValue::kBoolValue:
      tree.add_boolean(value.bool_value(), {}, value.bool_value() ? "true" : "false");
      return;
    case ProtoValue::kNumberValue: {
      char digits[32];
      const auto end = std::to_chars(digits, digits + sizeof(digits), value.number_value()).ptr;
      tree.add(Node::Kind::Number, {}, tree.keep({digits, static_cast<size_t>(end - digits)}));
      return;
    }
    case ProtoValue::kStringValue:
      tree.add(Node::Kind::Text, {}, value.string_value());
      return;
    case ProtoValue::kStructValue:
      return add(value.struct_value(), tree);
    case ProtoValue::kListValue: {
      const size_t list = tree.add(Node::Kind::List, {});
      for (const ProtoValue& each : value.list_value().values()) add(each, tree);
      tree.close(list);
      return;
    }
    default:
      tree.add(Node::Kind::Null, {});
  }
}

// The fields that a TypedStruct (of either package) or a Struct holds; null for any other message.
const Struct* struct_of(const Message& message, std::string& type_url) {
  const auto* type = message.GetDescriptor();
  if (type->full_name() == "google.protobuf.Struct") return static_cast<const Struct*>(&message);
  if (!is_typed_struct(type->full_name())) return nullptr;
  const auto* reflection = message.GetReflection();
  type_url = reflection->GetString(message, type->FindFieldByName("type_url"));
  return static_cast<const Struct*>(&reflection->GetMessage(message, type->FindFieldByName("value")));
}

// Reads `fields` into a new message like `prototype`, kept for `any` in place of what was there.
const Message* convert(const Any& any, const Struct& fields, const Message& prototype, SourceMap& map,
                       Findings& findings) {
  NodeTree tree;
  add(fields, tree);
  Message& kept = map.adopt(any, std::unique_ptr<Message>(prototype.New()));
  Findings found;
  const std::string path = map.path(any);
  read_nodes(tree.root(), kept, path, map, found);
  for (ConfigError error : found.errors()) {
    error.at = map.at(any);
    error.file = map.file(error.at);
    findings.fail(std::move(error));
  }
  return &kept;
}

}  // namespace

std::string_view type_name(std::string_view type_url) { return type_url.substr(type_url.rfind('/') + 1); }

bool is_typed_struct(std::string_view full_name) {
  return full_name == "xds.type.v3.TypedStruct" || full_name == "udpa.type.v1.TypedStruct";
}

std::unique_ptr<Message> new_message(std::string_view full_name) {
  static const int known = sluice::api::use_all_messages();
  const auto* type =
      known == 0 ? nullptr
                 : google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName(std::string(full_name));
  if (type == nullptr) return nullptr;
  return std::unique_ptr<Message>(google::protobuf::MessageFactory::generated_factory()->GetPrototype(type)->New());
}

Result<const Message*> unpack(const Any& any, SourceMap& map) {
  if (const Message* known = map.unpacked(any)) return known;
  if (any.type_url().empty()) return Error{"an extension needs a configuration with \"@type\""};
  const std::string_view name = type_name(any.type_url());
  std::unique_ptr<Message> content = new_message(name);
  if (content == nullptr) return Error{cat("unknown type ", name, "; not supported yet: ", name)};
  if (!content->ParsePartialFromString(any.value())) return Error{cat("these bytes are no ", name)};
  std::string type_url;
  if (const Struct* fields = struct_of(*content, type_url); fields != nullptr && !type_url.empty()) {
    if (const auto typed = new_message(type_name(type_url))) {
      Findings findings;
      const Message* converted = convert(any, *fields, *typed, map, findings);
      if (!findings.ok()) return Error{cat(findings.errors()[0].field, ": ", findings.errors()[0].text)};
      return converted;
    }
  }
  return &map.adopt(any, std::move(content));
}

Result<const Message*> unpack_as(const Any& any, const Message& prototype, SourceMap& map, Findings& findings) {
  auto content = unpack(any, map);
  if (!content) return content;
  const auto* wanted = prototype.GetDescriptor();
  if ((*content)->GetDescriptor() == wanted) return content;
  std::string type_url;
  if (const Struct* fields = struct_of(**content, type_url)) {
    const Struct copy = *fields;  // what holds them is replaced
    return convert(any, copy, prototype, map, findings);
  }
  return Error{cat("expected the type ", wanted->full_name(), ", got ", (*content)->GetDescriptor()->full_name())};
}

}  // namespace sluice::config
