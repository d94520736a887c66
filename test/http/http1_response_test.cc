// What the client codec accepts and refuses: every case whole, byte by byte, and cut at every offset.
#include <gtest/gtest.h>

#include "test/http/feeding.h"

namespace sluice::http::http1 {
namespace {

using std::string_literals::operator""s;

TEST(Http1Response, Framings) {
  const struct {
    std::string_view wire, expected;
  } cases[] = {
      {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
       "response 1 200 OK HTTP/1.1\n  content-length: 5\nbody hello\nend\n"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
       "response 1 200 OK HTTP/1.1 chunked\nbody hello\nend\n"},
      {"HTTP/1.1 200 OK\r\n\r\nhello", "response 1 200 OK HTTP/1.1\nbody hello\n"},
      {"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", "response 1 200 OK HTTP/1.0\n  content-length: 0\nend\n"},
      {"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", "response 1 204 No Content HTTP/1.1\n  content-length: 5\nend\n"},
      {"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
       "response 1 304 Not Modified HTTP/1.1\n  content-length: 5\nend\n"},
      {"HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", "response 1 200  HTTP/1.1\n  content-length: 0\nend\n"},
      {"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", "response 1 200  HTTP/1.1\n  content-length: 0\nend\n"},
      {"HTTP/1.5 299 Se\xc3\xa9n\t!\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
       "response 1 299 Se\xc3\xa9n\t! HTTP/1.1\n  host: x\n  content-length: 0\nend\n"},
      {"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
       "interim 1 103 Early Hints HTTP/1.1\n  link: </a>\ninterim 1 100 Continue HTTP/1.1\n"
       "response 1 200 OK HTTP/1.1\n  content-length: 0\nend\n"},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(response_of(c.wire), c.expected) << c.wire;
  }
}

TEST(Http1Response, ToHead) {
  EXPECT_EQ(response_of("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "HEAD"),
            "response 1 200 OK HTTP/1.1\n  content-length: 5\nend\n");
  EXPECT_EQ(response_of("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "HEAD"),
            "response 1 200 OK HTTP/1.1 chunked\nend\n");
  EXPECT_EQ(response_of("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "HEAD"),
            "response 1 200 OK HTTP/1.1\n  content-length: 5\nend\nerror 0 400 http1.unsolicited_response\n");
}

TEST(Http1Response, RefusedStatusLines) {
  for (const std::string& line :
       {"HTTP/1.1 20 OK"s, "HTTP/1.1 2000 OK"s, "HTTP/1.1"s, "HTTP/1.1 -20 OK"s, "http/1.1 200 OK"s, "HTTP/1.1 +20 OK"s,
        "HTTP/ 200 OK"s, "HTTP/2.0 200 OK"s, "HTTP/1.1 600 X"s, "HTTP/1.1 099 X"s, "HTTP/1.1  200 OK"s, "HTTP/1.1 200OK"s,
        "HTTP/1.10 200 OK"s, "HTTP/1.1 200 O\rK"s, "HTTP/1.1 200 O\0K"s, "hello there"s, " HTTP/1.1 200 OK"s,
        "\r\nHTTP/1.1 200 OK"s, "HTTP/1.1\t200 OK"s, "\nHTTP/1.1 200 OK"s}) {
    EXPECT_EQ(response_of(line + "\r\nContent-Length: 0\r\n\r\n"), "error 1 502 http1.codec_error\n") << line;
  }
}

TEST(Http1Response, RefusedFraming) {
  const struct {
    std::string_view head, details;
  } cases[] = {
      {"Content-Length: 5\r\nContent-Length: 5\r\n", "http1.codec_error"},
      {"Content-Length: 5\r\nContent-Length: 6\r\n", "http1.codec_error"},
      {"Content-Length: +5\r\n", "http1.codec_error"},
      {"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "http1.content_length_and_chunked_not_allowed"},
      {"Transfer-Encoding: gzip\r\n", "http1.invalid_transfer_encoding"},
      {"Transfer-Encoding: chunked, chunked\r\n", "http1.invalid_transfer_encoding"},
      {"bad header: v\r\n", "http1.codec_error"},
      {"a: b\r\n c\r\n", "http1.codec_error"},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(response_of(cat("HTTP/1.1 200 OK\r\n", c.head, "\r\n")), cat("error 1 502 ", c.details, "\n")) << c.head;
  }
  EXPECT_EQ(response_of("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
            "error 1 502 http1.transfer_encoding_not_allowed\n");
  EXPECT_EQ(response_of("HTTP/1.1 100 Continue\r\nContent-Length: 5\r\n\r\nhello"),
            "error 1 502 http1.content_length_not_allowed\n");
}

TEST(Http1Response, BytesBehindTheEndSpoilTheConnection) {
  const std::string_view wire = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n";
  EXPECT_EQ(response_of(wire), "response 1 200 OK HTTP/1.1\n  content-length: 2\nbody ok\nend\n"
                               "error 0 400 http1.unsolicited_response\n");
  EXPECT_EQ(response_of("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n\r\n"),
            "response 1 200 OK HTTP/1.1 chunked\nend\nerror 0 400 http1.unsolicited_response\n");
  ClientUnderTest client{CodecOptions()};
  EXPECT_TRUE(client.codec().reusable());
  EXPECT_EQ(client.feed("H"), Decoded::kFailed);  // before any request
  EXPECT_EQ(client.transcript(), "error 0 400 http1.unsolicited_response\n");
  EXPECT_FALSE(client.codec().reusable());
}

TEST(Http1Response, Reuse) {
  const struct {
    std::string_view wire;
    bool reusable;
  } cases[] = {
      {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", true},
      {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", false},
      {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: x\r\nConnection: keep-alive, Close\r\n\r\n", false},
      {"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", false},
      {"HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: Keep-Alive\r\n\r\n", true},
      {"HTTP/1.1 200 OK\r\n\r\n", false},
      {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n", false},
      {"HTTP/1.1 204 No Content\r\n\r\n", true},
      {"HTTP/1.1 100 Continue\r\n\r\n", false},
  };
  for (const auto& c : cases) {
    ClientUnderTest client{CodecOptions()};
    client.send("GET");
    EXPECT_FALSE(client.codec().reusable());
    client.feed(c.wire);
    EXPECT_EQ(client.codec().reusable(), c.reusable) << c.wire;
  }
}

TEST(Http1Response, ManyOnOneConnection) {
  ClientUnderTest client{CodecOptions()};
  for (StreamId i = 1; i <= 5; ++i) {
    ASSERT_TRUE(client.codec().reusable());
    EXPECT_EQ(client.send("GET"), i);
    EXPECT_EQ(client.feed("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"), Decoded::kMore);
    EXPECT_EQ(client.transcript(), cat("response ", i, " 200 OK HTTP/1.1\n  content-length: 2\nbody ok\nend\n"));
  }
}

TEST(Http1Response, EndOfConnection) {
  const struct {
    std::string_view wire, transcript;
  } cases[] = {
      {"", "error 1 502 http1.cut_short\n"},
      {"HTTP/1.1 2", "error 1 502 http1.cut_short\n"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe",
       "response 1 200 OK HTTP/1.1\n  content-length: 5\nbody he\nerror 1 502 http1.cut_short\n"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n",
       "response 1 200 OK HTTP/1.1 chunked\nbody he\nerror 1 502 http1.cut_short\n"},
      {"HTTP/1.1 200 OK\r\n\r\nhe", "response 1 200 OK HTTP/1.1\nbody he\nend\n"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "response 1 200 OK HTTP/1.1\n  content-length: 0\nend\n"},
  };
  for (const auto& c : cases) {
    ClientUnderTest client{CodecOptions()};
    client.send("GET");
    client.feed(c.wire);
    client.codec().decode_eof();
    EXPECT_EQ(client.transcript(), c.transcript) << c.wire;
  }
}

TEST(Http1Response, Upgrades) {
  constexpr std::string_view k101 = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\n\r\nraw";
  EXPECT_EQ(response_of(k101, "GET", {}, "websocket"),
            "response 1 101 Switching Protocols HTTP/1.1\n  connection: Upgrade\n  upgrade: WebSocket\nbody raw\n");
  EXPECT_EQ(response_of(k101, "GET", {}, "other, websocket").substr(0, 14), "response 1 101");
  EXPECT_EQ(response_of(k101), "error 1 502 http1.unsolicited_response\n");
  EXPECT_EQ(response_of(k101, "GET", {}, "other"), "error 1 502 http1.unsolicited_response\n");
  EXPECT_EQ(response_of("HTTP/1.1 101 x\r\n\r\n", "GET", {}, "websocket"), "error 1 502 http1.unsolicited_response\n");
  EXPECT_EQ(response_of("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "GET", {}, "websocket"),
            "response 1 200 OK HTTP/1.1\n  content-length: 2\nbody ok\nend\n");
}

TEST(Http1Response, Connect) {
  EXPECT_EQ(response_of("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nraw bytes", "CONNECT"),
            "response 1 200 OK HTTP/1.1\n  content-length: 2\nbody raw bytes\n");
  EXPECT_EQ(response_of("HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno", "CONNECT"),
            "response 1 403 No HTTP/1.1\n  content-length: 2\nbody no\nend\n");
}

TEST(Http1Response, TunnelBytesWaitForTheAnswer) {
  ClientUnderTest client{CodecOptions()};
  const StreamId stream = client.send("GET", "websocket");
  client.output();
  buffer::Buffer early(client.memory().slabs);
  early.append_copy("early");
  client.codec().encode_data(stream, early, End::kNo, client.out());
  EXPECT_EQ(client.output(), "");
  EXPECT_EQ(early.to_string(), "early");
  client.feed("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n");
  client.codec().encode_data(stream, early, End::kNo, client.out());
  EXPECT_EQ(client.output(), "early");
  EXPECT_FALSE(client.codec().reusable());
  client.transcript();
  client.codec().decode_eof();
  EXPECT_EQ(client.transcript(), "end\n");
}

TEST(Http1Response, InterimsAreBounded) {
  ClientUnderTest client{CodecOptions()};
  client.send("GET");
  Decoded decoded = Decoded::kMore;
  int fed = 0;
  while (decoded == Decoded::kMore && fed < 100'000) {
    decoded = client.feed("HTTP/1.1 102 Processing\r\n\r\n");
    ++fed;
  }
  EXPECT_EQ(decoded, Decoded::kFailed);
  EXPECT_LE(fed, 3000);
  EXPECT_TRUE(client.transcript().ends_with("error 1 502 http1.too_many_interim_responses\n"));
}

TEST(Http1Response, ResetEndsTheEvents) {
  ClientUnderTest client{CodecOptions()};
  const StreamId stream = client.send("GET");
  client.feed("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe");
  client.transcript();
  client.codec().reset(stream, client.out());
  EXPECT_EQ(client.feed("llo and more"), Decoded::kMore);
  client.codec().decode_eof();
  EXPECT_EQ(client.transcript(), "");
  EXPECT_FALSE(client.codec().reusable());
}

}  // namespace
}  // namespace sluice::http::http1
