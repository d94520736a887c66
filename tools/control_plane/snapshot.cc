#include "tools/control_plane/snapshot.h"

#include <cstdio>

#include "base/hash.h"
#include "base/strings.h"

namespace sluice::control_plane {

std::string version_of(std::string_view bytes) {
  char text[17];
  std::snprintf(text, sizeof(text), "%016llx", static_cast<unsigned long long>(xxhash64(bytes)));
  return text;
}

std::string version_of(const ResourceMap& resources) {
  std::string all;
  for (const auto& [name, resource] : resources) {
    append(all, name, '\n', resource->version, '\n');
  }
  return version_of(all);
}

SnapshotPtr make_snapshot(const std::vector<ResourcePtr>& under, const std::vector<ResourcePtr>& over) {
  auto snapshot = std::make_shared<Snapshot>();
  for (const auto* layer : {&under, &over}) {
    for (const ResourcePtr& resource : *layer) {
      snapshot->resources[index_of(resource->type)].insert_or_assign(resource->name, resource);
    }
  }
  for (size_t i = 0; i < xds::kResourceTypes; ++i) {
    snapshot->versions[i] = version_of(snapshot->resources[i]);
  }
  return snapshot;
}

std::vector<std::string> missing_in(const Snapshot& snapshot) {
  std::vector<std::string> missing;
  for (const ResourceMap& resources : snapshot.resources) {
    for (const auto& [name, resource] : resources) {
      for (const Reference& reference : resource->references) {
        if (!snapshot.resources[index_of(reference.type)].contains(reference.name)) {
          missing.push_back(cat(reference.place, ": the ", xds::names_of(reference.type).acronym, " resource '",
                                reference.name, "' is in no file"));
        }
      }
    }
  }
  return missing;
}

const SnapshotPtr& World::snapshot_for(std::string_view node_id, std::string_view node_cluster) const {
  for (const std::string_view folder : {node_id, node_cluster}) {
    if (const auto found = folders.find(folder); found != folders.end()) {
      return found->second;
    }
  }
  return everybody;
}

}  // namespace sluice::control_plane
