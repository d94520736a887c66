#include "filters/http/ip_tagging/ip_tagging_config.h"

#include "base/strings.h"
#include "config/compile_scope.h"
#include "config/core_compiler.h"
#include "envoy/extensions/filters/http/ip_tagging/v3/ip_tagging.pb.h"
#include "filters/http/ip_tagging/ip_tagging.h"

namespace sluice::filters::ip_tagging {
namespace {

using Proto = envoy::extensions::filters::http::ip_tagging::v3::IPTagging;
using config::CompileScope;

std::shared_ptr<const model::FilterConfig> compile(const google::protobuf::Message& message, CompileScope& scope) {
  const auto& proto = static_cast<const Proto&>(message);
  scope.only(proto, {Proto::kRequestTypeFieldNumber, Proto::kIpTagsFieldNumber, Proto::kIpTagHeaderFieldNumber});
  Settings out;
  out.requests = proto.request_type() == Proto::INTERNAL   ? Settings::Requests::kInternal
                 : proto.request_type() == Proto::EXTERNAL ? Settings::Requests::kExternal
                                                           : Settings::Requests::kAll;
  if (proto.ip_tags().empty()) scope.error(proto, "needs ip_tags");
  for (const Proto::IPTag& tag : proto.ip_tags()) {
    out.tags.emplace_back(tag.ip_tag_name(), config::compile_ranges(tag.ip_list(), scope));
  }
  if (proto.has_ip_tag_header()) {
    out.header = to_lower(proto.ip_tag_header().header());
    out.action = proto.ip_tag_header().action() == Proto::IpTagHeader::SANITIZE ? Settings::Header::kReplace
                                                                                : Settings::Header::kAppend;
  }
  return std::make_shared<const IpTaggingFactory>(std::move(out));
}

}  // namespace

config::HttpFilterType extension() {
  return {.type = "envoy.extensions.filters.http.ip_tagging.v3.IPTagging", .compile = &compile};
}

}  // namespace sluice::filters::ip_tagging
