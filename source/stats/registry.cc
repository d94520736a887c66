#include "stats/registry.h"

#include <algorithm>
#include <functional>
#include <unordered_map>
#include <utility>

#include "base/check.h"
#include "base/strings.h"

namespace sluice::stats {
namespace {

constexpr Definition kOneCounter[] = {{Kind::kCounter, ""}};
constexpr Definition kOneGauge[] = {{Kind::kGauge, ""}};
constexpr Definition kOneHistogram[] = {{Kind::kHistogram, ""}};

std::span<const Definition> one(Kind kind) {
  return kind == Kind::kCounter ? kOneCounter : kind == Kind::kGauge ? kOneGauge : kOneHistogram;
}

bool has_histogram(std::span<const Definition> table) {
  return std::any_of(table.begin(), table.end(), [](const Definition& each) { return each.kind == Kind::kHistogram; });
}

// Words of gauge marks in front of the cells.
size_t mark_words(size_t stats) { return (stats + 63) / 64; }

}  // namespace

WorkerCells::WorkerCells(Registry& registry) : registry_(registry), slot_(registry.add_slot()) {}

Cell* WorkerCells::cells(BlockId id) {
  const std::lock_guard lock(registry_.mutex_);
  return registry_.cells_locked(slot_, id.index);
}

Single WorkerCells::single(Kind kind, std::string_view name, BlockId parent) {
  const std::lock_guard lock(registry_.mutex_);
  const auto table = one(kind);
  uint32_t index;
  if (!parent.valid()) {
    index = registry_.add_locked(name, table).index;
  } else {
    SLUICE_CHECK(parent.index < registry_.entries_.size() && registry_.entries_[parent.index] != nullptr);
    Registry::Entry& entry = *registry_.entries_[parent.index];
    index = registry_.add_locked(cat(entry.prefix, name), table).index;
    std::vector<uint32_t>& children = entry.more.edit().children;
    if (std::find(children.begin(), children.end(), index) == children.end()) {
      children.push_back(index);
    } else {
      --registry_.entries_[index]->references;  // the parent holds one, however many threads use it
    }
  }
  return Single(Block<One>(registry_.cells_locked(slot_, index)));
}

Registry::~Registry() {
  for (uint32_t i = 0; i < entries_.size(); ++i) {
    if (entries_[i] != nullptr) {
      free_cells(i);
    }
  }
}

BlockId Registry::add_block(std::string_view prefix, std::span<const Definition> table) {
  const std::lock_guard lock(mutex_);
  return add_locked(prefix, table);
}

// There are buckets.
uint32_t& Registry::bucket_of(std::string_view prefix, const Definition* table) {
  const size_t hash = std::hash<std::string_view>()(prefix) ^ std::hash<const Definition*>()(table);
  return buckets_[hash % buckets_.size()];
}

void Registry::grow_buckets() {
  buckets_.assign(entries_.size() * 2 + 1, kNone);
  for (uint32_t i = 0; i < entries_.size(); ++i) {
    if (Entry* entry = entries_[i].get(); entry != nullptr) {
      entry->next = std::exchange(bucket_of(entry->prefix, entry->definitions), i);
    }
  }
}

BlockId Registry::add_locked(std::string_view prefix, std::span<const Definition> table) {
  for (uint32_t at = buckets_.empty() ? kNone : bucket_of(prefix, table.data()); at != kNone; at = entries_[at]->next) {
    if (entries_[at]->definitions == table.data() && entries_[at]->prefix == prefix) {
      ++entries_[at]->references;
      return {at};
    }
  }
  uint32_t index;
  if (free_.empty()) {
    index = static_cast<uint32_t>(entries_.size());
    entries_.emplace_back();
  } else {
    index = free_.back();
    free_.pop_back();
  }
  auto entry = std::make_unique<Entry>();
  entry->prefix = prefix;
  entry->definitions = table.data();
  entry->count = static_cast<uint32_t>(table.size());
  entry->references = 1;
  if (hidden_) {
    std::vector<bool> hidden;
    for (const Definition& definition : table) {
      hidden.push_back(hidden_(cat(prefix, definition.name)));
    }
    if (std::find(hidden.begin(), hidden.end(), true) != hidden.end()) {
      entry->more.edit().hidden = std::move(hidden);
    }
  }
  entries_[index] = std::move(entry);
  if (buckets_.size() < entries_.size()) {
    grow_buckets();  // with this one
  } else {
    entries_[index]->next = std::exchange(bucket_of(prefix, table.data()), index);
  }
  return {index};
}

void Registry::fix_tags(BlockId id, FixedTags tags) {
  const std::lock_guard lock(mutex_);
  entries_[id.index]->more.edit().fixed = std::make_unique<FixedTags>(std::move(tags));
}

void Registry::release_block(BlockId id) {
  const std::lock_guard lock(mutex_);
  drop_locked(id.index);
}

void Registry::drop_locked(uint32_t index) {
  SLUICE_CHECK(index < entries_.size() && entries_[index] != nullptr);
  if (--entries_[index]->references != 0) {
    return;
  }
  for (const uint32_t child : entries_[index]->more->children) {
    drop_locked(child);
  }
  free_cells(index);
  uint32_t* at = &bucket_of(entries_[index]->prefix, entries_[index]->definitions);
  while (*at != index) {
    at = &entries_[*at]->next;
  }
  *at = entries_[index]->next;
  entries_[index].reset();
  free_.push_back(index);
}

uint32_t Registry::add_slot() {
  const std::lock_guard lock(mutex_);
  slots_.emplace_back();
  return static_cast<uint32_t>(slots_.size() - 1);
}

Cell* Registry::cells_locked(uint32_t slot, uint32_t index) {
  SLUICE_CHECK(index < entries_.size() && entries_[index] != nullptr);
  std::vector<Cell*>& blocks = slots_[slot];
  if (blocks.size() <= index) {
    blocks.resize(entries_.size(), nullptr);
  }
  if (blocks[index] == nullptr) {
    const size_t stats = entries_[index]->table().size();
    blocks[index] = (new Cell[mark_words(stats) + stats]()) + mark_words(stats);
  }
  return blocks[index];
}

Cell* Registry::find_cells(uint32_t slot, uint32_t index) const {
  return index < slots_[slot].size() ? slots_[slot][index] : nullptr;
}

void Registry::free_cells(uint32_t index) {
  const Entry& entry = *entries_[index];
  for (uint32_t slot = 0; slot < slots_.size(); ++slot) {
    Cell* cells = find_cells(slot, index);
    if (cells == nullptr) {
      continue;
    }
    for (size_t i = 0; i < entry.table().size(); ++i) {
      if (entry.table()[i].kind == Kind::kHistogram) {
        delete histogram_in(cells[i]);
      }
    }
    delete[](cells - mark_words(entry.table().size()));
    slots_[slot][index] = nullptr;
  }
}

void Registry::set_text(std::string name, std::string value) {
  const std::lock_guard lock(mutex_);
  if (hidden_ && hidden_(name)) {
    return;
  }
  texts_[std::move(name)] = std::move(value);
}

void Registry::remove_text(const std::string& name) {
  const std::lock_guard lock(mutex_);
  texts_.erase(name);
}

std::map<std::string, std::string> Registry::texts() const {
  const std::lock_guard lock(mutex_);
  return texts_;
}

Registry::Sum Registry::sum(uint32_t index, uint16_t stat) const {
  const Entry& entry = *entries_[index];
  Sum out;
  for (uint32_t slot = 0; slot < slots_.size(); ++slot) {
    if (const Cell* cells = find_cells(slot, index); cells != nullptr) {
      const uint64_t marks = (cells - 1 - stat / 64)->load(std::memory_order_relaxed);
      out.value += cells[stat].load(std::memory_order_relaxed);
      out.used = out.used || (marks >> (stat % 64) & 1) != 0;
    }
  }
  out.used = out.used || out.value != 0;
  if (!entry.more->reset_at.empty() && entry.table()[stat].kind == Kind::kCounter) {
    out.value -= entry.more->reset_at[stat];
  }
  return out;
}

Registry::Merged* Registry::merged_of(Entry& entry, uint16_t stat, bool make) {
  for (const auto& [of, merged] : entry.more->merged) {
    if (of == stat) {
      return merged.get();
    }
  }
  return make ? entry.more.edit().merged.emplace_back(stat, std::make_unique<Merged>()).second.get() : nullptr;
}

void Registry::flush_entry(uint32_t index) {
  Entry& entry = *entries_[index];
  for (uint16_t stat = 0; stat < entry.table().size(); ++stat) {
    if (entry.table()[stat].kind != Kind::kHistogram) {
      continue;
    }
    Bins now;
    for (uint32_t slot = 0; slot < slots_.size(); ++slot) {
      const Cell* cells = find_cells(slot, index);
      if (const HistogramCells* values = cells == nullptr ? nullptr : histogram_in(cells[stat]); values != nullptr) {
        now.add(*values);
      }
    }
    if (now.empty()) {
      continue;
    }
    Merged& merged = *merged_of(entry, stat, true);
    merged.interval = now.minus(merged.cumulative);
    merged.cumulative = std::move(now);
  }
}

// Blocks are many, most of them were never written to, and tables are few: neither costs a look at each stat.
void Registry::flush() {
  const std::lock_guard lock(mutex_);
  std::unordered_map<const Definition*, bool> measured;
  for (uint32_t i = 0; i < entries_.size(); ++i) {
    const auto has_cells = [i](const std::vector<Cell*>& blocks) { return i < blocks.size() && blocks[i] != nullptr; };
    if (std::none_of(slots_.begin(), slots_.end(), has_cells)) {
      continue;
    }
    const auto [table, made] = measured.try_emplace(entries_[i]->definitions);
    if (made) {
      table->second = has_histogram(entries_[i]->table());
    }
    if (table->second) {
      flush_entry(i);
    }
  }
}

void Registry::reset_counters() {
  const std::lock_guard lock(mutex_);
  for (uint32_t i = 0; i < entries_.size(); ++i) {
    if (entries_[i] == nullptr) {
      continue;
    }
    Entry& entry = *entries_[i];
    std::vector<uint64_t> sums(entry.table().size(), 0);
    for (uint16_t stat = 0; stat < entry.table().size(); ++stat) {
      if (entry.table()[stat].kind == Kind::kCounter) {
        sums[stat] = sum(i, stat).value + (entry.more->reset_at.empty() ? 0 : entry.more->reset_at[stat]);
      }
    }
    entry.more.edit().reset_at = std::move(sums);
  }
}

StatView Registry::view(uint32_t index, uint16_t stat, std::string_view name) const {
  static const Bins kNone;
  Entry& entry = *entries_[index];
  const std::string_view rest = entry.table()[stat].name;
  StatView out{name, entry.table()[stat].kind, false, 0, &kNone, &kNone, rest, entry.more->fixed.get()};
  if (out.kind != Kind::kHistogram) {
    const Sum total = sum(index, stat);
    out.value = total.value;
    out.used = total.used;
    return out;
  }
  for (const auto& [of, merged] : entry.more->merged) {
    if (of == stat) {
      out.cumulative = &merged->cumulative;
      out.interval = &merged->interval;
      out.used = true;
    }
  }
  return out;
}

std::optional<uint64_t> Registry::value(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  for (uint32_t i = 0; i < entries_.size(); ++i) {
    if (entries_[i] == nullptr || !name.starts_with(entries_[i]->prefix)) {
      continue;
    }
    const std::string_view rest = name.substr(entries_[i]->prefix.size());
    for (uint16_t stat = 0; stat < entries_[i]->table().size(); ++stat) {
      const Definition& definition = entries_[i]->table()[stat];
      if (definition.name == rest && definition.kind != Kind::kHistogram) {
        return sum(i, stat).value;
      }
    }
  }
  return std::nullopt;
}

uint64_t Registry::value_of(uint32_t index, uint16_t stat) const {
  const std::lock_guard lock(mutex_);
  return sum(index, stat).value;
}

void Registry::visit(Function<bool(std::string_view name)>& wanted, Function<void(const StatView&)> show) const {
  const std::lock_guard lock(mutex_);
  struct Named {
    std::string name;
    uint32_t index;
    uint16_t stat;
  };
  std::vector<Named> names;
  for (uint32_t i = 0; i < entries_.size(); ++i) {
    if (entries_[i] == nullptr) {
      continue;
    }
    for (uint16_t stat = 0; stat < entries_[i]->table().size(); ++stat) {
      if (const auto& hidden = entries_[i]->more->hidden; !hidden.empty() && hidden[stat]) {
        continue;
      }
      std::string name = cat(entries_[i]->prefix, entries_[i]->table()[stat].name);
      if (wanted(name)) {
        names.push_back({std::move(name), i, stat});
      }
    }
  }
  std::sort(names.begin(), names.end(), [](const Named& a, const Named& b) { return a.name < b.name; });
  for (const Named& named : names) {
    show(view(named.index, named.stat, named.name));
  }
}

void Registry::visit(Function<void(const StatView&)> show) const {
  Function<bool(std::string_view)> all = [](std::string_view) { return true; };
  visit(all, std::move(show));
}

std::span<const double> Registry::bounds_of(std::string_view histogram) const {
  for (BucketRule& rule : bucket_rules_) {
    if (rule.match(histogram)) {
      return rule.bounds;
    }
  }
  return kDefaultBounds;
}

}  // namespace sluice::stats
