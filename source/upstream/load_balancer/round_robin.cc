#include "upstream/load_balancer/round_robin.h"

#include <algorithm>

namespace sluice::upstream {

std::unique_ptr<LoadBalancer> make_load_balancer(model::LbPolicy, std::vector<Host*> hosts, Random& random) {
  return std::make_unique<RoundRobin>(std::move(hosts), random);
}

bool RoundRobin::later(const Entry& a, const Entry& b) {
  return a.deadline != b.deadline ? a.deadline > b.deadline : a.order > b.order;
}

RoundRobin::RoundRobin(std::vector<Host*> hosts, Random& random) : hosts_(std::move(hosts)) {
  if (hosts_.empty()) {
    return;
  }
  const auto differs = [&](const Host* host) { return host->plan->weight != hosts_.front()->plan->weight; };
  if (std::none_of(hosts_.begin(), hosts_.end(), differs)) {
    next_ = random.below(hosts_.size());
    return;
  }
  for (Host* host : hosts_) {
    heap_.push_back({1.0 / host->plan->weight, order_++, host});
  }
  std::make_heap(heap_.begin(), heap_.end(), later);
  // A random number of picks makes the starting place.
  for (uint64_t skip = random.below(hosts_.size()); skip > 0; --skip) {
    choose_weighted();
  }
}

Host* RoundRobin::choose() {
  if (!heap_.empty()) {
    return choose_weighted();
  }
  if (hosts_.empty()) {
    return nullptr;
  }
  if (next_ >= hosts_.size()) {
    next_ = 0;
  }
  return hosts_[next_++];
}

Host* RoundRobin::choose_weighted() {
  std::pop_heap(heap_.begin(), heap_.end(), later);
  Entry& entry = heap_.back();
  Host* host = entry.host;
  entry.deadline += 1.0 / host->plan->weight;
  entry.order = order_++;
  std::push_heap(heap_.begin(), heap_.end(), later);
  return host;
}

}  // namespace sluice::upstream
