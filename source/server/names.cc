#include "server/names.h"

namespace sluice::server {

void Names::follow(upstream::ClusterShared& cluster, Function<void()> on_first_answer) {
  discoveries_[&cluster] =
      std::make_unique<upstream::DnsDiscovery>(cluster, resolver(cluster.plan->dns->resolver), platform_.main_loop(),
                                               platform_.random(), std::move(on_first_answer));
}

void Names::forward(upstream::ClusterShared& cluster) {
  const std::shared_ptr<const model::DnsCachePlan>& plan = cluster.plan->forward;
  std::unique_ptr<upstream::DnsCache>& cache = caches_[plan.get()];
  if (cache == nullptr) {
    cache = std::make_unique<upstream::DnsCache>(plan, resolver(plan->resolver), platform_.main_loop(),
                                                 platform_.random(), cluster.registry, cells_);
  }
  cache->add(cluster);
}

void Names::forget(upstream::ClusterShared& cluster) {
  discoveries_.erase(&cluster);
  const auto cache = caches_.find(cluster.plan->forward.get());
  if (cache != caches_.end()) {
    cache->second->remove(cluster);
    if (cache->second->clusters() == 0) {
      caches_.erase(cache);
    }
  }
}

void Names::refresh_stats() {
  for (const auto& [plan, cache] : caches_) {
    cache->show_breaker();
  }
}

void Names::clear() {
  caches_.clear();
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
