#include "config/http_options_compiler.h"

#include "base/strings.h"
#include "envoy/extensions/http/header_formatters/preserve_case/v3/preserve_case.pb.h"

namespace sluice::config {
namespace {

namespace core = envoy::config::core::v3;
using Common = core::HttpProtocolOptions;
using Http1 = core::Http1ProtocolOptions;

http::CodecOptions::Underscores compile_underscores(Common::HeadersWithUnderscoresAction action) {
  switch (action) {
    case Common::REJECT_REQUEST: return http::CodecOptions::Underscores::kReject;
    case Common::DROP_HEADER: return http::CodecOptions::Underscores::kDrop;
    default: return http::CodecOptions::Underscores::kAllow;
  }
}

}  // namespace

void compile_common_http_options(const Common& proto, Side side, CommonHttpOptions& out, http::CodecOptions& codec,
                                 CompileScope& scope) {
  if (side == Side::kDownstream) {
    scope.only(proto, {Common::kIdleTimeoutFieldNumber, Common::kMaxConnectionDurationFieldNumber,
                       Common::kMaxHeadersCountFieldNumber, Common::kMaxStreamDurationFieldNumber,
                       Common::kHeadersWithUnderscoresActionFieldNumber, Common::kMaxRequestsPerConnectionFieldNumber});
  } else {
    scope.only(proto, {Common::kIdleTimeoutFieldNumber, Common::kMaxConnectionDurationFieldNumber,
                       Common::kMaxHeadersCountFieldNumber, Common::kMaxResponseHeadersKbFieldNumber, Common::kMaxRequestsPerConnectionFieldNumber});
  }
  if (proto.has_idle_timeout()) out.idle_timeout = to_duration(proto.idle_timeout());
  if (proto.has_max_connection_duration()) out.max_connection_duration = to_duration(proto.max_connection_duration());
  if (proto.has_max_stream_duration()) out.max_stream_duration = to_duration(proto.max_stream_duration());
  if (proto.has_max_requests_per_connection()) {
    out.max_requests_per_connection = proto.max_requests_per_connection().value();
  }
  if (proto.has_max_headers_count()) codec.max_fields = proto.max_headers_count().value();
  if (proto.has_max_response_headers_kb()) codec.max_head_bytes = proto.max_response_headers_kb().value() * 1024;
  codec.underscores = compile_underscores(proto.headers_with_underscores_action());
}

void compile_http1_options(const Http1& proto, Side side, http::CodecOptions& codec, CompileScope& scope) {
  // use_balsa_parser chooses between two parsers of Envoy's; we have one.
  if (side == Side::kDownstream) {
    scope.only(proto, {Http1::kAllowAbsoluteUrlFieldNumber, Http1::kAcceptHttp10FieldNumber,
                       Http1::kDefaultHostForHttp10FieldNumber, Http1::kHeaderKeyFormatFieldNumber,
                       Http1::kEnableTrailersFieldNumber, Http1::kAllowChunkedLengthFieldNumber,
                       Http1::kOverrideStreamErrorOnInvalidHttpMessageFieldNumber, Http1::kUseBalsaParserFieldNumber});
  } else {
    scope.only(proto, {Http1::kHeaderKeyFormatFieldNumber, Http1::kEnableTrailersFieldNumber,
                       Http1::kAllowChunkedLengthFieldNumber, Http1::kUseBalsaParserFieldNumber});
  }
  codec.allow_absolute_url = !proto.has_allow_absolute_url() || proto.allow_absolute_url().value();
  codec.accept_http_10 = proto.accept_http_10();
  codec.default_host_for_http_10 = proto.default_host_for_http_10();
  codec.enable_trailers = proto.enable_trailers();
  codec.allow_chunked_length = proto.allow_chunked_length();
  if (proto.has_override_stream_error_on_invalid_http_message()) {
    codec.stream_error_on_invalid_message = proto.override_stream_error_on_invalid_http_message().value();
  }
  if (proto.header_key_format().has_proper_case_words()) codec.header_case = http::CodecOptions::Case::kProper;
  if (proto.header_key_format().has_stateful_formatter()) {
    using Preserve = envoy::extensions::http::header_formatters::preserve_case::v3::PreserveCaseFormatterConfig;
    const auto* preserve = scope.unpack_to<Preserve>(proto.header_key_format().stateful_formatter().typed_config());
    if (preserve != nullptr) {
      scope.only(*preserve, {});
      codec.header_case = http::CodecOptions::Case::kPreserve;
    }
  }
}

}  // namespace sluice::config
