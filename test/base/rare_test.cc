#include "base/rare.h"

#include <gtest/gtest.h>

#include <string>

namespace sluice {
namespace {

struct Part {
  int number = 7;
  std::string text;
};

TEST(Rare, ReadsAsTheDefaultUntilItIsEdited) {
  Rare<Part> part;
  EXPECT_FALSE(part);
  EXPECT_EQ(part->number, 7);
  EXPECT_EQ((*part).text, "");
  part.edit().text = "set";
  EXPECT_TRUE(part);
  EXPECT_EQ(part->text, "set");
  EXPECT_EQ(part->number, 7);
  part.clear();
  EXPECT_FALSE(part);
  EXPECT_EQ(part->text, "");
}

TEST(Rare, CopiesAreDeepAndMovesLeaveTheDefault) {
  Rare<Part> one;
  one.edit().number = 1;
  Rare<Part> two = one;
  two.edit().number = 2;
  EXPECT_EQ(one->number, 1);
  one = two;
  EXPECT_EQ(one->number, 2);
  const Rare<Part> three = std::move(two);
  EXPECT_EQ(three->number, 2);
  two = Rare<Part>();
  EXPECT_EQ(two->number, 7);
}

TEST(Rare, CostsAPointer) { EXPECT_EQ(sizeof(Rare<Part>), sizeof(void*)); }

}  // namespace
}  // namespace sluice
