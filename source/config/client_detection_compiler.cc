#include "config/client_detection_compiler.h"

#include "base/strings.h"
#include "config/core_compiler.h"
#include "envoy/extensions/http/original_ip_detection/custom_header/v3/custom_header.pb.h"
#include "envoy/extensions/http/original_ip_detection/xff/v3/xff.pb.h"

namespace sluice::config {
namespace {

using envoy::extensions::http::original_ip_detection::custom_header::v3::CustomHeaderConfig;
using envoy::extensions::http::original_ip_detection::xff::v3::XffConfig;

model::ForwardedForDetection compile_forwarded_for(const XffConfig& proto, CompileScope& scope) {
  model::ForwardedForDetection out;
  out.hops = proto.xff_num_trusted_hops();
  out.trusted = compile_ranges(proto.xff_trusted_cidrs().cidrs(), scope);
  out.append = proto.has_skip_xff_append() && !proto.skip_xff_append().value();
  if (out.hops > 0 && proto.has_xff_trusted_cidrs()) {
    scope.error(proto, XffConfig::kXffTrustedCidrsFieldNumber, "cannot stand beside xff_num_trusted_hops");
  }
  return out;
}

model::HeaderDetection compile_header(const CustomHeaderConfig& proto) {
  model::HeaderDetection out;
  out.name = to_lower(proto.header_name());
  out.may_be_internal = proto.allow_extension_to_set_address_as_trusted();
  if (proto.has_reject_with_status()) {
    const int status = static_cast<int>(proto.reject_with_status().code());
    out.reject_status = status >= 400 ? static_cast<uint16_t>(status) : 403;
  }
  return out;
}

}  // namespace

std::vector<model::ClientDetection> compile_client_detections(
    const google::protobuf::RepeatedPtrField<envoy::config::core::v3::TypedExtensionConfig>& extensions,
    CompileScope& scope) {
  std::vector<model::ClientDetection> out;
  for (const auto& extension : extensions) {
    const google::protobuf::Message* content = scope.unpack(extension.typed_config());
    if (content == nullptr) continue;
    if (content->GetDescriptor() == XffConfig::descriptor()) {
      out.emplace_back(compile_forwarded_for(static_cast<const XffConfig&>(*content), scope));
    } else if (content->GetDescriptor() == CustomHeaderConfig::descriptor()) {
      out.emplace_back(compile_header(static_cast<const CustomHeaderConfig&>(*content)));
    } else {
      scope.error(extension.typed_config(),
                  cat(content->GetDescriptor()->full_name(), " finds no client addresses (original_ip_detection)"));
    }
  }
  return out;
}

}  // namespace sluice::config
