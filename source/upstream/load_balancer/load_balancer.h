// LoadBalancer: chooses a host of a cluster for a request.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "base/random.h"
#include "model/cluster_plan.h"
#include "upstream/host.h"

namespace sluice::upstream {

// A worker's balancer of one cluster. Thread: worker.
class LoadBalancer {
 public:
  virtual ~LoadBalancer() = default;
  // Null when there is no host to choose.
  virtual Host* choose() = 0;
};

// For the hosts that may be chosen, which must outlive the balancer.
std::unique_ptr<LoadBalancer> make_load_balancer(model::LbPolicy policy, std::vector<Host*> hosts, Random& random);

}  // namespace sluice::upstream
