// Some seeds of every campaign. A failure names its seed; tools/dev sim replays it:
//
//   tools/dev sim --campaign traffic --seed 17 --trace
#include <gtest/gtest.h>

#include "test/sim/sim_campaigns.h"
#include "test/sim/sim_mesh.h"

namespace sluice::test {
namespace {

class CampaignTest : public testing::TestWithParam<Campaign> {
 protected:
  // Those that had played in this process say how often the points of base/buggify.h acted: none may be forgotten.
  static void TearDownTestSuite() {
    if (buggified_[0] == 0) {
      return;  // a filter chose others
    }
    for (size_t i = 0; i < buggify::kPoints; ++i) {
      EXPECT_GT(buggified_[i], 100u) << "buggify point " << i << " hardly ever acts";
    }
  }
  static inline std::array<uint64_t, buggify::kPoints> buggified_{};
};

TEST_P(CampaignTest, ReplaysBySeed) {
  const Played once = GetParam().play(11, Trace::kKept);
  EXPECT_EQ(GetParam().play(11, Trace::kKept).hash, once.hash);
  EXPECT_NE(GetParam().play(12, Trace::kKept).hash, once.hash);
}

TEST_P(CampaignTest, HoldsUnderFaults) {
  TrafficClient::Outcomes all;
  for (uint64_t seed = 1; seed <= GetParam().seeds; ++seed) {
    const Played run = GetParam().play(seed, Trace::kKept);
    ASSERT_EQ(run.violation, "") << "replay: tools/dev sim --campaign " << GetParam().name << " --seed " << seed;
    all.whole += run.outcomes.whole;
    all.error += run.outcomes.error;
    all.cut += run.outcomes.cut;
    for (size_t i = 0; i < buggify::kPoints; ++i) {
      buggified_[i] += run.buggified[i];
    }
  }
  // A campaign is no use when nothing or everything fails.
  EXPECT_GT(all.whole, 3 * GetParam().seeds);
  if (GetParam().fails == Fails::kSome) {
    EXPECT_GT(all.error + all.cut, GetParam().seeds / 2);
  }
}

TEST(Mesh, ReplaysBySeed) {
  const MeshSize small{.sidecars = 3, .origins = 7, .clients = 60, .time = std::chrono::minutes(1)};
  const MeshRun once = play_mesh(1, small);
  EXPECT_EQ(once.violation, "");
  EXPECT_GT(once.whole, 300u);
  EXPECT_EQ(play_mesh(1, small).hash, once.hash);
  EXPECT_NE(play_mesh(2, small).hash, once.hash);
}

INSTANTIATE_TEST_SUITE_P(All, CampaignTest, testing::ValuesIn(all_campaigns()),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace sluice::test
