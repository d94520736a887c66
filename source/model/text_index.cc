#include "model/text_index.h"

#include <algorithm>

namespace sluice::model {

void TextIndex::build() {
  std::stable_sort(added_.begin(), added_.end(), [](const Added& a, const Added& b) { return a.key < b.key; });
  for (const Added& added : added_) {
    if (keys_.empty() || keys_.back().text != added.key) {
      keys_.push_back({added.key, static_cast<uint32_t>(values_.size()), 0});
      lengths_.push_back(static_cast<uint32_t>(added.key.size()));
    }
    values_.push_back(added.value);
    ++keys_.back().count;
  }
  added_ = {};
  std::sort(lengths_.begin(), lengths_.end());
  lengths_.erase(std::unique(lengths_.begin(), lengths_.end()), lengths_.end());
  lengths_.shrink_to_fit();

  int bits = 1;
  while ((size_t{1} << bits) < keys_.size() * 2) ++bits;
  shift_ = 64 - bits;
  slots_.assign(size_t{1} << bits, 0);
  for (uint32_t i = 0; i < keys_.size(); ++i) {
    uint64_t hash = kSeed;
    for (const char c : keys_[i].text) hash = step(hash, c);
    size_t at = slot(hash);
    while (slots_[at] != 0) at = (at + 1) % slots_.size();
    slots_[at] = i + 1;
  }
}

std::span<const uint32_t> TextIndex::find(std::string_view key) const {
  uint64_t hash = kSeed;
  for (const char c : key) hash = step(hash, c);
  return probe(hash, key);
}

std::span<const uint32_t> TextIndex::probe(uint64_t hash, std::string_view key) const {
  if (slots_.empty()) return {};
  for (size_t at = slot(hash); slots_[at] != 0; at = (at + 1) % slots_.size()) {
    const Key& entry = keys_[slots_[at] - 1];
    if (entry.text == key) return {values_.data() + entry.first, entry.count};
  }
  return {};
}

}  // namespace sluice::model
