#include "filters/http/custom_response/custom_response_config.h"

#include "base/strings.h"
#include "config/compile_scope.h"
#include "config/core_compiler.h"
#include "config/format_compiler.h"
#include "config/header_compiler.h"
#include "config/matcher_tree_compiler.h"
#include "envoy/extensions/filters/http/custom_response/v3/custom_response.pb.h"
#include "envoy/extensions/http/custom_response/local_response_policy/v3/local_response_policy.pb.h"
#include "filters/http/custom_response/custom_response.h"

namespace sluice::filters::custom_response {
namespace {

using CustomResponseProto = envoy::extensions::filters::http::custom_response::v3::CustomResponse;
using Policy = envoy::extensions::http::custom_response::local_response_policy::v3::LocalResponsePolicy;
using config::CompileScope;
using google::protobuf::Message;

std::shared_ptr<const match::Action> compile_policy(const Policy& proto, CompileScope& scope) {
  auto out = std::make_shared<LocalResponse>();
  out->status = static_cast<uint16_t>(proto.status_code().value());
  if (proto.has_body()) out->body = config::read_data_source(proto.body(), scope).value_or("");
  if (proto.has_body_format()) {
    out->format = config::compile_format(proto.body_format(), scope);
    out->content_type = !proto.body_format().content_type().empty() ? proto.body_format().content_type()
                        : proto.body_format().has_json_format()     ? "application/json"
                                                                    : "";
  }
  const google::protobuf::RepeatedPtrField<std::string> none;
  out->headers = config::compile_header_rules(proto, proto.response_headers_to_add(), none,
                                              Policy::kResponseHeadersToAddFieldNumber, scope);
  out->details = proto.response_code_details();
  out->keeps_details = proto.preserve_response_code_details();
  return out;
}

std::shared_ptr<const Settings> compile_settings(const Message& message, CompileScope& scope) {
  const auto& proto = static_cast<const CustomResponseProto&>(message);
  auto out = std::make_shared<Settings>();
  const config::CompileAction action = [&scope](const Message& content, const google::protobuf::Any& place) {
    if (content.GetDescriptor() == Policy::descriptor())
      return compile_policy(static_cast<const Policy&>(content), scope);
    scope.error(place, cat("not supported yet: ", content.GetDescriptor()->full_name(), " as a custom response"));
    return std::shared_ptr<const match::Action>();
  };
  if (proto.has_custom_response_matcher()) {
    out->tree = config::compile_fact_tree(proto.custom_response_matcher(), action, scope);
  }
  return out;
}

std::shared_ptr<const model::FilterConfig> compile(const Message& message, CompileScope& scope) {
  return std::make_shared<const CustomResponseFactory>(scope.filter_name, compile_settings(message, scope));
}

std::shared_ptr<const model::FilterConfig> compile_route(const Message& message, CompileScope& scope) {
  return compile_settings(message, scope);
}

}  // namespace

config::HttpFilterType extension() {
  return {.type = "envoy.extensions.filters.http.custom_response.v3.CustomResponse",
          .compile = &compile,
          .route_type = "envoy.extensions.filters.http.custom_response.v3.CustomResponse",
          .compile_route = &compile_route};
}

}  // namespace sluice::filters::custom_response
