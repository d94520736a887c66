#include "base/strings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "base/civil_time.h"

namespace sluice {
namespace {

using testing::ElementsAre;

TEST(Strings, CatJoinsTextAndNumbers) {
  EXPECT_EQ(cat(), "");
  EXPECT_EQ(cat("a", std::string("b"), std::string_view("c"), 'd', 1, -2, uint64_t{18446744073709551615u}, INT64_MIN),
            "abcd1-218446744073709551615-9223372036854775808");
  std::string to = "x";
  append(to, 1, "y");
  EXPECT_EQ(to, "x1y");
}

TEST(Strings, Case) {
  EXPECT_EQ(to_lower("AbC-Z[`{\xc3\x84"), "abc-z[`{\xc3\x84");
  EXPECT_TRUE(equal_ignore_case("Content-LENGTH", "content-length"));
  EXPECT_FALSE(equal_ignore_case("a", "ab"));
  EXPECT_FALSE(equal_ignore_case("@", "`"));  // differ in the bit of the case, but are no letters
}

TEST(Strings, TrimAndSplit) {
  EXPECT_EQ(trim(" \t a b\t "), "a b");
  EXPECT_EQ(trim(" \t"), "");
  EXPECT_EQ(trim("\na\n"), "\na\n");
  EXPECT_THAT(split("a,b,,c", ','), ElementsAre("a", "b", "", "c"));
  EXPECT_THAT(split("", ','), ElementsAre(""));
  EXPECT_THAT(split(",", ','), ElementsAre("", ""));
}

TEST(Strings, ParseNumberTakesTheWholeTextOnly) {
  EXPECT_EQ(parse_number<uint32_t>("4294967295"), 4294967295u);
  EXPECT_EQ(parse_number<int>("-7"), -7);
  for (const char* bad : {"", " 1", "1 ", "+1", "-1", "0x10", "1e3", "4294967296", "1.0"}) {
    EXPECT_FALSE(parse_number<uint32_t>(bad).has_value()) << bad;
  }
}

TEST(Strings, NearestForMisspelledWords) {
  const std::vector<std::string_view> words = {"round_robin", "least_request", "random"};
  EXPECT_EQ(nearest("round_robbin", words), "round_robin");
  EXPECT_EQ(nearest("ramdon", words), "random");
  EXPECT_EQ(nearest("something", words), "");
  EXPECT_EQ(nearest("x", {}), "");
}

TEST(Strings, JsonQuote) {
  EXPECT_EQ(json_quote("a\"\\\n\r\t\b\f\x01\x1f/"), "\"a\\\"\\\\\\n\\r\\t\\b\\f\\u0001\\u001f/\"");
  EXPECT_EQ(json_quote("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"), "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"");
  const std::string bad = "\xef\xbf\xbd";
  EXPECT_EQ(json_quote("\xff"), "\"" + bad + "\"");
  EXPECT_EQ(json_quote("\xc3"), "\"" + bad + "\"");                          // cut short
  EXPECT_EQ(json_quote("\xc0\xaf"), "\"" + bad + bad + "\"");                // overlong
  EXPECT_EQ(json_quote("\xed\xa0\x80"), "\"" + bad + bad + bad + "\"");      // a surrogate
  EXPECT_EQ(json_quote("\xf4\x90\x80\x80"), "\"" + bad + bad + bad + bad + "\"");
}

TEST(CivilTime, UtcOfKnownMoments) {
  const CivilTime start = utc(WallTime{0});
  EXPECT_EQ(start.year, 1970);
  EXPECT_EQ(start.weekday, 4);
  const CivilTime leap = utc(WallTime{1'709'164'800'123'456});  // 2024-02-29 00:00:00.123456, a Thursday
  EXPECT_EQ(leap.year, 2024);
  EXPECT_EQ(leap.month, 2);
  EXPECT_EQ(leap.day, 29);
  EXPECT_EQ(leap.weekday, 4);
  EXPECT_EQ(leap.yearday, 59);
  EXPECT_EQ(leap.nanoseconds, 123'456'000);
  const CivilTime before = utc(WallTime{-1});
  EXPECT_EQ(before.year, 1969);
  EXPECT_EQ(before.second, 59);
  EXPECT_EQ(before.nanoseconds, 999'999'000);
}

TEST(CivilTime, Formats) {
  const CivilTime time = utc(WallTime{1'709'164'805'012'345});
  const auto format = [&time](std::string_view pattern) {
    std::string out;
    append_time(out, pattern, time);
    return out;
  };
  EXPECT_EQ(format("%Y-%m-%dT%H:%M:%E3SZ"), "2024-02-29T00:00:05.012Z");
  EXPECT_EQ(format("%s %3f %f"), "1709164805 012 012345000");
  EXPECT_EQ(format("%3s"), "1709164805");
  EXPECT_EQ(format("100%% %"), "100% %");
}

}  // namespace
}  // namespace sluice
