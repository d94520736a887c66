// Registry: which stats exist, and their values summed over the threads. WorkerCells: one thread's own part of them.
//
//   const BlockId id = registry.add_block<ClusterStat>("cluster.a.");      // main, when the cluster is built
//   Block<ClusterStat> stats = cells.block<ClusterStat>(id);               // worker, when its view is built
//   stats.inc(ClusterStat::kUpstreamRqTotal);                              // worker, hot
//   registry.release_block(id);                                           // main, when no worker has the view any more
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/function.h"
#include "base/rare.h"
#include "stats/histogram.h"
#include "stats/stats.h"
#include "stats/tags.h"

namespace sluice::stats {

class Registry;

// Which cells of one thread belong to which block. One for each worker and one for main; values outlive it in the
// registry. Thread: its owner's.
class WorkerCells {
 public:
  explicit WorkerCells(Registry& registry);
  WorkerCells(const WorkerCells&) = delete;
  WorkerCells& operator=(const WorkerCells&) = delete;

  // Takes the registry's lock: ask once and keep the Block.
  template <typename Stat>
  Block<Stat> block(BlockId id) {
    return Block<Stat>(cells(id));
  }
  // A stat of its own, made when it is not there yet. With `parent` its name begins with the parent's prefix and it
  // ends with it; without, it stays for the life of the process.
  Single single(Kind kind, std::string_view name, BlockId parent = {});
  Single counter(std::string_view name, BlockId parent = {}) { return single(Kind::kCounter, name, parent); }

 private:
  Cell* cells(BlockId id);

  Registry& registry_;
  uint32_t slot_;
};

// One stat with its value, while the registry shows it. Views are valid during the call only.
struct StatView {
  std::string_view name;
  Kind kind;
  bool used;               // written at least once since the start
  uint64_t value;          // counters and gauges
  const Bins* cumulative;  // histograms: up to the last merge
  const Bins* interval;    // histograms: between the last two merges
  std::string_view rest;   // of the name, behind the prefix of its block
  const FixedTags* fixed;  // of its block; null: rules find the tags in the name
};

// A rule of stats_config.histogram_bucket_settings: the first one that matches decides.
struct BucketRule {
  Function<bool(std::string_view name)> match;
  std::vector<double> bounds;
};

// Thread: any (one mutex, cold); flush() and visit() belong to main.
class Registry {
 public:
  Registry() = default;
  // stats_matcher and histogram_bucket_settings: names for which `hidden` says yes do not exist for who looks.
  Registry(Function<bool(std::string_view name)> hidden, std::vector<BucketRule> bucket_rules)
      : hidden_(std::move(hidden)), bucket_rules_(std::move(bucket_rules)) {}
  ~Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  // Idempotent for the same prefix and table; every call needs its release_block(). `table` lives for ever.
  BlockId add_block(std::string_view prefix, std::span<const Definition> table);
  template <typename Stat>
  BlockId add_block(std::string_view prefix) {
    return add_block(prefix, definitions(Stat{}));
  }
  // For Prometheus, instead of what TagExtractor finds in the names; before the block is used.
  void fix_tags(BlockId id, FixedTags tags);
  // At the last release the block, the single stats below it and all their cells are gone: no thread may still hold a
  // Block or Single of it.
  void release_block(BlockId id);

  // Text readouts ("control_plane.identifier"): shown as they are, set by main.
  void set_text(std::string name, std::string value);
  void remove_text(const std::string& name);
  std::map<std::string, std::string> texts() const;

  // Sums histograms: what came since the last call becomes their interval value. Called every stats_flush_interval.
  void flush();
  // POST /reset_counters: counters begin at zero again (histograms and gauges stay).
  void reset_counters();

  // The value of one counter or gauge by its full name; for tests and the admin pages.
  std::optional<uint64_t> value(std::string_view name) const;
  // The same without looking up a name, for those who ask often.
  template <typename Stat>
  uint64_t value(BlockId id, Stat stat) const {
    return value_of(id.index, static_cast<uint16_t>(stat));
  }
  // Every stat in the order of its name.
  void visit(Function<bool(std::string_view name)>& wanted, Function<void(const StatView&)> show) const;
  void visit(Function<void(const StatView&)> show) const;

  std::span<const double> bounds_of(std::string_view histogram) const;

 private:
  friend class WorkerCells;
  struct Merged {
    Bins cumulative;
    Bins interval;
  };
  // What a block has once it is used, or looked at in a special way: of an idle cluster there is nothing.
  struct More {
    std::vector<uint32_t> children;                                    // single stats below this block
    std::vector<uint64_t> reset_at;                                    // sums at the last reset; empty: never reset
    std::vector<bool> hidden;                                          // by stat; empty: nothing is
    std::vector<std::pair<uint16_t, std::unique_ptr<Merged>>> merged;  // of the histograms that have values
    std::unique_ptr<FixedTags> fixed;                                  // null: none
  };
  static constexpr uint32_t kNone = UINT32_MAX;
  struct Entry {
    std::span<const Definition> table() const { return {definitions, count}; }

    std::string prefix;
    const Definition* definitions = nullptr;
    uint32_t count = 0;
    uint32_t next = kNone;  // in the same bucket
    uint32_t references = 0;
    Rare<More> more;
  };
  struct Sum {
    uint64_t value = 0;
    bool used = false;
  };

  uint64_t value_of(uint32_t index, uint16_t stat) const;
  uint32_t& bucket_of(std::string_view prefix, const Definition* table);
  void grow_buckets();
  BlockId add_locked(std::string_view prefix, std::span<const Definition> table);
  void drop_locked(uint32_t index);
  uint32_t add_slot();
  Cell* cells_locked(uint32_t slot, uint32_t index);
  Cell* find_cells(uint32_t slot, uint32_t index) const;
  void free_cells(uint32_t index);
  Sum sum(uint32_t index, uint16_t stat) const;
  Merged* merged_of(Entry& entry, uint16_t stat, bool make);
  void flush_entry(uint32_t index);
  StatView view(uint32_t index, uint16_t stat, std::string_view name) const;

  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<Entry>> entries_;  // null: free
  std::vector<uint32_t> free_;
  std::vector<uint32_t> buckets_;          // by prefix and table: the first entry of each; at least as many as entries
  std::vector<std::vector<Cell*>> slots_;  // by thread and block; null: nothing was written there
  std::map<std::string, std::string> texts_;
  Function<bool(std::string_view)> hidden_;
  mutable std::vector<BucketRule> bucket_rules_;
};

}  // namespace sluice::stats
