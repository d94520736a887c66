#include "runtime/layers.h"

#include <algorithm>
#include <set>

#include "base/log.h"
#include "base/strings.h"

namespace sluice::runtime {
namespace {

// Lines that begin with # are comments; blanks at the end of the last line are cut.
std::string without_comments(std::string_view text) {
  std::vector<std::string_view> lines;
  for (const std::string_view line : split(text, '\n')) {
    if (!line.empty()) lines.push_back(line);
  }
  std::string out;
  for (const std::string_view line : lines) {
    if (line.front() != '#') append(out, line, "\n");
  }
  while (!out.empty() && (out.back() == '\n' || out.back() == ' ' || out.back() == '\t' || out.back() == '\r')) {
    out.pop_back();
  }
  return out;
}

}  // namespace

void Key::set(const Value* value) {
  const auto whole = value == nullptr ? std::nullopt : value->whole();
  uint64_t share = kNone;
  if (value != nullptr && value->share) {
    share = uint64_t{value->share->numerator} << 32 | value->share->denominator;
  } else if (whole) {  // a whole number is a percentage
    share = std::min<uint64_t>(*whole, 100) << 32 | 100;
  }
  share_.store(share, std::memory_order_relaxed);
  number_.store(whole.value_or(kNone), std::memory_order_relaxed);
  const bool number = value != nullptr && value->number;
  decimal_.store(number ? *value->number : std::numeric_limits<double>::quiet_NaN(), std::memory_order_relaxed);
  const bool boolean = value != nullptr && value->boolean;
  flag_.store(boolean ? static_cast<int8_t>(*value->boolean) : int8_t{-1}, std::memory_order_relaxed);
}

void Layers::add_static(std::string name, Values values) {
  layers_.push_back({Layer::Kind::kStatic, std::move(name), {}, {}, true, std::move(values)});
}

void Layers::add_disk(std::string name, std::string root, std::string folder) {
  layers_.push_back({Layer::Kind::kDisk, std::move(name), std::move(root), std::move(folder), false, {}});
}

void Layers::add_admin(std::string name) {
  layers_.push_back({Layer::Kind::kAdmin, std::move(name), {}, {}, true, {}});
}

void Layers::add_discovered(std::string name) {
  layers_.push_back({Layer::Kind::kDiscovered, std::move(name), {}, {}, true, {}});
}

void Layers::set_discovered(std::string_view name, Values values) {
  for (Layer& layer : layers_) {
    if (layer.kind == Layer::Kind::kDiscovered && layer.name == name) layer.values = std::move(values);
  }
  ++counts_.success;
  publish();
}

void Layers::load(event::Files* files) {
  uint32_t directories = 0;
  bool failed = false;
  for (Layer& layer : layers_) {
    if (layer.kind != Layer::Kind::kDisk) continue;
    const std::string path = cat(layer.root, "/", layer.folder);
    layer.values.clear();
    layer.present = files != nullptr && files->list(path).ok();
    if (!layer.present) continue;
    if (Result<void> read = read_folder(*files, path, "", 1, layer.values); !read) {
      SLUICE_LOG(kWarning, kRuntime, "runtime layer '", layer.name, "': ", read.error());
      layer.values.clear();
      layer.present = false;
      failed = true;
      continue;
    }
    ++directories;
  }
  directories_ = directories;
  ++(failed ? counts_.error : counts_.success);
  publish();
}

Result<void> Layers::read_folder(event::Files& files, const std::string& path, const std::string& prefix, int depth,
                                 Values& out) {
  if (depth > kDeepest) return Error{cat(path, " is nested too deeply")};
  Result<std::vector<event::DirectoryEntry>> entries = files.list(path);
  if (!entries) return Error{entries.error()};
  for (const event::DirectoryEntry& entry : *entries) {
    const std::string below = cat(path, "/", entry.name);
    const std::string key = prefix.empty() ? entry.name : cat(prefix, ".", entry.name);
    if (entry.kind == event::DirectoryEntry::Kind::kDirectory) {
      if (Result<void> read = read_folder(files, below, key, depth + 1, out); !read) return read;
    } else if (entry.kind == event::DirectoryEntry::Kind::kFile) {
      Result<std::string> text = files.read(below);
      if (!text) return Error{text.error()};
      out.insert_or_assign(key, value_of_override(without_comments(*text)));
    }
  }
  return {};
}

void Layers::watch(event::Files& files) {
  std::set<std::string> roots;
  for (const Layer& layer : layers_) {
    if (layer.kind != Layer::Kind::kDisk || !roots.insert(layer.root).second) continue;
    auto watch = files.watch(layer.root, [this, &files] { load(&files); });
    if (!watch) {
      SLUICE_LOG(kWarning, kRuntime, "runtime layer '", layer.name, "': ", watch.error());
      continue;
    }
    watches_.push_back(std::move(*watch));
  }
}

Result<void> Layers::modify(const std::vector<std::pair<std::string, std::string>>& values) {
  const auto admin = std::find_if(layers_.begin(), layers_.end(),
                                  [](const Layer& layer) { return layer.kind == Layer::Kind::kAdmin; });
  if (admin == layers_.end()) return Error{"No admin layer specified"};
  for (const auto& [key, text] : values) {
    if (text.empty()) {
      admin->values.erase(key);
    } else {
      admin->values.insert_or_assign(key, value_of_override(text));
    }
  }
  ++counts_.success;
  publish();
  return {};
}

void Layers::publish() {
  ++(directories_ > 1 ? counts_.override_exists : counts_.override_absent);
  final_.clear();
  for (const Layer& layer : layers_) {
    for (const auto& [name, value] : layer.values) final_.insert_or_assign(name, &value);
  }
  for (const auto& [name, known] : keys_) {
    if (const std::shared_ptr<Key> key = known.lock()) key->set(find(name));
  }
}

KeyPtr Layers::key(std::string_view name) {
  if (const auto known = keys_.find(name); known != keys_.end()) {
    if (KeyPtr key = known->second.lock()) return key;
  }
  // Listeners and routes that come and go have keys of their own. Those that nobody holds go now and then, and not at
  // their end, which may be on any thread.
  if (keys_.size() >= sweep_at_) {
    std::erase_if(keys_, [](const auto& one) { return one.second.expired(); });
    sweep_at_ = std::max(kFirstSweep, 2 * keys_.size());
  }
  auto key = std::make_shared<Key>();
  key->set(find(name));
  keys_.insert_or_assign(std::string(name), key);
  return key;
}

const Value* Layers::find(std::string_view name) const {
  const auto found = final_.find(name);
  return found == final_.end() ? nullptr : found->second;
}

std::vector<std::string> Layers::names() const {
  std::vector<std::string> out;
  for (const Layer& layer : layers_) {
    if (layer.present) out.push_back(layer.name);
  }
  return out;
}

std::map<std::string, std::vector<std::string>> Layers::entries() const {
  std::map<std::string, std::vector<std::string>> out;
  const size_t layers = names().size();
  size_t at = 0;
  for (const Layer& layer : layers_) {
    if (!layer.present) continue;
    for (const auto& [name, value] : layer.values) {
      std::vector<std::string>& texts = out[name];
      texts.resize(layers);
      texts[at] = value.text;
    }
    ++at;
  }
  return out;
}

bool Layers::overridden() const {
  return std::any_of(layers_.begin(), layers_.end(),
                     [](const Layer& layer) { return layer.kind == Layer::Kind::kAdmin && !layer.values.empty(); });
}

}  // namespace sluice::runtime
