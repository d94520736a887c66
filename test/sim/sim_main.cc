// The program behind tools/dev sim: plays seeds of the campaigns, and replays one with its trace.
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "base/strings.h"
#include "test/sim/sim_campaigns.h"

namespace {

using namespace sluice;

struct Wanted {
  uint64_t first = 1;
  uint64_t seeds = 20;
  std::string_view campaign;  // empty: all
  test::Trace trace = test::Trace::kKept;
};

int usage() {
  std::fprintf(stderr, "usage: sim [--seeds N] [--first-seed S] [--seed S] [--campaign C] [--trace]\n");
  for (const test::Campaign& campaign : test::all_campaigns()) {
    std::fprintf(stderr, "  %-10s %s\n", std::string(campaign.name).c_str(), std::string(campaign.what).c_str());
  }
  return 2;
}

bool parse(int argc, char** argv, Wanted& out) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view flag = argv[i];
    if (flag == "--trace") {
      out.trace = test::Trace::kPrinted;
      continue;
    }
    if (i + 1 == argc) {
      return false;
    }
    const std::string_view value = argv[++i];
    if (flag == "--campaign") {
      out.campaign = value;
      continue;
    }
    const auto number = parse_number<uint64_t>(value);
    if (!number) {
      return false;
    }
    if (flag == "--seeds") {
      out.seeds = *number;
    } else if (flag == "--first-seed") {
      out.first = *number;
    } else if (flag == "--seed") {
      out.first = *number;
      out.seeds = 1;
    } else {
      return false;
    }
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  Wanted wanted;
  if (!parse(argc, argv, wanted)) {
    return usage();
  }
  uint64_t passed = 0;
  uint64_t failed = 0;
  for (const test::Campaign& campaign : test::all_campaigns()) {
    if (!wanted.campaign.empty() && campaign.name != wanted.campaign) {
      continue;
    }
    uint64_t combined = 0xcbf29ce484222325;
    for (uint64_t seed = wanted.first; seed < wanted.first + wanted.seeds; ++seed) {
      const test::Played run = campaign.play(seed, wanted.trace);
      combined = (combined ^ run.hash) * 0x100000001b3;
      if (run.violation.empty()) {
        ++passed;
        continue;
      }
      ++failed;
      std::printf("FAIL %s, seed %llu: %s\n", std::string(campaign.name).c_str(), static_cast<unsigned long long>(seed),
                  run.violation.c_str());
    }
    std::printf("%-10s seeds %llu to %llu, trace hash %016llx\n", std::string(campaign.name).c_str(),
                static_cast<unsigned long long>(wanted.first),
                static_cast<unsigned long long>(wanted.first + wanted.seeds - 1),
                static_cast<unsigned long long>(combined));
  }
  if (passed + failed == 0) {
    return usage();
  }
  std::printf("%llu passed, %llu failed\n", static_cast<unsigned long long>(passed),
              static_cast<unsigned long long>(failed));
  return failed == 0 ? 0 : 1;
}
