// What the server codec accepts and refuses: every case whole, byte by byte, and cut at every offset.
#include <gtest/gtest.h>

#include "test/http/feeding.h"

namespace sluice::http::http1 {
namespace {

using std::string_literals::operator""s;

std::string get(std::string_view fields, std::string_view target = "/") {
  return cat("GET ", target, " HTTP/1.1\r\nHost: a\r\n", fields, "\r\n");
}
std::string post(std::string_view fields, std::string_view body) {
  return cat("POST / HTTP/1.1\r\nHost: a\r\n", fields, "\r\n", body);
}

TEST(Http1Request, FieldsAndTarget) {
  EXPECT_EQ(
      requests_of("GET /a?b=c HTTP/1.1\r\nHost: x.test:81\r\nUser-Agent: Me/1\r\nX-Empty:\r\nX-Spaces: \t v w\t \r\n"
                  "Accept:*/*\r\n\r\n"),
      "request 1 GET /a?b=c @x.test:81  HTTP/1.1\n"
      "  user-agent: Me/1\n  x-empty: \n  x-spaces: v w\n  accept: */*\nend\n");
}

TEST(Http1Request, MethodsThatNobodyKnowsAreServedWhereAllAre) {
  constexpr std::string_view kBrew = "brew /pot HTTP/1.1\r\nHost: a\r\n\r\n";
  EXPECT_EQ(requests_of(kBrew), "error 1 400 http1.codec_error\n");
  EXPECT_EQ(requests_of("get / HTTP/1.1\r\nHost: a\r\n\r\n"), "error 1 400 http1.codec_error\n");
  CodecOptions options;
  options.allow_custom_methods = true;
  ServerUnderTest server{options};
  server.feed(kBrew);
  EXPECT_EQ(server.transcript(), "request 1 brew /pot @a  HTTP/1.1\nend\n");
}

TEST(Http1Request, OnlyExactLinesAreMarkedAsOnWire) {
  ServerUnderTest server{CodecOptions()};
  server.feed(get("A: 1\r\nB:2\r\nC:  3\r\nD: 4 \r\nE: \r\nF:\r\nLong-Name-Of-More-Than-Sixteen: v\r\n"));
  std::string marks;
  for (const HeaderField& field : server.request()->fields) {
    marks += field.as_on_wire ? '1' : '0';
    if (field.as_on_wire) {
      EXPECT_EQ(std::string_view(field.name_data, field.name_size + field.value_size + size_t{4}),
                cat(field.name(), ": ", field.value(), "\r\n"));
    }
  }
  EXPECT_EQ(marks, "1000101");
}

TEST(Http1Request, LowersNamesOfEveryLength) {
  for (size_t length = 1; length < 70; ++length) {
    const std::string name(length, 'X');
    EXPECT_EQ(requests_of(get(cat(name, ": VaLue\r\n"))),
              cat("request 1 GET / @a  HTTP/1.1\n  ", std::string(length, 'x'), ": VaLue\nend\n"));
  }
}

TEST(Http1Request, Forms) {
  const struct {
    std::string_view head, expected;
  } cases[] = {
      {"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "request 1 OPTIONS * @a  HTTP/1.1\nend\n"},
      {"GET http://b.test/p?q HTTP/1.1\r\nHost: a\r\n\r\n", "request 1 GET /p?q @b.test http HTTP/1.1\nend\n"},
      {"GET HTTPS://B.test:8080 HTTP/1.1\r\nHost: a\r\n\r\n", "request 1 GET / @B.test:8080 https HTTP/1.1\nend\n"},
      {"GET http://b.test?q HTTP/1.1\r\nHost: a\r\n\r\n", "request 1 GET ?q @b.test http HTTP/1.1\nend\n"},
      {"GET http://u:p@b.test/ HTTP/1.1\r\nHost: a\r\n\r\n", "request 1 GET / @b.test http HTTP/1.1\nend\n"},
      {"OPTIONS http://b.test HTTP/1.1\r\nHost: a\r\n\r\n", "request 1 OPTIONS * @b.test http HTTP/1.1\nend\n"},
      {"GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", "request 1 GET /a#b @a  HTTP/1.1\nend\n"},
      {"GET / HTTP/1.7\r\nHost: a\r\n\r\n", "request 1 GET / @a  HTTP/1.1\nend\n"},
      {"CONNECT b.test:443 HTTP/1.1\r\nHost: a\r\n\r\n", "request 1 CONNECT  @b.test:443  HTTP/1.1 connect\n"},
      {"CONNECT [::1]:443 HTTP/1.1\r\nHost: a\r\ncontent-length: 0\r\n\r\n",
       "request 1 CONNECT  @[::1]:443  HTTP/1.1 connect\n"},
      {"PROPPATCH /pot HTTP/1.1\r\nHost: a\r\n\r\n", "request 1 PROPPATCH /pot @a  HTTP/1.1\nend\n"},
      {"GET / HTTP/1.1\r\n\r\n", "request 1 GET / @  HTTP/1.1\nend\n"},
      {"GET / HTTP/1.1\r\nHost:\r\n\r\n", "request 1 GET / @  HTTP/1.1\nend\n"},
      {"\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "request 1 GET / @a  HTTP/1.1\nend\n"},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(requests_of(c.head), c.expected);
  }
}

TEST(Http1Request, RefusedStartLines) {
  const struct {
    std::string line;
    std::string_view error;
  } cases[] = {
      {"GET  / HTTP/1.1", "400 http1.codec_error"},
      {"GET / HTTP/1.1 ", "400 http1.codec_error"},
      {" GET / HTTP/1.1", "400 http1.codec_error"},
      {"GET /a b HTTP/1.1", "400 http1.codec_error"},
      {"GET /\ta HTTP/1.1", "400 http1.codec_error"},
      {"GET /\x7f HTTP/1.1", "400 http1.codec_error"},
      {"GET /\xc3\xa9 HTTP/1.1", "400 http1.codec_error"},
      {"GET /\0 HTTP/1.1"s, "400 http1.codec_error"},
      {"GET /", "400 http1.codec_error"},
      {"GET", "400 http1.codec_error"},
      {"NONSENSE", "400 http1.codec_error"},
      {"GET / HTTP/1.1x", "400 http1.codec_error"},
      {"GET / HTTP/1.10", "400 http1.codec_error"},
      {"GET / HTTP/01.1", "400 http1.codec_error"},
      {"GET / http/1.1", "400 http1.codec_error"},
      {"GET / HTTP /1.1", "400 http1.codec_error"},
      {"GET / HTTP/1.", "400 http1.codec_error"},
      {"GET / HTTP/1.0", "426 low_version"},
      {"GET / HTTP/0.9", "426 low_version"},
      {"GET / HTTP/2.0", "505 http1.codec_error"},
      {"G(T / HTTP/1.1", "400 http1.codec_error"},
      {"MMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMM / HTTP/1.1", "501 http1.codec_error"},
      {"GET nothing HTTP/1.1", "400 http1.codec_error"},
      {"GET * HTTP/1.1", "400 http1.invalid_url"},
      {"OPTIONS */x HTTP/1.1", "400 http1.codec_error"},
      {"GET a:80 HTTP/1.1", "400 http1.codec_error"},
      {"GET ://a/ HTTP/1.1", "400 http1.codec_error"},
      {"GET ftp://a/ HTTP/1.1", "400 http1.invalid_scheme"},
      {"GET http:///x HTTP/1.1", "400 http1.invalid_url"},
      {"GET http://a#@b/x HTTP/1.1", "400 http1.invalid_url"},
      {"GET http://a\\@b/x HTTP/1.1", "400 http1.invalid_url"},
      {"GET http://a:b/ HTTP/1.1", "400 http1.invalid_url"},
      {"GET http://u@v@a/ HTTP/1.1", "400 http1.invalid_url"},
      {"CONNECT a HTTP/1.1", "400 http1.codec_error"},
      {"CONNECT /x HTTP/1.1", "400 http1.codec_error"},
      {"CONNECT a: HTTP/1.1", "400 http1.codec_error"},
      {"CONNECT http://a:80/ HTTP/1.1", "400 http1.codec_error"},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(requests_of(cat(c.line, "\r\nHost: a\r\n\r\n")), cat("error 1 ", c.error, "\n")) << c.line;
  }
}

TEST(Http1Request, RefusedLines) {
  const struct {
    std::string wire;
    std::string_view error;
  } cases[] = {
      {"GET / HTTP/1.1\nHost: a\r\n\r\n", "400 http1.codec_error"},
      {"GET / HTTP/1.1\rHost: a\r\n\r\n", "400 http1.codec_error"},
      {get("a: b\n"), "400 http1.codec_error"},
      {get("a: b\r\r\n"), "400 http1.codec_error"},
      {get("a: b\rc: d\r\n"), "400 http1.codec_error"},
      {get("a: b\r\n c\r\n"), "400 http1.codec_error"},
      {get("a: b\r\n\tc: d\r\n"), "400 http1.codec_error"},
      {get("a : b\r\n"), "400 http1.codec_error"},
      {get(": b\r\n"), "400 http1.codec_error"},
      {get("nocolon\r\n"), "400 http1.codec_error"},
      {get("a b: c\r\n"), "400 http1.codec_error"},
      {get("a@b: c\r\n"), "400 http1.codec_error"},
      {get("\xe9: c\r\n"), "400 http1.codec_error"},
      {get("a\x01: c\r\n"), "400 http1.codec_error"},
      {get("a\0: c\r\n"s), "400 http1.codec_error"},
      {get("a: b\0c\r\n"s), "400 http1.invalid_characters"},
      {get("a: b\x08\r\n"), "400 http1.invalid_characters"},
      {get("a: b\x0b\r\n"), "400 http1.invalid_characters"},
      {get("a: \x7f\r\n"), "400 http1.invalid_characters"},
      {get(":path: /x\r\n"), "400 http1.codec_error"},
      {get("a: long enough to fill a block of sixteen bytes\0\r\n"s), "400 http1.invalid_characters"},
      {"\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "400 http1.codec_error"},
      {"\rGET / HTTP/1.1\r\nHost: a\r\n\r\n", "400 http1.codec_error"},
      {"\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "400 http1.codec_error"},
      {"{\"a\": 1}", "400 http1.codec_error"},
      {"\x16\x03\x01\x02", "400 http1.codec_error"},
      // The first fault counts, wherever the bytes are cut.
      {get("nocolon\r\na: \0\r\n"s), "400 http1.codec_error"},
      {get("a: \0\r\nnocolon\r\n"s), "400 http1.invalid_characters"},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(requests_of(c.wire), cat("error 1 ", c.error, "\n")) << c.wire;
  }
}

TEST(Http1Request, AFaultIsToldAtOnce) {
  const struct {
    std::string_view wire;
    size_t at;  // how many bytes it takes
  } cases[] = {{"\x16\x03\x01", 1}, {"GET / HTTP/1.1\n", 15},  {"GET / HTTP/1.1\rX", 16},
               {"G@T / ", 0},       {"FOO\r\nmore", 5},        {"GET / HTTP/1.1\r\nHost: a\r\nbad\r\nmore", 30},
               {" GET", 1},         {"GET / HTTP/1.0\r\n", 16}};
  for (const auto& c : cases) {
    ServerUnderTest server{CodecOptions()};
    size_t fed = 0;
    while (fed < c.wire.size() && server.feed(c.wire.substr(fed, 1)) != Decoded::kFailed) {
      ++fed;
    }
    EXPECT_EQ(c.at == 0 ? c.wire.size() : c.at - 1, fed) << c.wire;
  }
}

TEST(Http1Request, Hosts) {
  for (const std::string_view host : {"a", "a.test.", "a_b.test:8080", "1.2.3.4:80", "[::1]", "[2001:db8::1]:443",
                                      "[::ffff:1.2.3.4]", "a%20b", "a:", "xn--caf-dma.test"}) {
    EXPECT_EQ(requests_of(cat("GET / HTTP/1.1\r\nHost: ", host, "\r\n\r\n")),
              cat("request 1 GET / @", host, "  HTTP/1.1\nend\n"));
  }
  for (const std::string_view host :
       {"a, b",      "u@a",     "a/x",  "a#x", "a?x",    "a\\b",       "\xc3\xa4",  "a:80a",
        "a:80:81",   "a:65536", "[::1", "::1", "[::1]x", "[::1%25lo]", "[1::2::3]", "[:1]",
        "[::12345]", "a%2",     "a%zz", ":80", "[]",     "[v1.x]",     "a b"}) {
    EXPECT_EQ(requests_of(cat("GET / HTTP/1.1\r\nHost: ", host, "\r\n\r\n")), "error 1 400 http1.codec_error\n")
        << host;
  }
  EXPECT_EQ(requests_of(get("hOsT: a\r\n")), "error 1 400 http1.codec_error\n");
  EXPECT_EQ(requests_of("GET http://a/ HTTP/1.1\r\n\r\n"), "error 1 400 missing_host_header\n");
  EXPECT_EQ(requests_of("CONNECT a:80 HTTP/1.1\r\n\r\n"), "error 1 400 missing_host_header\n");
  EXPECT_EQ(requests_of("GET http://a/ HTTP/1.1\r\nHost: a/b\r\n\r\n"), "error 1 400 http1.codec_error\n");
}

TEST(Http1Request, Lengths) {
  EXPECT_EQ(requests_of(post("Content-Length: 5\r\n", "hello")),
            "request 1 POST / @a  HTTP/1.1\n  content-length: 5\nbody hello\nend\n");
  EXPECT_EQ(requests_of(post("Content-Length: 005\r\n", "hello")),
            "request 1 POST / @a  HTTP/1.1\n  content-length: 5\nbody hello\nend\n");
  EXPECT_EQ(requests_of(post("Content-Length: 000\r\n", "")),
            "request 1 POST / @a  HTTP/1.1\n  content-length: 0\nend\n");
  for (const std::string_view length : {"", "-0", "+5", "0x5", "5.0", "5a", "5;", "5, 5", "5,", "1_0", "5 5", "\"5\"",
                                        "9223372036854775808", "18446744073709551621", "99999999999999999999999"}) {
    EXPECT_EQ(requests_of(post(cat("Content-Length: ", length, "\r\n"), "hello")), "error 1 400 http1.codec_error\n")
        << length;
  }
  EXPECT_EQ(requests_of(post("Content-Length: 5\r\nContent-Length: 5\r\n", "hello")),
            "error 1 400 http1.codec_error\n");
  EXPECT_EQ(requests_of(post("Content-Length: 9223372036854775807\r\n", "hello")),
            "request 1 POST / @a  HTTP/1.1\n  content-length: 9223372036854775807\nbody hello\n");
}

TEST(Http1Request, Codings) {
  const std::string_view body = "5\r\nhello\r\n0\r\n\r\n";
  EXPECT_EQ(requests_of(post("Transfer-Encoding: chunked\r\n", body)),
            "request 1 POST / @a  HTTP/1.1\nbody hello\nend\n");
  EXPECT_EQ(requests_of(post("Transfer-Encoding:  ChUnKeD \r\n", body)),
            "request 1 POST / @a  HTTP/1.1\nbody hello\nend\n");
  for (const std::string_view coding : {"gzip, chunked", "chunked, chunked", "identity", "chunkedx", "chunked.",
                                        ", chunked", "\"chunked\"", "chunked;q=1", "", "x chunked"}) {
    EXPECT_EQ(requests_of(post(cat("Transfer-Encoding: ", coding, "\r\n"), body)),
              "error 1 501 http1.invalid_transfer_encoding\n")
        << coding;
  }
  EXPECT_EQ(requests_of(post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", body)),
            "error 1 501 http1.invalid_transfer_encoding\n");
  EXPECT_EQ(requests_of(post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", body)),
            "error 1 400 http1.content_length_and_chunked_not_allowed\n");
  EXPECT_EQ(requests_of("CONNECT a:1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"),
            "error 1 400 http1.transfer_encoding_not_allowed\n");
  EXPECT_EQ(requests_of("CONNECT a:1 HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx"),
            "error 1 400 http1.content_length_not_allowed\n");
  CodecOptions both;
  both.allow_chunked_length = true;
  EXPECT_EQ(requests_of(post("Transfer-Encoding: chunked\r\nContent-Length: 99\r\n", body), both),
            "request 1 POST / @a  HTTP/1.1\nbody hello\nend\n");
  EXPECT_EQ(requests_of(post("Transfer-Encoding: chunked\r\nContent-Length: x\r\n", body), both),
            "error 1 400 http1.codec_error\n");
}

TEST(Http1Request, Limits) {
  CodecOptions options;
  options.max_head_bytes = 100;
  options.max_fields = 4;
  const std::string head = get(cat("a: ", std::string(100 - 32, 'v'), "\r\n"));
  ASSERT_EQ(head.size(), 100U);
  EXPECT_TRUE(requests_of(head, options).starts_with("request 1 GET"));
  EXPECT_EQ(requests_of(get(cat("a: ", std::string(101 - 32, 'v'), "\r\n")), options),
            "error 1 431 http1.headers_too_large\n");
  EXPECT_EQ(requests_of("GET /" + std::string(200, 'a'), options), "error 1 431 http1.headers_too_large\n");
  EXPECT_EQ(requests_of("GET / HTTP/1.1\r\n\r", options), "");
  EXPECT_TRUE(requests_of(get("b:1\r\nc:2\r\nd:3\r\n"), options).starts_with("request 1 GET"));
  EXPECT_EQ(requests_of(get("b:1\r\nc:2\r\nd:3\r\ne:4\r\n"), options), "error 1 431 http1.too_many_headers\n");
}

TEST(Http1Request, MoreLinesThanTheTableHolds) {
  CodecOptions options;
  options.max_fields = 1000;
  std::string fields;
  std::string expected = "request 1 GET / @a  HTTP/1.1\n";
  for (int i = 0; i < 300; ++i) {
    fields += cat("X", i, ": v\r\n");
    expected += cat("  x", i, ": v\n");
  }
  EXPECT_EQ(requests_of(get(fields), options), expected + "end\n");
}

TEST(Http1Request, HeadsOfManySizes) {
  CodecOptions options;
  options.max_head_bytes = 300'000;
  for (const size_t bytes : {3'000U, 5'000U, 70'000U, 250'000U}) {
    ServerUnderTest server(options);
    const std::string wire = get(cat("a: ", std::string(bytes, 'v'), "\r\n")) + get("");
    for (size_t at = 0; at < wire.size(); at += 997) {
      server.feed(std::string_view(wire).substr(at, 997));
    }
    EXPECT_EQ(server.transcript(), cat("request 1 GET / @a  HTTP/1.1\n  a: ", std::string(bytes, 'v'),
                                       "\nend\nrequest 2 GET / @a  HTTP/1.1\nend\n"));
  }
}

TEST(Http1Request, Version10) {
  CodecOptions options;
  options.accept_http_10 = true;
  options.default_host_for_http_10 = "default.test";
  EXPECT_EQ(requests_of("GET / HTTP/1.0\r\n\r\n", options), "request 1 GET / @default.test  HTTP/1.0\nend\n");
  EXPECT_EQ(requests_of("GET / HTTP/1.0\r\nHost: a\r\n\r\n", options), "request 1 GET / @a  HTTP/1.0\nend\n");
  EXPECT_EQ(requests_of("GET http://b/ HTTP/1.0\r\n\r\n", options), "request 1 GET / @b http HTTP/1.0\nend\n");
  EXPECT_EQ(requests_of("POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", options),
            "error 1 400 http1.transfer_encoding_not_allowed\n");
  // Closed unless it asks for more; an upgrade is not seen.
  EXPECT_EQ(requests_of("GET / HTTP/1.0\r\nHost: a\r\n\r\nGET / HTTP/1.0\r\nHost: a\r\n\r\n", options),
            "request 1 GET / @a  HTTP/1.0\nend\n");
  EXPECT_EQ(requests_of("GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\nGET / HTTP/1.0\r\nHost: a\r\n\r\n",
                        options),
            "request 1 GET / @a  HTTP/1.0\n  connection: keep-alive\nend\nrequest 2 GET / @a  HTTP/1.0\nend\n");
  EXPECT_EQ(requests_of("GET / HTTP/1.0\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n", options),
            "request 1 GET / @a  HTTP/1.0\n  connection: upgrade\n  upgrade: x\nend\n");
}

TEST(Http1Request, AbsoluteTargetsOff) {
  CodecOptions options;
  options.allow_absolute_url = false;
  EXPECT_EQ(requests_of("GET http://b.test/p HTTP/1.1\r\nHost: a\r\n\r\n", options),
            "request 1 GET http://b.test/p @a  HTTP/1.1\nend\n");
}

TEST(Http1Request, Underscores) {
  CodecOptions options;
  options.underscores = CodecOptions::Underscores::kReject;
  EXPECT_EQ(requests_of(get("a_b: c\r\n"), options), "error 1 400 http1.unexpected_underscore\n");
  EXPECT_EQ(requests_of(get("a: b_c\r\n", "/a_b"), options), "request 1 GET /a_b @a  HTTP/1.1\n  a: b_c\nend\n");
  options.underscores = CodecOptions::Underscores::kDrop;
  EXPECT_EQ(requests_of(get("a_b: c\r\nd: e\r\ncontent_length: 5\r\n"), options),
            "request 1 GET / @a  HTTP/1.1\n  d: e\nend\n");
  ServerUnderTest server(options);
  server.feed(get("a_b: c\r\nd_: e\r\n"));
  EXPECT_EQ(server.request()->dropped_fields, 2);
}

TEST(Http1Request, NamedByConnection) {
  EXPECT_EQ(requests_of(get("Connection: X-Foo, close\r\nX-Foo: 1\r\nx-bar: 2\r\n")),
            "request 1 GET / @a  HTTP/1.1\n  connection: X-Foo, close\n  x-bar: 2\nend\n");
  EXPECT_EQ(requests_of(get("Connection: x-forwarded-for\r\n")), "error 1 400 http1.connection_header_rejected\n");
  EXPECT_EQ(requests_of(get("Connection: a,b,c,d,e,f,g,h,i,j\r\n")), "error 1 400 http1.connection_header_rejected\n");
  EXPECT_EQ(requests_of(get("Connection: host\r\n")), "request 1 GET / @  HTTP/1.1\n  connection: host\nend\n");
  EXPECT_EQ(requests_of(post("Connection: content-length\r\nContent-Length: 2\r\n", "ab")),
            "request 1 POST / @a  HTTP/1.1\n  connection: content-length\n  content-length: 2\nbody ab\nend\n");
}

}  // namespace
}  // namespace sluice::http::http1
