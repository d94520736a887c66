// From what the data plane keeps to what the admin pages show.
#pragma once

#include "server/admin/admin_source.h"
#include "upstream/cluster_shared.h"

namespace sluice::server::admin {

// Thread: main (the counts are relaxed atomics of all workers).
ClusterInfo describe(const upstream::ClusterShared& cluster);

}  // namespace sluice::server::admin
