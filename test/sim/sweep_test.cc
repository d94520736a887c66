// tools/dev sim --hours, on campaigns that fail, crash and hang.
#include "test/sim/sim_sweep.h"

#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <set>

#include "base/strings.h"

namespace sluice::test {
namespace {

using namespace std::chrono_literals;

Played play_fine(uint64_t, Trace) { return {}; }
Played play_third(uint64_t seed, Trace) {
  Played run;
  run.violation = seed == 3 ? "it is the third\nand this is its trace" : "";
  return run;
}
Played play_ended(uint64_t seed, Trace) {
  if (seed == 2) {
    std::raise(SIGKILL);
  }
  return {};
}
Played play_endless(uint64_t seed, Trace) {
  for (volatile bool always = seed == 4; always;) {
  }
  return {};
}

std::set<std::string> lines_of(const std::string& path) {
  std::ifstream file(path);
  std::set<std::string> out;
  for (std::string line; std::getline(file, line);) {
    out.insert(line);
  }
  return out;
}

TEST(Sweep, KeepsTheSeedsThatFailCrashOrHang) {
  const Campaign campaigns[] = {{"fine", "", &play_fine, 1},
                                {"third", "", &play_third, 1},
                                {"ended", "", &play_ended, 1},
                                {"endless", "", &play_endless, 1}};
  const std::string path = cat(testing::TempDir(), "sweep_failures");
  std::ofstream(path) << "fine 1 of an earlier sweep\n";
  const Swept swept = sweep(campaigns, {.time = 2s, .processes = 2, .limit = 1s, .failures = path});
  EXPECT_EQ(lines_of(path), (std::set<std::string>{"fine 1 of an earlier sweep", "third 3 it is the third",
                                                   "ended 2 was ended by signal 9", "endless 4 does not end"}));
  EXPECT_EQ(swept.failed, 3u);
  EXPECT_GE(swept.last_seed, 4u);
  EXPECT_GT(swept.passed, 12u);
  std::remove(path.c_str());
}

TEST(Sweep, PlaysTheRealOnesUntilItsTimeIsOver) {
  const auto began = std::chrono::steady_clock::now();
  const Swept swept = sweep(all_campaigns(), {.time = 1s, .first_seed = 1, .processes = 1});
  EXPECT_GT(swept.passed, 0u);
  EXPECT_EQ(swept.failed, 0u);
  EXPECT_GE(std::chrono::steady_clock::now() - began, 1s);
}

}  // namespace
}  // namespace sluice::test
