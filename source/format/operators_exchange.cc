// Operators about the exchange itself: bytes, codes, flags, names of what it met, ids.
#include <cstdlib>

#include "base/process.h"
#include "base/strings.h"
#include "format/header_bytes.h"
#include "format/operators.h"
#include "format/response_flags.h"

namespace sluice::format {
namespace {

using http::ByteMeter;

template <auto Count>
bool downstream_bytes(std::string& to, const Facts& facts, const Piece&) {
  const LiveBytes* live = facts.live_bytes;
  return put_number(to, (live == nullptr ? facts.downstream_bytes : live->downstream_bytes()).*Count);
}

template <auto Count>
bool upstream_bytes(std::string& to, const Facts& facts, const Piece&) {
  const LiveBytes* live = facts.live_bytes;
  return put_number(to, (live == nullptr ? facts.upstream_bytes : live->upstream_bytes()).*Count);
}

bool response_code(std::string& to, const Facts& facts, const Piece&) { return put_number(to, facts.response_code); }

bool request_bytes(std::string& to, const Facts& facts, const Piece&) {
  return put_number(to, facts.request == nullptr ? 0 : header_bytes(*facts.request));
}

bool response_bytes(std::string& to, const Facts& facts, const Piece&) {
  return put_number(to, facts.response == nullptr ? 0 : header_bytes(*facts.response));
}

bool trailers_bytes(std::string& to, const Facts& facts, const Piece&) {
  return put_number(to, facts.response_trailers == nullptr ? 0 : header_bytes(*facts.response_trailers));
}

bool details(std::string& to, const Facts& facts, const Piece& piece) {
  return piece.option == 1 ? put_text(to, facts.details) : put_without_blanks(to, facts.details);
}

Result<void> prepare_details(std::string_view argument, Piece& piece) {
  piece.option = argument == "ALLOW_WHITESPACES" ? 1 : 0;  // Envoy ignores any other word
  return {};
}

bool upstream_failure(std::string& to, const Facts& facts, const Piece&) {
  return put_without_blanks(to, facts.upstream_failure);
}

bool flags(std::string& to, const Facts& facts, const Piece&) {
  append_flags(to, facts.flags, FlagNames::kShort);
  return true;
}

bool flags_long(std::string& to, const Facts& facts, const Piece&) {
  append_flags(to, facts.flags, FlagNames::kLong);
  return true;
}

// Filters cannot set flags of their own yet.
bool custom_flags(std::string&, const Facts&, const Piece&) { return true; }

// Set but empty wherever there is no local reply: never a dash.
bool local_reply_body(std::string& to, const Facts& facts, const Piece&) {
  to += facts.local_reply_body;
  return true;
}

bool protocol(std::string& to, const Facts& facts, const Piece&) {
  return facts.has_protocol && put_text(to, http::name_of(facts.protocol));
}

bool upstream_protocol(std::string& to, const Facts& facts, const Piece&) {
  return facts.has_upstream_protocol && put_text(to, http::name_of(facts.upstream_protocol));
}

void put_uuid(std::string& to, uint64_t first, uint64_t second) {
  constexpr std::string_view kHex = "0123456789abcdef";
  uint64_t halves[2] = {first, second};
  halves[0] = (halves[0] & ~uint64_t{0xf000}) | 0x4000;                  // version 4
  halves[1] = (halves[1] & ~(uint64_t{3} << 62)) | (uint64_t{2} << 62);  // variant 1
  for (int i = 0; i < 32; ++i) {
    if (i == 8 || i == 12 || i == 16 || i == 20) {
      to += '-';
    }
    to += kHex[halves[i / 16] >> (60 - i % 16 * 4) & 15];
  }
}

bool unique_id(std::string& to, const Facts& facts, const Piece&) {
  if (facts.random == nullptr) {
    return false;
  }
  const uint64_t first = facts.random->next();
  put_uuid(to, first, facts.random->next());
  return true;
}

// One number makes two that look as random (the finalizer of splitmix64).
uint64_t mixed(uint64_t bits) {
  bits = (bits ^ bits >> 30) * 0xbf58476d1ce4e5b9;
  bits = (bits ^ bits >> 27) * 0x94d049bb133111eb;
  return bits ^ bits >> 31;
}

// The request id; a connection without requests is given one, which it keeps.
bool stream_id(std::string& to, const Facts& facts, const Piece&) {
  if (facts.request != nullptr) {
    return put_text(to, facts.request->fields.get(http::Token::kXRequestId));
  }
  if (facts.stream_id == 0) {
    return false;
  }
  constexpr uint64_t kStep = 0x9e3779b97f4a7c15;
  put_uuid(to, mixed(facts.stream_id), mixed(facts.stream_id + kStep));
  return true;
}

bool log_type(std::string& to, const Facts& facts, const Piece&) { return put_text(to, name_of(facts.log_type)); }

bool prepared_text(std::string& to, const Facts&, const Piece& piece) {
  to += piece.text;
  return piece.option == 1;
}

Result<void> prepare_hostname(std::string_view, Piece& piece) {
  piece.text = hostname();
  piece.option = 1;
  return {};
}

// The environment does not change while we run: looked up once.
Result<void> prepare_environment(std::string_view argument, Piece& piece) {
  const char* value = std::getenv(std::string(argument).c_str());
  piece.text = value == nullptr ? "-" : value;  // also where values that are not set are left out
  piece.option = 1;
  return {};
}

// What only QUIC would know of its packets.
bool none_sent_again(std::string& to, const Facts&, const Piece&) { return put_number(to, 0); }
bool never_set(std::string&, const Facts&, const Piece&) { return false; }

constexpr Operator kExchangeOperators[] = {
    {"ACCESS_LOG_TYPE", kNoArgument, kWhole, kText, log_type},
    {"BYTES_RECEIVED", kNoArgument, kWhole, kNumber, count<&Facts::bytes_received>},
    {"BYTES_RETRANSMITTED", kNoArgument, kWhole, kNumber, none_sent_again},
    {"BYTES_SENT", kNoArgument, kWhole, kNumber, count<&Facts::bytes_sent>},
    {"CONNECTION_ID", kNoArgument, kWhole, kNumber, count<&Facts::connection_id>},
    {"CONNECTION_TERMINATION_DETAILS", kNoArgument, kWhole, kText, text<&Facts::termination_details>},
    {"CUSTOM_FLAGS", kNoArgument, kWhole, kText, custom_flags},
    {"DOWNSTREAM_DECOMPRESSED_HEADER_BYTES_RECEIVED", kNoArgument, kWhole, kNumber,
     downstream_bytes<&ByteMeter::plain_header_received>},
    {"DOWNSTREAM_DECOMPRESSED_HEADER_BYTES_SENT", kNoArgument, kWhole, kNumber,
     downstream_bytes<&ByteMeter::plain_header_sent>},
    {"DOWNSTREAM_HEADER_BYTES_RECEIVED", kNoArgument, kWhole, kNumber, downstream_bytes<&ByteMeter::header_received>},
    {"DOWNSTREAM_HEADER_BYTES_SENT", kNoArgument, kWhole, kNumber, downstream_bytes<&ByteMeter::header_sent>},
    {"DOWNSTREAM_WIRE_BYTES_RECEIVED", kNoArgument, kWhole, kNumber, downstream_bytes<&ByteMeter::wire_received>},
    {"DOWNSTREAM_WIRE_BYTES_SENT", kNoArgument, kWhole, kNumber, downstream_bytes<&ByteMeter::wire_sent>},
    {"ENVIRONMENT", kNeedsArgument, kCanBeCut, kText, prepared_text, prepare_environment},
    {"FILTER_CHAIN_NAME", kNoArgument, kWhole, kText, text<&Facts::filter_chain>},
    {"HOSTNAME", kNoArgument, kWhole, kText, prepared_text, prepare_hostname},
    {"LISTENER_NAME", kNoArgument, kWhole, kText, text<&Facts::listener>},
    {"LOCAL_REPLY_BODY", kNoArgument, kWhole, kText, local_reply_body},
    {"PACKETS_RETRANSMITTED", kNoArgument, kWhole, kNumber, none_sent_again},
    {"PROTOCOL", kNoArgument, kWhole, kText, protocol},
    {"REQUEST_HEADERS_BYTES", kNoArgument, kWhole, kNumber, request_bytes},
    {"RESPONSE_CODE", kNoArgument, kWhole, kNumber, response_code},
    {"RESPONSE_CODE_DETAILS", kMayHaveArgument, kWhole, kText, details, prepare_details},
    {"RESPONSE_FLAGS", kNoArgument, kWhole, kText, flags},
    {"RESPONSE_FLAGS_LONG", kNoArgument, kWhole, kText, flags_long},
    {"RESPONSE_HEADERS_BYTES", kNoArgument, kWhole, kNumber, response_bytes},
    {"RESPONSE_TRAILERS_BYTES", kNoArgument, kWhole, kNumber, trailers_bytes},
    {"ROUNDTRIP_DURATION", kNoArgument, kWhole, kNumber, never_set},
    {"ROUTE_NAME", kNoArgument, kWhole, kText, text<&Facts::route_name>},
    {"SPAN_ID", kNoArgument, kWhole, kText, text<&Facts::span_id>},
    {"STREAM_ID", kNoArgument, kWhole, kText, stream_id},
    {"TRACE_ID", kNoArgument, kWhole, kText, text<&Facts::trace_id>},
    {"UNIQUE_ID", kNoArgument, kWhole, kText, unique_id},
    {"UPSTREAM_CLUSTER", kNoArgument, kWhole, kText, text<&Facts::cluster>},
    {"UPSTREAM_CLUSTER_RAW", kNoArgument, kWhole, kText, text<&Facts::cluster_raw>},
    {"UPSTREAM_CONNECTION_ID", kNoArgument, kWhole, kNumber, count<&Facts::upstream_connection_id>},
    {"UPSTREAM_DECOMPRESSED_HEADER_BYTES_RECEIVED", kNoArgument, kWhole, kNumber,
     upstream_bytes<&ByteMeter::plain_header_received>},
    {"UPSTREAM_DECOMPRESSED_HEADER_BYTES_SENT", kNoArgument, kWhole, kNumber,
     upstream_bytes<&ByteMeter::plain_header_sent>},
    {"UPSTREAM_HEADER_BYTES_RECEIVED", kNoArgument, kWhole, kNumber, upstream_bytes<&ByteMeter::header_received>},
    {"UPSTREAM_HEADER_BYTES_SENT", kNoArgument, kWhole, kNumber, upstream_bytes<&ByteMeter::header_sent>},
    {"UPSTREAM_PROTOCOL", kNoArgument, kWhole, kText, upstream_protocol},
    {"UPSTREAM_REQUEST_ATTEMPT_COUNT", kNoArgument, kWhole, kNumber, count<&Facts::attempts>},
    {"UPSTREAM_TRANSPORT_FAILURE_REASON", kNoArgument, kWhole, kText, upstream_failure},
    {"UPSTREAM_WIRE_BYTES_RECEIVED", kNoArgument, kWhole, kNumber, upstream_bytes<&ByteMeter::wire_received>},
    {"UPSTREAM_WIRE_BYTES_SENT", kNoArgument, kWhole, kNumber, upstream_bytes<&ByteMeter::wire_sent>},
    {"VIRTUAL_CLUSTER_NAME", kNoArgument, kWhole, kText, text<&Facts::virtual_cluster>},
};

}  // namespace

std::span<const Operator> exchange_operators() { return kExchangeOperators; }

}  // namespace sluice::format
