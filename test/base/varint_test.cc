#include "base/varint.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

TEST(Varint, WhatIsWrittenIsRead) {
  for (const uint64_t value :
       {uint64_t{0}, uint64_t{127}, uint64_t{128}, uint64_t{300}, uint64_t{1} << 32, UINT64_MAX}) {
    std::string text;
    append_varint(text, value);
    std::string_view from = text;
    EXPECT_EQ(take_varint(from), value);
    EXPECT_TRUE(from.empty());
    from = std::string_view(text).substr(0, text.size() - 1);
    EXPECT_EQ(take_varint(from), std::nullopt) << "cut";
  }
}

TEST(Varint, NoLongerThanANumberCanBe) {
  const std::string text(11, '\x80');
  std::string_view from = text;
  EXPECT_EQ(take_varint(from), std::nullopt);
}

TEST(Varint, TheRestStays) {
  std::string_view from = "\xac\x02rest";
  EXPECT_EQ(take_varint(from), 300u);
  EXPECT_EQ(from, "rest");
}

}  // namespace
}  // namespace sluice
