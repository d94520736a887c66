#include "proxy/local_reply.h"

#include "base/check.h"
#include "base/strings.h"
#include "http/grpc.h"

namespace sluice::proxy {
namespace {

bool is_plain(char c) { return c >= ' ' && c < '~' && c != '%'; }

std::string_view number_text(size_t number, Arena& arena) { return arena.copy(Piece(number).text()); }

bool has_no_body(uint16_t status) { return status < 200 || status == 204 || status == 304; }

void make_grpc(const LocalReply& reply, bool head, http::ResponseHeaders& out) {
  http::HeaderMap& fields = out.fields;
  out.status = 200;
  out.chunked = head;  // as Envoy, whose answers to other methods would be
  fields.remove(http::Token::kContentLength);
  const bool json = fields.get(http::Token::kContentType) == "application/json";
  fields.set(http::Token::kContentType, "application/grpc");
  if (!fields.has(http::Token::kGrpcStatus)) {
    const uint8_t status = reply.grpc_status.value_or(grpc_status_of(reply.status));
    fields.add(http::Token::kGrpcStatus, number_text(status, fields.arena()));
  }
  if (!reply.body.empty() && !head) {
    // A JSON format ends its text with a newline.
    const std::string_view text = reply.body.substr(0, reply.body.size() - (json && reply.body.ends_with('\n')));
    fields.set(http::Token::kGrpcMessage, percent_encode(text, fields.arena()));
  }
}

}  // namespace

LocalReply reply_of(Reason reason) {
  const ReasonFacts& facts = facts_of(reason);
  LocalReply reply;
  reply.status = facts.status;
  reply.body = facts.body;
  reply.details = facts.details;
  reply.flag = facts.flag;
  reply.grpc_status = facts.grpc_status;
  return reply;
}

LocalReply timeout_reply(Reason reason, bool request_complete) {
  LocalReply reply = reply_of(reason);
  reply.status = request_complete ? 504 : 408;
  return reply;
}

LocalReply codec_error_reply(const http::CodecError& error) {
  LocalReply reply = reply_of(Reason::kDownstreamProtocolError);
  reply.status = error.status;
  reply.body = http::reason_phrase(error.status);
  reply.details = error.details;
  return reply;
}

LocalReply upstream_reset_reply(upstream::ResetReason reset, std::string_view failure, uint32_t retries, Arena& arena) {
  const UpstreamReset words = describe_reset(reset, ResponseBegun::kNo, failure, retries, arena);
  LocalReply reply = reply_of(reason_of(reset));
  reply.body = words.body;
  reply.details = words.details;
  return reply;
}

http::ResponseHeaders* begin_local_reply(Arena& arena, const LocalReply& reply) {
  auto* headers = arena.create<http::ResponseHeaders>(arena);
  headers->status = reply.status;
  if (!reply.location.empty()) headers->fields.add(http::Token::kLocation, reply.location);
  if (reply.fields != nullptr) {
    for (const http::HeaderField& field : *reply.fields) headers->fields.push_back(field);
  }
  return headers;
}

void map_local_reply(const model::LocalReplyPlan& plan, LocalReply& reply, http::ResponseHeaders& headers,
                     format::Facts& facts, Arena& arena) {
  const std::string_view body = reply.body;
  const std::string_view content_type = headers.fields.get(http::Token::kContentType);
  facts.response_code = reply.status;
  facts.response = &headers;
  const model::BodyFormat* format = plan.format ? &*plan.format : nullptr;
  for (const model::LocalReplyMapper& mapper : plan.mappers) {
    if (mapper.filter == nullptr || !mapper.filter->passes(facts)) continue;
    if (mapper.body) reply.body = *mapper.body;
    mapper.headers.apply(headers, facts);
    if (mapper.status != 0) facts.response_code = headers.status = reply.status = mapper.status;
    if (mapper.format) format = &*mapper.format;
    break;
  }
  const bool own_type = headers.fields.get(http::Token::kContentType) != content_type;
  if (format != nullptr) {
    facts.local_reply_body = reply.body;
    std::string text;
    format->text.append(text, facts);
    facts.local_reply_body = {};
    reply.body = arena.copy(text);
  }
  if (content_type.data() == nullptr ? !own_type : reply.body != body && !own_type) {
    headers.fields.set(http::Token::kContentType,
                       format == nullptr ? std::string_view("text/plain") : format->content_type);
  }
}

BuiltReply finish_local_reply(Arena& arena, const LocalReply& reply, http::ResponseHeaders& headers,
                              const http::RequestHeaders* request, ReplyForm form) {
  http::HeaderMap& fields = headers.fields;
  const bool head = request != nullptr && request->method == "HEAD";
  if (form == ReplyForm::kGrpc) {
    make_grpc(reply, head, headers);
    return {&headers, {}};
  }
  if (reply.body.empty() || has_no_body(reply.status)) {
    headers.chunked = head;  // as Envoy writes every answer to HEAD that has no length
    fields.remove(http::Token::kContentLength);
    fields.remove(http::Token::kContentType);
    return {&headers, {}};
  }
  fields.set(http::Token::kContentLength, number_text(reply.body.size(), arena));
  if (!fields.has(http::Token::kContentType)) fields.add(http::Token::kContentType, "text/plain");
  return {&headers, head ? std::string_view() : reply.body};
}

uint8_t grpc_status_of(uint16_t http_status) { return static_cast<uint8_t>(http::grpc_status_of(http_status)); }

std::string_view percent_encode(std::string_view text, Arena& arena) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  size_t escapes = 0;
  for (const char c : text) escapes += is_plain(c) ? 0 : 1;
  if (escapes == 0) return text;
  char* const start = static_cast<char*>(arena.allocate(text.size() + 2 * escapes, 1));
  char* at = start;
  for (const char c : text) {
    if (is_plain(c)) {
      *at++ = c;
      continue;
    }
    *at++ = '%';
    *at++ = kHex[static_cast<uint8_t>(c) >> 4];
    *at++ = kHex[static_cast<uint8_t>(c) & 15];
  }
  return {start, static_cast<size_t>(at - start)};
}

}  // namespace sluice::proxy
