// The program behind tools/dev sim: plays seeds of the campaigns, replays one with its trace, and measures a mesh.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "base/strings.h"
#include "test/sim/sim_campaigns.h"
#include "test/sim/sim_mesh.h"
#include "test/sim/sim_sweep.h"

namespace {

using namespace sluice;

struct Wanted {
  uint64_t first = 1;
  uint64_t seeds = 20;
  std::string_view campaign;  // empty: all
  test::Trace trace = test::Trace::kKept;
  bool until_failure = false;  // of each campaign
};

// What runs, for a process that is about to end.
char playing[128];

// A crash has its seed, too; and so has a campaign that hangs and is ended from outside.
void on_signal(int number) {
  static constexpr char kEnd[] = ": the process was ended by a signal\n";
  [[maybe_unused]] const auto name = write(STDOUT_FILENO, playing, std::string_view(playing).size());
  [[maybe_unused]] const auto end = write(STDOUT_FILENO, kEnd, sizeof(kEnd) - 1);
  std::signal(number, SIG_DFL);
  std::raise(number);
}

int usage() {
  std::fprintf(stderr,
               "usage: sim [--seeds N] [--first-seed S] [--seed S] [--campaign C] [--until-failure] [--trace] | --mesh "
               "[N] | --list | --hours H [--first-seed S] [--failures FILE]\n");
  std::fprintf(stderr, "  --mesh N: 50 sidecars, 200 origins and 10,000 clients for ten minutes, divided by N\n");
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
    if (flag == "--until-failure") {
      out.until_failure = true;
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

int mesh(uint64_t divisor) {
  const test::MeshSize size = test::MeshSize().divided_by(divisor);
  const auto began = std::chrono::steady_clock::now();
  const test::MeshRun run = test::play_mesh(1, size);
  const double real = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  const double simulated = std::chrono::duration<double>(size.time).count();
  std::printf("%zu sidecars, %zu origins, %zu clients: %llu requests, %llu failed by %llu resets, %llu steps\n",
              size.sidecars, size.origins, size.clients, static_cast<unsigned long long>(run.whole),
              static_cast<unsigned long long>(run.failed), static_cast<unsigned long long>(run.resets),
              static_cast<unsigned long long>(run.steps));
  std::printf("%.0f simulated seconds in %.1f real ones: %.1f for each; %zu bytes for each proxy; trace hash %016llx\n",
              simulated, real, simulated / real, run.bytes_per_proxy, static_cast<unsigned long long>(run.hash));
  if (!run.violation.empty()) {
    std::printf("FAIL mesh, seed 1: %s\n", run.violation.c_str());
  }
  std::printf("%d passed, %d failed\n", run.violation.empty() ? 1 : 0, run.violation.empty() ? 0 : 1);
  return run.violation.empty() ? 0 : 1;
}

// --hours H [--first-seed S] [--failures FILE]
int sweep(int argc, char** argv) {
  test::Sweep wanted;
  wanted.processes = static_cast<uint32_t>(std::max(1L, sysconf(_SC_NPROCESSORS_ONLN)));
  wanted.failures = "build/sim-failures.txt";
  for (int i = 1; i < argc; i += 2) {
    const std::string_view flag = argv[i];
    if (i + 1 == argc) {
      return usage();
    }
    const auto seed = parse_number<uint64_t>(argv[i + 1]);
    const double hours = std::atof(argv[i + 1]);
    if (flag == "--hours" && hours > 0) {
      wanted.time = std::chrono::duration<double>(hours * 3600);
    } else if (flag == "--first-seed" && seed) {
      wanted.first_seed = *seed;
    } else if (flag == "--failures") {
      wanted.failures = argv[i + 1];
    } else {
      return usage();
    }
  }
  const test::Swept swept = test::sweep(test::all_campaigns(), wanted);
  std::printf("the last seed was %llu; seeds that fail are in %s\n", static_cast<unsigned long long>(swept.last_seed),
              wanted.failures.c_str());
  std::printf("%llu passed, %llu failed\n", static_cast<unsigned long long>(swept.passed),
              static_cast<unsigned long long>(swept.failed));
  return swept.failed == 0 && swept.passed > 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == "--list") {
    for (const test::Campaign& campaign : test::all_campaigns()) {
      std::printf("%s %llu\n", std::string(campaign.name).c_str(), static_cast<unsigned long long>(campaign.seeds));
    }
    return 0;
  }
  if (argc >= 2 && argc <= 3 && std::string_view(argv[1]) == "--mesh") {
    const auto divisor = parse_number<uint64_t>(argc == 3 ? argv[2] : "1");
    return divisor && *divisor > 0 && *divisor <= 50 ? mesh(*divisor) : usage();
  }
  if (argc >= 3 && std::string_view(argv[1]) == "--hours") {
    return sweep(argc, argv);
  }
  for (const int number : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGTERM}) {
    std::signal(number, on_signal);
  }
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
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
      std::snprintf(playing, sizeof(playing), "FAIL %s, seed %llu", std::string(campaign.name).c_str(),
                    static_cast<unsigned long long>(seed));
      const test::Played run = campaign.play(seed, wanted.trace);
      combined = (combined ^ run.hash) * 0x100000001b3;
      if (run.violation.empty()) {
        ++passed;
        continue;
      }
      ++failed;
      std::printf("%s: %s\n", playing, run.violation.c_str());
      if (wanted.until_failure) {
        break;
      }
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
