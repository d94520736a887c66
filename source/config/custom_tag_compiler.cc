#include "config/custom_tag_compiler.h"

#include <cstdlib>

#include "base/strings.h"

namespace sluice::config {

using envoy::type::tracing::v3::CustomTag;

namespace {

void compile_metadata_tag(const CustomTag::Metadata& proto, model::CustomTag& out, CompileScope& scope) {
  using envoy::type::metadata::v3::MetadataKind;
  scope.only(proto, {CustomTag::Metadata::kKindFieldNumber, CustomTag::Metadata::kMetadataKeyFieldNumber,
                     CustomTag::Metadata::kDefaultValueFieldNumber});
  out.from = model::CustomTag::From::kMetadata;
  out.text = proto.default_value();
  out.space = proto.metadata_key().key();
  for (const auto& part : proto.metadata_key().path()) out.path.push_back(part.key());
  switch (proto.kind().kind_case()) {
    case MetadataKind::kRoute:
      out.metadata = &format::Facts::route_metadata;
      break;
    case MetadataKind::kCluster:
      out.metadata = &format::Facts::cluster_metadata;
      break;
    case MetadataKind::kHost:
      out.metadata = &format::Facts::upstream_metadata;
      break;
    default:
      out.metadata = &format::Facts::metadata;
      break;
  }
}

}  // namespace

std::vector<model::CustomTag> compile_custom_tags(const google::protobuf::RepeatedPtrField<CustomTag>& protos,
                                                  CompileScope& scope) {
  std::vector<model::CustomTag> out;
  for (const CustomTag& proto : protos) {
    scope.only(proto,
               {CustomTag::kTagFieldNumber, CustomTag::kLiteralFieldNumber, CustomTag::kEnvironmentFieldNumber,
                CustomTag::kRequestHeaderFieldNumber, CustomTag::kMetadataFieldNumber, CustomTag::kValueFieldNumber});
    model::CustomTag& tag = out.emplace_back();
    tag.name = proto.tag();
    switch (proto.type_case()) {
      case CustomTag::kLiteral:
        tag.text = proto.literal().value();
        break;
      case CustomTag::kEnvironment: {
        const char* value = std::getenv(proto.environment().name().c_str());
        tag.text = value != nullptr ? std::string(value) : proto.environment().default_value();
        break;
      }
      case CustomTag::kRequestHeader:
        tag.from = model::CustomTag::From::kHeader;
        tag.header = to_lower(proto.request_header().name());
        tag.text = proto.request_header().default_value();
        break;
      case CustomTag::kMetadata:
        compile_metadata_tag(proto.metadata(), tag, scope);
        break;
      case CustomTag::kValue:
        tag.from = model::CustomTag::From::kFormat;
        tag.format = scope.formatter(proto, CustomTag::kValueFieldNumber, proto.value(),
                                     {.unset = format::ParseOptions::Unset::kNothing});
        if (!tag.format) out.pop_back();
        break;
      case CustomTag::TYPE_NOT_SET:
        break;  // validation has refused it
    }
  }
  return out;
}

}  // namespace sluice::config
