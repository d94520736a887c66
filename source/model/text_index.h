// TextIndex: texts to lists of numbers, looked up by the whole text or by every key that begins it, without allocation
// and in time that does not depend on how many keys there are.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace sluice::model {

// add() everything, build() once, then look up. Keys are views that must outlive the index. Thread: any (immutable once
// built).
class TextIndex {
 public:
  void add(std::string_view key, uint32_t value) { added_.push_back({key, value}); }
  void build();
  bool empty() const { return keys_.empty(); }

  // The values of `key` in the order of add(); empty when it is not there.
  std::span<const uint32_t> find(std::string_view key) const;

  // Calls visit(span of values, length of the key) for every key that `text` begins with, shortest first. One walk over
  // the text with a rolling hash, one probe for each length that some key has.
  template <typename Visit>
  void visit_prefixes(std::string_view text, Visit&& visit) const {
    uint64_t hash = kSeed;
    size_t at = 0;
    for (const uint32_t length : lengths_) {
      if (length > text.size()) return;
      for (; at < length; ++at) hash = step(hash, text[at]);
      const auto values = probe(hash, text.substr(0, length));
      if (!values.empty()) visit(values, length);
    }
  }

 private:
  struct Added {
    std::string_view key;
    uint32_t value;
  };
  struct Key {
    std::string_view text;
    uint32_t first;  // in values_
    uint32_t count;
  };
  static constexpr uint64_t kSeed = 14695981039346656037u;  // FNV-1a
  static uint64_t step(uint64_t hash, char c) { return (hash ^ static_cast<uint8_t>(c)) * 1099511628211u; }
  std::span<const uint32_t> probe(uint64_t hash, std::string_view key) const;
  size_t slot(uint64_t hash) const { return static_cast<size_t>((hash * 0x9e3779b97f4a7c15u) >> shift_); }

  std::vector<Added> added_;  // emptied by build()
  std::vector<Key> keys_;
  std::vector<uint32_t> values_;
  std::vector<uint32_t> slots_;    // index into keys_ plus 1; 0: free
  std::vector<uint32_t> lengths_;  // distinct lengths of keys, ascending
  int shift_ = 63;
};

}  // namespace sluice::model
