#include "base/utf8.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace sluice {
namespace {

TEST(Utf8, WhatIsWrittenIsRead) {
  for (uint32_t code = 0; code <= 0x10ffff; ++code) {
    if (code >= 0xd800 && code < 0xe000) continue;
    std::string text;
    append_utf8(text, code);
    ASSERT_EQ(utf8_length(text), text.size()) << code;
    ASSERT_EQ(text.size(), code < 0x80 ? 1u : code < 0x800 ? 2u : code < 0x10000 ? 3u : 4u) << code;
    ASSERT_EQ(count_code_points(text), 1u) << code;
  }
}

// What is read as a character would be written the same way, and what would be is read.
TEST(Utf8, NothingElseIsACharacter) {
  const auto wanted = [](std::string_view text) -> size_t {
    for (size_t size = 2; size <= 4; ++size) {
      uint32_t code = static_cast<uint8_t>(text[0]) & (0x7fu >> size);
      for (size_t i = 1; i < size; ++i) code = code << 6 | (static_cast<uint8_t>(text[i]) & 0x3f);
      std::string again;
      if (code <= 0x10ffff && (code < 0xd800 || code > 0xdfff)) append_utf8(again, code);
      if (text.substr(0, size) == again) return size;
    }
    return 0;
  };
  constexpr std::string_view kEdges("\0\x7f\x80\xbf\xc0\xff", 6);
  for (int first = 0x80; first < 256; ++first) {
    for (int second = 0; second < 256; ++second) {
      for (const char third : kEdges) {
        for (const char fourth : kEdges) {
          const char text[] = {static_cast<char>(first), static_cast<char>(second), third, fourth};
          ASSERT_EQ(utf8_length({text, 4}), wanted({text, 4})) << first << " " << second;
        }
      }
    }
  }
}

TEST(Utf8, TheFrontOfATextThatIs) {
  EXPECT_EQ(utf8_prefix(""), 0u);
  EXPECT_EQ(utf8_prefix("a\xc3\xa9z"), 4u);
  EXPECT_EQ(utf8_prefix("a\xc3\xa9\xff z"), 3u);
  EXPECT_EQ(utf8_prefix("ab\xe2\x82"), 2u);  // cut
  EXPECT_TRUE(is_utf8("\xf0\x9f\x98\x80"));
  EXPECT_FALSE(is_utf8("\xed\xa0\x80"));  // a surrogate
  EXPECT_FALSE(is_utf8("\xc0\xaf"));      // overlong
  EXPECT_FALSE(is_utf8("\xf4\x90\x80\x80"));
}

}  // namespace
}  // namespace sluice
