// Histograms as Envoy has them: log-linear bins of two significant decimal digits (as in OpenHistogram), so that
// quantiles and buckets come out the same.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace sluice::stats {

// The bin of a value: 0 for zero, else 1 + 90 * (decimal exponent) + (two leading digits - 10). 1801 bins in all.
uint16_t bin_of(uint64_t value);
double bin_lower(uint16_t bin);
double bin_width(uint16_t bin);

// Values of one histogram as one worker saw them. Bins are made decade by decade, at the first value in it. Only one
// thread records; main reads at any time. Thread: worker (record), main (read).
class HistogramCells {
 public:
  HistogramCells() = default;
  ~HistogramCells();
  HistogramCells(const HistogramCells&) = delete;
  HistogramCells& operator=(const HistogramCells&) = delete;

  void record(uint64_t value);
  // Calls f(bin, count) for the bins that have values, in order.
  template <typename F>
  void each(F&& f) const {
    if (const uint64_t zeros = zeros_.load(std::memory_order_relaxed); zeros != 0) {
      f(uint16_t{0}, zeros);
    }
    for (uint16_t d = 0; d < kDecades; ++d) {
      const Decade* decade = decades_[d].load(std::memory_order_acquire);
      for (uint16_t i = 0; decade != nullptr && i < kDigits; ++i) {
        if (const uint64_t count = (*decade)[i].load(std::memory_order_relaxed); count != 0) {
          f(static_cast<uint16_t>(1 + d * kDigits + i), count);
        }
      }
    }
  }

 private:
  static constexpr uint16_t kDecades = 20;
  static constexpr uint16_t kDigits = 90;
  using Decade = std::array<std::atomic<uint64_t>, kDigits>;

  std::atomic<uint64_t> zeros_{0};
  std::array<std::atomic<Decade*>, kDecades> decades_{};
};

// Records into the histogram whose address stands in `cell`, making it first.
void record_value(std::atomic<uint64_t>& cell, uint64_t value);
const HistogramCells* histogram_in(const std::atomic<uint64_t>& cell);

// Counts by bin, summed over workers. A value. Thread: its owner's.
class Bins {
 public:
  bool empty() const { return counts_.empty(); }
  uint64_t count() const;
  // Approximate: every value counts as the harmonic mean of its bin's bounds, as in Envoy.
  double sum() const;
  // One value for each quantile (0..1, in rising order); NaN when there are no values. It is the value of that rank
  // (none between two values), where the n values of a bin stand evenly inside it.
  std::vector<double> quantiles(std::span<const double> of) const;
  // Values in bins that begin at or below `bound`.
  uint64_t count_upto(double bound) const;
  const std::vector<std::pair<uint16_t, uint64_t>>& counts() const { return counts_; }

  void add(const HistogramCells& cells);
  // What is in this one and was not in `earlier`.
  Bins minus(const Bins& earlier) const;

 private:
  std::vector<std::pair<uint16_t, uint64_t>> counts_;  // by bin, no zeros
};

// Envoy's quantiles (P0 P25 ... P100) and default bucket bounds.
inline constexpr std::array<double, 10> kQuantiles = {0, 0.25, 0.5, 0.75, 0.90, 0.95, 0.99, 0.995, 0.999, 1};
inline constexpr std::array<double, 19> kDefaultBounds = {
    0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000, 60000, 300000, 600000, 1800000, 3600000};

}  // namespace sluice::stats
