// HashTable: consistent hashing: the same hash leads to the same host as long as that host is there, and few hashes
// move when another host comes or goes. Envoy's tables, entry by entry, so that proxies of both kinds agree.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/intro/arch_overview/upstream/load_balancing/load_balancers
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "model/cluster_plan.h"

namespace sluice::upstream {

struct Host;
struct WeightedHost;

// How many entries hosts have: gauges of the cluster.
struct TableSizes {
  uint64_t entries = 0, min_per_host = 0, max_per_host = 0;
};

// Built on main, since it may take milliseconds. Immutable. Thread: any.
class HashTable {
 public:
  virtual ~HashTable() = default;
  // The index of a host in its group. `attempt`: 0, or the number of a retry, which looks elsewhere.
  virtual uint32_t find(uint64_t hash, uint32_t attempt) const = 0;

  const TableSizes& sizes() const { return sizes_; }
  // The share of the load that a host should have, in all 1.
  double share(uint32_t index) const { return shares_[index]; }

 protected:
  explicit HashTable(std::vector<double> shares) : shares_(std::move(shares)) {}
  void count(std::span<const uint32_t> per_host);

  const std::vector<double> shares_;
  TableSizes sizes_;
};

// RING_HASH: ketama. Each host stands at many points of a ring; a hash belongs to the next point. O(log n).
class HashRing final : public HashTable {
 public:
  HashRing(const model::LbPlan& lb, std::span<const WeightedHost> hosts, std::vector<double> shares);
  uint32_t find(uint64_t hash, uint32_t attempt) const override;

 private:
  struct Point {
    uint64_t hash;
    uint32_t host;
  };
  std::vector<Point> points_;
};

// MAGLEV: a table of prime size that the hosts fill in turn, each in its own order. O(1).
class MaglevTable final : public HashTable {
 public:
  MaglevTable(const model::LbPlan& lb, std::span<const WeightedHost> hosts, std::vector<double> shares);
  uint32_t find(uint64_t hash, uint32_t attempt) const override;

 private:
  std::vector<uint32_t> slots_;
};

// For at least one host; `weights` are theirs, in any unit.
std::unique_ptr<const HashTable> make_hash_table(const model::LbPlan& lb, std::span<const WeightedHost> hosts,
                                                 std::vector<double> weights);

}  // namespace sluice::upstream
