#include "test/player/hook_campaign.h"

#include <cstdio>

#include "base/strings.h"
#include "test/player/case_player.h"
#include "test/player/spoiled.h"

namespace sluice::player {

namespace {

std::string play_probed(const Spec& spec, uint64_t seed, Hooks& hooks, const Value::Map& whole) {
  CasePlayer player(spec, seed);
  player.probe(hooks);
  player.check_quiet();
  const Value::Map got = player.play();
  if (const Value* failed = got.find("failed")) {
    return *failed->as_text();
  }
  return spoiled(got, whole);
}

void say(const Spec& spec, std::string_view what) {
  std::printf("%s %s\n", spec["id"].text().c_str(), std::string(what).c_str());
  std::fflush(stdout);
}

}  // namespace

HooksPlayed play_hooks(const Spec& spec, uint64_t seed, uint64_t count) {
  HooksPlayed out;
  say(spec, "whole");
  const Value::Map whole = CasePlayer(spec, seed).play();
  if (const Value* failed = whole.find("failed")) {
    out.failures.push_back(cat("whole: ", *failed->as_text()));
    return out;
  }
  for (uint64_t probes = seed; probes < seed + count; ++probes) {
    say(spec, cat("probes ", probes));
    Hooks hooks(probes, Hooks::Manner::kAll);
    if (const std::string why = play_probed(spec, seed, hooks, whole); !why.empty()) {
      out.failures.push_back(cat("probes ", probes, ": ", why));
    } else {
      ++out.passed;
    }
    out.stops += hooks.stops;
  }
  return out;
}

}  // namespace sluice::player
