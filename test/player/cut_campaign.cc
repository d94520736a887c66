#include "test/player/cut_campaign.h"

#include <cstdio>

#include "base/strings.h"
#include "test/player/case_player.h"
#include "test/player/spoiled.h"

namespace sluice::player {

namespace {

constexpr uint64_t kHead = 600;  // the first bytes of a connection, where heads and framing are

std::vector<Cut> choose(const std::vector<Passed::Bytes>& passed, uint64_t seed, uint64_t count) {
  std::vector<Cut> out;
  test::SimRandom random(seed);
  if (passed.empty()) {
    return out;
  }
  for (uint64_t i = 0; i < count; ++i) {
    Cut cut;
    cut.wire = random.between(0, passed.size() - 1);
    cut.of = random.chance(500) ? Cut::Of::kSent : Cut::Of::kReceived;
    const uint64_t bytes = cut.of == Cut::Of::kSent ? passed[cut.wire].sent : passed[cut.wire].received;
    cut.at = random.between(0, random.chance(600) ? std::min(bytes, kHead) : bytes);
    cut.how = random.chance(600) ? net::CloseHow::kReset : net::CloseHow::kFin;
    out.push_back(cut);
  }
  return out;
}

std::vector<Cut> everywhere(const std::vector<Passed::Bytes>& passed) {
  std::vector<Cut> out;
  for (size_t wire = 0; wire < passed.size(); ++wire) {
    for (const auto& [of, bytes] :
         {std::pair(Cut::Of::kSent, passed[wire].sent), {Cut::Of::kReceived, passed[wire].received}}) {
      for (uint64_t at = 0; at <= bytes; ++at) {
        out.push_back({wire, of, at, net::CloseHow::kReset});
        out.push_back({wire, of, at, net::CloseHow::kFin});
      }
    }
  }
  return out;
}

}  // namespace

std::string play_cut(const Spec& spec, uint64_t seed, const Cut& cut, const Value::Map& whole) {
  CasePlayer player(spec, seed);
  player.cut(cut);
  player.check_quiet();
  const Value::Map got = player.play();
  if (const Value* failed = got.find("failed")) {
    return *failed->as_text();
  }
  // A body that lasts until the end of its connection cannot be told from a shorter one.
  return cut.how == net::CloseHow::kReset ? spoiled(got, whole) : "";
}

CutsPlayed play_cuts(const Spec& spec, uint64_t seed, uint64_t count) {
  CutsPlayed out;
  CasePlayer player(spec, seed);
  player.check_quiet();
  std::printf("%s whole\n", spec["id"].text().c_str());
  std::fflush(stdout);
  const Value::Map whole = player.play();
  if (const Value* failed = whole.find("failed")) {
    out.failures.push_back(cat("whole: ", *failed->as_text()));
    return out;
  }
  ++out.passed;
  for (const Cut& cut : count == 0 ? everywhere(player.passed()) : choose(player.passed(), seed, count)) {
    std::printf("%s %s\n", spec["id"].text().c_str(), cut.to_string().c_str());
    std::fflush(stdout);
    if (const std::string why = play_cut(spec, seed, cut, whole); !why.empty()) {
      out.failures.push_back(cat(cut.to_string(), ": ", why));
    } else {
      ++out.passed;
    }
  }
  return out;
}

}  // namespace sluice::player
