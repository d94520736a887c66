#include "stats/histogram.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace sluice::stats {
namespace {

constexpr uint16_t kDigits = 90;

constexpr std::array<double, 21> kPowersOfTen = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9, 1e10,
                                                 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20};

uint16_t decade_of(uint16_t bin) { return static_cast<uint16_t>((bin - 1) / kDigits); }

}  // namespace

uint16_t bin_of(uint64_t value) {
  if (value == 0) {
    return 0;
  }
  uint16_t decade = 0;
  if (value < 10) {
    value *= 10;
  } else {
    decade = 1;
    while (value >= 100) {
      value /= 10;
      ++decade;
    }
  }
  return static_cast<uint16_t>(1 + decade * kDigits + (value - 10));
}

double bin_lower(uint16_t bin) {
  if (bin == 0) {
    return 0;
  }
  const double digits = (bin - 1) % kDigits + 10;
  return digits / 10.0 * kPowersOfTen[decade_of(bin)];
}

double bin_width(uint16_t bin) { return bin == 0 ? 0 : kPowersOfTen[decade_of(bin)] / 10.0; }

HistogramCells::~HistogramCells() {
  for (auto& decade : decades_) {
    delete decade.load(std::memory_order_relaxed);
  }
}

void HistogramCells::record(uint64_t value) {
  std::atomic<uint64_t>* cell = &zeros_;
  if (const uint16_t bin = bin_of(value); bin != 0) {
    std::atomic<Decade*>& slot = decades_[decade_of(bin)];
    Decade* decade = slot.load(std::memory_order_relaxed);
    if (decade == nullptr) {
      decade = new Decade();
      slot.store(decade, std::memory_order_release);
    }
    cell = &(*decade)[(bin - 1) % kDigits];
  }
  cell->store(cell->load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

void record_value(std::atomic<uint64_t>& cell, uint64_t value) {
  auto* cells = reinterpret_cast<HistogramCells*>(cell.load(std::memory_order_relaxed));
  if (cells == nullptr) {
    cells = new HistogramCells;
    cell.store(reinterpret_cast<uint64_t>(cells), std::memory_order_release);
  }
  cells->record(value);
}

const HistogramCells* histogram_in(const std::atomic<uint64_t>& cell) {
  return reinterpret_cast<const HistogramCells*>(cell.load(std::memory_order_acquire));
}

uint64_t Bins::count() const {
  uint64_t total = 0;
  for (const auto& [bin, count] : counts_) {
    total += count;
  }
  return total;
}

double Bins::sum() const {
  double total = 0;
  for (const auto& [bin, count] : counts_) {
    const double left = bin_lower(bin);
    const double right = left + bin_width(bin);
    total += bin == 0 ? 0 : 2 * left * right / (left + right) * static_cast<double>(count);
  }
  return total;
}

std::vector<double> Bins::quantiles(std::span<const double> of) const {
  if (counts_.empty()) {
    return std::vector<double>(of.size(), std::numeric_limits<double>::quiet_NaN());
  }
  const double total = static_cast<double>(count());
  std::vector<double> out;
  out.reserve(of.size());
  size_t at = 0;
  double before = 0;  // values in the bins below counts_[at]
  for (const double quantile : of) {
    const double rank = std::max(1.0, std::ceil(total * quantile));
    while (before + static_cast<double>(counts_[at].second) < rank) {
      before += static_cast<double>(counts_[at].second);
      ++at;
    }
    const auto& [bin, count] = counts_[at];
    out.push_back(bin_lower(bin) + bin_width(bin) * (rank - before) / (static_cast<double>(count) + 1));
  }
  return out;
}

uint64_t Bins::count_upto(double bound) const {
  uint64_t total = 0;
  for (const auto& [bin, count] : counts_) {
    if (bin_lower(bin) > bound) {
      break;
    }
    total += count;
  }
  return total;
}

void Bins::add(const HistogramCells& cells) {
  std::vector<std::pair<uint16_t, uint64_t>> merged;
  merged.reserve(counts_.size() + 8);
  auto ours = counts_.begin();
  cells.each([&](uint16_t bin, uint64_t count) {
    while (ours != counts_.end() && ours->first < bin) {
      merged.push_back(*ours++);
    }
    if (ours != counts_.end() && ours->first == bin) {
      count += ours->second;
      ++ours;
    }
    merged.emplace_back(bin, count);
  });
  merged.insert(merged.end(), ours, counts_.end());
  counts_ = std::move(merged);
}

Bins Bins::minus(const Bins& earlier) const {
  Bins out;
  auto theirs = earlier.counts_.begin();
  for (const auto& [bin, count] : counts_) {
    while (theirs != earlier.counts_.end() && theirs->first < bin) {
      ++theirs;
    }
    const uint64_t old = theirs != earlier.counts_.end() && theirs->first == bin ? theirs->second : 0;
    if (count > old) {
      out.counts_.emplace_back(bin, count - old);
    }
  }
  return out;
}

}  // namespace sluice::stats
