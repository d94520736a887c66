#include "server/names.h"

namespace sluice::server {

void Names::follow(upstream::ClusterShared& cluster, Function<void()> on_first_answer) {
  discoveries_[&cluster] =
      std::make_unique<upstream::DnsDiscovery>(cluster, resolver(cluster.plan->dns.resolver), platform_.main_loop(),
                                               platform_.random(), std::move(on_first_answer));
}

void Names::clear() {
  discoveries_.clear();
  resolvers_.clear();
}

net::Resolver& Names::resolver(const net::ResolverOptions& options) {
  for (const Resolver& known : resolvers_) {
    if (known.options == options) {
      return *known.resolver;
    }
  }
  resolvers_.push_back({options, platform_.make_resolver(options)});
  return *resolvers_.back().resolver;
}

}  // namespace sluice::server
