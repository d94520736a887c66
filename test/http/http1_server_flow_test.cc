// The life of a server codec's connection: order, keep-alive, early answers, tunnels, drain.
#include <gtest/gtest.h>

#include "test/http/feeding.h"

namespace sluice::http::http1 {
namespace {

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

// Answers the current request of `server` with a body.
void answer(ServerUnderTest& server, std::string_view body, uint16_t status = 200) {
  ResponseHeaders headers(server.arena());
  headers.status = status;
  headers.fields.set_copy(Token::kContentLength, cat(body.size()));
  server.codec().encode_headers(server.stream(), headers, End::kNo, server.out());
  buffer::Buffer data(server.memory().slabs);
  data.append_copy(body);
  server.codec().encode_data(server.stream(), data, End::kYes, server.out());
}
void answer_bare(ServerUnderTest& server, uint16_t status, End end = End::kYes) {
  ResponseHeaders headers(server.arena());
  headers.status = status;
  server.codec().encode_headers(server.stream(), headers, end, server.out());
}

TEST(Http1ServerFlow, PipelinedRequestsWaitForTheResponse) {
  ServerUnderTest server(CodecOptions(), 0);
  EXPECT_TRUE(server.codec().ready());
  const std::string two = cat(kGet, "POST /2 HTTP/1.1\r\nHost: b\r\nContent-Length: 1\r\n\r\nx", kGet);
  EXPECT_EQ(server.feed(two), Decoded::kBlocked);
  EXPECT_EQ(server.transcript(), "request 1 GET / @a  HTTP/1.1\nend\n");
  EXPECT_FALSE(server.codec().ready());
  EXPECT_EQ(server.feed(""), Decoded::kBlocked);
  EXPECT_EQ(server.transcript(), "");
  answer(server, "one");
  EXPECT_EQ(server.output(), "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\none");
  EXPECT_TRUE(server.codec().ready());
  EXPECT_EQ(server.feed(""), Decoded::kBlocked);
  EXPECT_EQ(server.transcript(), "request 2 POST /2 @b  HTTP/1.1\n  content-length: 1\nbody x\nend\n");
  answer(server, "two");
  EXPECT_EQ(server.feed(""), Decoded::kBlocked);
  EXPECT_EQ(server.transcript(), "request 3 GET / @a  HTTP/1.1\nend\n");
  answer(server, "three");
  EXPECT_EQ(server.feed(""), Decoded::kMore);
  EXPECT_TRUE(server.codec().keep_alive());
  EXPECT_EQ(server.memory().owner.bytes() % 4096, 0);
}

// access_log/wire_bytes_http1 has what Envoy counts; of pipelined requests each has its own bytes.
TEST(Http1ServerFlow, BytesOfEachMessage) {
  CodecOptions options;
  options.enable_trailers = true;
  ServerUnderTest server(options, 0);
  const std::string head = "POST / HTTP/1.1\r\nHost:  a \r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::string body = "5\r\nhello\r\n0\r\nx-t: v\r\n\r\n";
  server.feed(cat(head, body, kGet));
  ByteMeter bytes = server.codec().bytes(server.stream());
  EXPECT_EQ(bytes.wire_received, head.size() + body.size());
  EXPECT_EQ(bytes.plain_header_received, 4 + 1 + 3 + 17 + 7 + 3);  // a blank is not counted
  EXPECT_EQ(bytes.header_received, bytes.plain_header_received + 3 + 1 + 3);
  EXPECT_EQ(bytes.wire_sent, 0);
  answer(server, "one");
  const size_t sent = server.output().size();
  bytes = server.codec().bytes(server.stream());
  EXPECT_EQ(bytes.wire_sent, sent);
  EXPECT_EQ(bytes.header_sent, std::string_view("content-length: 3\r\n").size());
  EXPECT_EQ(bytes.plain_header_sent, bytes.header_sent);
  server.feed("");
  bytes = server.codec().bytes(server.stream());
  EXPECT_EQ(bytes.wire_received, kGet.size());
  EXPECT_EQ(bytes.header_received, 4 + 1 + 3);
  EXPECT_EQ(bytes.wire_sent, 0);
  EXPECT_EQ(server.codec().bytes(server.stream() - 1).wire_received, 0);
}

// A head that comes byte by byte costs what it would cost in one piece.
TEST(Http1ServerFlow, BytesOfAHeadInPieces) {
  ServerUnderTest server(CodecOptions(), 0);
  for (const char byte : kGet) server.feed({&byte, 1});
  EXPECT_EQ(server.codec().bytes(server.stream()).wire_received, kGet.size());
}

TEST(Http1ServerFlow, NothingBehindClose) {
  ServerUnderTest server(CodecOptions(), 200);
  server.feed(cat("GET / HTTP/1.1\r\nHost: a\r\nConnection: Close\r\n\r\n", kGet));
  EXPECT_EQ(server.transcript(), "request 1 GET / @a  HTTP/1.1\n  connection: Close\nend\n");
  EXPECT_EQ(server.output(), "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
  EXPECT_FALSE(server.codec().ready());
  EXPECT_FALSE(server.codec().keep_alive());
  server.feed(kGet);
  EXPECT_EQ(server.transcript(), "");
}

TEST(Http1ServerFlow, AnEarlyAnswerWithoutBodyAnnouncesTheClose) {
  ServerUnderTest server(CodecOptions(), 0);
  server.feed("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf");
  answer_bare(server, 403);
  EXPECT_EQ(server.output(), "HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
  EXPECT_FALSE(server.codec().keep_alive());
  server.transcript();
  EXPECT_EQ(server.feed(cat("secondGET", kGet)), Decoded::kMore);  // taken and dropped
  EXPECT_TRUE(server.in().empty());
  EXPECT_EQ(server.transcript(), "");
}

TEST(Http1ServerFlow, AnAnswerFromWithinTheHeadEvent) {
  ServerUnderTest server(CodecOptions(), 0);
  server.on_head = [&](RequestHeaders&) {
    server.codec().start_drain(server.out());
    answer(server, "no", 413);
  };
  server.feed("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbodyGET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(server.transcript(), "request 1 POST / @a  HTTP/1.1\n  content-length: 4\n");
  EXPECT_EQ(server.output(), "HTTP/1.1 413 Payload Too Large\r\ncontent-length: 2\r\nconnection: close\r\n\r\nno");
}

TEST(Http1ServerFlow, AResponseMayBeginBeforeTheRequestEnds) {
  ServerUnderTest server(CodecOptions(), 0);
  server.feed("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbo");
  answer_bare(server, 200, End::kNo);
  EXPECT_EQ(server.output(), "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
  server.feed("dy");
  EXPECT_EQ(server.transcript(), "request 1 POST / @a  HTTP/1.1\n  content-length: 4\nbody body\nend\n");
  buffer::Buffer nothing(server.memory().slabs);
  server.codec().encode_data(server.stream(), nothing, End::kYes, server.out());
  EXPECT_EQ(server.output(), "0\r\n\r\n");
  EXPECT_TRUE(server.codec().ready());
}

TEST(Http1ServerFlow, DrainIsAnnouncedOnce) {
  ServerUnderTest server(CodecOptions(), 0);
  server.feed(kGet);
  answer_bare(server, 200, End::kNo);
  server.codec().start_drain(server.out());  // too late for this head
  buffer::Buffer nothing(server.memory().slabs);
  server.codec().encode_data(server.stream(), nothing, End::kYes, server.out());
  EXPECT_TRUE(server.codec().keep_alive());
  server.output();
  server.feed(kGet);
  answer_bare(server, 200);
  EXPECT_EQ(server.output(), "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
  EXPECT_FALSE(server.codec().keep_alive());
}

TEST(Http1ServerFlow, Reset) {
  ServerUnderTest server(CodecOptions(), 0);
  server.feed("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe");
  server.codec().reset(server.stream(), server.out());
  server.transcript();
  EXPECT_EQ(server.feed("llo\r\n0\r\n\r\n"), Decoded::kMore);
  EXPECT_EQ(server.transcript(), "");
  EXPECT_FALSE(server.codec().keep_alive());
  EXPECT_FALSE(server.codec().ready());
}

TEST(Http1ServerFlow, ARefusedRequestIsAnswered) {
  ServerUnderTest server(CodecOptions(), 0);
  EXPECT_EQ(server.feed("NONSENSE\r\n\r\n"), Decoded::kFailed);
  EXPECT_EQ(server.transcript(), "error 1 400 http1.codec_error\n");
  answer(server, "Bad Request", 400);
  EXPECT_EQ(server.output(), "HTTP/1.1 400 Bad Request\r\ncontent-length: 11\r\nconnection: close\r\n\r\nBad Request");
  EXPECT_EQ(server.feed(kGet), Decoded::kFailed);
  EXPECT_EQ(server.transcript(), "");
}

TEST(Http1ServerFlow, AnAnswerWithoutARequest) {
  ServerUnderTest server(CodecOptions(), 0);
  server.feed(kGet);
  answer_bare(server, 200);
  server.output();
  server.feed("GET / HT");  // and then nothing, for too long
  ResponseHeaders late(server.arena());
  late.status = 408;
  server.codec().encode_headers(0, late, End::kYes, server.out());
  EXPECT_EQ(server.output(), "HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
  EXPECT_FALSE(server.codec().keep_alive());
}

TEST(Http1ServerFlow, Interims) {
  ServerUnderTest server(CodecOptions(), 0);
  server.feed(kGet);
  ResponseHeaders hints(server.arena());
  hints.status = 103;
  hints.fields.add("link", "</a>");
  hints.fields.add(Token::kContentLength, "5");
  server.codec().encode_interim(server.stream(), hints, server.out());
  EXPECT_EQ(server.output(), "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n");
  answer_bare(server, 200);
  server.output();
  server.codec().encode_interim(server.stream(), hints, server.out());  // too late
  EXPECT_EQ(server.output(), "");
}

TEST(Http1ServerFlow, Version10) {
  CodecOptions options;
  options.accept_http_10 = true;
  ServerUnderTest server(options, 0);
  server.feed("GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n");
  ResponseHeaders hints(server.arena());
  hints.status = 100;
  server.codec().encode_interim(server.stream(), hints, server.out());
  answer(server, "ok");
  EXPECT_EQ(server.output(), "HTTP/1.0 200 OK\r\ncontent-length: 2\r\nconnection: keep-alive\r\n\r\nok");
  server.feed("GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n");
  answer_bare(server, 200, End::kNo);
  buffer::Buffer data(server.memory().slabs);
  data.append_copy("until close");
  server.codec().encode_data(server.stream(), data, End::kYes, server.out());
  EXPECT_EQ(server.output(), "HTTP/1.0 200 OK\r\nconnection: close\r\n\r\nuntil close");
  EXPECT_FALSE(server.codec().keep_alive());
}

constexpr std::string_view kUpgrade =
    "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\r\n";

TEST(Http1ServerFlow, UpgradeHoldsEarlyBytes) {
  ServerUnderTest server(CodecOptions(), 0);
  EXPECT_EQ(server.feed(cat(kUpgrade, "early")), Decoded::kBlocked);
  EXPECT_EQ(server.feed(" bytes"), Decoded::kBlocked);
  EXPECT_EQ(server.transcript(),
            "request 1 GET /ws @a  HTTP/1.1 upgrade\n  connection: keep-alive, Upgrade\n  upgrade: websocket\n");
  EXPECT_FALSE(server.codec().ready());
  ResponseHeaders headers(server.arena());
  headers.status = 101;
  headers.fields.add(Token::kUpgrade, "websocket");
  headers.fields.add(Token::kConnection, "Upgrade");
  server.codec().encode_headers(server.stream(), headers, End::kNo, server.out());
  EXPECT_EQ(server.output(), "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n\r\n");
  EXPECT_TRUE(server.codec().ready());
  EXPECT_EQ(server.feed(""), Decoded::kMore);
  EXPECT_EQ(server.transcript(), "body early bytes\n");
  EXPECT_EQ(server.feed(kGet), Decoded::kMore);
  EXPECT_EQ(server.transcript(), cat("body ", kGet, "\n"));
  buffer::Buffer data(server.memory().slabs);
  data.append_copy("down");
  server.codec().encode_data(server.stream(), data, End::kNo, server.out());
  EXPECT_EQ(server.output(), "down");
}

TEST(Http1ServerFlow, ARefusedUpgradeCloses) {
  ServerUnderTest server(CodecOptions(), 0);
  server.feed(cat(kUpgrade, kGet));
  server.transcript();
  answer(server, "no", 403);
  EXPECT_EQ(server.output(), "HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\nconnection: close\r\n\r\nno");
  EXPECT_FALSE(server.codec().keep_alive());
  EXPECT_FALSE(server.codec().ready());
  server.feed("");
  EXPECT_EQ(server.transcript(), "");
}

TEST(Http1ServerFlow, UpgradesThatAreNotSeen) {
  const struct {
    std::string_view fields, body;
  } cases[] = {
      {"Upgrade: websocket\r\n", ""},
      {"Connection: upgrade\r\n", ""},
      {"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAM\r\n", ""},
      {"Connection: Upgrade\r\nUpgrade: websocket, h2c\r\n", ""},
      {"Connection: Upgrade\r\nUpgrade: websocket\r\nUpgrade: other\r\n", ""},
      {"Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 2\r\n", "ab"},
      {"Connection: Upgrade\r\nUpgrade: websocket\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"},
  };
  for (const auto& c : cases) {
    ServerUnderTest server(CodecOptions(), 200);
    server.feed(cat("GET / HTTP/1.1\r\nHost: a\r\n", c.fields, "\r\n", c.body));
    EXPECT_TRUE(server.transcript().ends_with("end\n")) << c.fields;
    EXPECT_TRUE(server.codec().keep_alive()) << c.fields;
  }
  CodecOptions off;
  off.allow_upgrade = false;
  EXPECT_TRUE(requests_of(kUpgrade, off).ends_with("end\n"));
}

TEST(Http1ServerFlow, Connect) {
  ServerUnderTest server(CodecOptions(), 0);
  server.feed("CONNECT b:1 HTTP/1.1\r\nHost: a\r\n\r\nearly");
  server.transcript();
  ResponseHeaders headers(server.arena());
  headers.status = 200;
  headers.fields.add(Token::kContentLength, "5");  // means nothing here (RFC 9110 9.3.6)
  server.codec().encode_headers(server.stream(), headers, End::kNo, server.out());
  EXPECT_EQ(server.output(), "HTTP/1.1 200 OK\r\n\r\n");
  server.feed("");
  EXPECT_EQ(server.transcript(), "body early\n");
}

TEST(Http1ServerFlow, IdleConnectionsHoldNothing) {
  ServerUnderTest server(CodecOptions(), 200);
  for (int i = 0; i < 100; ++i) {
    for (const char c : std::string_view(
             "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\na: b\r\n\r\n")) {
      server.feed({&c, 1});
    }
    server.output();
  }
  // One slab for what came in pieces, one for the output, used again and again; and arenas, which the test keeps.
  EXPECT_LE(server.memory().owner.bytes(), 4096 * (100 + 4));
}

}  // namespace
}  // namespace sluice::http::http1
