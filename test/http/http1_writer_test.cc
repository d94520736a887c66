// What the encoders write: framing, case, and that no header map makes anything but one message.
#include <gtest/gtest.h>

#include <optional>
#include <random>

#include "http/hop_by_hop.h"
#include "test/http/feeding.h"

namespace sluice::http::http1 {
namespace {

struct Writer {
  Memory memory;
  Arena arena{memory.chunks};
  CodecOptions options;
  MessageWriter writer{options};
  buffer::Buffer out{memory.slabs};

  std::string response(uint16_t status, End end, const ResponseTerms& terms = {},
                       const std::function<void(ResponseHeaders&)>& edit = {}) {
    ResponseHeaders headers(arena);
    headers.status = status;
    if (edit) edit(headers);
    writer.start();
    writer.write_response(headers, end, terms, out);
    return take();
  }
  std::string request(std::string_view method, End end, const std::function<void(RequestHeaders&)>& edit = {}) {
    RequestHeaders headers(arena);
    headers.method = method;
    headers.path = "/p";
    headers.authority = "h";
    if (edit) edit(headers);
    writer.start();
    writer.write_request(headers, end, out);
    return take();
  }
  std::string data(std::string_view bytes, End end) {
    buffer::Buffer data(memory.slabs);
    data.append_borrowed(bytes);
    writer.write_data(data, end, out);
    EXPECT_TRUE(data.empty());
    return take();
  }
  std::string take() {
    std::string text = out.to_string();
    out.clear();
    return text;
  }
};

TEST(Http1Writer, ResponseFraming) {
  Writer w;
  ResponseTerms head;
  head.to_head = true;
  ResponseTerms old;
  old.protocol = Protocol::kHttp10;
  const auto length = [](ResponseHeaders& headers) { headers.fields.add(Token::kContentLength, "7"); };
  const auto was_chunked = [](ResponseHeaders& headers) { headers.chunked = true; };
  EXPECT_EQ(w.response(200, End::kYes), "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
  EXPECT_EQ(w.response(200, End::kNo), "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
  EXPECT_EQ(w.response(200, End::kNo, {}, length), "HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n");
  EXPECT_EQ(w.response(200, End::kYes, {}, length), "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
  EXPECT_EQ(w.response(200, End::kYes, head), "HTTP/1.1 200 OK\r\n\r\n");
  EXPECT_EQ(w.response(200, End::kYes, head, length), "HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n");
  EXPECT_EQ(w.response(200, End::kYes, head, was_chunked), "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
  EXPECT_EQ(w.response(204, End::kYes, {}, length), "HTTP/1.1 204 No Content\r\n\r\n");
  EXPECT_EQ(w.response(204, End::kNo), "HTTP/1.1 204 No Content\r\n\r\n");
  EXPECT_EQ(w.response(304, End::kYes), "HTTP/1.1 304 Not Modified\r\n\r\n");
  EXPECT_EQ(w.response(304, End::kYes, {}, length), "HTTP/1.1 304 Not Modified\r\ncontent-length: 7\r\n\r\n");
  EXPECT_EQ(w.response(304, End::kNo, {}, was_chunked), "HTTP/1.1 304 Not Modified\r\n\r\n");
  EXPECT_EQ(w.response(200, End::kNo, old), "HTTP/1.0 200 OK\r\nconnection: close\r\n\r\n");
  EXPECT_EQ(w.response(200, End::kYes, old), "HTTP/1.0 200 OK\r\ncontent-length: 0\r\nconnection: keep-alive\r\n\r\n");
  EXPECT_EQ(w.response(799, End::kYes), "HTTP/1.1 799 Unknown\r\ncontent-length: 0\r\n\r\n");
  EXPECT_EQ(w.response(404, End::kYes, {}, [](ResponseHeaders& headers) { headers.reason = "Gone Fishing"; }),
            "HTTP/1.1 404 Gone Fishing\r\ncontent-length: 0\r\n\r\n");
}

TEST(Http1Writer, RequestFraming) {
  Writer w;
  const auto length = [](RequestHeaders& headers) { headers.fields.add(Token::kContentLength, "7"); };
  EXPECT_EQ(w.request("GET", End::kYes), "GET /p HTTP/1.1\r\nhost: h\r\n\r\n");
  EXPECT_EQ(w.request("POST", End::kYes), "POST /p HTTP/1.1\r\nhost: h\r\ncontent-length: 0\r\n\r\n");
  EXPECT_EQ(w.request("POST", End::kNo, length), "POST /p HTTP/1.1\r\nhost: h\r\ncontent-length: 7\r\n\r\n");
  EXPECT_EQ(w.request("GET", End::kNo), "GET /p HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n");
  EXPECT_EQ(w.request("CONNECT", End::kNo,
                      [](RequestHeaders& headers) {
                        headers.tunnel = Tunnel::kConnect;
                        headers.path = {};
                        headers.authority = "h:1";
                      }),
            "CONNECT h:1 HTTP/1.1\r\nhost: h:1\r\n\r\n");
  EXPECT_EQ(w.request("GET", End::kNo,
                      [](RequestHeaders& headers) {
                        headers.tunnel = Tunnel::kUpgrade;
                        headers.fields.add(Token::kConnection, "upgrade");
                        headers.fields.add(Token::kUpgrade, "websocket");
                      }),
            "GET /p HTTP/1.1\r\nhost: h\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n");
}

TEST(Http1Writer, Bodies) {
  Writer w;
  w.response(200, End::kNo);
  EXPECT_EQ(w.data("hello", End::kNo), "5\r\nhello\r\n");
  EXPECT_EQ(w.data("", End::kNo), "");
  EXPECT_EQ(w.data(std::string(0x1234, 'x'), End::kNo), cat("1234\r\n", std::string(0x1234, 'x'), "\r\n"));
  EXPECT_EQ(w.data("last", End::kYes), "4\r\nlast\r\n0\r\n\r\n");
  EXPECT_TRUE(w.writer.complete());
  w.response(200, End::kNo);
  EXPECT_EQ(w.data("", End::kYes), "0\r\n\r\n");
  ResponseTerms head;
  head.to_head = true;
  w.response(200, End::kNo, head);
  EXPECT_EQ(w.data("dropped", End::kYes), "");
  EXPECT_TRUE(w.writer.intact());
}

TEST(Http1Writer, LengthsAreKept) {
  Writer w;
  const auto length = [](ResponseHeaders& headers) { headers.fields.add(Token::kContentLength, "7"); };
  w.response(200, End::kNo, {}, length);
  EXPECT_EQ(w.data("1234", End::kNo), "1234");
  EXPECT_EQ(w.data("567", End::kYes), "567");
  EXPECT_TRUE(w.writer.intact());
  w.response(200, End::kNo, {}, length);
  EXPECT_EQ(w.data("12345678", End::kYes), "1234567");
  EXPECT_FALSE(w.writer.intact());
  w.response(200, End::kNo, {}, length);
  EXPECT_EQ(w.data("123", End::kYes), "123");
  EXPECT_FALSE(w.writer.intact());
}

TEST(Http1Writer, HeadAndSmallBodyAreOnePiece) {
  Writer w;
  for (const size_t bytes : {10U, 512U, 5000U, 8192U}) {
    ResponseHeaders headers(w.arena);
    headers.status = 200;
    headers.fields.set_copy(Token::kContentLength, cat(bytes));
    w.writer.start();
    w.writer.write_response(headers, End::kNo, {}, w.out);
    const std::string body(bytes, 'b');
    buffer::Buffer data(w.memory.slabs);
    data.append_borrowed(body);
    w.writer.write_data(data, End::kYes, w.out);
    EXPECT_EQ(w.out.front().size(), w.out.size()) << bytes;
    EXPECT_TRUE(w.take().ends_with("\r\n\r\n" + body));
  }
}

TEST(Http1Writer, LargeBodiesAreNotCopied) {
  Writer w;
  w.response(200, End::kNo);
  const std::string body(100'000, 'b');
  buffer::Buffer data(w.memory.slabs);
  data.append_borrowed(body);
  w.writer.write_data(data, End::kYes, w.out);
  iovec pieces[8];
  ASSERT_EQ(w.out.fragments(pieces, 8), 3U);
  EXPECT_EQ(pieces[1].iov_base, body.data());
  EXPECT_EQ(w.take(), cat("186a0\r\n", body, "\r\n0\r\n\r\n"));
}

TEST(Http1Writer, LongHeads) {
  Writer w;
  const std::string value(100'000, 'v');
  EXPECT_EQ(w.response(200, End::kYes, {}, [&](ResponseHeaders& headers) { headers.fields.add("x-long", value); }),
            cat("HTTP/1.1 200 OK\r\nx-long: ", value, "\r\ncontent-length: 0\r\n\r\n"));
}

TEST(Http1Writer, Trailers) {
  Writer w;
  w.options.enable_trailers = true;
  HeaderMap trailers(w.arena);
  trailers.add("x-t", "1");
  trailers.add(Token::kContentLength, "9");
  w.response(200, End::kNo);
  w.writer.write_trailers(trailers, w.out);
  EXPECT_EQ(w.take(), "0\r\nx-t: 1\r\n\r\n");
  w.options.enable_trailers = false;
  w.response(200, End::kNo);
  w.writer.write_trailers(trailers, w.out);
  EXPECT_EQ(w.take(), "0\r\n\r\n");
  EXPECT_TRUE(w.writer.complete());
}

TEST(Http1Writer, WhatCannotBeSaidIsLeftOut) {
  Writer w;
  const auto edit = [&](ResponseHeaders& headers) {
    headers.reason = "a\r\nb: c";
    headers.fields.add("x-a", "b\r\nset-cookie: evil");
    headers.fields.add("x-b", std::string_view("\0", 1));
    headers.fields.add("bad name", "v");
    headers.fields.add("", "v");
    headers.fields.add("x-c", "fine");
    headers.fields.add(Token::kTransferEncoding, "gzip");
    headers.fields.add(Token::kConnection, "x");
    headers.fields.add(Token::kContentLength, "5, 5");
  };
  EXPECT_EQ(w.response(200, End::kYes, {}, edit), "HTTP/1.1 200 OK\r\nx-c: fine\r\ncontent-length: 0\r\n\r\n");
  EXPECT_EQ(w.request("G T", End::kYes,
                      [](RequestHeaders& headers) {
                        headers.path = "/a b\r\n#c";
                        headers.authority = "h/x\r\n";
                        headers.fields.add(Token::kHost, "other");
                      }),
            "_G_T /a%20b%0D%0A%23c HTTP/1.1\r\nhost: h%2Fx%0D%0A\r\ncontent-length: 0\r\n\r\n");
  EXPECT_EQ(w.request("GET", End::kYes, [](RequestHeaders& headers) { headers.path = {}; }),
            "GET / HTTP/1.1\r\nhost: h\r\n\r\n");
}

TEST(Http1Writer, ProperCase) {
  Writer w;
  w.options.header_case = CodecOptions::Case::kProper;
  EXPECT_EQ(w.request("POST", End::kYes, [](RequestHeaders& headers) { headers.fields.add("x-3a_b.c-d", "v"); }),
            "POST /p HTTP/1.1\r\nHost: h\r\nX-3a_B.C-D: v\r\nContent-Length: 0\r\n\r\n");
}

// The fields of a request, encoded again.
std::string again(std::string_view wire, const CodecOptions& options,
                  const std::function<void(HeaderMap&)>& edit = {}) {
  ServerUnderTest server(options);
  server.feed(wire);
  remove_hop_by_hop(*server.request());
  if (edit) edit(server.request()->fields);
  Writer w;
  w.options = options;
  w.writer.start();
  w.writer.write_request(*server.request(), End::kYes, w.out);
  return w.take();
}

TEST(Http1Writer, PreservedCase) {
  CodecOptions options;
  options.header_case = CodecOptions::Case::kPreserve;
  EXPECT_EQ(again("GET / HTTP/1.1\r\nHOST: a\r\nX-UPPER-name: v\r\nUSER-AGENT:  w\r\nGone: x\r\n\r\n", options,
                  [](HeaderMap& fields) {
                    fields.set("x-upper-name", "changed");
                    fields.remove("gone");
                    fields.add("x-added", "y");
                  }),
            "GET / HTTP/1.1\r\nHOST: a\r\nX-UPPER-name: changed\r\nUSER-AGENT: w\r\nx-added: y\r\n\r\n");
}

TEST(Http1Writer, RunsOfUnchangedFields) {
  const std::string_view wire =
      "GET / HTTP/1.1\r\nA: 1\r\nHost: h\r\nB: 2\r\nConnection: keep-alive\r\nC: 3\r\nD:4\r\nE: 5\r\nF: 6\r\n\r\n";
  EXPECT_EQ(again(wire, {}), "GET / HTTP/1.1\r\nhost: h\r\na: 1\r\nb: 2\r\nc: 3\r\nd: 4\r\ne: 5\r\nf: 6\r\n\r\n");
  EXPECT_EQ(again(wire, {},
                  [](HeaderMap& fields) {
                    fields.set("e", "changed");
                    fields.remove("b");
                    fields.add("g", "7");
                  }),
            "GET / HTTP/1.1\r\nhost: h\r\na: 1\r\nc: 3\r\nd: 4\r\ne: changed\r\nf: 6\r\ng: 7\r\n\r\n");
}

// Whatever stands in the maps, a strict parser finds one message in what is written.
TEST(Http1Writer, AnyMapMakesOneMessage) {
  std::mt19937 random(7);  // repeatable
  const auto text = [&random] {
    constexpr std::string_view kPieces[] = {"a", "b-c", ":", " ", "\r\n",    "\n", "\t",
                                            "#", "/",   "é", ",", "chunked", "0",  "5"};
    std::string made = "x";
    for (unsigned i = random() % 4; i > 0; --i) made += kPieces[random() % std::size(kPieces)];
    return made;
  };
  for (int round = 0; round < 3000; ++round) {
    Writer w;
    RequestHeaders headers(w.arena);
    headers.method = w.arena.copy(random() % 4 != 0 ? "POST" : text());
    headers.path = w.arena.copy("/" + text());
    headers.authority = w.arena.copy(random() % 4 != 0 ? "h" : text());
    for (unsigned i = random() % 5; i > 0; --i) {
      if (random() % 3 == 0) {
        headers.fields.add(static_cast<Token>(1 + random() % (static_cast<unsigned>(Token::kCount) - 1)),
                           w.arena.copy(text()));
      } else {
        headers.fields.add(w.arena.copy(text()), w.arena.copy(text()));
      }
    }
    const End end = random() % 2 == 0 ? End::kYes : End::kNo;
    w.writer.start();
    w.writer.write_request(headers, end, w.out);
    std::string wire = w.take();
    if (end == End::kNo) {
      wire += w.data("body", End::kYes);
    }
    CodecOptions options;
    options.allow_custom_methods = true;
    ServerUnderTest server{options, 204};
    server.feed(wire + "GET /next HTTP/1.1\r\nHost: next\r\n\r\n");
    const std::string transcript = server.transcript();
    if (transcript.find("http1.connection_header_rejected") == std::string::npos) {
      EXPECT_TRUE(transcript.ends_with("request 2 GET /next @next  HTTP/1.1\nend\n")) << wire << "\n" << transcript;
    }
  }
}

}  // namespace
}  // namespace sluice::http::http1
