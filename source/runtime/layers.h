// Layers: the runtime of the process: static layers, directories of files, and what /runtime_modify set.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/configuration/operations/runtime
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "event/files.h"
#include "runtime/key.h"
#include "runtime/value.h"

namespace sluice::runtime {

// Later layers win. Filled from the configuration, then load()ed; after that keys follow every change. Owned by the
// compiled bootstrap. Thread: main; the keys: any.
class Layers {
 public:
  // What loading came to, for the stats of Envoy's names.
  struct Counts {
    uint64_t success = 0, error = 0;                    // loads
    uint64_t override_exists = 0, override_absent = 0;  // loads with two directories at least, and others
  };

  void add_static(std::string name, Values values);
  // `root` is a link or directory whose replacement by a rename brings new values; the layer is what is below
  // root/folder: one file for each key, `a/b` for "a.b". A missing directory is no error: the layer is not there.
  void add_disk(std::string name, std::string root, std::string folder);
  void add_admin(std::string name);
  // Its values come from a control plane: set_discovered().
  void add_discovered(std::string name);
  void set_discovered(std::string_view name, Values values);

  // Reads the directories (without `files`: none) and tells all keys.
  void load(event::Files* files);
  // Reads again at every change of a directory; `files` outlive the watches.
  void watch(event::Files& files);
  void unwatch() { watches_.clear(); }
  // Sets values in the admin layer, empty ones are taken out. An error: there is no such layer.
  Result<void> modify(const std::vector<std::pair<std::string, std::string>>& values);

  // The key of that name, which lives on with who holds it.
  KeyPtr key(std::string_view name);
  // The final value now; null: no layer has it.
  const Value* find(std::string_view name) const;

  // The layers that are there, and for each key what each of them says (empty: nothing).
  std::vector<std::string> names() const;
  std::map<std::string, std::vector<std::string>> entries() const;
  size_t keys() const { return final_.size(); }
  bool overridden() const;  // something is in the admin layer
  const Counts& counts() const { return counts_; }

 private:
  static constexpr size_t kFirstSweep = 16;
  struct Layer {
    enum class Kind : uint8_t { kStatic, kDisk, kAdmin, kDiscovered };
    Kind kind;
    std::string name;
    std::string root, folder;  // kDisk
    bool present = true;
    Values values;
  };

  static constexpr int kDeepest = 16;  // directories within directories

  static Result<void> read_folder(event::Files& files, const std::string& path, const std::string& prefix, int depth,
                                  Values& out);
  void publish();

  std::vector<Layer> layers_;
  std::map<std::string, std::weak_ptr<Key>, std::less<>> keys_;  // the plans own them
  size_t sweep_at_ = kFirstSweep;                                // so many, and those that nobody has any more go
  std::map<std::string, const Value*, std::less<>> final_;
  std::vector<std::unique_ptr<event::Watch>> watches_;
  uint32_t directories_ = 0;  // that are there
  Counts counts_;
};

}  // namespace sluice::runtime
