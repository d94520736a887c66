// MessageReader: Any, whose content is read typed and kept in the SourceMap, and TypedStruct.
#include "base/strings.h"
#include "config/any.h"
#include "config/content.h"
#include "config/message_reader.h"
#include "config/reader_scalars.h"
#include "config/well_known.h"

namespace sluice::config {

void MessageReader::any(const Node& node, google::protobuf::Any& out) {
  out.Clear();
  if (!node.is(Node::Kind::Map)) {
    return fail(node.at, cat("expected a map with \"@type\", got ", describe(node)));
  }
  if (node.entries.empty()) return;
  const std::optional<NodeEntry> type = node.find("@type");
  if (!type) {
    return fail(node.at, "\"@type\" is missing; it names the message, like type.googleapis.com/envoy...");
  }
  for (const NodeEntry& each : node.entries) {
    if (each.key == "@type" && each.key_at != type->key_at) return fail(type->key_at, "\"@type\" stands twice");
  }
  std::string why;
  if (!to_text(type->value, why)) return fail(type->value.at, cat("as the name of a type: ", why));
  const size_t slash = type->value.text.rfind('/');
  if (slash == std::string_view::npos || slash == 0) {
    return fail(type->value.at, cat("\"@type\" needs a host before the name, like type.googleapis.com/",
                                    type->value.text.substr(slash == 0 ? 1 : 0)));
  }
  any_content(node, *type, out);
}

void MessageReader::any_content(const Node& node, const NodeEntry& type, google::protobuf::Any& out) {
  const std::string_view name = type_name(type.value.text);
  std::unique_ptr<Message> content = new_message(name);
  // Whatever its host: only this one can be shown again.
  out.set_type_url(cat("type.googleapis.com/", name));
  if (content == nullptr) {
    const bool old = name.find(".v2.") != std::string_view::npos || name.find(".v2alpha") != std::string_view::npos;
    return fail(type.value.at,
                cat("unknown type ", name, old ? " (only v3 of the API is read)" : "", "; not supported yet: ", name));
  }
  if (is_typed_struct(name) && typed_struct(node, *content, out)) return;
  Message& kept = map_.adopt(out, std::move(content));
  if (well_known(name) != WellKnown::None) {
    for (const NodeEntry& each : node.entries) {
      if (each.key == "@type") continue;
      if (each.key == "value") {
        value(each.value, kept);
      } else {
        fail(each.key_at, cat("unknown field: ", name, " is given as \"value\" here, it has no \"", each.key, "\""));
      }
    }
  } else {
    inside_any_ = true;
    fields(node, kept);
  }
  out.set_value(stable_bytes(kept));
}

bool MessageReader::typed_struct(const Node& node, google::protobuf::Message& content, google::protobuf::Any& out) {
  std::optional<NodeEntry> url = node.find("type_url");
  if (!url) {
    url = node.find("typeUrl");
  }
  const std::optional<NodeEntry> fields_of = node.find("value");
  const bool named = url && url->value.is(Node::Kind::Text);
  std::unique_ptr<Message> typed = named ? new_message(type_name(url->value.text)) : nullptr;
  if (typed == nullptr || well_known(typed->GetDescriptor()->full_name()) != WellKnown::None) return false;
  // The bytes are those of the TypedStruct as it stands. Its fields get no positions, those of the typed message do.
  {
    SourceMap unused;
    MessageReader plain(unused, findings_, options_, path_);
    plain.depth_ = depth_;
    plain.inside_any_ = true;
    plain.fields(node, content);
    out.set_value(stable_bytes(content));
  }
  Message& kept = map_.adopt(out, std::move(typed));
  if (fields_of && !fields_of->value.is(Node::Kind::Null)) {
    value(fields_of->value, kept);
  }
  return true;
}

}  // namespace sluice::config
