// Who is told to go, and when.
#include "proxy/drain.h"

#include <gtest/gtest.h>

namespace sluice::proxy {
namespace {

using namespace std::chrono_literals;

class DrainTest : public testing::Test {
 protected:
  // Of 1000 answers so many tell their clients to go.
  int told(const model::ListenerPlan& plan, Duration after) {
    int count = 0;
    for (int i = 0; i < 1000; ++i) {
      count += drain_.tells(plan, own_, start_ + after, random_) ? 1 : 0;
    }
    return count;
  }
  static model::ListenerPlan listener(model::TrafficDirection direction) {
    model::ListenerPlan plan;
    plan.direction = direction;
    return plan;
  }
  Drain drain_;
  SeededRandom random_{1};
  MonotonicTime start_{1'000'000'000};
  MonotonicTime own_{Drain::kNever};
  model::ListenerPlan plain_;
  model::ListenerPlan inbound_ = listener(model::TrafficDirection::kInbound);
};

TEST_F(DrainTest, NobodyBeforeItBegins) {
  EXPECT_EQ(told(plain_, 0s), 0);
  EXPECT_EQ(told(plain_, 1000s), 0);
}

TEST_F(DrainTest, GraduallyTheShareRises) {
  drain_.configure(DrainStrategy::kGradual, 100s);
  EXPECT_TRUE(drain_.begin(start_, DrainScope::kAll));
  EXPECT_EQ(told(plain_, 0s), 0);
  EXPECT_NEAR(told(plain_, 25s), 250, 60);
  EXPECT_NEAR(told(plain_, 75s), 750, 60);
  EXPECT_EQ(told(plain_, 100s), 1000);
  EXPECT_EQ(told(plain_, 200s), 1000);
}

TEST_F(DrainTest, ImmediatelyAll) {
  drain_.configure(DrainStrategy::kImmediate, 100s);
  drain_.begin(start_, DrainScope::kAll);
  EXPECT_EQ(told(plain_, 0s), 1000);
  EXPECT_EQ(told(inbound_, 0s), 1000);
}

TEST_F(DrainTest, WithoutADrainTimeAll) {
  drain_.configure(DrainStrategy::kGradual, 0s);
  drain_.begin(start_, DrainScope::kAll);
  EXPECT_EQ(told(plain_, 0s), 1000);
}

TEST_F(DrainTest, ASecondDrainDoesNotBeginAnew) {
  drain_.configure(DrainStrategy::kGradual, 100s);
  drain_.begin(start_, DrainScope::kAll);
  EXPECT_FALSE(drain_.begin(start_ + 90s, DrainScope::kAll));
  EXPECT_NEAR(told(plain_, 90s), 900, 60);
}

TEST_F(DrainTest, OnlyInboundListeners) {
  drain_.configure(DrainStrategy::kImmediate, 100s);
  drain_.begin(start_, DrainScope::kInbound);
  EXPECT_EQ(told(inbound_, 0s), 1000);
  EXPECT_EQ(told(plain_, 0s), 0);
  EXPECT_TRUE(drain_.begin(start_, DrainScope::kAll));
  EXPECT_EQ(told(plain_, 0s), 1000);
}

TEST_F(DrainTest, OneChainAlone) {
  drain_.configure(DrainStrategy::kGradual, 100s);
  own_ = start_;
  EXPECT_EQ(told(plain_, 0s), 0);
  EXPECT_NEAR(told(plain_, 25s), 250, 60);
  EXPECT_EQ(told(plain_, 100s), 1000);
  own_ = MonotonicTime{Drain::kNever};
  EXPECT_EQ(told(plain_, 100s), 0);
}

TEST_F(DrainTest, ModifyOnlyDoesNotMindFailedHealthChecks) {
  model::ListenerPlan modify_only;
  modify_only.drain_type = model::DrainType::kModifyOnly;
  drain_.set_health_failed(true);
  EXPECT_EQ(told(plain_, 0s), 1000);
  EXPECT_EQ(told(modify_only, 0s), 0);
  drain_.set_health_failed(false);
  EXPECT_EQ(told(plain_, 0s), 0);
  drain_.leave();
  EXPECT_EQ(told(modify_only, 0s), 1000);
}

}  // namespace
}  // namespace sluice::proxy
