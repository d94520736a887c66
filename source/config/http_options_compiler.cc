#include "config/http_options_compiler.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

#include "base/strings.h"
#include "config/matcher_compiler.h"
#include "envoy/extensions/http/header_formatters/preserve_case/v3/preserve_case.pb.h"

namespace sluice::config {
namespace {

namespace core = envoy::config::core::v3;
using Common = core::HttpProtocolOptions;
using Http1 = core::Http1ProtocolOptions;
using Http2 = core::Http2ProtocolOptions;

http::CodecOptions::Underscores compile_underscores(Common::HeadersWithUnderscoresAction action) {
  switch (action) {
    case Common::REJECT_REQUEST:
      return http::CodecOptions::Underscores::kReject;
    case Common::DROP_HEADER:
      return http::CodecOptions::Underscores::kDrop;
    default:
      return http::CodecOptions::Underscores::kAllow;
  }
}

// Of the settings that RFC 9113, 8441 and 9218 define: what a value may be, and the field that says the same.
struct KnownSetting {
  uint32_t id;
  uint32_t least, most;
  int field;  // 0: none
};

const KnownSetting* known_setting(uint32_t id) {
  static constexpr KnownSetting kKnown[] = {{1, 0, UINT32_MAX, Http2::kHpackTableSizeFieldNumber},
                                            {2, 0, 0, 0},
                                            {3, 0, UINT32_MAX, Http2::kMaxConcurrentStreamsFieldNumber},
                                            {4, 0, INT32_MAX, Http2::kInitialStreamWindowSizeFieldNumber},
                                            {5, 1 << 14, (1 << 24) - 1, 0},
                                            {8, 0, 0, Http2::kAllowConnectFieldNumber},
                                            {9, 0, 1, 0}};
  const auto* found =
      std::find_if(std::begin(kKnown), std::end(kKnown), [id](const KnownSetting& known) { return known.id == id; });
  return found == std::end(kKnown) ? nullptr : found;
}

// What is wrong with one setting; empty: nothing.
std::string setting_complaint(const Http2& proto, uint32_t id, uint32_t value) {
  const KnownSetting* known = known_setting(id);
  if (known == nullptr) return {};
  if (id == 2 && value == 1) return "servers push nothing here: the setting 2 can only be 0";
  if (known->field == Http2::kAllowConnectFieldNumber) return "the setting 8 is said by allow_connect";
  if (known->field != 0) {
    const auto* field = Http2::descriptor()->FindFieldByNumber(known->field);
    if (proto.GetReflection()->HasField(proto, field)) return cat("the setting ", id, " is said by ", field->name());
  }
  if (value >= known->least && value <= known->most) return {};
  return cat("RFC 9113 allows ", known->least, " to ", known->most, " for the setting ", id, ", not ", value);
}

void compile_settings(const Http2& proto, http::Http2Options& out, CompileScope& scope) {
  for (int i = 0; i < proto.custom_settings_parameters_size(); ++i) {
    const auto& one = proto.custom_settings_parameters(i);
    const http::Http2Setting setting{static_cast<uint16_t>(one.identifier().value()), one.value().value()};
    std::string wrong = setting_complaint(proto, one.identifier().value(), setting.value);
    const auto before = std::find_if(out.custom_settings.begin(), out.custom_settings.end(),
                                     [&](const http::Http2Setting& other) { return other.id == setting.id; });
    const bool twice = before != out.custom_settings.end();
    if (twice && before->value != setting.value) wrong = cat("the setting ", setting.id, " has two values");
    if (!wrong.empty()) scope.error(proto, Http2::kCustomSettingsParametersFieldNumber, std::move(wrong), i);
    if (!twice) out.custom_settings.push_back(setting);
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
                       Common::kMaxHeadersCountFieldNumber, Common::kMaxResponseHeadersKbFieldNumber,
                       Common::kMaxStreamDurationFieldNumber, Common::kMaxRequestsPerConnectionFieldNumber});
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
                       Http1::kOverrideStreamErrorOnInvalidHttpMessageFieldNumber, Http1::kUseBalsaParserFieldNumber,
                       Http1::kAllowCustomMethodsFieldNumber, Http1::kIgnoreHttp11UpgradeFieldNumber,
                       Http1::kSendFullyQualifiedUrlFieldNumber});  // of requests that are sent
  } else {
    scope.only(proto, {Http1::kHeaderKeyFormatFieldNumber, Http1::kEnableTrailersFieldNumber,
                       Http1::kAllowChunkedLengthFieldNumber, Http1::kUseBalsaParserFieldNumber,
                       Http1::kAllowCustomMethodsFieldNumber,  // this and what follows: of requests that clients send
                       Http1::kAllowAbsoluteUrlFieldNumber, Http1::kAcceptHttp10FieldNumber,
                       Http1::kDefaultHostForHttp10FieldNumber, Http1::kIgnoreHttp11UpgradeFieldNumber,
                       Http1::kSendFullyQualifiedUrlFieldNumber});
    codec.send_fully_qualified_url = proto.send_fully_qualified_url();
    for (const auto& matcher : proto.ignore_http_11_upgrade()) (void)compile_string_matcher(matcher, scope);
  }
  if (side == Side::kDownstream) {
    codec.allow_absolute_url = !proto.has_allow_absolute_url() || proto.allow_absolute_url().value();
    codec.accept_http_10 = proto.accept_http_10();
    codec.default_host_for_http_10 = proto.default_host_for_http_10();
  }
  codec.allow_custom_methods = proto.allow_custom_methods();
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
      scope.only(*preserve, {Preserve::kForwardReasonPhraseFieldNumber});
      codec.forward_reason_phrase = preserve->forward_reason_phrase();
      codec.header_case = http::CodecOptions::Case::kPreserve;
    }
  }
}

