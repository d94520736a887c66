#include "base/token_bucket.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace sluice {
namespace {

using namespace std::chrono_literals;

constexpr MonotonicTime at(Duration since) { return {1'000'000'000'000 + since.count()}; }

TEST(TokenBucket, IsFullAtFirstAndRefills) {
  TokenBucket bucket({.max = 3, .tokens = 1, .interval = 10s});
  EXPECT_EQ(bucket.left(at(0s)), 3u);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(bucket.take(1, at(0s)));
  EXPECT_FALSE(bucket.take(1, at(0s)));
  EXPECT_EQ(bucket.until_next(at(0s)), Duration(10s));
  EXPECT_FALSE(bucket.take(1, at(9900ms)));
  EXPECT_TRUE(bucket.take(1, at(10s)));
  EXPECT_FALSE(bucket.take(1, at(10s)));
}

TEST(TokenBucket, HoldsNoMoreThanItsMaximum) {
  TokenBucket bucket({.max = 2, .tokens = 100, .interval = 1s});
  EXPECT_EQ(bucket.left(at(3600s)), 2u);
  EXPECT_FALSE(bucket.take(3, at(3600s)));
  EXPECT_TRUE(bucket.take(2, at(3600s)));
  EXPECT_FALSE(bucket.take(1, at(3600s)));
}

TEST(TokenBucket, WithoutRoomNothingPasses) {
  TokenBucket bucket({.max = 0, .tokens = 1, .interval = 1s});
  EXPECT_FALSE(bucket.take(1, at(0s)));
  EXPECT_FALSE(bucket.take(1, at(3600s)));
  EXPECT_EQ(bucket.left(at(3600s)), 0u);
}

TEST(TokenBucket, IsExactOverThreads) {
  TokenBucket bucket({.max = 1000, .tokens = 1, .interval = 3600s});
  std::atomic<int> taken{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) taken += bucket.take(1, at(0s));
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(taken, 1000);
}

}  // namespace
}  // namespace sluice
