#include "base/percent.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

TEST(Percent, DecodesWhatIsEncoded) {
  EXPECT_EQ(percent_decoded("a%2Fb%2fc"), "a/b/c");
  EXPECT_EQ(percent_decoded("%"), "%");
  EXPECT_EQ(percent_decoded("%4"), "%4");
  EXPECT_EQ(percent_decoded("%4x%zz"), "%4x%zz");
  EXPECT_EQ(percent_decoded("%2541%41"), "%41A");
  std::string text = "a";
  append_percent_decoded(text, "%62c");
  EXPECT_EQ(text, "abc");
}

}  // namespace
}  // namespace sluice