void compile_http2_options(const Http2& proto, Side side, http::Http2Options& out, CompileScope& scope) {
  // use_oghttp2_codec chooses between two libraries of Envoy's; we have one, which always writes Huffman codes.
  scope.only(
      proto,
      {Http2::kHpackTableSizeFieldNumber, Http2::kMaxConcurrentStreamsFieldNumber,
       Http2::kInitialStreamWindowSizeFieldNumber, Http2::kInitialConnectionWindowSizeFieldNumber,
       Http2::kAllowConnectFieldNumber, Http2::kMaxOutboundFramesFieldNumber,
       Http2::kMaxOutboundControlFramesFieldNumber, Http2::kMaxConsecutiveInboundFramesWithEmptyPayloadFieldNumber,
       Http2::kMaxInboundPriorityFramesPerStreamFieldNumber,
       Http2::kMaxInboundWindowUpdateFramesPerDataFrameSentFieldNumber,
       Http2::kStreamErrorOnInvalidHttpMessagingFieldNumber, Http2::kOverrideStreamErrorOnInvalidHttpMessageFieldNumber,
       Http2::kConnectionKeepaliveFieldNumber, Http2::kUseOghttp2CodecFieldNumber,
       Http2::kEnableHuffmanEncodingFieldNumber, Http2::kCustomSettingsParametersFieldNumber,
       Http2::kMaxMetadataSizeFieldNumber});  // there is none: allow_metadata is refused
  compile_settings(proto, out, scope);
  if (proto.has_enable_huffman_encoding() && !proto.enable_huffman_encoding().value()) {
    scope.not_supported(proto, Http2::kEnableHuffmanEncodingFieldNumber);
  }
  if (proto.has_hpack_table_size()) out.hpack_table_size = proto.hpack_table_size().value();
  if (proto.has_max_concurrent_streams()) out.max_concurrent_streams = proto.max_concurrent_streams().value();
  if (proto.has_initial_stream_window_size()) out.stream_window = proto.initial_stream_window_size().value();
  if (proto.has_initial_connection_window_size()) {
    out.connection_window = proto.initial_connection_window_size().value();
  }
  out.allow_connect = proto.allow_connect();
  if (proto.has_max_outbound_frames()) out.max_outbound_frames = proto.max_outbound_frames().value();
  if (proto.has_max_outbound_control_frames()) {
    out.max_outbound_control_frames = proto.max_outbound_control_frames().value();
  }
  if (proto.has_max_consecutive_inbound_frames_with_empty_payload()) {
    out.max_empty_frames = proto.max_consecutive_inbound_frames_with_empty_payload().value();
  }
  if (proto.has_max_inbound_priority_frames_per_stream()) {
    out.max_priority_frames_per_stream = proto.max_inbound_priority_frames_per_stream().value();
  }
  if (proto.has_max_inbound_window_update_frames_per_data_frame_sent()) {
    out.max_window_updates_per_data_frame = proto.max_inbound_window_update_frames_per_data_frame_sent().value();
  }
  if (proto.has_override_stream_error_on_invalid_http_message()) {
    out.stream_error_on_invalid_message = proto.override_stream_error_on_invalid_http_message().value();
  } else if (side == Side::kUpstream) {
    out.stream_error_on_invalid_message = proto.stream_error_on_invalid_http_messaging();
  }
  const auto& alive = proto.connection_keepalive();
  if (alive.has_interval()) out.ping_interval = to_duration(alive.interval());
  out.ping_timeout = to_duration(alive.timeout());
  if (alive.has_interval_jitter()) out.ping_jitter_percent = alive.interval_jitter().value();
  if (alive.has_connection_idle_interval()) out.ping_when_idle = to_duration(alive.connection_idle_interval());
}

}  // namespace sluice::config
