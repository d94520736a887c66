// Result, checks, random numbers, log levels.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>
#include <map>
#include <memory>
#include <string>

#include "base/check.h"
#include "base/log.h"
#include "base/random.h"
#include "base/result.h"

namespace sluice {
namespace {

TEST(Result, ValueOrError) {
  Result<std::string> good = std::string("yes");
  ASSERT_TRUE(good);
  EXPECT_EQ(*good, "yes");
  EXPECT_EQ(good->size(), 3u);
  Result<std::string> bad = Error{"no"};
  EXPECT_FALSE(bad.ok());
  EXPECT_EQ(bad.error(), "no");
  EXPECT_DEATH((void)bad.value(), "CHECK failed");
  EXPECT_DEATH((void)good.error(), "CHECK failed");
}

TEST(Result, AValueOfATemporaryIsMovedOut) {
  const auto make = []() -> Result<std::unique_ptr<int>> { return std::make_unique<int>(4); };
  auto value = *make();
  EXPECT_EQ(*value, 4);
}

TEST(Result, WithoutAValue) {
  EXPECT_TRUE(Result<void>().ok());
  const Result<void> bad = Error{""};  // an empty text is an error, too
  EXPECT_FALSE(bad.ok());
  EXPECT_EQ(bad.error(), "");
}

TEST(Check, StopsTheProcessAndNamesThePlace) {
  SLUICE_CHECK(1 + 1 == 2);
  EXPECT_DEATH(SLUICE_CHECK(1 + 1 == 3), "base_test.cc:[0-9]+: CHECK failed: 1 \\+ 1 == 3");
}

// The first outputs of xoshiro256** whose state splitmix64 made from the seed, from an independent implementation.
TEST(SeededRandom, KnownSequence) {
  SeededRandom zero(0);
  EXPECT_EQ(zero.next(), 0x99ec5f36cb75f2b4u);
  EXPECT_EQ(zero.next(), 0xbf6e1f784956452au);
  EXPECT_EQ(zero.next(), 0x1a5f849d4933e6e0u);
  SeededRandom one(0x0123456789abcdef);
  EXPECT_EQ(one.next(), 0xa2c2a42038d4ec3du);
}

TEST(SeededRandom, BelowIsInRangeAndEven) {
  SeededRandom random(5);
  std::map<uint64_t, int> seen;
  for (int i = 0; i < 60'000; ++i) {
    ++seen[random.below(6)];
  }
  ASSERT_EQ(seen.size(), 6u);
  for (const auto& [value, count] : seen) {
    EXPECT_LT(value, 6u);
    EXPECT_NEAR(count, 10'000, 500);
  }
  EXPECT_EQ(random.below(1), 0u);
}

TEST(SeededRandom, TheKernelsSeedsDiffer) {
  EXPECT_NE(SeededRandom::seed_from_kernel(), SeededRandom::seed_from_kernel());
}

TEST(Log, LevelsByNameAndComponent) {
  EXPECT_EQ(*log::parse_level("warn"), log::Level::kWarning);
  EXPECT_EQ(*log::parse_level("warning"), log::Level::kWarning);
  EXPECT_EQ(*log::parse_level("off"), log::Level::kOff);
  EXPECT_FALSE(log::parse_level("loud").ok());
  EXPECT_FALSE(log::parse_level("").ok());
  for (int level = 0; level <= static_cast<int>(log::Level::kOff); ++level) {
    EXPECT_EQ(*log::parse_level(log::name_of(static_cast<log::Level>(level))), static_cast<log::Level>(level));
  }
  log::set_level(log::Level::kError);
  log::set_level(log::Component::kRouter, log::Level::kTrace);
  EXPECT_TRUE(log::enabled(log::Component::kRouter, log::Level::kTrace));
  EXPECT_FALSE(log::enabled(log::Component::kHttp, log::Level::kWarning));
  EXPECT_TRUE(log::enabled(log::Component::kHttp, log::Level::kError));
  EXPECT_EQ(log::level_of(log::Component::kRouter), log::Level::kTrace);
  EXPECT_EQ(log::name_of(log::Component::kUpstream), "upstream");
  log::set_level(log::Level::kInfo);
}

TEST(Log, WritesLinesToAFileAndReopensIt) {
  std::string folder = testing::TempDir() + "sluice_log_XXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  const std::string path = folder + "/log";
  EXPECT_FALSE(log::open_file(folder + "/no/log").ok());
  ASSERT_TRUE(log::open_file(path).ok());
  SLUICE_LOG(kInfo, kMain, "number ", 7, " text");
  SLUICE_LOG(kDebug, kMain, "too fine");
  ASSERT_EQ(rename(path.c_str(), (path + ".1").c_str()), 0);
  log::reopen_file();
  SLUICE_LOG(kError, kPool, "after");
  const auto lines = [](const std::string& file) {
    std::ifstream in(file);
    return std::string(std::istreambuf_iterator<char>(in), {});
  };
  EXPECT_THAT(lines(path + ".1"), testing::MatchesRegex("\\[....-..-.. ..:..:......\\]\\[[0-9]+\\]\\[info\\]\\[main\\] "
                                                        "number 7 text\n"));
  EXPECT_THAT(lines(path), testing::MatchesRegex(".*\\[error\\]\\[pool\\] after\n"));
  ASSERT_TRUE(log::open_file("/dev/stderr").ok());
  remove(path.c_str());
  remove((path + ".1").c_str());
  remove(folder.c_str());
}

}  // namespace
}  // namespace sluice
