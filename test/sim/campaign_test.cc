// Some seeds of every campaign. A failure names its seed; tools/dev sim replays it:
//
//   tools/dev sim --campaign traffic --seed 17 --trace
#include <gtest/gtest.h>

#include "test/sim/sim_campaigns.h"

namespace sluice::test {
namespace {

constexpr uint64_t kSeeds = 200;

class CampaignTest : public testing::TestWithParam<Campaign> {};

TEST_P(CampaignTest, ReplaysBySeed) {
  const Played once = GetParam().play(11, Trace::kKept);
  EXPECT_EQ(GetParam().play(11, Trace::kKept).hash, once.hash);
  EXPECT_NE(GetParam().play(12, Trace::kKept).hash, once.hash);
}

TEST_P(CampaignTest, HoldsUnderFaults) {
  TrafficClient::Outcomes all;
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const Played run = GetParam().play(seed, Trace::kKept);
    ASSERT_EQ(run.violation, "") << "replay: tools/dev sim --campaign " << GetParam().name << " --seed " << seed;
    all.whole += run.outcomes.whole;
    all.error += run.outcomes.error;
    all.cut += run.outcomes.cut;
  }
  // A campaign is no use when nothing or everything fails.
  EXPECT_GT(all.whole, 1000u);
  EXPECT_GT(all.error, 100u);
  EXPECT_GT(all.cut, 100u);
}

INSTANTIATE_TEST_SUITE_P(All, CampaignTest, testing::ValuesIn(all_campaigns()),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace sluice::test
