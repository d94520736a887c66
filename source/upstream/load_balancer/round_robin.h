// ROUND_ROBIN: hosts in turn; with unequal weights by earliest deadline first, as Envoy does.
#pragma once

#include <vector>

#include "upstream/load_balancer/load_balancer.h"

namespace sluice::upstream {

// Equal weights: an index. Else a heap of deadlines: O(log n). Every worker starts at a random place, so that many
// workers (and many proxies) do not all begin with the first host. Thread: worker.
class RoundRobin final : public LoadBalancer {
 public:
  RoundRobin(std::vector<Host*> hosts, Random& random);
  Host* choose() override;

 private:
  struct Entry {
    double deadline;
    uint64_t order;  // equal deadlines: first come, first served
    Host* host;
  };
  static bool later(const Entry& a, const Entry& b);
  Host* choose_weighted();

  std::vector<Host*> hosts_;
  std::vector<Entry> heap_;  // empty when all weights are equal
  size_t next_ = 0;
  uint64_t order_ = 0;
};

}  // namespace sluice::upstream
