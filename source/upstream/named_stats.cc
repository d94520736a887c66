#include "upstream/named_stats.h"

namespace sluice::upstream {

stats::Single* NamedStats::single(stats::Kind kind, std::string_view name) {
  if (const auto found = stats_.find(name); found != stats_.end()) return &found->second;
  return stats_.size() < kMost ? &stats_.emplace(name, cells_.single(kind, name, cluster_)).first->second : nullptr;
}

}  // namespace sluice::upstream
