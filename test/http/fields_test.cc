// Tokens, header maps, messages, authorities, hop-by-hop fields.
#include <gtest/gtest.h>

#include "base/strings.h"
#include "http/authority.h"
#include "http/chars.h"
#include "http/hop_by_hop.h"
#include "http/message.h"

namespace sluice::http {
namespace {

struct FieldsTest : testing::Test {
  Owner owner{"test"};
  ChunkPool chunks{owner};
  Arena arena{chunks};
  HeaderMap map{arena};

  static std::string text(const HeaderMap& fields) {
    std::string out;
    for (const HeaderField& field : fields) append(out, field.name(), "=", field.value(), ";");
    return out;
  }
};

TEST(TokenTest, EveryNameIsFound) {
  for (int i = 1; i < static_cast<int>(Token::kCount); ++i) {
    const auto token = static_cast<Token>(i);
    EXPECT_EQ(token_of(name_of(token)), token) << name_of(token);
    EXPECT_EQ(token_of(cat(name_of(token), "x")), Token::kNone);
    EXPECT_EQ(token_of(name_of(token).substr(1)) == token, false);
    std::string other(name_of(token));
    other[other.size() / 2] = '!';
    EXPECT_EQ(token_of(other), Token::kNone);
  }
  EXPECT_EQ(token_of(""), Token::kNone);
  EXPECT_EQ(token_of("Host"), Token::kNone);
  EXPECT_EQ(token_of(std::string(100'000, 'a')), Token::kNone);
  EXPECT_EQ(name_of(Token::kNone), "");
}

TEST_F(FieldsTest, FindAndCount) {
  map.add("x-a", "1");
  map.add(Token::kCookie, "c=1");
  map.add("x-a", "2");
  map.add("cookie", "d=2");
  EXPECT_EQ(map.get("x-a"), "1");
  EXPECT_EQ(map.get(Token::kCookie), "c=1");
  EXPECT_EQ(map.get("cookie"), "c=1");
  EXPECT_EQ(map.count("x-a"), 2U);
  EXPECT_EQ(map.count(Token::kCookie), 2U);
  EXPECT_EQ(map.count(Token::kHost), 0U);
  EXPECT_EQ(map.find(Token::kHost), nullptr);
  EXPECT_EQ(map.find("x-b"), nullptr);
  EXPECT_EQ(map.get("x-b").data(), nullptr);
  map.add("x-empty", "");
  EXPECT_NE(map.get("x-empty").data(), nullptr);
  EXPECT_EQ(map.byte_size(), 3U + 1 + 6 + 3 + 3 + 1 + 6 + 3 + 7);
}

TEST_F(FieldsTest, SetKeepsTheFirstPlace) {
  map.add("a", "1");
  map.add("b", "2");
  map.add("a", "3");
  map.set("a", "4");
  EXPECT_EQ(text(map), "a=4;b=2;");
  map.set("c", "5");
  map.set_copy(Token::kHost, std::string("h"));
  EXPECT_EQ(text(map), "a=4;b=2;c=5;host=h;");
}

TEST_F(FieldsTest, Remove) {
  map.add("a", "1");
  map.add(Token::kTe, "x");
  map.add("a", "2");
  map.add("b", "3");
  EXPECT_EQ(map.remove("a"), 2U);
  EXPECT_EQ(map.remove("a"), 0U);
  EXPECT_EQ(map.remove(Token::kTe), 1U);
  EXPECT_FALSE(map.has(Token::kTe));
  EXPECT_EQ(text(map), "b=3;");
  map.add(Token::kTe, "y");
  EXPECT_TRUE(map.has(Token::kTe));
}

TEST_F(FieldsTest, AppendValue) {
  map.append_value(Token::kXForwardedFor, "1.1.1.1");
  map.append_value(Token::kXForwardedFor, "2.2.2.2");
  map.append_value(Token::kVia, "a");
  map.append_value(Token::kVia, "b", ", ");
  EXPECT_EQ(text(map), "x-forwarded-for=1.1.1.1,2.2.2.2;via=a, b;");
  map.add(Token::kVary, "");
  map.append_value(Token::kVary, "origin");
  EXPECT_EQ(map.get(Token::kVary), "origin");
}

TEST_F(FieldsTest, GrowsAndKeepsItsFields) {
  for (int i = 0; i < 500; ++i) map.add_copy(cat("x", i), cat(i));
  EXPECT_EQ(map.size(), 500U);
  EXPECT_EQ(map.get("x0"), "0");
  EXPECT_EQ(map.get("x499"), "499");
}

TEST_F(FieldsTest, PseudoHeaders) {
  RequestHeaders request(arena);
  EXPECT_EQ(request.get(":path").data(), nullptr);
  EXPECT_FALSE(request.has("host"));
  request.method = "GET";
  request.path = "/p";
  request.authority = "a";
  request.scheme = "http";
  request.fields.add("x", "y");
  EXPECT_EQ(request.get(":method"), "GET");
  EXPECT_EQ(request.get(":path"), "/p");
  EXPECT_EQ(request.get(":authority"), "a");
  EXPECT_EQ(request.get("host"), "a");
  EXPECT_EQ(request.get(":scheme"), "http");
  EXPECT_EQ(request.get("x"), "y");
  EXPECT_FALSE(request.has(":other"));
  ResponseHeaders response(arena);
  EXPECT_EQ(response.get(":status").data(), nullptr);
  response.status = 404;
  EXPECT_EQ(response.get(":status"), "404");
  EXPECT_EQ(reason_phrase(404), "Not Found");
  EXPECT_EQ(reason_phrase(299), "Unknown");
  EXPECT_EQ(name_of(Protocol::kHttp10), "HTTP/1.0");
}

TEST(CharsTest, FieldValues) {
  for (int length = 1; length < 40; ++length) {
    for (int bad = 0; bad < length; ++bad) {
      std::string value(static_cast<size_t>(length), 'v');
      EXPECT_TRUE(is_field_value(value));
      EXPECT_TRUE(is_request_target(value));
      for (const char c : {'\0', '\n', '\r', '\x1f', '\x7f'}) {
        value[static_cast<size_t>(bad)] = c;
        EXPECT_FALSE(is_field_value(value));
        EXPECT_FALSE(is_request_target(value));
      }
      for (const char c : {'\t', ' ', '\x80', '\xff'}) {
        value[static_cast<size_t>(bad)] = c;
        EXPECT_TRUE(is_field_value(value));
        EXPECT_FALSE(is_request_target(value));
      }
    }
  }
  EXPECT_TRUE(is_field_value(""));
  EXPECT_FALSE(is_request_target(""));
  EXPECT_FALSE(is_token(""));
}

TEST(AuthorityTest, Ipv6) {
  for (const std::string_view good : {"::", "::1", "1::", "1:2:3:4:5:6:7:8", "1:2:3::7:8", "::ffff:1.2.3.4", "1:2:3:4:5:6:1.2.3.4"}) {
    EXPECT_TRUE(is_ipv6_address(good)) << good;
  }
  for (const std::string_view bad : {"", ":", ":::", "1", "1:2", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7::8", "1::2::3", "g::", "1:",
                                     "12345::", "::1.2.3", "::1.2.3.4.5", "::256.1.1.1", "1:2:3:4:5:6:7:1.2.3.4", "::1.2.3.4:5"}) {
    EXPECT_FALSE(is_ipv6_address(bad)) << bad;
  }
}

TEST_F(FieldsTest, HopByHopOfRequests) {
  RequestHeaders request(arena);
  request.fields.add(Token::kConnection, "x-drop, keep-alive");
  request.fields.add("x-drop", "v");
  request.fields.add(Token::kKeepAlive, "timeout=5");
  request.fields.add(Token::kConnection, "X-Also, , te");
  request.fields.add("x-also", "v");
  request.fields.add(Token::kTe, "gzip, Trailers;q=1");
  request.fields.add(Token::kTe, "trailers, deflate");
  request.fields.add(Token::kProxyConnection, "keep-alive");
  request.fields.add(Token::kUpgrade, "websocket");
  request.fields.add("x-kept", "v");
  EXPECT_TRUE(remove_nominated(request));
  remove_hop_by_hop(request);
  EXPECT_EQ(text(request.fields), "te=trailers;x-kept=v;");
}

TEST_F(FieldsTest, HopByHopOfUpgrades) {
  RequestHeaders request(arena);
  request.tunnel = Tunnel::kUpgrade;
  request.fields.add(Token::kConnection, "Upgrade");
  request.fields.add(Token::kUpgrade, "websocket");
  remove_hop_by_hop(request);
  EXPECT_EQ(text(request.fields), "connection=Upgrade;upgrade=websocket;");
  request.fields.set(Token::kConnection, "keep-alive, Upgrade");
  remove_hop_by_hop(request);
  EXPECT_EQ(text(request.fields), "connection=upgrade;upgrade=websocket;");
}

TEST_F(FieldsTest, HopByHopOfResponses) {
  ResponseHeaders response(arena);
  response.status = 200;
  response.fields.add(Token::kConnection, "x-named, content-length");
  response.fields.add("x-named", "v");
  response.fields.add(Token::kContentLength, "5");
  response.fields.add(Token::kKeepAlive, "timeout=5");
  response.fields.add(Token::kUpgrade, "h2c");
  remove_hop_by_hop(response);
  EXPECT_EQ(text(response.fields), "content-length=5;");
  response.fields.add(Token::kUpgrade, "x");
  response.status = 426;
  remove_hop_by_hop(response);
  EXPECT_EQ(text(response.fields), "content-length=5;upgrade=x;");
}

}  // namespace
}  // namespace sluice::http
