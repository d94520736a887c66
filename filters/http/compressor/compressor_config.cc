#include "filters/http/compressor/compressor_config.h"

#include "base/strings.h"
#include "config/compile_scope.h"
#include "config/matcher_compiler.h"
#include "envoy/extensions/compression/brotli/compressor/v3/brotli.pb.h"
#include "envoy/extensions/compression/gzip/compressor/v3/gzip.pb.h"
#include "envoy/extensions/compression/zstd/compressor/v3/zstd.pb.h"
#include "envoy/extensions/filters/http/compressor/v3/compressor.pb.h"
#include "filters/http/compressor/compressor.h"

namespace sluice::filters::compressor {
namespace {

namespace v3 = envoy::extensions::filters::http::compressor::v3;
using config::CompileScope;
using envoy::extensions::compression::brotli::compressor::v3::Brotli;
using envoy::extensions::compression::gzip::compressor::v3::Gzip;
using envoy::extensions::compression::zstd::compressor::v3::Zstd;
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

http::GzipPacking compile_gzip(const Gzip& proto) {
  http::GzipPacking out;
  if (proto.compression_level() != Gzip::DEFAULT_COMPRESSION) out.level = static_cast<int>(proto.compression_level());
  out.strategy = static_cast<int>(proto.compression_strategy());  // zlib's numbers
  if (proto.has_memory_level()) out.memory_level = static_cast<int>(proto.memory_level().value());
  if (proto.has_window_bits()) out.window_bits = static_cast<int>(proto.window_bits().value());
  if (proto.has_chunk_size()) out.chunk_size = proto.chunk_size().value();
  return out;
}

http::BrotliPacking compile_brotli(const Brotli& proto) {
  http::BrotliPacking out;
  if (proto.has_quality()) out.quality = proto.quality().value();
  // The library's generic mode is both its default and the first of its numbers.
  if (proto.encoder_mode() != Brotli::DEFAULT) out.mode = static_cast<uint32_t>(proto.encoder_mode()) - 1;
  if (proto.has_window_bits()) out.window_bits = proto.window_bits().value();
  if (proto.has_input_block_bits()) out.input_block_bits = proto.input_block_bits().value();
  if (proto.has_chunk_size()) out.chunk_size = proto.chunk_size().value();
  out.literal_context_modeling = !proto.disable_literal_context_modeling();
  return out;
}

http::ZstdPacking compile_zstd(const Zstd& proto, CompileScope& scope) {
  scope.only(proto, {Zstd::kCompressionLevelFieldNumber, Zstd::kEnableChecksumFieldNumber, Zstd::kStrategyFieldNumber,
                     Zstd::kChunkSizeFieldNumber});
  http::ZstdPacking out;
  if (proto.has_compression_level()) out.level = proto.compression_level().value();
  out.strategy = static_cast<uint32_t>(proto.strategy());  // the library's numbers
  out.checksum = proto.enable_checksum();
  if (proto.has_chunk_size()) out.chunk_size = proto.chunk_size().value();
  return out;
}

http::Packing compile_library(const envoy::config::core::v3::TypedExtensionConfig& library, CompileScope& scope) {
  const Message* content = scope.unpack(library.typed_config());
  if (content == nullptr) return {};
  const auto* type = content->GetDescriptor();
  if (type == Gzip::descriptor()) return compile_gzip(static_cast<const Gzip&>(*content));
  if (type == Brotli::descriptor()) return compile_brotli(static_cast<const Brotli&>(*content));
  if (type == Zstd::descriptor()) return compile_zstd(static_cast<const Zstd&>(*content), scope);
  scope.error(library.typed_config(), cat("not supported yet: ", type->full_name()));
  return {};
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
                     C::kResponseDirectionConfigFieldNumber, C::kChooseFirstFieldNumber});
  Settings out;
  out.library = proto.compressor_library().name();
  out.packing = compile_library(proto.compressor_library(), scope);
  out.choose_first = proto.choose_first();
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
          .upstream = true,
          .route_type = "envoy.extensions.filters.http.compressor.v3.CompressorPerRoute",
          .compile_route = &compile_route};
}

}  // namespace sluice::filters::compressor
