// Directory: files of resources, read into a world.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "event/files.h"
#include "tools/control_plane/snapshot.h"

namespace sluice::control_plane {

// DIRECTORY/*.yaml (.yml, .json) is for every node, DIRECTORY/NAME/*.yaml for the nodes whose id, else whose cluster,
// is NAME: they get both, and of two resources with one name that of their folder. A file holds what one of a
// path_config_source does: `resources`, each with its "@type". Names that begin with a dot are passed over.
//
// Owned by main. Thread: main.
class Directory {
 public:
  Directory(event::Files& files, std::string path) : files_(files), path_(std::move(path)) {}

  // Files whose text is as it was are not parsed again. Error: all that is wrong, a line each with its place (at most
  // kMostErrors): fields, names that stand twice, and references that lead nowhere.
  Result<WorldPtr> read();

  // Those that the last reading saw.
  std::vector<std::string> folders() const;
  size_t file_count() const { return parsed_.size(); }

  static constexpr size_t kMostErrors = 20;

 private:
  struct File {
    uint64_t hash = 0;
    std::vector<ResourcePtr> resources;
    std::vector<std::string> errors;
  };
  using Parsed = std::map<std::string, File>;

  void read_folder(const std::string& folder, Parsed& seen, std::vector<ResourcePtr>& resources,
                   std::vector<std::string>& errors, std::vector<std::string>* folders);
  const File& read_file(const std::string& path, Parsed& seen);

  event::Files& files_;
  const std::string path_;
  Parsed parsed_;
  std::vector<std::string> folders_;
};

}  // namespace sluice::control_plane
