// The program behind `run --simulated`: reads cases as `run_behaviour.py --emit` writes them, one JSON value in each
// file, plays each, and prints what was seen, one line of JSON for each; or plays them with cuts (cut_campaign.h) or
// with probes in their filter chains (hook_campaign.h).
#include <cstdio>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/strings.h"
#include "test/player/case_player.h"
#include "test/player/cut_campaign.h"
#include "test/player/hook_campaign.h"

namespace {

using namespace sluice;

struct Wanted {
  uint64_t seed = 1;
  std::optional<uint64_t> cuts;     // so many of each case; 0: at every byte
  std::optional<player::Cut> only;  // this one
  std::optional<uint64_t> hooks;    // so many times with probes that do everything
  std::optional<uint64_t> probes;   // with these
  bool pauses = false;              // ... which only pause
  bool trace = false;
  std::vector<std::string> files;
};

constexpr char kUsage[] =
    "usage: player [--seed S] [--cuts N | --cut CUT | --hooks N | --probes S [--pauses]] [--trace] FILE...\n";

bool parse(const std::vector<std::string_view>& words, Wanted& out) {
  for (size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "--trace") {
      out.trace = true;
      continue;
    }
    if (words[i] == "--pauses") {
      out.pauses = true;
      continue;
    }
    if (!words[i].starts_with("--")) {
      out.files.emplace_back(words[i]);
      continue;
    }
    if (i + 1 == words.size()) {
      return false;
    }
    const std::string_view value = words[i + 1];
    const auto number = parse_number<uint64_t>(value);
    if (words[i] == "--seed" && number) {
      out.seed = *number;
    } else if (words[i] == "--cuts" && number) {
      out.cuts = *number;
    } else if (words[i] == "--hooks" && number) {
      out.hooks = *number;
    } else if (words[i] == "--probes" && number) {
      out.probes = *number;
    } else if (words[i] == "--cut") {
      out.only = player::Cut::parse(value);
    } else {
      return false;
    }
    if (words[i] == "--cut" && !out.only) {
      return false;
    }
    ++i;
  }
  return !out.files.empty();
}

void play(const player::Spec& spec, const Wanted& wanted) {
  player::Hooks hooks(wanted.probes.value_or(0),
                      wanted.pauses ? player::Hooks::Manner::kPauses : player::Hooks::Manner::kAll);
  player::CasePlayer one(spec, wanted.seed);
  if (wanted.trace) {
    one.print_trace();
  }
  if (wanted.probes) {
    one.probe(hooks);
  }
  if (wanted.only) {
    one.cut(*wanted.only);
    one.check_quiet();
  }
  Value::Map seen = one.play();
  if (wanted.probes) {
    seen.set("stops", player::number(static_cast<double>(hooks.stops)));
  }
  seen.set("id", spec["id"].text());
  std::printf("%s\n", player::to_json(seen).c_str());
  std::fflush(stdout);
}

void tell(const player::Spec& spec, const Wanted& wanted, const std::string& failure) {
  std::printf("FAIL %s, seed %llu, %s\n", spec["id"].text().c_str(), static_cast<unsigned long long>(wanted.seed),
              failure.c_str());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == "--help") {
    std::fputs(kUsage, stdout);
    return 0;
  }
  Wanted wanted;
  if (!parse({argv + 1, argv + argc}, wanted)) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  uint64_t passed = 0;
  uint64_t failed = 0;
  uint64_t stops = 0;
  for (const std::string& name : wanted.files) {
    std::ifstream file(name, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    const std::optional<Value> value = parse_json(text);
    if (!value) {
      std::fprintf(stderr, "%s: not a case\n", name.c_str());
      return 2;
    }
    const player::Spec spec(&*value);
    if (wanted.hooks) {
      const player::HooksPlayed hooks = player::play_hooks(spec, wanted.seed, *wanted.hooks);
      passed += hooks.passed;
      failed += hooks.failures.size();
      stops += hooks.stops;
      for (const std::string& failure : hooks.failures) {
        tell(spec, wanted, failure);
      }
      continue;
    }
    if (!wanted.cuts) {
      play(spec, wanted);
      continue;
    }
    const player::CutsPlayed cuts = player::play_cuts(spec, wanted.seed, *wanted.cuts);
    passed += cuts.passed;
    failed += cuts.failures.size();
    for (const std::string& failure : cuts.failures) {
      tell(spec, wanted, cat("cut ", failure));
    }
  }
  if (wanted.hooks) {
    std::printf("probes stopped %llu times\n", static_cast<unsigned long long>(stops));
  }
  if (wanted.cuts || wanted.hooks) {
    std::printf("%llu passed, %llu failed\n", static_cast<unsigned long long>(passed),
                static_cast<unsigned long long>(failed));
  }
  return failed == 0 ? 0 : 1;
}
