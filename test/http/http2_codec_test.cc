// HTTP/2: a client and a server that talk with each other, and hostile frames.
#include <gtest/gtest.h>

#include "test/http/http2_pair.h"

namespace sluice::http::http2 {
namespace {

using stats::Http2Stat;
constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

std::string frame(uint8_t type, uint8_t flags, uint32_t stream, std::string_view payload) {
  std::string out;
  for (const uint32_t part : {payload.size() >> 16, payload.size() >> 8, payload.size()})
    out += static_cast<char>(part);
  out += static_cast<char>(type);
  out += static_cast<char>(flags);
  for (const int shift : {24, 16, 8, 0}) out += static_cast<char>(stream >> shift);
  return out.append(payload);
}
std::string settings() { return cat(kPreface, frame(4, 0, 0, "")); }
std::string times(size_t count, const std::string& text) {
  std::string out;
  while (count-- > 0) out += text;
  return out;
}

struct Http2Codec : testing::Test {
  Client client;
  Server server;
};

TEST_F(Http2Codec, RequestAndResponseWithBodiesAndTrailers) {
  const StreamId stream = client.ask("POST", "/x?y", End::kNo, {{"x-a", "1"}});
  client.send(stream, "up", End::kYes);
  talk(client, server);
  EXPECT_EQ(server.transcript(), "1 POST http://a/x?y\n  x-a: 1\nbody up\nend\n");
  server.answer(1, 200, "down", End::kNo);
  server.trailers(1, "x-t", "v");
  talk(client, server);
  EXPECT_EQ(client.transcript(), "1 status 200\nbody down\ntrailers\n  x-t: v\nend\n");
  EXPECT_EQ(server.codec().streams(), 0u);
  EXPECT_EQ(server.counters().get(Http2Stat::kStreamsActive), 0u);
  EXPECT_EQ(client.counters().get(Http2Stat::kStreamsActive), 0u);
}

// Frame heads of 9 bytes, names and values as they were before HPACK; what one end sends the other receives.
TEST_F(Http2Codec, BytesOfAStream) {
  const StreamId stream = client.ask("POST", "/x", End::kNo, {{"x-a", "1"}});
  client.send(stream, "upload", End::kYes);
  talk(client, server);
  server.answer(1, 200, "down", End::kNo);
  server.trailers(1, "x-t", "v");
  const ByteMeter before = server.codec().bytes(1);
  EXPECT_EQ(before.wire_sent, 0u);  // nothing is in frames yet
  EXPECT_EQ(before.plain_header_sent, 7 + 3 + 3 + 1);
  EXPECT_EQ(before.plain_header_received, 7 + 4 + 7 + 4 + 5 + 2 + 10 + 1 + 3 + 1);
  EXPECT_EQ(before.wire_received, before.header_received + 9 + 6);
  EXPECT_GT(before.header_received, 9u);
  const ByteMeter sent = client.codec().bytes(stream);
  EXPECT_EQ(sent.wire_sent, before.wire_received);
  EXPECT_EQ(sent.header_sent, before.header_received);
  EXPECT_EQ(sent.plain_header_sent, before.plain_header_received);
  EXPECT_EQ(sent.wire_received, 0u);
}

TEST_F(Http2Codec, CrumbsOfCookiesAreJoinedBehindTheOtherFields) {
  client.ask("GET", "/", End::kYes, {{"cookie", "a=1"}, {"x-a", "1"}, {"cookie", "b=2"}});
  talk(client, server);
  EXPECT_EQ(server.transcript(), "1 GET http://a/\n  x-a: 1\n  cookie: a=1; b=2\nend\n");
}

TEST_F(Http2Codec, ManyStreamsAndOneThatIsReset) {
  for (int i = 0; i < 3; ++i) client.ask("GET", "/");
  talk(client, server);
  client.codec().reset(3, client.out());
  talk(client, server);
  EXPECT_EQ(server.transcript(),
            "1 GET http://a/\nend\n3 GET http://a/\nend\n5 GET http://a/\nend\n3 reset by 0 http2.remote_reset\n");
  server.answer(5, 204, "");
  server.answer(1, 200, "x");
  server.answer(3, 200, "late");
  talk(client, server);
  EXPECT_EQ(client.transcript(), "5 status 204\nend\n1 status 200\nbody x\nend\n");
}

TEST_F(Http2Codec, AnEarlyAnswerIsCompleteBeforeItsStreamIsReset) {
  client.ask("POST", "/", End::kNo);
  talk(client, server);
  server.answer(1, 413, "no");
  server.codec().reset(1, server.out());
  talk(client, server);
  EXPECT_EQ(client.transcript(), "1 status 413\nbody no\nend\n");
  EXPECT_EQ(server.codec().streams(), 0u);
}

TEST_F(Http2Codec, WhatThePausedUserHoldsClosesTheWindow) {
  PairSettings small;
  small.http2.stream_window = 65535;
  Server paused(small);
  const StreamId stream = client.ask("POST", "/", End::kNo);
  talk(client, paused);
  paused.codec().pause(stream);
  client.send(stream, std::string(200'000, 'x'), End::kYes);
  talk(client, paused);
  EXPECT_EQ(paused.transcript(), cat("1 POST http://a/\nbody ", std::string(65535, 'x'), "\n"));
  EXPECT_EQ(client.codec().unsent(stream), 200'000u - 65535u);
  EXPECT_EQ(client.transcript(), "1 full\n");
  paused.codec().resume(stream);
  talk(client, paused);
  EXPECT_EQ(paused.transcript(), cat("body ", std::string(200'000 - 65535, 'x'), "\nend\n"));
  EXPECT_EQ(client.transcript(), "1 has room\n");
}

TEST_F(Http2Codec, HeadsAboveALimitResetTheirStreamOnly) {
  PairSettings small;
  small.options.max_head_bytes = 100;
  Server strict(small);
  client.ask("GET", "/", End::kYes, {{"x", std::string(200, 'x')}});
  client.ask("GET", "/2");
  talk(client, strict);
  EXPECT_EQ(strict.transcript(), "3 GET http://a/2\nend\n1 reset by 4 http2.header_list_size_too_large\n");
  EXPECT_EQ(client.transcript(), "1 reset by 0 http2.remote_reset\n");
}

TEST_F(Http2Codec, CrumbsCountAgainstTheBytes) {
  // "cookie" without a value is one byte.
  const std::string head = std::string(
                               "\x82\x86\x84\x41\x01"
                               "a",
                               6) +
                           std::string(12'000, '\xa0');
  PairSettings many;
  many.options.max_fields = 100'000;
  Server wide(std::move(many));
  EXPECT_EQ(wide.feed(cat(settings(), frame(1, 5, 1, head))), Decoded::kMore);
  EXPECT_EQ(wide.transcript(), "1 reset by 4 http2.header_list_size_too_large\n");
}

TEST_F(Http2Codec, EachCrumbCountsAsAField) {
  const std::string head = std::string(
      "\x82\x86\x84\x41\x01"
      "a",
      6);
  EXPECT_EQ(server.feed(cat(settings(), frame(1, 5, 1, head + std::string(96, '\xa0')),
                            frame(1, 5, 3, head + std::string(97, '\xa0')))),
            Decoded::kMore);
  EXPECT_TRUE(server.transcript().ends_with("end\n3 reset by 4 http2.too_many_headers\n")) << server.transcript();
}

TEST_F(Http2Codec, ARequestThatIsTooLargeToSendFailsAlone) {
  const std::string large(100'000, 'x');
  client.ask("GET", "/", End::kYes, {{"x", large}});
  client.ask("GET", "/2");
  talk(client, server);
  EXPECT_EQ(server.transcript(), "3 GET http://a/2\nend\n");
  EXPECT_TRUE(client.transcript().starts_with("1 reset by "));
}

TEST_F(Http2Codec, GoawayTellsBeforeItEnds) {
  client.ask("GET", "/");
  talk(client, server);
  server.codec().start_drain(server.out());
  talk(client, server);
  EXPECT_EQ(client.transcript(), "goaway\n");
  EXPECT_FALSE(client.codec().reusable());
  server.codec().finish_drain();
  server.answer(1, 200, "");
  talk(client, server);
  EXPECT_EQ(client.transcript(), "goaway\n1 status 200\nend\n");
}

TEST_F(Http2Codec, ARequestBehindGoawayIsRefused) {
  talk(client, server);
  server.codec().finish_drain();
  const std::string goaway = server.output();
  client.ask("GET", "/");
  client.feed(goaway);
  EXPECT_EQ(client.transcript(), "goaway\n1 reset by 1 http2.remote_refuse\n");
}

TEST_F(Http2Codec, PingsAreAnswered) {
  talk(client, server);
  server.codec().ping();
  client.codec().ping();
  talk(client, server);
  EXPECT_EQ(client.transcript(), "ping ack\n");
  EXPECT_EQ(server.transcript(), "ping ack\n");
}

TEST_F(Http2Codec, AnInvalidFieldEndsTheConnectionUnlessStreamsMayFailAlone) {
  const std::string head = frame(1, 5, 1,
                                 std::string("\x82\x86\x84\x00\x03"
                                             "BAD"
                                             "\x01"
                                             "v",
                                             10));
  EXPECT_EQ(server.feed(cat(settings(), head)), Decoded::kFailed);
  EXPECT_EQ(server.transcript(),
            "1 reset by 3 http2.invalid.header.field\nerror codec_error:The_user_callback_function_failed\n");
  EXPECT_EQ(server.feed(frame(6, 0, 0, "12345678")), Decoded::kFailed);
  EXPECT_EQ(server.transcript(), "");

  PairSettings alone;
  alone.http2.stream_error_on_invalid_message = true;
  Server lenient(alone);
  EXPECT_EQ(lenient.feed(cat(settings(), head)), Decoded::kMore);
  EXPECT_EQ(lenient.transcript(), "1 reset by 3 http2.invalid.header.field\n");
  EXPECT_EQ(lenient.counters().get(Http2Stat::kRxMessagingError), 1u);
}

// The last frame that the server wrote is GOAWAY with that code.
bool ends_with_goaway(Server& server, char code) {
  const std::string out = server.out().to_string();
  return out.size() >= 17 && out.substr(out.size() - 17, 4) == frame(7, 0, 0, "12345678").substr(0, 4) &&
         out.back() == code;
}

TEST_F(Http2Codec, AFrameErrorIsToldWithGoaway) {
  EXPECT_EQ(server.feed(cat(settings(), frame(6, 0, 0, "1234567"))), Decoded::kFailed);
  EXPECT_EQ(server.transcript(), "error http2.protocol_error\n");
  EXPECT_TRUE(ends_with_goaway(server, 6));
}

const std::string kGet =
    "\x82\x86\x84\x41\x01"
    "a";
const std::string kPost =
    "\x83\x86\x84\x41\x01"
    "a";

// What stands behind a fatal error is never looked at, in the same piece or in the next one.
TEST_F(Http2Codec, NothingIsTakenInAfterAFatalError) {
  const std::string bad_ping = frame(6, 0, 0, "1234567"), request = frame(1, 5, 1, kGet), stray = frame(0, 1, 1, "x");
  struct Case {
    std::string before, fatal, heard;
  };
  const std::string priority = frame(2, 0, 1, std::string("\0\0\0\0\x10", 5));
  for (const auto& [before, fatal, heard] : {Case{"", bad_ping, ""}, Case{times(100, priority), priority, ""},
                                             Case{request, frame(1, 5, 3, std::string("\x82\x86\x84\0\3BAD\1v", 10)),
                                                  "1 GET http://a/\nend\n3 reset by 3 http2.invalid.header.field\n"},
                                             Case{cat(request, frame(3, 0, 1, std::string(4, '\0'))), stray,
                                                  "1 GET http://a/\nend\n1 reset by 0 http2.remote_reset\n"}}) {
    Server one;
    EXPECT_EQ(one.feed(cat(settings(), before, fatal, frame(1, 5, 5, kGet))), Decoded::kFailed) << heard;
    const std::string heard_first = one.transcript();
    EXPECT_TRUE(heard_first.starts_with(cat(heard, "error "))) << heard_first;
    one.output();
    EXPECT_EQ(one.feed(cat(frame(6, 0, 0, "12345678"), frame(1, 5, 7, kGet))), Decoded::kFailed);
    EXPECT_EQ(one.transcript(), "");
    EXPECT_EQ(one.output(), "");
  }
}

// RFC 9113 5.1: it is the peer that ended the stream, or passed its number by.
TEST_F(Http2Codec, FramesOfClosedStreamsAreErrors) {
  const std::string request = frame(1, 5, 5, kGet), data = frame(0, 1, 5, "x");
  for (const std::string& stray : {data, request, frame(1, 5, 3, kGet), frame(0, 1, 3, "x")}) {
    Server one;
    one.status = 204;
    EXPECT_EQ(one.feed(cat(settings(), request)), Decoded::kMore);
    EXPECT_EQ(one.feed(cat(frame(2, 0, 5, std::string("\0\0\0\0\x10", 5)), frame(8, 0, 5, std::string("\0\0\0\1", 4)))),
              Decoded::kMore);
    EXPECT_EQ(one.feed(stray), Decoded::kFailed);
    EXPECT_TRUE(ends_with_goaway(one, 5));
    EXPECT_EQ(one.transcript(), "5 GET http://a/\nend\nerror http2.protocol_error\n");
  }
  Server reset;
  EXPECT_EQ(reset.feed(cat(settings(), frame(1, 4, 1, kPost), frame(3, 0, 1, std::string("\0\0\0\x8", 4)))),
            Decoded::kMore);
  EXPECT_EQ(reset.feed(frame(0, 0, 1, "x")), Decoded::kFailed);
  EXPECT_TRUE(ends_with_goaway(reset, 5));
}

// A peer cannot know yet that we reset the stream.
TEST_F(Http2Codec, FramesThatCrossedOurResetAreNot) {
  server.feed(settings());
  for (StreamId id = 1; id < 300; id += 2) {
    EXPECT_EQ(server.feed(frame(1, 4, id, kPost)), Decoded::kMore);
    server.codec().reset(id, server.out());
    server.output();
  }
  for (StreamId id = 1; id < 300; id += 2) {
    EXPECT_EQ(server.feed(frame(0, 0, id, "x")), Decoded::kMore) << id;
    EXPECT_EQ(server.feed(frame(1, 5, id, kPost)), Decoded::kMore) << id;
  }

  PairSettings one;
  one.http2.max_concurrent_streams = 1;
  Server single(one);
  EXPECT_EQ(single.feed(cat(settings(), frame(1, 4, 1, kPost), frame(1, 4, 3, kPost))), Decoded::kMore);
  single.output();  // 3 is refused
  EXPECT_EQ(single.feed(cat(frame(0, 1, 1, "x"), frame(0, 1, 3, "x"))), Decoded::kMore);
  single.answer(1, 204, "");
  single.output();
  EXPECT_EQ(single.feed(cat(frame(1, 4, 5, kPost), frame(0, 1, 3, "x"))), Decoded::kMore);
  EXPECT_EQ(single.feed(frame(0, 1, 1, "x")), Decoded::kFailed);
}

TEST_F(Http2Codec, UnreadAcknowledgementsAreLimited) {
  server.feed(settings());
  Decoded result = Decoded::kMore;
  int pings = 0;
  for (; result == Decoded::kMore && pings < 5000; pings += 10) {
    result = server.feed(times(10, frame(6, 0, 0, "12345678")));  // nothing leaves
  }
  EXPECT_EQ(result, Decoded::kFailed);
  EXPECT_LE(pings, 1020);
  EXPECT_EQ(server.counters().get(Http2Stat::kOutboundControlFlood), 1u);
}

TEST_F(Http2Codec, ReadAcknowledgementsAreNot) {
  server.feed(settings());
  for (int pings = 0; pings < 5000; pings += 10) {
    EXPECT_EQ(server.feed(times(10, frame(6, 0, 0, "12345678"))), Decoded::kMore);
    server.output();
  }
  EXPECT_EQ(server.counters().get(Http2Stat::kOutboundControlFramesActive), 0u);
}

TEST_F(Http2Codec, FloodsOfFramesThatDoNothing) {
  const std::string priority = frame(2, 0, 1, std::string("\0\0\0\0\x10", 5));
  EXPECT_EQ(server.feed(cat(settings(), times(100, priority))), Decoded::kMore);
  EXPECT_EQ(server.feed(priority), Decoded::kFailed);
  EXPECT_EQ(server.counters().get(Http2Stat::kInboundPriorityFramesFlood), 1u);

  Server windows;
  const std::string update = frame(8, 0, 0, std::string("\0\0\0\1", 4));
  EXPECT_EQ(windows.feed(cat(settings(), times(5, update))), Decoded::kMore);
  EXPECT_EQ(windows.feed(update), Decoded::kFailed);
  EXPECT_EQ(windows.counters().get(Http2Stat::kInboundWindowUpdateFramesFlood), 1u);

  Server empties;
  const std::string post = frame(1, 4, 1,
                                 std::string("\x83\x86\x84\x41\x01"
                                             "a",
                                             6));
  EXPECT_EQ(empties.feed(cat(settings(), post, frame(0, 0, 1, ""))), Decoded::kMore);
  EXPECT_EQ(empties.feed(frame(0, 0, 1, "")), Decoded::kFailed);
  EXPECT_EQ(empties.counters().get(Http2Stat::kInboundEmptyFramesFlood), 1u);
}

TEST_F(Http2Codec, StreamsAboveTheLimitAreRefused) {
  PairSettings one;
  one.http2.max_concurrent_streams = 1;
  Server single(one);
  client.ask("GET", "/1");
  client.ask("GET", "/2");
  const std::string both = client.output();  // before the settings of the server are known
  single.feed(both);
  EXPECT_EQ(single.transcript(), "1 GET http://a/1\nend\n");
  client.feed(single.output());
  EXPECT_EQ(client.transcript(), "3 reset by 1 http2.remote_refuse\n");
  EXPECT_EQ(client.codec().stream_limit(), 1u);
}

// One that names a setting of ours is told in its place.
TEST_F(Http2Codec, SettingsOfOnesOwnAreTold) {
  PairSettings own;
  own.http2.custom_settings = {{3, 1}, {0xf000, 5}};
  Server single(own);
  const std::string told = single.output();
  EXPECT_NE(told.find(std::string("\0\3\0\0\0\1", 6)), std::string::npos);
  EXPECT_NE(told.find(std::string("\xf0\0\0\0\0\5", 6)), std::string::npos);
  client.feed(told);
  EXPECT_EQ(client.codec().stream_limit(), 1u);
}

}  // namespace
}  // namespace sluice::http::http2
