// Stage: a proxy made from kPlainProxy, its origins, and clients with traffic of every kind. Acts that campaigns are
// made of: play() under faults, recover() without them, end().
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "test/sim/sim_campaigns.h"
#include "test/sim/sim_invariants.h"
#include "test/sim/sim_proxy.h"
#include "test/sim/sim_traffic.h"

namespace sluice::test {

// per_connection_buffer_limit_bytes on both sides.
inline constexpr size_t kStageLimit = 32 * 1024;
inline constexpr uint16_t kStagePort = 9000;
// Addresses of the origins, and of the proxy's listener.
extern const std::vector<std::string> kStageOrigins;
extern const net::Address kStageProxy;

// `yaml` with `text` behind the first `after`, which must be there.
void insert_behind(std::string& yaml, std::string_view after, std::string_view text);
void replace_first(std::string& yaml, std::string_view what, std::string_view with);
// kPlainProxy to the first origin, with low limits and a line of the log that tells bytes.
std::string stage_yaml();

// Thread: the simulation's.
class Stage {
 public:
  Stage(uint64_t seed, Trace trace, std::string_view yaml, size_t origins,
        const config::Extensions& extensions = filters::builtin(),
        const std::vector<std::string>& clusters = {"origin"});  // those that are connected to, the main one first

  TrafficOrigin& origin(size_t number) { return *origins_[number]; }

  // Traffic under faults.
  void play(std::string_view answers = kAnyAnswer);
  // The faults end: everybody is served, also on the connections that were left over.
  void recover(std::string_view answers = kSureAnswers);
  // Everybody goes, and takes everything along.
  Played end();

  SimProxy proxy;
  Violations violations;
  Ledger ledger;

 private:
  bool all_done() const;
  void check_log();

  const MonotonicTime began_;
  std::vector<std::unique_ptr<SimMachine>> machines_;
  std::vector<std::unique_ptr<TrafficOrigin>> origins_;
  std::optional<Invariants> invariants_;
  std::vector<std::unique_ptr<TrafficClient>> clients_;
};

}  // namespace sluice::test
