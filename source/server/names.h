// Names: the DNS clusters of a server, and the resolvers that they share.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "server/platform.h"
#include "upstream/dns_discovery.h"

namespace sluice::server {

// Owned by the server; the clusters outlive it. Thread: main.
class Names {
 public:
  explicit Names(Platform& platform) : platform_(platform) {}

  // Begins to ask for the names of `cluster`; `on_first_answer` is called once, later.
  void follow(upstream::ClusterShared& cluster, Function<void()> on_first_answer);
  void forget(upstream::ClusterShared& cluster) { discoveries_.erase(&cluster); }
  void clear();

 private:
  struct Resolver {
    net::ResolverOptions options;
    std::unique_ptr<net::Resolver> resolver;
  };
  net::Resolver& resolver(const net::ResolverOptions& options);

  Platform& platform_;
  std::vector<Resolver> resolvers_;  // one for each set of options
  std::map<upstream::ClusterShared*, std::unique_ptr<upstream::DnsDiscovery>> discoveries_;
};

}  // namespace sluice::server
