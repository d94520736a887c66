// Edf: earliest deadline first: values in turn, each as often as its weight says, well mixed.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace sluice::upstream {

// A heap: O(log n) for each pick. Values of equal deadlines come in the order in which they were queued. Thread: its
// owner's.
template <typename T>
class Edf {
 public:
  bool empty() const { return heap_.empty(); }
  size_t size() const { return heap_.size(); }
  void reserve(size_t n) { heap_.reserve(n); }

  // `weight` > 0. Its turns begin now.
  void add(double weight, T value) {
    heap_.push_back({now_ + 1.0 / weight, order_++, value});
    std::push_heap(heap_.begin(), heap_.end(), later);
  }

  // The next value, which is queued again with the weight that `weight_of(value)` says now. Not for an empty one.
  template <typename WeightOf>
  T pick(WeightOf&& weight_of) {
    std::pop_heap(heap_.begin(), heap_.end(), later);
    Entry& entry = heap_.back();
    const T value = entry.value;
    now_ = entry.deadline;
    entry.deadline += 1.0 / weight_of(value);
    entry.order = order_++;
    std::push_heap(heap_.begin(), heap_.end(), later);
    return value;
  }

 private:
  struct Entry {
    double deadline;
    uint64_t order;
    T value;
  };
  static bool later(const Entry& a, const Entry& b) {
    return a.deadline != b.deadline ? a.deadline > b.deadline : a.order > b.order;
  }

  std::vector<Entry> heap_;
  double now_ = 0;  // the deadline of the last pick
  uint64_t order_ = 0;
};

}  // namespace sluice::upstream
