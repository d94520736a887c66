#include "config/format_compiler.h"

#include "base/strings.h"
#include "config/core_compiler.h"
#include "envoy/extensions/formatter/req_without_query/v3/req_without_query.pb.h"

namespace sluice::config {
namespace {

using envoy::config::core::v3::SubstitutionFormatString;
using envoy::config::core::v3::TypedExtensionConfig;
using format::JsonNode;
using ProtoValue = google::protobuf::Value;

JsonNode to_json_node(const ProtoValue& proto) {
  JsonNode out;
  switch (proto.kind_case()) {
    case ProtoValue::kBoolValue:
      out.kind = JsonNode::Kind::kBoolean;
      out.boolean = proto.bool_value();
      break;
    case ProtoValue::kNumberValue:
      out.kind = JsonNode::Kind::kNumber;
      out.number = proto.number_value();
      break;
    case ProtoValue::kStringValue:
      out.kind = JsonNode::Kind::kText;
      out.text = proto.string_value();
      break;
    case ProtoValue::kStructValue:
      return config::to_json_node(proto.struct_value());
    case ProtoValue::kListValue:
      out.kind = JsonNode::Kind::kList;
      for (const ProtoValue& item : proto.list_value().values()) out.items.push_back(to_json_node(item));
      break;
    case ProtoValue::kNullValue:
    case ProtoValue::KIND_NOT_SET:
      break;
  }
  return out;
}

}  // namespace

JsonNode to_json_node(const google::protobuf::Struct& proto) {
  JsonNode out;
  out.kind = JsonNode::Kind::kMap;
  for (const auto& [key, value] : proto.fields()) out.members.push_back({key, to_json_node(value)});
  return out;
}

void compile_formatters(const google::protobuf::RepeatedPtrField<TypedExtensionConfig>& formatters,
                        format::ParseOptions& options, CompileScope& scope) {
  for (const TypedExtensionConfig& formatter : formatters) {
    const google::protobuf::Message* content = scope.unpack(formatter.typed_config());
    if (content == nullptr) continue;
    const std::string& type = content->GetDescriptor()->full_name();
    if (type == envoy::extensions::formatter::req_without_query::v3::ReqWithoutQuery::descriptor()->full_name()) {
      options.req_without_query = true;
    } else {
      const bool known = type.starts_with("envoy.extensions.formatter.");
      scope.error(formatter.typed_config(),
                  known ? cat("not supported yet: ", type) : cat(type, " is not a formatter"));
    }
  }
}

std::optional<format::Formatter> compile_format(const SubstitutionFormatString& proto, CompileScope& scope) {
  format::ParseOptions options;
  options.unset =
      proto.omit_empty_values() ? format::ParseOptions::Unset::kNothing : format::ParseOptions::Unset::kDash;
  compile_formatters(proto.formatters(), options, scope);
  switch (proto.format_case()) {
    case SubstitutionFormatString::kTextFormat:
      return scope.formatter(proto, SubstitutionFormatString::kTextFormatFieldNumber, proto.text_format(), options);
    case SubstitutionFormatString::kTextFormatSource: {
      const auto text = read_data_source(proto.text_format_source(), scope);
      if (!text) return std::nullopt;
      return scope.formatter(proto, SubstitutionFormatString::kTextFormatSourceFieldNumber, *text, options);
    }
    case SubstitutionFormatString::kJsonFormat: {
      auto parsed = format::Formatter::parse_json(to_json_node(proto.json_format()), options);
      if (parsed) return std::move(*parsed);
      scope.error(proto, SubstitutionFormatString::kJsonFormatFieldNumber, parsed.error());
      return std::nullopt;
    }
    case SubstitutionFormatString::FORMAT_NOT_SET:
      break;
  }
  scope.error(proto, "a format needs text_format_source or json_format");
  return std::nullopt;
}

}  // namespace sluice::config
