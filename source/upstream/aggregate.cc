#include "upstream/aggregate.h"

#include <algorithm>

#include "upstream/cluster_set.h"

namespace sluice::upstream {

namespace {

// One priority of one member.
struct Line {
  Cluster* cluster;
  const HostSet* hosts;
  const PriorityHosts* priority;

  uint32_t capacity(bool degraded) const { return degraded ? priority->degraded_capacity : priority->usable_capacity; }
  bool can_serve() const { return capacity(false) + capacity(true) > 0; }
  bool has(const Host* host) const {
    for (const uint32_t group : {priority->usable, priority->degraded}) {
      if (group == PriorityHosts::kNone) continue;
      const auto& in = hosts->groups[group].hosts;
      if (std::any_of(in.begin(), in.end(), [host](const WeightedHost& one) { return one.host == host; })) return true;
    }
    return false;
  }
};

// retry_priority: the members' priorities follow each other as if they were of one cluster (HostSet::choose_priority).
// Takes those away that were tried; when all were, it begins anew.
std::vector<Line> left_lines(const std::vector<Line>& all, const TriedHosts& tried) {
  std::vector<Line> left = all;
  const size_t whole = tried.hosts.size() - tried.hosts.size() % tried.every;
  for (size_t i = 0; i < whole; ++i) {
    std::erase_if(left, [&](const Line& line) { return line.has(tried.hosts[i]); });
    const bool any = std::any_of(left.begin(), left.end(), [](const Line& line) { return line.can_serve(); });
    if ((i + 1) % tried.every == 0 && !any) left = all;
  }
  return left;
}

}  // namespace

Chosen Aggregate::choose(const LbRequest& request) {
  if (look()) {
    share_out();
  }
  if (total_ == 0) {
    return {};
  }
  if (request.tried != nullptr) {
    std::vector<Line> lines;
    for (const Seen& seen : seen_) {
      if (seen.cluster == nullptr) continue;
      for (const PriorityHosts& priority : seen.hosts->priorities) {
        lines.push_back({seen.cluster, seen.hosts.get(), &priority});
      }
    }
    lines = left_lines(lines, *request.tried);
    uint32_t whole = 0;
    for (const Line& line : lines) whole += line.capacity(false) + line.capacity(true);
    whole = std::min(whole, 100u);
    auto at = static_cast<uint32_t>(request.hash.value_or(random_.next()) % 100);
    for (const bool degraded : {false, true}) {
      for (const Line& line : lines) {
        if (line.capacity(degraded) == 0) continue;
        const uint32_t load = line.capacity(degraded) * 100 / whole;
        if (at < load) return {line.cluster, line.cluster->choose_in({line.priority, degraded}, request)};
        at -= load;
      }
    }
  }
  uint64_t at = request.hash.value_or(random_.next()) % total_;
  for (const Level& level : levels_) {
    if (at < level.load) {
      return {level.cluster, level.cluster->choose_in(level.choice, request)};
    }
    at -= level.load;
  }
  return {};
}

// Whether anything is other than the last time. A few look-ups by name, so nobody has to tell.
bool Aggregate::look() {
  bool changed = seen_.size() != members_.size();
  seen_.resize(members_.size());
  for (size_t i = 0; i < members_.size(); ++i) {
    Seen& seen = seen_[i];
    Cluster* cluster = set_.find(members_[i]);
    if (seen.cluster == cluster && (cluster == nullptr || seen.hosts == cluster->hosts())) {
      continue;
    }
    seen.cluster = cluster;
    seen.hosts = cluster == nullptr ? nullptr : cluster->hosts();
    changed = true;
  }
  return changed;
}

// As within one cluster: healthy hosts of all levels first, then degraded ones, each as much as it can take. With none
// of either health says nothing, and hosts count.
void Aggregate::share_out() {
  levels_.clear();
  uint32_t capacity = 0;
  const auto each = [this](auto&& look_at) {
    for (const Seen& seen : seen_) {
      if (seen.cluster != nullptr) {
        for (const PriorityHosts& priority : seen.hosts->priorities) {
          look_at(seen, priority);
        }
      }
    }
  };
  each([&](const Seen&, const PriorityHosts& priority) {
    capacity += priority.usable_capacity + priority.degraded_capacity;
  });
  if (capacity == 0) {
    each([&](const Seen& seen, const PriorityHosts& priority) {
      if (priority.usable != PriorityHosts::kNone) {
        levels_.push_back({seen.cluster,
                           {&priority, false},
                           static_cast<uint32_t>(seen.hosts->groups[priority.usable].hosts.size())});
      }
    });
  } else {
    const uint32_t whole = std::min(capacity, 100u);
    uint32_t left = 100;
    for (const bool degraded : {false, true}) {
      each([&](const Seen& seen, const PriorityHosts& priority) {
        const uint32_t own = degraded ? priority.degraded_capacity : priority.usable_capacity;
        const uint32_t load = std::min(left, own * 100 / whole);
        if (load > 0) {
          levels_.push_back({seen.cluster, {&priority, degraded}, load});
          left -= load;
        }
      });
    }
    levels_.front().load += left;  // what rounding left over
  }
  total_ = 0;
  for (const Level& level : levels_) {
    total_ += level.load;
  }
}

}  // namespace sluice::upstream
