#include "server/discovery/cluster_demand.h"

#include <utility>

#include "server/discovery/asked_names.h"

namespace sluice::server {

using config::Verdict;
using model::Found;

// Its subscription begins with the first name. Thread: main.
class ClusterDemand::Source final : private config::ResourceUser {
 public:
  Source(const model::ConfigSource& source, Clusters& clusters, const DiscoveryTools& tools)
      : source_(source),
        clusters_(clusters),
        tools_(tools),
        asked_(tools.loop),
        counts_("cluster_manager.odcds.", source, tools, DiscoveryCounts::Reloads::kUncounted) {}

  const model::ConfigSource& source() const { return source_; }

  // A name is asked for once; what it says of it later the source tells by itself.
  void ask(const std::string& name, model::Asker asker) {
    const AskedNames::Asked asked = asked_.ask(name);
    if (asked == AskedNames::Asked::kRefused) {
      asker.answer(Found::kNo);
      return;
    }
    asked_.wait(name, std::move(asker));
    if (asked != AskedNames::Asked::kFirst) {
      return;
    }
    if (subscription_ != nullptr) {
      subscription_->ask(asked_.names());
    } else {
      subscription_ = tools_.subscriber.subscribe(
          source_, interest_in(config::ResourceType::kCluster, name, source_), *this);
    }
  }
  void answer(const std::string& name, Found found) { asked_.answer(name, found); }

 private:
  std::string on_resources(const config::ResourceUpdate& update) override {
    config::Batch<model::ClusterPlan> batch = tools_.compiler.clusters(update);
    if (batch.verdict == Verdict::kTaken || batch.verdict == Verdict::kPartly) {
      tools_.subscriber.pause(config::ResourceType::kEndpoints);
      for (config::Compiled<model::ClusterPlan>& one : batch.resources) {
        if (one.plan == nullptr) {
          clusters_.count_refused(one.name);
        } else if (asked_.knows(one.name)) {
          clusters_.add_or_update(std::move(one));
        }
      }
      for (const std::string& name : update.removed) {
        clusters_.remove(name);
        answer(name, Found::kNo);
      }
      tools_.subscriber.resume(config::ResourceType::kEndpoints);
    }
    counts_.count(batch.verdict, batch.version);
    return tell("clusters", batch, tools_);
  }
  void on_rejected(std::string_view) override { counts_.count(Verdict::kRejected, {}); }
  void on_failure(std::string_view) override { counts_.failed(); }
  void on_timeout() override { counts_.timed_out(); }

  const model::ConfigSource source_;
  Clusters& clusters_;
  const DiscoveryTools& tools_;
  AskedNames asked_;
  DiscoveryCounts counts_;
  std::unique_ptr<config::Subscription> subscription_;
};

ClusterDemand::ClusterDemand(Clusters& clusters, const DiscoveryTools& tools) : clusters_(clusters), tools_(tools) {
  clusters_.on_change([this](const std::string& name, Found found) {
    for (const auto& source : sources_) {
      source->answer(name, found);
    }
  });
}

ClusterDemand::~ClusterDemand() = default;

void ClusterDemand::ask(const model::ConfigSource& source, std::string name, model::Asker asker) {
  tools_.loop.post([this, source, name = std::move(name), asker = std::move(asker)]() mutable {
    on_ask(source, name, std::move(asker));
  });
}

void ClusterDemand::on_ask(const model::ConfigSource& source, const std::string& name, model::Asker asker) {
  if (cleared_) {
    return;
  }
  // It may have come while this was on its way; the workers have been told before.
  if (clusters_.is_active(name)) {
    asker.answer(Found::kYes);
  } else {
    at(source).ask(name, std::move(asker));
  }
}

ClusterDemand::Source& ClusterDemand::at(const model::ConfigSource& source) {
  for (const auto& known : sources_) {
    if (known->source() == source) {
      return *known;
    }
  }
  return *sources_.emplace_back(std::make_unique<Source>(source, clusters_, tools_));
}

void ClusterDemand::clear() {
  cleared_ = true;
  sources_.clear();
}

}  // namespace sluice::server
