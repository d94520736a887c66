#include "filters/http/local_ratelimit/limiter.h"

#include <gtest/gtest.h>

namespace sluice::filters::local_ratelimit {
namespace {

using namespace std::chrono_literals;
using model::Descriptor;

constexpr MonotonicTime kNow{1'000'000'000};

TokenBucket::Plan bucket(uint32_t max) { return {.max = max, .tokens = 1, .interval = 3600s}; }
Descriptor user(std::string_view name, uint64_t hits = 1) { return {{{"user", name}}, hits}; }

TEST(Limiter, ADescriptorMatchesWhole) {
  const LimitPlan limit{{{"a", "1"}, {"b", "2"}}, bucket(1)};
  EXPECT_TRUE(limit.matches({{{"a", "1"}, {"b", "2"}}}));
  EXPECT_FALSE(limit.matches({{{"b", "2"}, {"a", "1"}}}));
  EXPECT_FALSE(limit.matches({{{"a", "1"}}}));
  EXPECT_FALSE(limit.matches({{{"a", "1"}, {"b", "2"}, {"c", "3"}}}));
}

TEST(Limiter, WhatIsRefusedTakesNothingFromTheDefaultBucket) {
  LimiterPlan plan;
  plan.bucket = bucket(2);
  plan.limits = {{{{"user", "bob"}}, bucket(1)}};
  Limiter limiter(plan);
  EXPECT_TRUE(limiter.ask({user("bob")}, kNow).allowed);
  EXPECT_FALSE(limiter.ask({user("bob")}, kNow).allowed);
  EXPECT_FALSE(limiter.ask({user("bob")}, kNow).allowed);
  EXPECT_TRUE(limiter.ask({}, kNow).allowed);
  EXPECT_FALSE(limiter.ask({}, kNow).allowed);
}

TEST(Limiter, TheDefaultBucketMayStandAside) {
  LimiterPlan plan;
  plan.bucket = bucket(0);
  plan.always_default = false;
  plan.limits = {{{{"user", "bob"}}, bucket(1)}};
  Limiter limiter(plan);
  EXPECT_TRUE(limiter.ask({user("bob")}, kNow).allowed);
  EXPECT_FALSE(limiter.ask({user("eve")}, kNow).allowed);
}

TEST(Limiter, AWildcardHasABucketForEachValueAndForgetsTheOldest) {
  LimiterPlan plan;
  plan.limits = {{{{"user", ""}}, bucket(1)}};
  plan.max_dynamic = 2;
  Limiter limiter(plan);
  EXPECT_TRUE(limiter.ask({user("a")}, kNow).allowed);
  EXPECT_TRUE(limiter.ask({user("b")}, kNow).allowed);
  EXPECT_FALSE(limiter.ask({user("a")}, kNow).allowed);
  EXPECT_TRUE(limiter.ask({user("c")}, kNow).allowed);  // b goes
  EXPECT_FALSE(limiter.ask({user("a")}, kNow).allowed);
  EXPECT_TRUE(limiter.ask({user("b")}, kNow).allowed);
}

TEST(Limiter, AShadowOnlyCounts) {
  LimiterPlan plan;
  plan.limits = {{{{"user", "bob"}}, bucket(0), true}};
  Limiter limiter(plan);
  const auto verdict = limiter.ask({user("bob")}, kNow);
  EXPECT_TRUE(verdict.allowed);
  EXPECT_TRUE(verdict.shadowed);
}

TEST(Limiter, HitsAreTakenTogether) {
  LimiterPlan plan;
  plan.limits = {{{{"user", "bob"}}, bucket(5)}};
  Limiter limiter(plan);
  EXPECT_TRUE(limiter.ask({user("bob", 3)}, kNow).allowed);
  EXPECT_FALSE(limiter.ask({user("bob", 3)}, kNow).allowed);
  EXPECT_TRUE(limiter.ask({user("bob", 2)}, kNow).allowed);
}

}  // namespace
}  // namespace sluice::filters::local_ratelimit
