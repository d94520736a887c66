// Strings, patterns and ranges.
#include <gtest/gtest.h>

#include "match/range.h"
#include "match/regex.h"
#include "match/string_matcher.h"

namespace sluice::match {
namespace {

Regex regex(std::string_view pattern, uint32_t max_size = Regex::kMaxProgramSize) {
  auto compiled = Regex::compile(pattern, max_size);
  EXPECT_TRUE(compiled.ok()) << pattern;
  return compiled.ok() ? *compiled : Regex();
}

TEST(Regex, MatchesTheWholeText) {
  EXPECT_TRUE(regex("/a|/ab").matches("/ab"));
  EXPECT_FALSE(regex("/a|/ab").matches("/abc"));
  EXPECT_FALSE(regex("part").matches("/part"));
  EXPECT_TRUE(regex("^/anch$").matches("/anch"));
  EXPECT_TRUE(regex("(?i)/Flag").matches("/fLAG"));
  EXPECT_TRUE(regex("").matches(""));
}

TEST(Regex, AnEmptyHandleMatchesNothing) {
  EXPECT_FALSE(Regex().matches(""));
  EXPECT_FALSE(Regex());
  std::string text = "x";
  EXPECT_FALSE(Regex().replace_all(text, "y"));
}

TEST(Regex, RefusesWhatRe2DoesNotHave) {
  for (const char* pattern : {"/(?=a).*", "/(a)\\1", "/a++", "/[z-a]", "/a\\Z", "/\\p{Nope}"}) {
    EXPECT_FALSE(Regex::compile(pattern).ok()) << pattern;
  }
}

TEST(Regex, HasACapOnItsSize) {
  const auto large = Regex::compile("/a{1000}");
  ASSERT_FALSE(large.ok());
  EXPECT_NE(large.error().find("more than the allowed 100"), std::string::npos) << large.error();
  EXPECT_TRUE(regex("/a{1000}", 5000).matches("/" + std::string(1000, 'a')));
}

TEST(Regex, TakesBothSpellingsOfGroupNames) {
  EXPECT_TRUE(regex("/(?<x>a)").matches("/a"));
  EXPECT_TRUE(regex("/(?P<x>a)").matches("/a"));
  EXPECT_TRUE(regex(R"(\(?<x>)").matches("(<x>"));     // an escaped parenthesis opens no group
  EXPECT_TRUE(regex(R"([(?<x>]+)").matches("(?<x>"));  // nor one in a class
  EXPECT_FALSE(Regex::compile("/(?<=a)b").ok());
  EXPECT_EQ(regex("/(?<x>a)").pattern(), "/(?<x>a)");
}

TEST(Regex, ReplacesEveryMatch) {
  std::string text = "/all/one/one";
  EXPECT_TRUE(regex("one").replace_all(text, "two"));
  EXPECT_EQ(text, "/all/two/two");
  text = "/group/g1/rest";
  EXPECT_TRUE(regex("^/group/([^/]+)(/.*)$").replace_all(text, R"(\2/x/\1\\0)"));
  EXPECT_EQ(text, "/rest/x/g1\\0");
}

TEST(Regex, LeavesTheTextWithoutAMatchOrWithAGroupThatIsNotThere) {
  std::string text = "/bad/1";
  EXPECT_FALSE(regex("b(a)d").replace_all(text, R"(x\2y)"));
  EXPECT_EQ(text, "/bad/1");
  EXPECT_FALSE(regex("none").replace_all(text, "x"));
  EXPECT_EQ(text, "/bad/1");
}

TEST(StringMatcher, ComparesAsItsKindSays) {
  EXPECT_TRUE(StringMatcher::exact("Value").matches("Value"));
  EXPECT_FALSE(StringMatcher::exact("Value").matches("value"));
  EXPECT_FALSE(StringMatcher::exact("Value").matches("Value1"));
  EXPECT_TRUE(StringMatcher::prefix("Va").matches("Va"));
  EXPECT_FALSE(StringMatcher::prefix("Va").matches("V"));
  EXPECT_TRUE(StringMatcher::suffix("ue").matches("blue"));
  EXPECT_FALSE(StringMatcher::suffix("ue").matches("bluE"));
  EXPECT_TRUE(StringMatcher::contains("al").matches("metal"));
  EXPECT_FALSE(StringMatcher::contains("al").matches("METAL"));
  EXPECT_TRUE(StringMatcher::regex(regex("V.l.e")).matches("Value"));
  EXPECT_FALSE(StringMatcher::regex(regex("V.l.e")).matches("a Value"));
}

TEST(StringMatcher, IgnoresCaseOnBothSides) {
  EXPECT_TRUE(StringMatcher::exact("Value", Case::kIgnored).matches("vALUE"));
  EXPECT_TRUE(StringMatcher::prefix("Va", Case::kIgnored).matches("vAx"));
  EXPECT_TRUE(StringMatcher::suffix("UE", Case::kIgnored).matches("bluE"));
  EXPECT_TRUE(StringMatcher::contains("AL", Case::kIgnored).matches("Metals"));
  EXPECT_FALSE(StringMatcher::contains("ALX", Case::kIgnored).matches("Metals"));
}

TEST(StringMatcher, TheDefaultMatchesTheEmptyTextOnly) {
  EXPECT_TRUE(StringMatcher().matches(""));
  EXPECT_FALSE(StringMatcher().matches("x"));
}

TEST(StringMatcher, DescribesItself) {
  EXPECT_EQ(StringMatcher::exact("x").describe(), "exact \"x\"");
  EXPECT_EQ(StringMatcher::prefix("X", Case::kIgnored).describe(), "prefix \"x\" ignoring case");
  EXPECT_EQ(StringMatcher::regex(regex("a+")).describe(), "regex \"a+\"");
}

TEST(IntegerRange, TakesWholeNumbersOnly) {
  const IntegerRange range{-10, 20};
  for (const char* in : {"-10", "0", "19", "007", "+5"}) EXPECT_TRUE(range.matches(in)) << in;
  for (const char* out : {"-11", "20", "5.0", "5x", "0x5", "", "+", "+-5", "99999999999999999999"}) {
    EXPECT_FALSE(range.matches(out)) << out;
  }
}

}  // namespace
}  // namespace sluice::match
