// DnsCache: looks up the names that requests ask a dynamic forward proxy for, and keeps them as hosts of its clusters
// as long as somebody asks.
//
//   asked for --address of a literal, or the answer of DNS--> a host of every cluster --nobody asked for host_ttl-->
//   gone
//                 no answer: the failure is told to whoever asks, until DNS was asked again
// https://www.envoyproxy.io/docs/envoy/v1.36.0/configuration/http/http_filters/dynamic_forward_proxy_filter
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "event/loop.h"
#include "model/dns_cache_plan.h"
#include "net/resolver.h"
#include "stats/names_cluster.h"
#include "upstream/cluster_shared.h"

namespace sluice::upstream {

class DnsCache;

// How workers reach a cache, which lives on main: part of its clusters, and may outlive it. Thread: any.
class NameLookups {
 public:
  enum class Outcome : uint8_t {
    kKnown,   // the worker's clusters have the host now
    kFailed,  // DNS has no address, or did not say; `why` tells
    kFull,    // there are max_hosts already
  };
  struct Answer {
    Outcome outcome;
    std::string why;
  };
  using OnAnswer = Function<void(Answer)>;

  NameLookups(event::Loop& main, DnsCache& cache, uint32_t max_pending)
      : main_(main), max_pending_(max_pending), cache_(&cache) {}

  // `name`: as ForwardName says. The answer is posted to `loop`. False: too many wait already.
  static bool ask(std::shared_ptr<NameLookups> lookups, std::string name, event::Loop& loop, OnAnswer on_answer);

 private:
  friend class DnsCache;
  event::Loop& main_;
  const uint32_t max_pending_;
  std::atomic<uint32_t> pending_{0};
  std::atomic<uint64_t> overflows_{0};
  DnsCache* cache_;  // null: it is gone. Thread: main.
};

// One for each name of a cache; owned by the server, the resolver outlives it. Thread: main.
class DnsCache {
 public:
  DnsCache(std::shared_ptr<const model::DnsCachePlan> plan, net::Resolver& resolver, event::Loop& loop, Random& random,
           stats::Registry& registry, stats::WorkerCells& cells);
  ~DnsCache();
  DnsCache(const DnsCache&) = delete;
  DnsCache& operator=(const DnsCache&) = delete;

  const model::DnsCachePlan& plan() const { return *plan_; }
  // Before a worker has the cluster. Until remove() it has a host for each name that is known.
  void add(ClusterShared& cluster);
  void remove(ClusterShared& cluster);
  size_t clusters() const { return clusters_.size(); }
  // `name` with its port.
  void look_up(const std::string& name, Function<void(NameLookups::Answer)> on_answer);
  // What workers did since the last time, and how many lookups wait.
  void show_breaker();

 private:
  using Stat = stats::DnsCacheStat;
  struct Name;

  void ask(Name& name);
  void answered(Name& name, const net::DnsAnswer& answer);
  void take(Name& name, std::vector<net::Address> fresh);
  void fail(Name& name, std::string why);
  void tell(Name& name);
  void look_whether_used(Name& name);
  void forget(Name& name);
  MonotonicTime last_use(const Name& name) const;
  void publish();
  void publish(ClusterShared& cluster);

  const std::shared_ptr<const model::DnsCachePlan> plan_;
  net::Resolver& resolver_;
  event::Loop& loop_;
  Random& random_;
  stats::Registry& registry_;
  const stats::BlockId block_id_;
  stats::Block<stats::DnsCacheStat> block_;
  const std::shared_ptr<NameLookups> lookups_;
  std::map<std::string, std::unique_ptr<Name>, std::less<>> names_;
  std::vector<ClusterShared*> clusters_;
};

}  // namespace sluice::upstream
