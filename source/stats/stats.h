// Counters, gauges and histograms under Envoy's names. The data path writes into cells of its own worker (plain
// loads and stores, no lock, no shared cache line); the main thread sums them when somebody asks.
//
// Stats come in blocks: one prefix ("cluster.a.") and a static table of names (names_*.h), so that a cluster costs its
// prefix and eight bytes a stat. A rarely used name (upstream_rq_503) is a stat of its own, made at its first use.
// How a stat is made and read: registry.h.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <string_view>

#include "stats/histogram.h"

namespace sluice::stats {

enum class Kind : uint8_t { kCounter, kGauge, kHistogram };

struct Definition {
  Kind kind;
  std::string_view name;
};

// One stat of one worker. A histogram's cell holds the address of its HistogramCells, 0 until the first value.
using Cell = std::atomic<uint64_t>;

// One worker's cells of one block; indexed by the block's enum. Cheap to copy; valid until the block is released.
// In front of cell 0 stand the bits that say which gauges were ever written, so that "used" is known of a gauge that
// is back at zero. Thread: the worker that asked for it.
template <typename Stat>
class Block {
 public:
  Block() = default;
  explicit Block(Cell* cells) : cells_(cells) {}
  explicit operator bool() const { return cells_ != nullptr; }

  void inc(Stat stat) { add(stat, 1); }
  void add(Stat stat, uint64_t n) {
    Cell& cell = cells_[index(stat)];
    cell.store(cell.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  // Gauges only: workers' parts are summed, so one worker may go below zero.
  void dec(Stat stat) { sub(stat, 1); }
  void sub(Stat stat, uint64_t n) {
    mark(stat);
    add(stat, ~n + 1);
  }
  void set(Stat stat, uint64_t value) {
    mark(stat);
    cells_[index(stat)].store(value, std::memory_order_relaxed);
  }
  uint64_t get(Stat stat) const { return cells_[index(stat)].load(std::memory_order_relaxed); }
  // Histograms only; the unit is the name's (ms for *_ms and *_time, else as named).
  void record(Stat stat, uint64_t value) { record_value(cells_[index(stat)], value); }

 private:
  static constexpr uint32_t index(Stat stat) { return static_cast<uint32_t>(stat); }
  void mark(Stat stat) {
    Cell& word = *(cells_ - 1 - index(stat) / 64);
    const uint64_t bit = uint64_t{1} << (index(stat) % 64);
    const uint64_t bits = word.load(std::memory_order_relaxed);
    if ((bits & bit) == 0) {
      word.store(bits | bit, std::memory_order_relaxed);
    }
  }

  Cell* cells_ = nullptr;
};

// Names a block in every worker. Thread: any.
struct BlockId {
  uint32_t index = UINT32_MAX;
  bool valid() const { return index != UINT32_MAX; }
};

// A counter, a gauge or a histogram of its own, outside of a table. Thread: as Block.
enum class One : uint8_t { kValue };
class Single {
 public:
  Single() = default;
  explicit Single(Block<One> block) : block_(block) {}
  explicit operator bool() const { return static_cast<bool>(block_); }

  void inc() { block_.inc(One::kValue); }
  void add(uint64_t n) { block_.add(One::kValue, n); }
  void dec() { block_.dec(One::kValue); }
  void sub(uint64_t n) { block_.sub(One::kValue, n); }
  void set(uint64_t value) { block_.set(One::kValue, value); }
  uint64_t get() const { return block_.get(One::kValue); }
  void record(uint64_t value) { block_.record(One::kValue, value); }

 private:
  Block<One> block_;
};

}  // namespace sluice::stats

// SLUICE_STAT_BLOCK(HttpStat, LIST) makes the enum and its table out of a list macro of X(kind, enumerator, "name"):
// `enum class HttpStat`, and `definitions(HttpStat{})` for the registry.
#define SLUICE_STAT_ENUMERATOR(kind, id, name) id,
#define SLUICE_STAT_DEFINITION(kind, id, name) ::sluice::stats::Definition{::sluice::stats::Kind::kind, name},
#define SLUICE_STAT_BLOCK(Type, LIST)                                                       \
  enum class Type : uint16_t { LIST(SLUICE_STAT_ENUMERATOR) kCount };                       \
  inline constexpr ::sluice::stats::Definition kTableOf##Type[] = {LIST(SLUICE_STAT_DEFINITION)}; \
  constexpr std::span<const ::sluice::stats::Definition> definitions(Type) { return kTableOf##Type; }
