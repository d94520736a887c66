#include "filters/http/set_metadata/set_metadata_config.h"

#include "config/compile_scope.h"
#include "config/metadata_compiler.h"
#include "envoy/extensions/filters/http/set_metadata/v3/set_metadata.pb.h"
#include "filters/http/set_metadata/set_metadata.h"

namespace sluice::filters::set_metadata {
namespace {

namespace v3 = envoy::extensions::filters::http::set_metadata::v3;
using config::CompileScope;
using google::protobuf::Message;

std::shared_ptr<const model::FilterConfig> compile(const Message& message, CompileScope& scope) {
  const auto& proto = static_cast<const v3::Config&>(message);
  std::vector<Entry> entries;
  // The old form, which merges.
  if (proto.has_value() && !proto.metadata_namespace().empty()) {
    entries.push_back({proto.metadata_namespace(), Value(config::to_map(proto.value())), Entry::Present::kIsMerged});
  }
  for (const v3::Metadata& one : proto.metadata()) {
    scope.only(one, {v3::Metadata::kMetadataNamespaceFieldNumber, v3::Metadata::kAllowOverwriteFieldNumber,
                     v3::Metadata::kValueFieldNumber});
    entries.push_back({one.metadata_namespace(), Value(config::to_map(one.value())),
                       one.allow_overwrite() ? Entry::Present::kIsMerged : Entry::Present::kStays});
  }
  return std::make_shared<const SetMetadataFactory>(std::move(entries));
}

}  // namespace

config::HttpFilterType extension() {
  return {.type = "envoy.extensions.filters.http.set_metadata.v3.Config", .compile = &compile};
}

}  // namespace sluice::filters::set_metadata
