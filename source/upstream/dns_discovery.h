// DnsDiscovery: keeps the hosts of a STRICT_DNS or LOGICAL_DNS cluster as the names of its endpoints say.
//
//   ask --> found: its addresses are the hosts     --> ask again after the refresh rate (or the TTL)
//       --> none:  STRICT_DNS has no hosts of it   --> the same; LOGICAL_DNS keeps its host
//       --> failed: the last good answer stays     --> ask again after the failure rate
#pragma once

#include <memory>
#include <vector>

#include "base/random.h"
#include "event/loop.h"
#include "net/resolver.h"
#include "upstream/cluster_shared.h"

namespace sluice::upstream {

// Owned by the server; the cluster and the resolver outlive it. Thread: main.
class DnsDiscovery {
 public:
  // `on_first_answer` is called once: the cluster is as warm as DNS can make it, whatever the answer was.
  DnsDiscovery(ClusterShared& cluster, net::Resolver& resolver, event::Loop& loop, Random& random,
               Function<void()> on_first_answer);
  ~DnsDiscovery();

 private:
  struct Name;

  void ask(Name& name);
  void answered(Name& name, const net::DnsAnswer& answer);
  // Whether its addresses are others now.
  bool take(Name& name, const net::DnsAnswer& answer);
  void publish();
  Duration until_refresh(Name& name, const net::DnsAnswer& answer);
  Duration until_retry(Name& name);
  bool logical() const { return cluster_.plan->discovery == model::Discovery::kLogicalDns; }

  ClusterShared& cluster_;
  net::Resolver& resolver_;
  Random& random_;
  Function<void()> on_first_answer_;
  std::vector<std::unique_ptr<Name>> names_;
};

}  // namespace sluice::upstream
