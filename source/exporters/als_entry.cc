#include "exporters/als_entry.h"

#include <algorithm>
#include <utility>

#include "exporters/als_tls.h"
#include "exporters/wire.h"
#include "format/formatter.h"
#include "format/header_bytes.h"

namespace sluice::exporters {

using format::Facts;
using format::Flag;
using format::kUnset;
using http::Token;
using wire::Nested;

namespace {

constexpr uint64_t kNanos = 1'000'000'000;

// google.protobuf.Duration.
void append_duration(std::string& to, uint32_t field, Duration duration) {
  Nested out(to, field);
  const auto nanos = static_cast<uint64_t>(std::max<int64_t>(duration.count(), 0));
  wire::put_number(to, 1, nanos / kNanos);
  wire::put_number(to, 2, nanos % kNanos);
}

// From the beginning to a moment that may not have come.
void put_time(std::string& to, uint32_t field, const Facts& facts, MonotonicTime at) {
  if (at != kUnset) append_duration(to, field, at - facts.start);
}

void put_address(std::string& to, uint32_t field, const net::Address* address) {
  if (address == nullptr || address->kind() == net::AddressKind::kNone) return;
  Nested out(to, field);
  Nested kind(to, address->is_ip() ? 1 : 2);
  wire::append_text(to, address->is_ip() ? 2 : 1, address->ip_to_string());
  if (address->is_ip()) wire::append_number(to, 3, address->port());
}

// The API has numbers of its own for the last ones, and none for drops of the overload manager.
uint32_t number_of(Flag flag) {
  if (flag == Flag::kDownstreamRemoteReset) return 28;
  return flag <= Flag::kDnsResolutionFailed ? static_cast<uint32_t>(flag) + 1 : 0;
}

void put_flags(std::string& to, uint32_t field, const format::Flags& flags) {
  if (!flags.any()) return;
  Nested out(to, field);
  flags.for_each([&to](Flag flag) {
    if (flag == Flag::kUnauthorizedExternalService) {
      Nested details(to, number_of(flag));
      wire::append_number(to, 1, 1);
    } else if (const uint32_t number = number_of(flag); number != 0) {
      wire::append_number(to, number, 1);
    }
  });
}

// google.protobuf.Value, Struct and ListValue.
void append_value(std::string& to, uint32_t field, const Value& value);

void append_members(std::string& to, const Value::Map& map) {
  for (const Value::Member& member : map) {
    Nested pair(to, 1);
    wire::append_text(to, 1, member.key);
    append_value(to, 2, member.value);
  }
}

void append_value(std::string& to, uint32_t field, const Value& value) {
  Nested out(to, field);
  if (const double* number = value.as_number()) {
    wire::append_double(to, 2, *number);
  } else if (const std::string* text = value.as_text()) {
    wire::append_text(to, 3, *text);
  } else if (const bool* truth = value.as_boolean()) {
    wire::append_number(to, 4, *truth ? 1 : 0);
  } else if (const Value::Map* map = value.as_map()) {
    Nested inner(to, 5);
    append_members(to, *map);
  } else if (const Value::List* list = value.as_list()) {
    Nested inner(to, 6);
    for (const Value& item : *list) append_value(to, 1, item);
  } else {
    wire::append_number(to, 1, 0);  // null
  }
}

void put_metadata(std::string& to, uint32_t field, const Metadata* metadata) {
  if (metadata == nullptr || metadata->empty()) return;
  Nested out(to, field);
  for (const Value::Member& space : metadata->spaces()) {
    Nested pair(to, 1);
    wire::append_text(to, 1, space.key);
    Nested content(to, 2);
    if (const Value::Map* map = space.value.as_map()) append_members(to, *map);
  }
}

void put_pair(std::string& to, uint32_t field, std::string_view key, std::string_view value) {
  Nested pair(to, field);
  wire::append_text(to, 1, key);
  wire::append_text(to, 2, value);
}

// Each as an Any with a google.protobuf.StringValue.
void put_filter_state(std::string& to, uint32_t field, const FilterState* state,
                      const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    const std::string_view text = loggable(state, name);
    if (text.data() == nullptr) continue;
    Nested pair(to, field);
    wire::append_text(to, 1, name);
    Nested any(to, 2);
    wire::append_bytes(to, 1, "type.googleapis.com/google.protobuf.StringValue");
    Nested value(to, 2);
    wire::put_text(to, 1, text);
  }
}

void put_tag(std::string& to, uint32_t field, const Facts& facts, const model::CustomTag& tag) {
  const size_t before = to.size();
  bool empty = false;
  {
    Nested pair(to, field);
    wire::append_text(to, 1, tag.name);
    Nested value(to, 2);
    const size_t start = to.size();
    model::append_value(to, tag, facts);
    wire::make_utf8(to, start);
    empty = to.size() == start;
  }
  if (empty) to.resize(before);
}

// The request id; a connection is given one.
void put_stream_id(std::string& to, uint32_t field, const Facts& facts) {
  if (facts.request != nullptr) return wire::put_text(to, field, facts.request->fields.get(Token::kXRequestId));
  static const auto format = format::Formatter::parse("%STREAM_ID%", {.unset = format::ParseOptions::Unset::kNothing});
  wire::put_text(to, field, format->format(facts));
}

MonotonicTime last_byte_sent(const Facts& facts) {
  return facts.response_end == kUnset ? facts.end : facts.response_end;
}

// AccessLogCommon.
void append_common(std::string& to, const Facts& facts, const AlsFields& fields) {
  Nested out(to, 1);
  put_address(to, 2, facts.remote);
  put_address(to, 3, facts.local);
  if (facts.downstream_tls != nullptr) append_tls(to, 4, facts.downstream_tls->texts(), facts.requested_server_name);
  append_duration(to, 5, std::chrono::microseconds(facts.start_wall.us));
  put_time(to, 6, facts, facts.request_end);
  put_time(to, 7, facts, facts.upstream_tx_start);
  put_time(to, 8, facts, facts.upstream_tx_end);
  put_time(to, 9, facts, facts.upstream_rx_start);
  put_time(to, 10, facts, facts.upstream_rx_end);
  put_time(to, 11, facts, facts.response_start);
  put_time(to, 12, facts, facts.response_start == kUnset ? kUnset : last_byte_sent(facts));
  put_address(to, 13, facts.upstream_host);
  put_address(to, 14, &facts.upstream_local);
  // At the start none is chosen, though the route has named one.
  if (facts.log_type != format::LogType::kDownstreamStart) wire::put_text(to, 15, facts.cluster_raw);
  put_flags(to, 16, facts.flags);
  put_metadata(to, 17, facts.metadata);
  wire::put_text(to, 18, facts.upstream_failure);
  wire::put_text(to, 19, facts.route_name);
  put_address(to, 20, facts.direct_remote);
  put_filter_state(to, 21, facts.filter_state, fields.filter_state);
  for (const model::CustomTag& tag : fields.tags) put_tag(to, 22, facts, tag);
  put_time(to, 23, facts, facts.end);
  wire::put_number(to, 24, facts.attempts);
  wire::put_text(to, 25, facts.termination_details);
  put_stream_id(to, 26, facts);
  if (facts.end == kUnset) wire::append_number(to, 27, 1);  // intermediate_log_entry
  wire::put_text(to, 28, facts.downstream_failure);
  wire::put_number(to, 29, facts.downstream_bytes.wire_sent);
  wire::put_number(to, 30, facts.downstream_bytes.wire_received);
  wire::put_number(to, 31, facts.upstream_bytes.wire_sent);
  wire::put_number(to, 32, facts.upstream_bytes.wire_received);
  wire::put_number(to, 33, static_cast<uint64_t>(facts.log_type));
}

uint64_t number_of(std::string_view method) {
  static constexpr std::string_view kMethods[] = {"GET",     "HEAD",    "POST",  "PUT",  "DELETE",
                                                  "CONNECT", "OPTIONS", "TRACE", "PATCH"};
  const auto* found = std::find(std::begin(kMethods), std::end(kMethods), method);
  return found == std::end(kMethods) ? 0 : static_cast<uint64_t>(found - kMethods) + 1;
}

uint64_t number_of(http::Protocol protocol) {
  switch (protocol) {
    case http::Protocol::kHttp10:
      return 1;
    case http::Protocol::kHttp11:
      return 2;
    case http::Protocol::kHttp2:
      return 3;
  }
  return 0;
}

// The lines of one field are joined with ','.
void put_field(std::string& to, uint32_t field, const http::HeaderMap& fields, std::string_view name,
               std::string_view pseudo) {
  if (pseudo.data() != nullptr) return put_pair(to, field, name, pseudo);
  if (fields.get(name).data() == nullptr) return;
  Nested pair(to, field);
  wire::append_text(to, 1, name);
  Nested value(to, 2);
  const size_t start = to.size();
  bool found = false;
  for (const http::HeaderField& one : fields) {
    if (one.name() != name) continue;
    if (std::exchange(found, true)) to += ',';
    to += one.value();
  }
  wire::make_utf8(to, start);
}

void append_request(std::string& to, const Facts& facts, const AlsFields& fields) {
  Nested out(to, 3);
  if (facts.request == nullptr) return;
  const http::RequestHeaders& request = *facts.request;
  wire::put_number(to, 1, number_of(request.method));
  wire::put_text(to, 2, request.scheme);
  wire::put_text(to, 3, request.authority);
  wire::put_text(to, 5, request.path);
  wire::put_text(to, 6, request.fields.get(Token::kUserAgent));
  wire::put_text(to, 7, request.fields.get(Token::kReferer));
  wire::put_text(to, 8, request.fields.get(Token::kXForwardedFor));
  wire::put_text(to, 9, request.fields.get(Token::kXRequestId));
  wire::put_text(to, 10, request.fields.get(Token::kXEnvoyOriginalPath));
  wire::put_number(to, 11, format::header_bytes(request));
  wire::put_number(to, 12, facts.bytes_received);
  for (const std::string& name : fields.request_headers) {
    const bool pseudo = name.front() == ':' || name == "host";
    put_field(to, 13, request.fields, name, pseudo ? request.get(name) : std::string_view());
  }
  wire::put_number(to, 14, facts.upstream_bytes.header_sent);
  wire::put_number(to, 15, facts.downstream_bytes.header_received);
}

void append_response(std::string& to, const Facts& facts, const AlsFields& fields) {
  Nested out(to, 4);
  if (facts.response_code != 0) {
    Nested code(to, 1);
    wire::append_number(to, 1, facts.response_code);
  }
  if (facts.response != nullptr) wire::put_number(to, 2, format::header_bytes(*facts.response));
  wire::put_number(to, 3, facts.bytes_sent);
  if (facts.response != nullptr) {
    for (const std::string& name : fields.response_headers) {
      const bool pseudo = name == ":status";
      put_field(to, 4, facts.response->fields, name, pseudo ? facts.response->get(name) : std::string_view());
    }
  }
  if (facts.response_trailers != nullptr) {
    for (const std::string& name : fields.response_trailers) put_field(to, 5, *facts.response_trailers, name, {});
  }
  wire::put_text(to, 6, facts.details);
  wire::put_number(to, 7, facts.upstream_bytes.header_received);
  wire::put_number(to, 8, facts.downstream_bytes.header_sent);
}

}  // namespace

std::string_view loggable(const FilterState* state, std::string_view name) {
  const FilterState::Object* object = state == nullptr ? nullptr : state->find(name);
  // Envoy's other factories make objects that say nothing to loggers.
  if (object == nullptr || (object->factory != "envoy.string" && object->factory != "envoy.hashable_string")) return {};
  return object->text;
}

void append_http_entry(std::string& to, const Facts& facts, const AlsFields& fields) {
  Nested out(to, 1);
  append_common(to, facts, fields);
  if (facts.has_protocol) wire::append_number(to, 2, number_of(facts.protocol));
  append_request(to, facts, fields);
  append_response(to, facts, fields);
}

void append_tcp_entry(std::string& to, const Facts& facts, const AlsFields& fields) {
  Nested out(to, 1);
  append_common(to, facts, fields);
  Nested connection(to, 2);
  wire::put_number(to, 1, facts.bytes_received);
  wire::put_number(to, 2, facts.bytes_sent);
}

}  // namespace sluice::exporters
