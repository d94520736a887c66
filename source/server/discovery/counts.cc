#include "server/discovery/counts.h"

#include "base/hash.h"
#include "base/log.h"
#include "base/strings.h"

namespace sluice::server {

using config::Verdict;
using stats::DiscoveryStat;

uint64_t ms_of(WallTime time) { return static_cast<uint64_t>(time.us / 1000); }

std::string tell(std::string_view what, Verdict verdict, const std::string& why,
                 const std::vector<std::string>& unknown, const DiscoveryTools& tools) {
  if (!unknown.empty()) {
    tools.server_stats.count_unknown_fields(unknown.size());
    std::string fields;
    for (const std::string& field : unknown) {
      append(fields, fields.empty() ? "" : ", ", field);
    }
    SLUICE_LOG(kWarning, kConfig, what, ": passed over what this build does not know: ", fields);
  }
  if (verdict == Verdict::kTaken) {
    return {};
  }
  SLUICE_LOG(kWarning, kConfig, what, ": ", verdict == Verdict::kPartly ? "taken in part: " : "refused: ", why);
  return why;
}

DiscoveryCounts::DiscoveryCounts(std::string prefix, const model::ConfigSource& source, const DiscoveryTools& tools,
                                 Reloads reloads)
    : prefix_(std::move(prefix)),
      tools_(tools),
      id_(tools.registry.add_block<DiscoveryStat>(prefix_)),
      block_(tools.cells.block<DiscoveryStat>(id_)) {
  if (reloads == Reloads::kCounted) {
    reload_id_ = tools.registry.add_block<stats::ReloadStat>(prefix_);
    reload_block_ = tools.cells.block<stats::ReloadStat>(reload_id_);
  }
  if (source.kind != model::ConfigSource::Kind::kFile) {
    block_.inc(DiscoveryStat::kUpdateAttempt);
  }
}

DiscoveryCounts::~DiscoveryCounts() {
  tools_.registry.remove_text(cat(prefix_, "version_text"));
  if (reload_id_.valid()) {
    tools_.registry.release_block(reload_id_);
  }
  tools_.registry.release_block(id_);
}

void DiscoveryCounts::reloaded() {
  if (reload_id_.valid()) {
    reload_block_.inc(stats::ReloadStat::kConfigReload);
    reload_block_.set(stats::ReloadStat::kConfigReloadTimeMs, ms_of(tools_.loop.wall_now()));
  }
}

void DiscoveryCounts::count(Verdict verdict, const std::string& version) {
  block_.inc(DiscoveryStat::kUpdateAttempt);
  switch (verdict) {
    case Verdict::kUnreadable:
      block_.inc(DiscoveryStat::kUpdateFailure);
      return;
    case Verdict::kRejected:
    case Verdict::kPartly:
      block_.inc(DiscoveryStat::kUpdateRejected);
      return;
    case Verdict::kTaken:
      break;
  }
  block_.inc(DiscoveryStat::kUpdateSuccess);
  block_.set(DiscoveryStat::kUpdateTime, ms_of(tools_.loop.wall_now()));
  block_.set(DiscoveryStat::kVersion, xxhash64(version));
  tools_.registry.set_text(cat(prefix_, "version_text"), version);
}

void DiscoveryCounts::failed() {
  block_.inc(DiscoveryStat::kUpdateAttempt);
  block_.inc(DiscoveryStat::kUpdateFailure);
}

void DiscoveryCounts::timed_out() {
  block_.inc(DiscoveryStat::kUpdateAttempt);
  block_.inc(DiscoveryStat::kInitFetchTimeout);
}

}  // namespace sluice::server
