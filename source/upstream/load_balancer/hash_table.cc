#include "upstream/load_balancer/hash_table.h"

#include <algorithm>
#include <cmath>

#include "base/hash.h"
#include "base/strings.h"
#include "upstream/host_set.h"

namespace sluice::upstream {
namespace {

std::string key_of(const model::LbPlan& lb, const Host& host) {
  if (!host.plan->extra->hash_key.empty()) {
    return host.plan->extra->hash_key;
  }
  return lb.hash->by_hostname ? host.hostname() : host.address().to_string();
}

}  // namespace

void HashTable::count(std::span<const uint32_t> per_host) {
  sizes_.min_per_host = *std::min_element(per_host.begin(), per_host.end());
  sizes_.max_per_host = *std::max_element(per_host.begin(), per_host.end());
}

HashRing::HashRing(const model::LbPlan& lb, std::span<const WeightedHost> hosts, std::vector<double> shares)
    : HashTable(std::move(shares)) {
  // So many points that the smallest host gets a whole number of them and all together reach the minimum.
  const double least = *std::min_element(shares_.begin(), shares_.end());
  const double scale = std::min(std::ceil(least * static_cast<double>(lb.hash->min_ring_size)) / least,
                                static_cast<double>(lb.hash->max_ring_size));
  points_.reserve(static_cast<size_t>(std::ceil(scale)));
  std::vector<uint32_t> per_host(hosts.size(), 0);
  double current = 0;
  double target = 0;
  std::string key;
  for (uint32_t i = 0; i < hosts.size(); ++i) {
    key = key_of(lb, *hosts[i].host);
    key += '_';
    const size_t stem = key.size();
    target += scale * shares_[i];
    for (; current < target; ++current, ++per_host[i]) {
      key.resize(stem);
      append(key, per_host[i]);
      points_.push_back({lb.hash->murmur ? murmur_hash2(key) : xxhash64(key), i});
    }
  }
  std::sort(points_.begin(), points_.end(), [](const Point& a, const Point& b) { return a.hash < b.hash; });
  sizes_.entries = points_.size();
  count(per_host);
}

uint32_t HashRing::find(uint64_t hash, uint32_t attempt) const {
  const auto next = std::lower_bound(points_.begin(), points_.end(), hash,
                                     [](const Point& point, uint64_t wanted) { return point.hash < wanted; });
  const size_t at = next == points_.end() ? 0 : static_cast<size_t>(next - points_.begin());
  return points_[(at + attempt) % points_.size()].host;
}

MaglevTable::MaglevTable(const model::LbPlan& lb, std::span<const WeightedHost> hosts, std::vector<double> shares)
    : HashTable(std::move(shares)), slots_(lb.hash->maglev_table_size, UINT32_MAX) {
  struct Order {
    uint64_t at, skip;
    double target = 0;
    uint32_t entries = 0;
  };
  const uint64_t size = lb.hash->maglev_table_size;
  std::vector<Order> orders;
  for (const WeightedHost& one : hosts) {
    const std::string key = key_of(lb, *one.host);
    orders.push_back({xxhash64(key) % size, xxhash64(key, 1) % (size - 1) + 1});
  }
  const double most = *std::max_element(shares_.begin(), shares_.end());
  uint64_t filled = 0;
  // In each round the heaviest host takes one slot, and the others when their share says so.
  for (uint64_t round = 1; filled < size; ++round) {
    for (uint32_t i = 0; i < orders.size() && filled < size; ++i) {
      Order& order = orders[i];
      if (static_cast<double>(round) * shares_[i] < order.target) {
        continue;
      }
      order.target += most;
      while (slots_[order.at] != UINT32_MAX) {
        order.at = (order.at + order.skip) % size;
      }
      slots_[order.at] = i;
      order.at = (order.at + order.skip) % size;
      ++order.entries;
      ++filled;
    }
  }
  std::vector<uint32_t> per_host;
  for (const Order& order : orders) {
    per_host.push_back(orders.size() == 1 ? 1 : order.entries);  // as Envoy's gauges: nobody shares the table
  }
  sizes_.entries = size;
  count(per_host);
}

uint32_t MaglevTable::find(uint64_t hash, uint32_t attempt) const {
  if (attempt > 0) {
    hash ^= ~uint64_t{0} - attempt + 1;  // another slot for each try
  }
  return slots_[hash % slots_.size()];
}

std::unique_ptr<const HashTable> make_hash_table(const model::LbPlan& lb, std::span<const WeightedHost> hosts,
                                                 std::vector<double> weights) {
  double sum = 0;
  for (const double weight : weights) {
    sum += weight;
  }
  for (double& weight : weights) {
    weight /= sum;
  }
  if (lb.policy == model::LbPolicy::kMaglev) {
    return std::make_unique<MaglevTable>(lb, hosts, std::move(weights));
  }
  return std::make_unique<HashRing>(lb, hosts, std::move(weights));
}

}  // namespace sluice::upstream
