// The chunked coding and trailer sections, in requests; responses go through the same reader.
#include <gtest/gtest.h>

#include "test/http/feeding.h"

namespace sluice::http::http1 {
namespace {

using std::string_literals::operator""s;

constexpr std::string_view kHead = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
constexpr std::string_view kSeen = "request 1 POST / @a  HTTP/1.1\n";

std::string chunked(std::string_view body, const CodecOptions& options = {}) {
  std::string transcript = requests_of(cat(kHead, body), options);
  EXPECT_TRUE(transcript.starts_with(kSeen));
  return transcript.substr(kSeen.size());
}

TEST(Http1Chunked, Accepted) {
  const struct {
    std::string_view body, expected;
  } cases[] = {
      {"0\r\n\r\n", "end\n"},
      {"5\r\nhello\r\n0\r\n\r\n", "body hello\nend\n"},
      {"3\r\nhel\r\n2\r\nlo\r\n000\r\n\r\n", "body hello\nend\n"},
      {"A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n", "body 01234567890123456789\nend\n"},
      {"0000000000000005\r\nhello\r\n0\r\n\r\n", "body hello\nend\n"},
      {"5;name=value\r\nhello\r\n0;last\r\n\r\n", "body hello\nend\n"},
      {"5;n=\"a \\\" b;c\"\r\nhello\r\n0\r\n\r\n", "body hello\nend\n"},
      {"5 ; a = b ;c\r\nhello\r\n0\r\n\r\n", "body hello\nend\n"},
      {"5\t;a=\"\";b\r\nhello\r\n0\r\n\r\n", "body hello\nend\n"},
      {"2\r\n\r\n\r\n0\r\n\r\n", "body \r\n\nend\n"},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(chunked(c.body), c.expected) << c.body;
  }
}

TEST(Http1Chunked, Refused) {
  const struct {
    std::string body;
    std::string_view seen;
  } cases[] = {
      {"\r\n", ""},
      {"g\r\n", ""},
      {" 5\r\nhello", ""},
      {"5 \r\nhello", ""},
      {"5\t\r\nhello", ""},
      {"+5\r\nhello", ""},
      {"-0\r\n", ""},
      {"0x5\r\nhello", ""},
      {"0_5\r\nhello", ""},
      {"5\nhello", ""},
      {"5\r\rhello", ""},
      {"5;\r\nhello", ""},
      {"5;a=\r\nhello", ""},
      {"5;=b\r\nhello", ""},
      {"5;a b\r\nhello", ""},
      {"5;a=\"b\r\nhello", ""},
      {"5;a=\"b\"c\r\nhello", ""},
      {"5;a\nb\r\nhello", ""},
      {"5;a\0b\r\nhello"s, ""},
      {"5;a=\"\0\"\r\nhello"s, ""},
      {"\xef\xbc\x95\r\nhello", ""},
      {"00000000000000005\r\nhello", ""},
      {"10000000000000005\r\nhello", ""},
      {"FFFFFFFFFFFFFFFB\r\nhello", ""},
      {"8000000000000000\r\nhello", ""},
      {"5\r\nhello0\r\n", "body hello\n"},
      {"5\r\nhello\n0\r\n", "body hello\n"},
      {"5\r\nhello\r0\r\n", "body hello\n"},
      {"5\r\nhello!\r\n", "body hello\n"},
      {"5\r\nhello\r\n0\n\n", "body hello\n"},
      {"5\r\nhello\r\n0\r\n\n", "body hello\n"},
      {"5\r\nhello\r\n0\r\n\rX", "body hello\n"},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(chunked(c.body), cat(c.seen, "error 1 400 http1.codec_error\n")) << c.body;
  }
}

TEST(Http1Chunked, TheLargestSizeNeverCompletes) {
  EXPECT_EQ(chunked("7FFFFFFFFFFFFFFF\r\nhello"), "body hello\n");
}

TEST(Http1Chunked, ExtensionsAreBounded) {
  const std::string long_one = cat("5;", std::string(20'000, 'a'));
  EXPECT_EQ(chunked(long_one), "error 1 400 http1.codec_error\n");
  std::string many;
  for (int i = 0; i < 200; ++i) {
    many += cat("1;", std::string(200, 'x'), "\r\na\r\n");
  }
  EXPECT_TRUE(chunked(many).ends_with("error 1 400 http1.codec_error\n"));
  // Extensions that are small against their data are none of our business, however many.
  std::string fair;
  for (int i = 0; i < 200; ++i) {
    fair += cat("c8;", std::string(200, 'x'), "\r\n", std::string(200, 'a'), "\r\n");
  }
  EXPECT_TRUE(chunked(fair + "0\r\n\r\n").ends_with("\nend\n"));
  // Nor are small chunks.
  std::string small;
  for (int i = 0; i < 5000; ++i) {
    small += "1\r\na\r\n";
  }
  EXPECT_TRUE(chunked(small + "0\r\n\r\n").ends_with("\nend\n"));
}

TEST(Http1Trailers, DroppedUnlessAskedFor) {
  EXPECT_EQ(chunked("5\r\nhello\r\n0\r\nX-T: 1\r\n\r\n"), "body hello\nend\n");
  CodecOptions on;
  on.enable_trailers = true;
  EXPECT_EQ(chunked("5\r\nhello\r\n0\r\nX-T: 1\r\nGrpc-Status:0\r\n\r\n", on),
            "body hello\ntrailers\n  x-t: 1\n  grpc-status: 0\nend\n");
  EXPECT_EQ(chunked("5\r\nhello\r\n0\r\n\r\n", on), "body hello\nend\n");
}

TEST(Http1Trailers, FieldsThatFrameOrRouteNeverPass) {
  CodecOptions on;
  on.enable_trailers = true;
  EXPECT_EQ(chunked("0\r\nContent-Length: 5\r\nTransfer-Encoding: gzip\r\nHost: b\r\nAuthorization: x\r\nTE: x\r\n"
                    "Connection: x\r\nTrailer: x\r\nX-T: 1\r\n\r\n", on),
            "trailers\n  x-t: 1\nend\n");
  EXPECT_EQ(chunked("0\r\nContent-Length: x\r\n\r\n", on), "end\n");
}

TEST(Http1Trailers, Refused) {
  CodecOptions on;
  on.enable_trailers = true;
  for (const CodecOptions& options : {CodecOptions(), on}) {
    for (const std::string_view line : {"X-T : 1\r\n", "nocolon\r\n", ": x\r\n", "X: a\n", "X: a\r\n b\r\n", " X: a\r\n",
                                        "X\x01: a\r\n", "X: a\r\r\n"}) {
      EXPECT_EQ(chunked(cat("0\r\n", line, "\r\n"), options), "error 1 400 http1.codec_error\n") << line;
    }
    EXPECT_EQ(chunked("0\r\nX: \0\r\n\r\n"s, options), "error 1 400 http1.invalid_characters\n");
  }
}

TEST(Http1Trailers, Limits) {
  CodecOptions options;
  options.max_head_bytes = 100;
  options.max_fields = 3;
  EXPECT_EQ(chunked(cat("0\r\nX: ", std::string(93, 'a'), "\r\n\r\n"), options), "end\n");
  EXPECT_EQ(chunked(cat("0\r\nX: ", std::string(94, 'a'), "\r\n\r\n"), options), "error 1 431 http1.headers_too_large\n");
  EXPECT_EQ(chunked("0\r\na:1\r\nb:2\r\nc:3\r\nd:4\r\n\r\n", options), "error 1 431 http1.too_many_headers\n");
}

TEST(Http1Chunked, ThenTheNextRequest) {
  EXPECT_EQ(requests_of(cat(kHead, "5\r\nhello\r\n0\r\n\r\n\r\nGET /next HTTP/1.1\r\nHost: b\r\n\r\n")),
            cat(kSeen, "body hello\nend\nrequest 2 GET /next @b  HTTP/1.1\nend\n"));
}

}  // namespace
}  // namespace sluice::http::http1
