#include "filters/http/json_to_metadata/json_to_metadata_config.h"

#include "config/compile_scope.h"
#include "config/matcher_compiler.h"
#include "config/metadata_compiler.h"
#include "envoy/extensions/filters/http/json_to_metadata/v3/json_to_metadata.pb.h"
#include "filters/http/json_to_metadata/json_to_metadata.h"

namespace sluice::filters::json_to_metadata {
namespace {

using Proto = envoy::extensions::filters::http::json_to_metadata::v3::JsonToMetadata;
using config::CompileScope;
using google::protobuf::Message;

Target compile_target(const Proto::KeyValuePair& proto) {
  Target out;
  out.space = proto.metadata_namespace();
  out.key = proto.key();
  if (proto.has_value()) out.value = config::to_value(proto.value());
  out.type = proto.type() == Proto::STRING   ? Target::Type::kText
             : proto.type() == Proto::NUMBER ? Target::Type::kNumber
                                             : Target::Type::kValue;
  out.keeps_present = proto.preserve_existing_metadata_value();
  return out;
}

Rules compile_rules(const Proto::MatchRules& proto, CompileScope& scope) {
  Rules out;
  for (const Proto::Rule& rule : proto.rules()) {
    Rule one;
    for (const Proto::Selector& selector : rule.selectors()) one.path.push_back(selector.key());
    if (rule.has_on_present()) one.present = compile_target(rule.on_present());
    if (rule.has_on_missing()) one.missing = compile_target(rule.on_missing());
    if (rule.has_on_error()) one.error = compile_target(rule.on_error());
    if (!one.present && !one.missing && !one.error) scope.error(rule, "needs on_present, on_missing or on_error");
    if (one.missing && !one.missing->value) {
      scope.error(rule, Proto::Rule::kOnMissingFieldNumber, "needs a value: there is nothing to take it from");
    }
    if (one.error && !one.error->value) {
      scope.error(rule, Proto::Rule::kOnErrorFieldNumber, "needs a value: there is nothing to take it from");
    }
    out.rules.push_back(std::move(one));
  }
  out.content_types.assign(proto.allow_content_types().begin(), proto.allow_content_types().end());
  if (out.content_types.empty() && !proto.has_allow_content_types_regex())
    out.content_types.emplace_back("application/json");
  if (proto.has_allow_content_types_regex())
    out.content_type_regex = config::compile_regex(proto.allow_content_types_regex(), scope);
  out.no_content_type_too = proto.allow_empty_content_type();
  return out;
}

std::shared_ptr<const Settings> compile_settings(const Message& message, CompileScope& scope) {
  const auto& proto = static_cast<const Proto&>(message);
  auto out = std::make_shared<Settings>();
  out->request = compile_rules(proto.request_rules(), scope);
  out->response = compile_rules(proto.response_rules(), scope);
  return out;
}

std::shared_ptr<const model::FilterConfig> compile(const Message& message, CompileScope& scope) {
  return std::make_shared<const JsonToMetadataFactory>(scope.filter_name, compile_settings(message, scope));
}

std::shared_ptr<const model::FilterConfig> compile_route(const Message& message, CompileScope& scope) {
  return compile_settings(message, scope);
}

}  // namespace

config::HttpFilterType extension() {
  return {.type = "envoy.extensions.filters.http.json_to_metadata.v3.JsonToMetadata",
          .compile = &compile,
          .route_type = "envoy.extensions.filters.http.json_to_metadata.v3.JsonToMetadata",
          .compile_route = &compile_route};
}

}  // namespace sluice::filters::json_to_metadata
