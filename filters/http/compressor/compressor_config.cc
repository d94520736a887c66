#include "filters/http/compressor/compressor_config.h"

#include "base/strings.h"
#include "config/compile_scope.h"
#include "config/matcher_compiler.h"
#include "envoy/extensions/compression/gzip/compressor/v3/gzip.pb.h"
#include "envoy/extensions/filters/http/compressor/v3/compressor.pb.h"
#include "filters/http/compressor/compressor.h"

namespace sluice::filters::compressor {
namespace {

namespace v3 = envoy::extensions::filters::http::compressor::v3;
using config::CompileScope;
using envoy::extensions::compression::gzip::compressor::v3::Gzip;
using google::protobuf::Message;
using C = v3::Compressor;

constexpr const char* kTypes[] = {"text/html",
                                  "text/plain",
                                  "text/css",
                                  "application/javascript",
                                  "application/x-javascript",
                                  "text/javascript",
                                  "text/x-javascript",
                                  "text/ecmascript",
                                  "text/js",
                                  "text/jscript",
                                  "text/x-js",
                                  "application/ecmascript",
                                  "application/x-json",
                                  "application/xml",
                                  "application/json",
                                  "image/svg+xml",
                                  "text/xml",
                                  "application/xhtml+xml"};

http::GzipOptions compile_gzip(const envoy::config::core::v3::TypedExtensionConfig& library, CompileScope& scope) {
  http::GzipOptions out;
  const Message* content = scope.unpack(library.typed_config());
  if (content == nullptr) return out;
  if (content->GetDescriptor() != Gzip::descriptor()) {
    scope.error(library.typed_config(), cat("not supported yet: ", content->GetDescriptor()->full_name()));
    return out;
  }
  const auto& proto = static_cast<const Gzip&>(*content);
  if (proto.compression_level() != Gzip::DEFAULT_COMPRESSION) out.level = static_cast<int>(proto.compression_level());
  out.strategy = static_cast<int>(proto.compression_strategy());  // zlib's numbers
  if (proto.has_memory_level()) out.memory_level = static_cast<int>(proto.memory_level().value());
  if (proto.has_window_bits()) out.window_bits = static_cast<int>(proto.window_bits().value());
  if (proto.has_chunk_size()) out.chunk_size = proto.chunk_size().value();
  return out;
}

bool is_on(const envoy::config::core::v3::RuntimeFeatureFlag& flag, CompileScope& scope) {
  const bool otherwise = !flag.has_default_value() || flag.default_value().value();
  return flag.runtime_key().empty() ? otherwise : scope.runtime.boolean(flag.runtime_key()).value_or(otherwise);
}

Direction compile_direction(const C::CommonDirectionConfig& proto, CompileScope& scope) {
  Direction out;
  if (proto.has_enabled()) out.enabled = is_on(proto.enabled(), scope);
  if (proto.has_min_content_length()) out.min_length = proto.min_content_length().value();
  out.types.insert(proto.content_type().begin(), proto.content_type().end());
  for (const auto& one : proto.content_type_matcher())
    out.more_types.push_back(config::compile_string_matcher(one, scope));
  if (out.types.empty() && out.more_types.empty()) out.types.insert(std::begin(kTypes), std::end(kTypes));
  return out;
}

std::shared_ptr<const model::FilterConfig> compile(const Message& message, CompileScope& scope) {
  const auto& proto = static_cast<const C&>(message);
  scope.only(proto, {C::kContentLengthFieldNumber, C::kContentTypeFieldNumber, C::kDisableOnEtagHeaderFieldNumber,
                     C::kRemoveAcceptEncodingHeaderFieldNumber, C::kRuntimeEnabledFieldNumber,
                     C::kCompressorLibraryFieldNumber, C::kRequestDirectionConfigFieldNumber,
                     C::kResponseDirectionConfigFieldNumber});
  Settings out;
  out.library = proto.compressor_library().name();
  out.gzip = compile_gzip(proto.compressor_library(), scope);
  out.request = compile_direction(proto.request_direction_config().common_config(), scope);
  // Requests are packed only when the configuration speaks of them.
  out.request.enabled = proto.has_request_direction_config() && out.request.enabled;
  if (proto.has_response_direction_config()) {
    const C::ResponseDirectionConfig& response = proto.response_direction_config();
    out.response_stat_prefix = "response.";
    out.response = compile_direction(response.common_config(), scope);
    out.skip_etag = response.disable_on_etag_header();
    out.weaken_etag = response.weaken_etag_on_compress();
    out.remove_accept_encoding = response.remove_accept_encoding_header();
    out.skip_statuses.insert(response.uncompressible_response_codes().begin(),
                             response.uncompressible_response_codes().end());
    out.status_header = response.status_header_enabled();
  } else {
    // The old fields.
    C::CommonDirectionConfig old;
    if (proto.has_runtime_enabled()) *old.mutable_enabled() = proto.runtime_enabled();
    if (proto.has_content_length()) *old.mutable_min_content_length() = proto.content_length();
    *old.mutable_content_type() = proto.content_type();
    out.response = compile_direction(old, scope);
    out.skip_etag = proto.disable_on_etag_header();
    out.remove_accept_encoding = proto.remove_accept_encoding_header();
  }
  return std::make_shared<const CompressorFactory>(scope.filter_name, std::move(out));
}

std::shared_ptr<const model::FilterConfig> compile_route(const Message& message, CompileScope& scope) {
  const auto& proto = static_cast<const v3::CompressorPerRoute&>(message);
  auto out = std::make_shared<RouteSettings>();
  out->disabled = proto.disabled();
  scope.only(proto.overrides(), {v3::CompressorOverrides::kResponseDirectionConfigFieldNumber});
  const auto& response = proto.overrides().response_direction_config();
  if (response.has_remove_accept_encoding_header()) {
    out->remove_accept_encoding = response.remove_accept_encoding_header().value();
  }
  return out;
}

}  // namespace

config::HttpFilterType extension() {
  return {.type = "envoy.extensions.filters.http.compressor.v3.Compressor",
          .compile = &compile,
          .route_type = "envoy.extensions.filters.http.compressor.v3.CompressorPerRoute",
          .compile_route = &compile_route};
}

}  // namespace sluice::filters::compressor
