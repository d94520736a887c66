#include "match/capture.h"

#include <gtest/gtest.h>

#include <string>

namespace sluice::match {
namespace {

CapturePattern compiled(std::string_view pattern) {
  Result<CapturePattern> out = CapturePattern::compile(pattern);
  EXPECT_TRUE(out.ok()) << pattern;
  return out.ok() ? *out : *CapturePattern::compile("x");
}

TEST(CapturePattern, GroupsOfTheFirstPlaceThatMatches) {
  CapturePattern::Groups groups;
  ASSERT_TRUE(compiled("cluster\\.((.+?)\\.)").find("cluster.a.b.c", groups));
  EXPECT_EQ(groups.count, 2u);
  EXPECT_EQ(groups.group[0], "a.");
  EXPECT_EQ(groups.group[1], "a");
  EXPECT_FALSE(compiled("^x").find("cluster", groups));
}

TEST(CapturePattern, AGroupThatTookNoPartHasNoData) {
  CapturePattern::Groups groups;
  ASSERT_TRUE(compiled("(x)|_rq(_200)$").find("upstream_rq_200", groups));
  EXPECT_EQ(groups.group[0].data(), nullptr);
  EXPECT_EQ(groups.group[1], "_200");
}

TEST(CapturePattern, LookAheadsWorkAndLongTextsAreLeftAlone) {
  CapturePattern::Groups groups;
  const CapturePattern pattern = compiled("^cluster\\.(?!x)((\\w+)\\.)");
  ASSERT_TRUE(pattern.find("cluster.ab.c", groups));
  EXPECT_EQ(groups.group[1], "ab");
  EXPECT_FALSE(pattern.find("cluster.xb.c", groups));
  EXPECT_FALSE(pattern.find("cluster.ab." + std::string(CapturePattern::kLongestText, 'c'), groups));
  EXPECT_FALSE(CapturePattern::compile("(").ok());
}

}  // namespace
}  // namespace sluice::match
