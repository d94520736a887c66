#include "filters/http/header_to_metadata/value_message.h"

#include <gtest/gtest.h>

#include <string>

namespace sluice::filters::header_to_metadata {
namespace {

using namespace std::string_view_literals;

std::string field(int number, int wire, std::string_view content) {
  std::string out(1, static_cast<char>(number << 3 | wire));
  if (wire == 2) out += static_cast<char>(content.size());
  out += content;
  return out;
}

const std::string kTrue = field(4, 0, "\x01"sv);
const std::string kHalf = field(2, 1, "\0\0\0\0\0\0\xe0\x3f"sv);
const std::string kText = field(3, 2, "text");

std::string entry(std::string_view key, std::string_view value) {
  return field(1, 2, field(1, 2, key) + field(2, 2, value));
}

TEST(ValueMessage, EachKind) {
  EXPECT_EQ(parse_value_message(kTrue), Value::boolean(true));
  EXPECT_EQ(parse_value_message(kHalf), Value::number(0.5));
  EXPECT_EQ(parse_value_message(kText), Value("text"));
  EXPECT_EQ(parse_value_message(field(1, 0, "\0"sv)), Value());
  Value::Map map;
  map.set("a", Value::number(0.5));
  map.set("b", Value());
  EXPECT_EQ(parse_value_message(field(5, 2, entry("a", kHalf) + entry("b", ""))), Value(map));
  EXPECT_EQ(parse_value_message(field(6, 2, field(1, 2, kText) + field(1, 2, ""))),
            Value(Value::List{Value("text"), Value()}));
}

TEST(ValueMessage, TheLastKindCountsAndTwoMapsBecomeOne) {
  EXPECT_EQ(parse_value_message(kText + kHalf), Value::number(0.5));
  Value::Map both;
  both.set("a", Value("text"));
  both.set("b", Value::boolean(true));
  EXPECT_EQ(parse_value_message(field(5, 2, entry("a", kText)) + field(5, 2, entry("b", kTrue))), Value(both));
  EXPECT_EQ(parse_value_message(field(6, 2, field(1, 2, kText)) + field(6, 2, field(1, 2, kText))),
            Value(Value::List{Value("text"), Value("text")}));
}

TEST(ValueMessage, PassesOverWhatIsUnknown) {
  const std::string group = field(9, 3, "") + kText + field(9, 4, "");
  for (const std::string& unknown :
       {field(10, 0, "\x05"sv), field(10, 1, "12345678"), field(10, 2, "x"), field(10, 5, "1234"), group}) {
    EXPECT_EQ(parse_value_message(unknown + kTrue), Value::boolean(true));
    EXPECT_EQ(parse_value_message(kTrue + unknown), Value::boolean(true));
  }
  // A number of ours with another wire type is a field of somebody else.
  EXPECT_EQ(parse_value_message(field(3, 0, "\x01"sv) + kTrue), Value::boolean(true));
}

TEST(ValueMessage, RefusesWhatIsNoSuchMessage) {
  EXPECT_EQ(parse_value_message(""), std::nullopt);
  EXPECT_EQ(parse_value_message(field(10, 0, "\x05"sv)), std::nullopt);  // no kind
  for (const std::string_view bytes :
       {"\x18"sv, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"sv, "\x00\x01"sv, "\x1a\x05hi"sv, "\x1a\x02\xff\xfe"sv,
        "\x0e\x01"sv, "\x4c"sv, "\x4b\x54"sv, "\x11\x00\x00"sv, "\x22"sv}) {
    EXPECT_EQ(parse_value_message(bytes), std::nullopt);
  }
  for (const std::string& whole : {kTrue, kHalf, kText, field(5, 2, entry("a", kText))}) {
    for (size_t size = 1; size < whole.size(); ++size) {
      EXPECT_EQ(parse_value_message(std::string_view(whole).substr(0, size)), std::nullopt);
    }
  }
}

TEST(ValueMessage, DepthHasALimit) {
  const auto nested = [](int lists) {
    std::string out = kTrue;
    for (int i = 0; i < lists; ++i) {
      const std::string value = out;
      const auto bytes = [](uint8_t tag, const std::string& content) {
        std::string made(1, static_cast<char>(tag));
        made += static_cast<char>((content.size() & 0x7f) | 0x80);
        made += static_cast<char>(content.size() >> 7);
        return made + content;
      };
      out = bytes(6 << 3 | 2, bytes(1 << 3 | 2, value));
    }
    return out;
  };
  EXPECT_TRUE(parse_value_message(nested(49)).has_value());
  EXPECT_EQ(parse_value_message(nested(50)), std::nullopt);
  EXPECT_EQ(parse_value_message(nested(1000)), std::nullopt);
  EXPECT_EQ(parse_value_message(std::string(5000, '\x4b')), std::nullopt);  // groups within groups
}

}  // namespace
}  // namespace sluice::filters::header_to_metadata
