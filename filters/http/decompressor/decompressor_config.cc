#include "filters/http/decompressor/decompressor_config.h"

#include "base/strings.h"
#include "config/compile_scope.h"
#include "envoy/extensions/compression/brotli/decompressor/v3/brotli.pb.h"
#include "envoy/extensions/compression/gzip/decompressor/v3/gzip.pb.h"
#include "envoy/extensions/compression/zstd/decompressor/v3/zstd.pb.h"
#include "envoy/extensions/filters/http/decompressor/v3/decompressor.pb.h"
#include "filters/http/decompressor/decompressor.h"
#include "http/chars.h"

namespace sluice::filters::decompressor {
namespace {

using D = envoy::extensions::filters::http::decompressor::v3::Decompressor;
using config::CompileScope;
using envoy::extensions::compression::brotli::decompressor::v3::Brotli;
using envoy::extensions::compression::gzip::decompressor::v3::Gzip;
using envoy::extensions::compression::zstd::decompressor::v3::Zstd;
using google::protobuf::Message;

http::GzipUnpacking compile_gzip(const Gzip& proto) {
  http::GzipUnpacking out;
  if (proto.has_window_bits()) out.window_bits = static_cast<int>(proto.window_bits().value());
  if (proto.has_chunk_size()) out.chunk_size = proto.chunk_size().value();
  if (proto.has_max_inflate_ratio()) out.max_ratio = proto.max_inflate_ratio().value();
  return out;
}

http::BrotliUnpacking compile_brotli(const Brotli& proto) {
  http::BrotliUnpacking out;
  out.ring_buffer_reallocation = !proto.disable_ring_buffer_reallocation();
  if (proto.has_chunk_size()) out.chunk_size = proto.chunk_size().value();
  return out;
}

http::ZstdUnpacking compile_zstd(const Zstd& proto, CompileScope& scope) {
  scope.only(proto, {Zstd::kChunkSizeFieldNumber});
  http::ZstdUnpacking out;
  if (proto.has_chunk_size()) out.chunk_size = proto.chunk_size().value();
  return out;
}

http::Unpacking compile_library(const envoy::config::core::v3::TypedExtensionConfig& library, CompileScope& scope) {
  const Message* content = scope.unpack(library.typed_config());
  if (content == nullptr) return {};
  const auto* type = content->GetDescriptor();
  if (type == Gzip::descriptor()) return compile_gzip(static_cast<const Gzip&>(*content));
  if (type == Brotli::descriptor()) return compile_brotli(static_cast<const Brotli&>(*content));
  if (type == Zstd::descriptor()) return compile_zstd(static_cast<const Zstd&>(*content), scope);
  scope.error(library.typed_config(), cat("not supported yet: ", type->full_name()));
  return {};
}

Direction compile_direction(const D::CommonDirectionConfig& proto, CompileScope& scope) {
  Direction out;
  const auto& flag = proto.enabled();
  out.enabled = !flag.has_default_value() || flag.default_value().value();
  if (!flag.runtime_key().empty()) out.enabled = scope.runtime.boolean(flag.runtime_key()).value_or(out.enabled);
  out.ignore_no_transform = proto.ignore_no_transform_header();
  return out;
}

std::shared_ptr<const model::FilterConfig> compile(const Message& message, CompileScope& scope) {
  const auto& proto = static_cast<const D&>(message);
  Settings out;
  out.library = proto.decompressor_library().name();
  if (http::is_token(out.library)) {
    out.packed_name = cat("x-envoy-decompressor-", to_lower(out.library), "-compressed-bytes");
    out.unpacked_name = cat("x-envoy-decompressor-", to_lower(out.library), "-uncompressed-bytes");
  }
  out.unpacking = compile_library(proto.decompressor_library(), scope);
  const D::RequestDirectionConfig& request = proto.request_direction_config();
  out.request = compile_direction(request.common_config(), scope);
  out.response = compile_direction(proto.response_direction_config().common_config(), scope);
  out.advertises =
      request.has_advertise_accept_encoding() ? request.advertise_accept_encoding().value() : out.response.enabled;
  return std::make_shared<const DecompressorFactory>(std::move(out));
}

}  // namespace

config::HttpFilterType extension() {
  return {.type = "envoy.extensions.filters.http.decompressor.v3.Decompressor", .compile = &compile};
}

}  // namespace sluice::filters::decompressor
