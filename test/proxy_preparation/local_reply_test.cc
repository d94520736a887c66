#include "proxy/local_reply.h"

#include <gtest/gtest.h>

#include <set>

#include "http/grpc.h"
#include "test/proxy_preparation/message_bench.h"

namespace sluice::proxy {
namespace {

using test::Bench;
using test::Lines;

struct Seen {
  uint16_t status;
  Lines fields;
  std::string body;
};

BuiltReply build(Arena& arena, const LocalReply& reply, const http::RequestHeaders* request) {
  return finish_local_reply(arena, reply, *begin_local_reply(arena, reply), request,
                            request != nullptr && http::is_grpc(request->fields) ? ReplyForm::kGrpc : ReplyForm::kText);
}

Seen build(const LocalReply& reply, std::string_view method = "GET", const Lines& request_fields = {}) {
  Bench bench;
  http::RequestHeaders* request = bench.request("/", request_fields);
  request->method = method;
  const BuiltReply built = build(bench.arena, reply, request);
  return {built.headers->status, test::lines_of(built.headers->fields), std::string(built.body)};
}

LocalReply reply(uint16_t status, std::string_view body) {
  LocalReply out;
  out.status = status;
  out.body = body;
  return out;
}

TEST(BuildLocalReply, TextWithItsLength) {
  const Seen seen = build(reply(400, "Bad Request"));
  EXPECT_EQ(seen.status, 400);
  EXPECT_EQ(seen.fields, (Lines{{"content-length", "11"}, {"content-type", "text/plain"}}));
  EXPECT_EQ(seen.body, "Bad Request");
}

TEST(BuildLocalReply, WithoutARequest) {
  Bench bench;
  EXPECT_EQ(build(bench.arena, reply(400, "Bad Request"), nullptr).body, "Bad Request");
}

TEST(BuildLocalReply, NoBodyNoLength) {
  LocalReply redirect = reply(307, "");
  redirect.location = "/a/b";
  EXPECT_EQ(build(redirect).fields, (Lines{{"location", "/a/b"}}));
  EXPECT_EQ(build(reply(204, "ignored")).fields, Lines());
  EXPECT_EQ(build(reply(304, "ignored")).body, "");
}

TEST(BuildLocalReply, HeadHasTheLengthAlone) {
  const Seen seen = build(reply(200, "text"), "HEAD");
  EXPECT_EQ(seen.fields, (Lines{{"content-length", "4"}, {"content-type", "text/plain"}}));
  EXPECT_EQ(seen.body, "");
}

TEST(BuildLocalReply, FurtherFieldsAndTheirContentType) {
  Bench bench;
  http::HeaderMap fields(bench.arena);
  fields.add("x-envoy-overloaded", "true");
  fields.add(http::Token::kContentType, "application/json");
  LocalReply out = reply(503, "{}");
  out.fields = &fields;
  EXPECT_EQ(build(out).fields,
            (Lines{{"content-length", "2"}, {"content-type", "application/json"}, {"x-envoy-overloaded", "true"}}));
}

// http2/grpc_local_replies.
TEST(BuildLocalReply, GrpcGetsAStatusInTheHead) {
  const Lines grpc{{"content-type", "application/grpc"}};
  const Seen seen = build(reply(400, "bad thing\n100%"), "POST", grpc);
  EXPECT_EQ(seen.status, 200);
  EXPECT_EQ(
      seen.fields,
      (Lines{{"content-type", "application/grpc"}, {"grpc-message", "bad thing%0A100%25"}, {"grpc-status", "13"}}));
  EXPECT_EQ(seen.body, "");
  EXPECT_EQ(build(reply(403, ""), "POST", grpc).fields,
            (Lines{{"content-type", "application/grpc"}, {"grpc-status", "7"}}));
  EXPECT_EQ(build(reply_of(Reason::kMaxStreamDuration), "POST", grpc).fields,
            (Lines{{"content-type", "application/grpc"},
                   {"grpc-message", "downstream duration timeout"},
                   {"grpc-status", "4"}}));
  EXPECT_EQ(
      build(reply_of(Reason::kResponseTimeout), "POST", grpc).fields,
      (Lines{
          {"content-type", "application/grpc"}, {"grpc-message", "upstream request timeout"}, {"grpc-status", "14"}}));
}

TEST(BuildLocalReply, WhatIsGrpc) {
  for (const char* type : {"application/grpc", "application/grpc+proto"}) {
    EXPECT_EQ(build(reply(404, ""), "POST", {{"content-type", type}}).status, 200) << type;
  }
  for (const char* type : {"application/grpc-web", "application/grpc;charset=utf-8", "application/json", ""}) {
    EXPECT_EQ(build(reply(404, ""), "POST", {{"content-type", type}}).status, 404) << type;
  }
}

TEST(GrpcStatus, OfHttpStatus) {
  const std::pair<uint16_t, int> table[] = {{400, 13}, {401, 16}, {403, 7}, {404, 12}, {429, 14}, {502, 14},
                                            {503, 14}, {504, 14}, {200, 2}, {301, 2},  {500, 2}};
  for (const auto& [http, grpc] : table) EXPECT_EQ(grpc_status_of(http), grpc) << http;
}

TEST(PercentEncode, KeepsPlainTextAsItIs) {
  Bench bench;
  const std::string_view plain = "no healthy upstream \"x\\y\"";
  EXPECT_EQ(percent_encode(plain, bench.arena).data(), plain.data());
  EXPECT_EQ(percent_encode("~\x7f\xc3\xa4%\t", bench.arena), "%7E%7F%C3%A4%25%09");
}

// Access-log lines and bodies of the recorded cases.
TEST(Reasons, AsRecorded) {
  using format::Flag;
  const struct {
    Reason reason;
    uint16_t status;
    std::optional<Flag> flag;
    std::string_view details, body;
  } table[] = {
      {Reason::kRouteNotFound, 404, Flag::kNoRouteFound, "route_not_found", ""},
      {Reason::kClusterNotFound, 503, Flag::kNoClusterFound, "cluster_not_found", ""},
      {Reason::kNoHealthyUpstream, 503, Flag::kNoHealthyUpstream, "no_healthy_upstream", "no healthy upstream"},
      {Reason::kResponseTimeout, 504, Flag::kUpstreamRequestTimeout, "response_timeout", "upstream request timeout"},
      {Reason::kPerTryTimeout, 504, Flag::kUpstreamRequestTimeout, "upstream_per_try_timeout",
       "upstream request timeout"},
      {Reason::kRequestTimeout, 408, {}, "request_overall_timeout", "request timeout"},
      {Reason::kRequestHeadersTimeout, 408, {}, "request_header_timeout", "request header timeout"},
      {Reason::kMaxStreamDuration, 504, {}, "max_duration_timeout", "downstream duration timeout"},
      {Reason::kStreamIdleTimeout, 504, Flag::kStreamIdleTimeout, "stream_idle_timeout", "stream timeout"},
      {Reason::kUpgradeFailed, 403, {}, "upgrade_failed", ""},
      {Reason::kRequestTooLarge, 413, {}, "request_payload_too_large", "Payload Too Large"},
      {Reason::kUnconditionalDropOverload, 503, Flag::kUnconditionalDropOverload, "unconditional_drop_overload",
       "unconditional drop overload"},
  };
  for (const auto& row : table) {
    const LocalReply seen = reply_of(row.reason);
    SCOPED_TRACE(row.details);
    EXPECT_EQ(seen.status, row.status);
    EXPECT_EQ(seen.flag, row.flag);
    EXPECT_EQ(seen.details, row.details);
    EXPECT_EQ(seen.body, row.body);
  }
  EXPECT_EQ(timeout_reply(Reason::kStreamIdleTimeout, false).status, 408);
  EXPECT_EQ(timeout_reply(Reason::kStreamIdleTimeout, true).status, 504);
}

TEST(Reasons, EachHasDetailsAndASentence) {
  std::set<std::string_view> sentences;
  for (const ReasonFacts& facts : all_reasons()) {
    EXPECT_FALSE(facts.details.empty());
    EXPECT_EQ(facts.details.find(' '), std::string_view::npos) << facts.details;
    EXPECT_TRUE(facts.sentence.ends_with('.')) << facts.details;
    EXPECT_TRUE(sentences.insert(facts.sentence).second) << facts.sentence;
    EXPECT_EQ(&facts_of(facts.reason), &facts);
  }
}

TEST(CodecErrors, SayTheirReasonPhrase) {
  const struct {
    uint16_t status;
    std::string_view details, body;
  } table[] = {{400, "http1.codec_error", "Bad Request"},
               {426, "low_version", "Upgrade Required"},
               {431, "http1.headers_too_large", "Request Header Fields Too Large"},
               {501, "http1.invalid_transfer_encoding", "Not Implemented"}};
  for (const auto& row : table) {
    const LocalReply seen = codec_error_reply({row.status, row.details});
    EXPECT_EQ(seen.status, row.status);
    EXPECT_EQ(seen.details, row.details);
    EXPECT_EQ(seen.body, row.body);
    EXPECT_EQ(seen.flag, format::Flag::kDownstreamProtocolError);
  }
}

TEST(UpstreamResets, AsRecorded) {
  using upstream::ResetReason;
  Bench bench;
  const struct {
    ResetReason reset;
    std::string_view failure;
    uint32_t retries;
    uint16_t status;
    format::Flag flag;
    std::string_view details, body;
  } table[] = {
      {ResetReason::kConnectFailure, "delayed connect error: Connection refused", 0, 503,
       format::Flag::kUpstreamConnectionFailure,
       "upstream_reset_before_response_started{remote_connection_failure|delayed_connect_error:_Connection_refused}",
       "upstream connect error or disconnect/reset before headers. reset reason: remote connection failure"},
      {ResetReason::kConnectTimeout, "", 0, 503, format::Flag::kUpstreamConnectionFailure,
       "upstream_reset_before_response_started{connection_timeout}",
       "upstream connect error or disconnect/reset before headers. reset reason: connection timeout"},
      {ResetReason::kConnectionTermination, "", 1, 503, format::Flag::kUpstreamConnectionTermination,
       "upstream_reset_before_response_started{connection_termination}",
       "upstream connect error or disconnect/reset before headers. retried and the latest reset reason: connection "
       "termination"},
      {ResetReason::kOverflow, "", 0, 503, format::Flag::kUpstreamOverflow,
       "upstream_reset_before_response_started{overflow}",
       "upstream connect error or disconnect/reset before headers. reset reason: overflow"},
      {ResetReason::kProtocolError, "", 0, 502, format::Flag::kUpstreamProtocolError,
       "upstream_reset_before_response_started{protocol_error}",
       "upstream connect error or disconnect/reset before headers. reset reason: protocol error"},
      {ResetReason::kRemoteReset, "", 0, 503, format::Flag::kUpstreamRemoteReset,
       "upstream_reset_before_response_started{remote_reset}",
       "upstream connect error or disconnect/reset before headers. reset reason: remote reset"},
  };
  for (const auto& row : table) {
    SCOPED_TRACE(row.details);
    const LocalReply seen = upstream_reset_reply(row.reset, row.failure, row.retries, bench.arena);
    EXPECT_EQ(seen.status, row.status);
    EXPECT_EQ(seen.flag, row.flag);
    EXPECT_EQ(seen.details, row.details);
    EXPECT_EQ(seen.body, row.body);
  }
  EXPECT_EQ(describe_reset(ResetReason::kProtocolError, ResponseBegun::kYes, "", 0, bench.arena).details,
            "upstream_reset_after_response_started{protocol_error}");
}

}  // namespace
}  // namespace sluice::proxy
