// Local replies: answers that the proxy gives itself. text/plain with a length; to a gRPC request status 200 with
// grpc-status and grpc-message instead (trailers-only).
// https://www.envoyproxy.io/docs/envoy/v1.36.0/configuration/http/http_conn_man/local_reply
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/arena.h"
#include "format/facts.h"
#include "http/codec.h"
#include "http/message.h"
#include "model/local_reply_plan.h"
#include "proxy/reason.h"

namespace sluice::proxy {

// What is to be answered. All texts and `fields` must live as long as the exchange (its arena, the plan, literals).
struct LocalReply {
  uint16_t status = 500;
  std::string_view body;
  std::string_view details;
  std::optional<format::Flag> flag;
  std::optional<uint8_t> grpc_status;       // instead of what `status` maps to
  std::string_view location;                // of a redirect
  const http::HeaderMap* fields = nullptr;  // further fields; a content-type among them is that of the body
};

// The reply of the table; reasons whose answer has a status of its own (a direct response, a redirect, a refused
// upgrade) leave it to the caller. kStreamIdleTimeout and kMaxStreamDuration are 504: while the request is not complete
// use timeout_reply().
LocalReply reply_of(Reason reason);
// 504 when the whole request has arrived, else 408.
LocalReply timeout_reply(Reason reason, bool request_complete);
// The codec refused the message: its reason phrase is the body ("Bad Request").
LocalReply codec_error_reply(const http::CodecError& error);
// The upstream failed before its response began; see describe_reset().
LocalReply upstream_reset_reply(upstream::ResetReason reset, std::string_view failure, uint32_t retries, Arena& arena);

// The head as the caller wants it, without what the body says: in the arena. What a route adds comes next.
http::ResponseHeaders* begin_local_reply(Arena& arena, const LocalReply& reply);
// Then what local_reply_config makes of it; `facts` are those of the exchange and see the answer as it is.
void map_local_reply(const model::LocalReplyPlan& plan, LocalReply& reply, http::ResponseHeaders& headers,
                     format::Facts& facts, Arena& arena);

struct BuiltReply {
  http::ResponseHeaders* headers;  // in the arena
  std::string_view body;           // empty: the head ends the message
};

enum class ReplyForm : uint8_t { kText, kGrpc };
// At last the body and its fields. `request` may be null (it could not be parsed). HEAD and 1xx, 204, 304 have no body,
// but HEAD has its length. kGrpc: the client speaks gRPC.
BuiltReply finish_local_reply(Arena& arena, const LocalReply& reply, http::ResponseHeaders& headers,
                              const http::RequestHeaders* request, ReplyForm form);

// As Envoy maps: 400 INTERNAL, 401 UNAUTHENTICATED, 403 PERMISSION_DENIED, 404 UNIMPLEMENTED, 429, 502, 503, 504
// UNAVAILABLE, else UNKNOWN.
uint8_t grpc_status_of(uint16_t http_status);
// For grpc-message: what is no visible ASCII or a blank, '%' and '~' become %XX. `text` itself when nothing changes.
std::string_view percent_encode(std::string_view text, Arena& arena);

}  // namespace sluice::proxy
