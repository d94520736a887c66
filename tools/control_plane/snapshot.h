// What is served: resources, the snapshot of them that some nodes get, and the world of all snapshots.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/subscription.h"
#include "xds/resource_types.h"

namespace sluice::control_plane {

using config::ResourceType;
using xds::index_of;
using xds::PerType;

// Another resource that one needs from this control plane. A plain value.
struct Reference {
  ResourceType type{};
  std::string name;
  std::string place;  // "FILE:LINE:COLUMN: FIELD", for errors
};

// Immutable. Thread: any.
struct ServedResource {
  ResourceType type{};
  std::string name;
  std::string version;  // a hash of its content: the same after a restart
  std::string body;     // the message, serialized
  std::vector<Reference> references;
  std::string place;  // "FILE:LINE:COLUMN"
};

using ResourcePtr = std::shared_ptr<const ServedResource>;
using ResourceMap = std::map<std::string, ResourcePtr, std::less<>>;

// Of a content; the same on every machine.
std::string version_of(std::string_view bytes);
// A hash of names and versions.
std::string version_of(const ResourceMap& resources);

// What one group of nodes gets. Immutable once made. Thread: any.
struct Snapshot {
  PerType<ResourceMap> resources;
  PerType<std::string> versions;
};

using SnapshotPtr = std::shared_ptr<const Snapshot>;

// The resources by type and name, of which `over` replace those of `under` that have the same name.
SnapshotPtr make_snapshot(const std::vector<ResourcePtr>& under, const std::vector<ResourcePtr>& over);
// What it refers to and does not have, one line each. Clients would wait for these.
std::vector<std::string> missing_in(const Snapshot& snapshot);

// All that a directory says. Immutable. Thread: any.
struct World {
  SnapshotPtr everybody;
  std::map<std::string, SnapshotPtr, std::less<>> folders;

  // That of the folder called as the node's id, else as its cluster, else everybody's.
  const SnapshotPtr& snapshot_for(std::string_view node_id, std::string_view node_cluster) const;
};

using WorldPtr = std::shared_ptr<const World>;

}  // namespace sluice::control_plane
