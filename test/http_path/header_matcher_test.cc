// Header matchers and cookies. The expectations are what Envoy was seen to do (routing/header_*, routing/cookies).
#include "http/header_matcher.h"

#include <gtest/gtest.h>

#include "http/cookies.h"

namespace sluice::http {
namespace {

using Invert = HeaderMatcher::Invert;
using Missing = HeaderMatcher::Missing;
using match::StringMatcher;

class HeaderMatcherTest : public ::testing::Test {
 protected:
  RequestHeaders& request(std::initializer_list<std::pair<std::string_view, std::string_view>> fields) {
    auto& headers = *arena_.create<RequestHeaders>(arena_);
    headers.method = "GET";
    headers.path = "/p?v=2";
    headers.authority = "Example.test";
    headers.scheme = "http";
    for (const auto& [name, value] : fields) headers.fields.add_copy(name, value);
    return headers;
  }

  Owner owner_{"test"};
  ChunkPool pool_{owner_};
  Arena arena_{pool_};
};

TEST_F(HeaderMatcherTest, ComparesEachLineAlone) {
  const HeaderMatcher a("X-K", StringMatcher::exact("a"));
  EXPECT_TRUE(a.matches(request({{"x-k", "a"}, {"x-k", "b"}})));
  EXPECT_TRUE(a.matches(request({{"x-k", "b"}, {"x-k", "a"}})));
  EXPECT_FALSE(a.matches(request({{"x-k", "a,b"}})));
  EXPECT_FALSE(HeaderMatcher("x-k", StringMatcher::exact("a,b")).matches(request({{"x-k", "a"}, {"x-k", "b"}})));
}

TEST_F(HeaderMatcherTest, InvertedMeansThatNoLineMatches) {
  const HeaderMatcher not_a("x-k", StringMatcher::exact("a"), Invert::kYes);
  EXPECT_FALSE(not_a.matches(request({{"x-k", "a"}, {"x-k", "b"}})));
  EXPECT_FALSE(not_a.matches(request({{"x-k", "b"}, {"x-k", "a"}})));
  EXPECT_TRUE(not_a.matches(request({{"x-k", "b"}, {"x-k", "c"}})));
}

TEST_F(HeaderMatcherTest, AMissingHeaderFailsEveryConditionOnItsValue) {
  EXPECT_FALSE(HeaderMatcher("x-k", StringMatcher::exact("a")).matches(request({})));
  EXPECT_FALSE(HeaderMatcher("x-k", StringMatcher::exact("a"), Invert::kYes).matches(request({})));
  EXPECT_FALSE(HeaderMatcher("x-k", match::IntegerRange{0, 9}, Invert::kYes).matches(request({})));
}

TEST_F(HeaderMatcherTest, OnlyPresenceIsInvertedToAbsence) {
  const HeaderMatcher present("x-k", HeaderMatcher::Present{});
  const HeaderMatcher absent("x-k", HeaderMatcher::Present{}, Invert::kYes);
  EXPECT_FALSE(present.matches(request({})));
  EXPECT_TRUE(present.matches(request({{"x-k", ""}})));
  EXPECT_TRUE(absent.matches(request({})));
  EXPECT_FALSE(absent.matches(request({{"x-k", ""}})));
}

TEST_F(HeaderMatcherTest, MissingMayCountAsEmpty) {
  const auto empty = Missing::kIsEmpty;
  EXPECT_TRUE(HeaderMatcher("x-k", StringMatcher::exact("a"), Invert::kYes, empty).matches(request({})));
  EXPECT_FALSE(HeaderMatcher("x-k", StringMatcher::exact("a"), Invert::kYes, empty).matches(request({{"x-k", "a"}})));
  EXPECT_TRUE(HeaderMatcher("x-k", StringMatcher::exact(""), Invert::kNo, empty).matches(request({})));
  EXPECT_TRUE(HeaderMatcher("x-k", match::IntegerRange{0, 9}, Invert::kYes, empty).matches(request({})));
  EXPECT_TRUE(HeaderMatcher("x-k", HeaderMatcher::Present{}, Invert::kNo, empty).matches(request({})));
}

TEST_F(HeaderMatcherTest, SeesPseudoHeaders) {
  EXPECT_TRUE(HeaderMatcher(":method", StringMatcher::exact("GET")).matches(request({})));
  EXPECT_FALSE(HeaderMatcher(":method", StringMatcher::exact("GET"), Invert::kYes).matches(request({})));
  EXPECT_TRUE(HeaderMatcher(":path", StringMatcher::suffix("v=2")).matches(request({})));
  EXPECT_TRUE(HeaderMatcher("host", StringMatcher::prefix("Example")).matches(request({})));
  EXPECT_TRUE(HeaderMatcher(":authority", StringMatcher::prefix("Example")).matches(request({})));
  EXPECT_TRUE(HeaderMatcher(":scheme", StringMatcher::exact("http")).matches(request({})));
}

TEST_F(HeaderMatcherTest, FindsKnownNamesByToken) {
  const HeaderMatcher agent("User-Agent", StringMatcher::contains("curl"));
  EXPECT_TRUE(agent.matches(request({{"accept", "*/*"}, {"user-agent", "curl/8"}})));
  EXPECT_FALSE(agent.matches(request({{"accept", "curl"}})));
}

TEST_F(HeaderMatcherTest, WorksOnResponsesAndTrailers) {
  auto& response = *arena_.create<ResponseHeaders>(arena_);
  response.status = 503;
  response.fields.add("x-k", "a");
  EXPECT_TRUE(HeaderMatcher(":status", StringMatcher::exact("503")).matches(response));
  EXPECT_TRUE(HeaderMatcher("x-k", StringMatcher::exact("a")).matches(response));
  EXPECT_TRUE(HeaderMatcher("x-k", StringMatcher::exact("a")).matches(response.fields));
}

TEST_F(HeaderMatcherTest, DescribesItself) {
  EXPECT_EQ(HeaderMatcher("X-K", StringMatcher::exact("a"), Invert::kYes).describe(), "not x-k exact \"a\"");
  EXPECT_EQ(HeaderMatcher("x-k", match::IntegerRange{1, 5}).describe(), "x-k in [1, 5)");
  EXPECT_EQ(HeaderMatcher("x-k", HeaderMatcher::Present{}, Invert::kNo, Missing::kIsEmpty).describe(),
            "x-k present (missing counts as empty)");
}

TEST_F(HeaderMatcherTest, FindsCookies) {
  const auto find = [this](std::initializer_list<std::string_view> lines) {
    auto& headers = request({});
    for (const std::string_view line : lines) headers.fields.add(Token::kCookie, line);
    return find_cookie(headers.fields, "k");
  };
  EXPECT_EQ(find({"k=v"}), "v");
  EXPECT_EQ(find({"a=b; k=v; c=d"}), "v");
  EXPECT_EQ(find({"a=b;k=v"}), "v");
  EXPECT_EQ(find({"k=\"v\""}), "v");
  EXPECT_EQ(find({"k=w; k=v"}), "w");
  EXPECT_EQ(find({"a=b", "k=v"}), "v");
  EXPECT_EQ(find({"k="}), "");
  EXPECT_EQ(find({"kk=v"}), std::nullopt);
  EXPECT_EQ(find({"K=v"}), std::nullopt);
  EXPECT_EQ(find({"k"}), std::nullopt);
  EXPECT_EQ(find({}), std::nullopt);
}

}  // namespace
}  // namespace sluice::http
