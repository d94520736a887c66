// LoadBalancer: chooses a host of a cluster for a request: a priority, in it the healthy or the degraded hosts or a
// locality, and there by the policy.
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "event/loop.h"
#include "stats/names_cluster.h"
#include "upstream/host_set.h"
#include "upstream/load_balancer/edf.h"
#include "upstream/load_balancer/picker.h"
#include "upstream/load_balancer/zone_routing.h"

namespace sluice::upstream {

// What a choice may depend on.
struct LbRequest {
  std::optional<uint64_t> hash;           // of the request's hash policies
  uint32_t attempt = 0;                   // 0, or how many hosts were refused for this try
  const TriedHosts* tried = nullptr;      // other priorities than theirs are wanted
  const model::LbMatch* match = nullptr;  // what the endpoint's metadata must have
  std::string_view authority;             // whom the request is for: a dynamic forward proxy goes there
};

// A worker's balancer of one cluster. Picks in O(1) or O(log n). Thread: worker.
class LoadBalancer {
 public:
  LoadBalancer(const model::LbPlan& lb, const Breakers& breakers, Random& random, const event::Loop& loop,
               stats::Block<stats::ClusterStat> block)
      : lb_(lb), breakers_(breakers), random_(random), loop_(loop), block_(block) {}

  // From now on out of these.
  void update(HostSetPtr hosts);
  // Null when there is no host to choose. `own`: null where zones do not count.
  Host* choose(const LbRequest& request, const OwnZone* own);
  // The same in this priority, the choice of which was made elsewhere.
  Host* choose_in(const HostSet::Choice& choice, const LbRequest& request);

  // The host of a choice to come, one further with each call; null: it is not known.
  Host* peek();

  const HostSetPtr& hosts() const { return hosts_; }

 private:
  // Of one priority, when localities have weights.
  struct Localities {
    Edf<const PriorityHosts::Share*> usable, degraded;
  };

  // The random part of a request.
  uint64_t random_of(const LbRequest& request);
  // Null: zones do not count for it.
  ZoneRouting* zones_for(const HostSet::Choice& choice, const OwnZone* own);
  Host* pick(const HostSet::Choice& choice, const PickRequest& request);
  Picker& picker_of(uint32_t group);
  uint32_t choose_locality(const PriorityHosts& priority, bool degraded);

  const model::LbPlan& lb_;
  const Breakers& breakers_;
  Random& random_;
  const event::Loop& loop_;
  stats::Block<stats::ClusterStat> block_;
  HostSetPtr hosts_;
  std::unique_ptr<ZoneRouting> zones_;                   // made when it is asked for
  std::vector<std::unique_ptr<Picker>> pickers_;         // by group; made at first use
  std::vector<std::unique_ptr<Localities>> localities_;  // by priority; made at first use
};

}  // namespace sluice::upstream
