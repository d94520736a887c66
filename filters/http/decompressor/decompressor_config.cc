#include "filters/http/decompressor/decompressor_config.h"

#include "base/strings.h"
#include "config/compile_scope.h"
#include "envoy/extensions/compression/gzip/decompressor/v3/gzip.pb.h"
#include "envoy/extensions/filters/http/decompressor/v3/decompressor.pb.h"
#include "filters/http/decompressor/decompressor.h"

namespace sluice::filters::decompressor {
namespace {

using D = envoy::extensions::filters::http::decompressor::v3::Decompressor;
using config::CompileScope;
using envoy::extensions::compression::gzip::decompressor::v3::Gzip;
using google::protobuf::Message;

http::GzipReader::Options compile_gzip(const envoy::config::core::v3::TypedExtensionConfig& library,
                                       CompileScope& scope) {
  http::GzipReader::Options out;
  const Message* content = scope.unpack(library.typed_config());
  if (content == nullptr) return out;
  if (content->GetDescriptor() != Gzip::descriptor()) {
    scope.error(library.typed_config(), cat("not supported yet: ", content->GetDescriptor()->full_name()));
    return out;
  }
  const auto& proto = static_cast<const Gzip&>(*content);
  if (proto.has_window_bits()) out.window_bits = static_cast<int>(proto.window_bits().value());
  if (proto.has_chunk_size()) out.chunk_size = proto.chunk_size().value();
  if (proto.has_max_inflate_ratio()) out.max_ratio = proto.max_inflate_ratio().value();
  return out;
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
  out.gzip = compile_gzip(proto.decompressor_library(), scope);
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
