// Names: the clusters of a server that ask DNS, and the resolvers and caches that they share.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "server/platform.h"
#include "upstream/dns_cache.h"
#include "upstream/dns_discovery.h"

namespace sluice::server {

// Owned by the server; the clusters outlive it. Thread: main.
class Names {
 public:
  // `cells` are main's.
  Names(Platform& platform, stats::WorkerCells& cells) : platform_(platform), cells_(cells) {}

  // Begins to ask for the names of `cluster`; `on_first_answer` is called once, later.
  void follow(upstream::ClusterShared& cluster, Function<void()> on_first_answer);
  // The same for a dynamic forward proxy, whose names come with its requests.
  void forward(upstream::ClusterShared& cluster);
  void forget(upstream::ClusterShared& cluster);
  // Before somebody looks at the stats.
  void refresh_stats();
  void clear();

 private:
  struct Resolver {
    net::ResolverOptions options;
    std::unique_ptr<net::Resolver> resolver;
  };
  net::Resolver& resolver(const net::ResolverOptions& options);

  Platform& platform_;
  stats::WorkerCells& cells_;
  std::vector<Resolver> resolvers_;  // one for each set of options
  std::map<upstream::ClusterShared*, std::unique_ptr<upstream::DnsDiscovery>> discoveries_;
  std::map<const model::DnsCachePlan*, std::unique_ptr<upstream::DnsCache>> caches_;
};

}  // namespace sluice::server
