#include "upstream/load_balancer/subset_balancer.h"

#include <algorithm>

namespace sluice::upstream {

using model::SubsetFallback;
using stats::ClusterStat;

void SubsetBalancer::update(HostSetPtr hosts) {
  balancers_.clear();
  hosts_ = std::move(hosts);
}

Host* SubsetBalancer::choose(const LbRequest& request, const OwnZone* own) {
  own_ = own;
  if (!plan_.fallback_list || request.match == nullptr || request.match->fallbacks.empty()) {
    return choose_matching(request, request.match);
  }
  Host* host = nullptr;
  for (const model::LbMatchPtr& match : request.match->fallbacks) {
    host = choose_matching(request, match.get());
    if (host != nullptr) break;
  }
  return host;
}

Host* SubsetBalancer::choose_matching(const LbRequest& request, const model::LbMatch* match) {
  if (match != nullptr) {
    const auto found = hosts_->subsets->by_id.find(match->id);
    if (found != hosts_->subsets->by_id.end()) {
      block_.inc(ClusterStat::kLbSubsetsSelected);
      return choose_in(found->second, request);
    }
    for (const model::SubsetSelector& selector : plan_.selectors) {
      if (selector.keys_id == match->keys && selector.fallback != SubsetFallback::kNotDefined) {
        return fall_back(selector, request, *match);
      }
    }
  }
  return fall_back(request);
}

Host* SubsetBalancer::choose_in(const HostSetPtr& hosts, const LbRequest& request) {
  if (hosts == nullptr) {
    return nullptr;
  }
  std::unique_ptr<LoadBalancer>& balancer = balancers_[hosts.get()];
  if (balancer == nullptr) {
    balancer = std::make_unique<LoadBalancer>(lb_, breakers_, random_, loop_, block_);
    balancer->update(hosts);
  }
  return balancer->choose(request, own_);
}

Host* SubsetBalancer::fall_back(const LbRequest& request) {
  Host* host = nullptr;
  if (plan_.fallback == SubsetFallback::kAnyEndpoint) {
    host = choose_in(hosts_, request);
  } else if (plan_.fallback == SubsetFallback::kDefaultSubset) {
    host = choose_in(hosts_->subsets->default_subset, request);
  } else {
    return nullptr;
  }
  if (host != nullptr) {
    block_.inc(ClusterStat::kLbSubsetsFallback);
  } else if (plan_.panic_mode_any) {
    host = choose_in(hosts_, request);
    if (host != nullptr) {
      block_.inc(ClusterStat::kLbSubsetsFallbackPanic);
    }
  }
  return host;
}

Host* SubsetBalancer::fall_back(const model::SubsetSelector& selector, const LbRequest& request,
                                const model::LbMatch& match) {
  switch (selector.fallback) {
    case SubsetFallback::kAnyEndpoint:
      return choose_in(hosts_, request);
    case SubsetFallback::kDefaultSubset:
      return choose_in(hosts_->subsets->default_subset, request);
    case SubsetFallback::kKeysSubset: {
      std::vector<std::pair<std::string, std::string>> fewer;
      for (const auto& label : match.labels) {
        if (std::find(selector.fallback_keys.begin(), selector.fallback_keys.end(), label.first) !=
            selector.fallback_keys.end()) {
          fewer.push_back(label);
        }
      }
      const model::LbMatchPtr next = model::make_match(std::move(fewer));
      return choose_matching(request, next.get());
    }
    default:
      return nullptr;
  }
}

}  // namespace sluice::upstream
