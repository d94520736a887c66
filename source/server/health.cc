#include "server/health.h"

namespace sluice::server {

void Health::follow(upstream::ClusterShared& cluster) {
  upstream::OutlierDetector* detector = nullptr;
  if (cluster.plan->outlier != nullptr) {
    detectors_.push_back(
        std::make_unique<upstream::OutlierDetector>(cluster, local_.loop, local_.random, local_.cells));
    detector = detectors_.back().get();
  }
  if (cluster.plan->checked()) {
    checkers_.push_back(std::make_unique<upstream::HealthCheckers>(cluster, detector, local_));
  }
  if (cluster.plan->lb.reported_weights != nullptr) {
    weights_.push_back(std::make_unique<upstream::ReportedWeights>(cluster, local_.loop));
  }
  for (uint8_t priority = 0; priority < 2; ++priority) {
    if ((*cluster.plan->breakers)[priority].budget_interval.count() > 0) {
      budgets_.push_back(std::make_unique<upstream::BudgetWindow>(cluster, priority, local_.loop));
    }
  }
}

void Health::when_checked(upstream::ClusterShared& cluster, Function<void()> hook) {
  for (const auto& checker : checkers_) {
    if (&checker->cluster() == &cluster) {
      checker->when_checked(std::move(hook));
      return;
    }
  }
}

void Health::forget(upstream::ClusterShared& cluster) {
  std::erase_if(checkers_, [&](const auto& checker) { return &checker->cluster() == &cluster; });
  std::erase_if(detectors_, [&](const auto& detector) { return &detector->cluster() == &cluster; });
  std::erase_if(weights_, [&](const auto& weights) { return &weights->cluster() == &cluster; });
  std::erase_if(budgets_, [&](const auto& budget) { return &budget->cluster() == &cluster; });
}

void Health::clear() {
  checkers_.clear();
  detectors_.clear();
  weights_.clear();
  budgets_.clear();
}

}  // namespace sluice::server
