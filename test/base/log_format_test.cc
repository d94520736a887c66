#include "base/log_format.h"

#include <gtest/gtest.h>

namespace sluice::log {
namespace {

std::string formatted(std::string_view pattern, Escapes escapes, std::string_view text) {
  const Result<void> set = set_format(pattern, escapes);
  EXPECT_TRUE(set.ok()) << pattern;
  const internal::Line line{Level::kWarning, Component::kUpstream, text, {1700000000, 12345678}, 7, 8};
  std::string out = internal::format_line(line);
  EXPECT_TRUE(set_format(kDefaultFormat, Escapes::kNone).ok());
  return out;
}

TEST(LogFormat, TheDefaultIsEnvoys) {
  EXPECT_EQ(formatted(kDefaultFormat, Escapes::kNone, "text"), "[2023-11-14 22:13:20.012][7][warning][upstream] text");
}

TEST(LogFormat, FlagsOfSpdlog) {
  EXPECT_EQ(formatted("%L %P %f %F %E %% %g%#|%v", Escapes::kNone, "x"), "W 8 012345 012345678 1700000000 % |x");
  EXPECT_EQ(formatted("{\"m\":\"%j\"}", Escapes::kNone, "a\"b\n"), "{\"m\":\"a\\\"b\\n\"}");
  EXPECT_EQ(formatted("%v", Escapes::kControls, "a\nb"), "a\\nb");
  EXPECT_FALSE(set_format("%k", Escapes::kNone).ok());
}

TEST(LogFormat, AnErrorNamesTheFlagAndChangesNothing) {
  const Result<void> fine = check_format("%v %k");
  ASSERT_FALSE(fine.ok());
  EXPECT_EQ(fine.error(), "unknown flag %k");
  EXPECT_TRUE(check_format("").ok());
  EXPECT_EQ(formatted("", Escapes::kNone, "x"), "");
}

}  // namespace
}  // namespace sluice::log
