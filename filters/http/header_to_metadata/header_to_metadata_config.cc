#include "filters/http/header_to_metadata/header_to_metadata_config.h"

#include "base/strings.h"
#include "config/compile_scope.h"
#include "config/matcher_compiler.h"
#include "envoy/extensions/filters/http/header_to_metadata/v3/header_to_metadata.pb.h"
#include "filters/http/header_to_metadata/header_to_metadata.h"

namespace sluice::filters::header_to_metadata {
namespace {

using config::CompileScope;
using envoy::extensions::filters::http::header_to_metadata::v3::Config;
using google::protobuf::Message;

Target compile_target(const Config::KeyValuePair& proto, CompileScope& scope) {
  Target out;
  out.space = proto.metadata_namespace();
  out.key = proto.key();
  out.value = proto.value();
  if (proto.has_regex_value_rewrite()) out.rewrite = config::compile_regex_rewrite(proto.regex_value_rewrite(), scope);
  if (!proto.value().empty() && proto.has_regex_value_rewrite()) {
    scope.error(proto, Config::KeyValuePair::kRegexValueRewriteFieldNumber, "cannot stand beside a value");
  }
  switch (proto.type()) {
    case Config::NUMBER:
      out.type = Target::Type::kNumber;
      break;
    case Config::PROTOBUF_VALUE:
      out.type = Target::Type::kProtobufValue;
      break;
    default:
      out.type = Target::Type::kText;
      break;
  }
  out.base64 = proto.encode() == Config::BASE64;
  return out;
}

std::vector<Rule> compile_rules(const google::protobuf::RepeatedPtrField<Config::Rule>& rules, CompileScope& scope) {
  std::vector<Rule> out;
  for (const Config::Rule& proto : rules) {
    Rule one;
    one.header = to_lower(proto.header());
    one.cookie = proto.cookie();
    if (proto.header().empty() == proto.cookie().empty()) {
      scope.error(proto,
                  proto.header().empty() ? "needs a header or a cookie" : "has both header and cookie; one must go");
    }
    if (proto.has_on_header_present()) one.present = compile_target(proto.on_header_present(), scope);
    if (proto.has_on_header_missing()) one.missing = compile_target(proto.on_header_missing(), scope);
    if (!one.present && !one.missing) scope.error(proto, "needs on_header_present or on_header_missing");
    if (one.missing && one.missing->value.empty()) {
      scope.error(proto.on_header_missing(), "needs a value: there is no header to take it from");
    }
    one.remove = proto.remove();
    if (one.remove && !one.cookie.empty())
      scope.error(proto, Config::Rule::kRemoveFieldNumber, "a cookie cannot be removed");
    out.push_back(std::move(one));
  }
  return out;
}

std::shared_ptr<const Rules> compile_all(const Message& message, CompileScope& scope) {
  const auto& proto = static_cast<const Config&>(message);
  scope.only(proto, {Config::kRequestRulesFieldNumber, Config::kResponseRulesFieldNumber});
  auto out = std::make_shared<Rules>();
  out->request = compile_rules(proto.request_rules(), scope);
  out->response = compile_rules(proto.response_rules(), scope);
  return out;
}

std::shared_ptr<const model::FilterConfig> compile(const Message& message, CompileScope& scope) {
  return std::make_shared<const HeaderToMetadataFactory>(scope.filter_name, compile_all(message, scope));
}

std::shared_ptr<const model::FilterConfig> compile_route(const Message& message, CompileScope& scope) {
  return compile_all(message, scope);
}

}  // namespace

config::HttpFilterType extension() {
  return {.type = "envoy.extensions.filters.http.header_to_metadata.v3.Config",
          .compile = &compile,
          .route_type = "envoy.extensions.filters.http.header_to_metadata.v3.Config",
          .compile_route = &compile_route};
}

}  // namespace sluice::filters::header_to_metadata
