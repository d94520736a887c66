#include "config/local_reply_compiler.h"

#include "config/access_log_compiler.h"
#include "config/core_compiler.h"
#include "config/format_compiler.h"
#include "config/header_compiler.h"

namespace sluice::config {

namespace hcm = envoy::extensions::filters::network::http_connection_manager::v3;

std::optional<model::BodyFormat> compile_body_format(const envoy::config::core::v3::SubstitutionFormatString& proto,
                                                     CompileScope& scope) {
  auto text = compile_format(proto, scope);
  if (!text) return std::nullopt;
  const char* const usual = proto.has_json_format() ? "application/json" : "text/plain";
  return model::BodyFormat{std::move(*text), proto.content_type().empty() ? usual : proto.content_type()};
}

model::LocalReplyPlan compile_local_reply(const hcm::LocalReplyConfig& proto, CompileScope& scope) {
  model::LocalReplyPlan out;
  if (proto.has_body_format()) out.format = compile_body_format(proto.body_format(), scope);
  const google::protobuf::RepeatedPtrField<std::string> none;
  for (const hcm::ResponseMapper& mapper : proto.mappers()) {
    model::LocalReplyMapper one;
    one.filter = compile_access_log_filter(mapper.filter(), scope);
    one.status = static_cast<uint16_t>(mapper.status_code().value());
    if (mapper.has_body()) one.body = read_data_source(mapper.body(), scope);
    if (mapper.has_body_format_override()) one.format = compile_body_format(mapper.body_format_override(), scope);
    one.headers = compile_header_rules(mapper, mapper.headers_to_add(), none,
                                       hcm::ResponseMapper::kHeadersToAddFieldNumber, scope);
    out.mappers.push_back(std::move(one));
  }
  return out;
}

}  // namespace sluice::config
