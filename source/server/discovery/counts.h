// What the subscriptions of all types count: update_attempt, update_success and so on.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/resources.h"
#include "event/loop.h"
#include "model/config_source.h"
#include "server/discovery/subscriber.h"
#include "server/fence.h"
#include "server/server_stats.h"
#include "stats/names_discovery.h"
#include "stats/registry.h"

namespace sluice::config {
class TlsSecrets;
}

namespace sluice::server {

// What everything that discovers is given. Outlives it. Thread: main.
struct DiscoveryTools {
  event::Loop& loop;
  stats::Registry& registry;
  stats::WorkerCells& cells;
  config::ResourceCompiler& compiler;
  config::TlsSecrets& secrets;
  Subscriber& subscriber;
  Fence& fence;
  ServerStats& server_stats;
};

// How an update is told to whoever sent it: empty, or what was wrong with it. Logs what was not taken, and logs and
// counts the fields that nobody knows.
std::string tell(std::string_view what, config::Verdict verdict, const std::string& why,
                 const std::vector<std::string>& unknown, const DiscoveryTools& tools);
template <typename Plan>
std::string tell(std::string_view what, const config::Batch<Plan>& batch, const DiscoveryTools& tools) {
  return tell(what, batch.verdict, batch.why, batch.unknown, tools);
}

// The stats of one subscription, below a prefix of its own. A file counts an attempt each time that it is read, a
// stream each time that it asks. Thread: main.
class DiscoveryCounts {
 public:
  enum class Reloads : uint8_t { kUncounted, kCounted };
  DiscoveryCounts(std::string prefix, const model::ConfigSource& source, const DiscoveryTools& tools, Reloads reloads);
  ~DiscoveryCounts();
  DiscoveryCounts(const DiscoveryCounts&) = delete;
  DiscoveryCounts& operator=(const DiscoveryCounts&) = delete;

  stats::BlockId id() const { return id_; }
  // Something else is in force than before.
  void reloaded();
  void count(config::Verdict verdict, const std::string& version);
  void failed();
  void timed_out();

 private:
  const std::string prefix_;
  const DiscoveryTools& tools_;
  stats::BlockId id_;
  stats::Block<stats::DiscoveryStat> block_;
  stats::BlockId reload_id_;  // of Reloads::kCounted
  stats::Block<stats::ReloadStat> reload_block_;
};

// Milliseconds since 1970, for gauges.
uint64_t ms_of(WallTime time);

}  // namespace sluice::server
