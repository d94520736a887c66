// ExtensionDiscovery: ECDS of one filter of one connection manager.
#pragma once

#include <memory>
#include <string>

#include "base/function.h"
#include "model/discovered.h"
#include "server/discovery/counts.h"

namespace sluice::server {

// A configuration in force, for /config_dump. A plain value.
struct ExtensionVersion {
  std::string name, version, bytes;  // no bytes: none came
  WallTime updated{};
};

// Owned by what follows its listener; ends with it. Thread: main.
class ExtensionDiscovery final : private config::ResourceUser {
 public:
  // `on_known`: called once, perhaps at once: nothing is waited for.
  ExtensionDiscovery(const model::ExtensionSubscription& wanted, const DiscoveryTools& tools,
                     Function<void()> on_known);
  ~ExtensionDiscovery();

  const ExtensionVersion& version() const { return version_; }

 private:
  std::string on_resources(const config::ResourceUpdate& update) override;
  void on_rejected(std::string_view why) override;
  void on_failure(std::string_view) override { counts_.failed(); }
  void on_timeout() override;
  void take(config::Batch<model::FilterConfig>& batch);
  void publish(model::FilterSlot::Pointer filter);
  void fall_back();
  void known();

  const model::ExtensionSubscription wanted_;
  const DiscoveryTools& tools_;
  Function<void()> on_known_;
  ExtensionVersion version_;
  DiscoveryCounts counts_;
  const stats::BlockId failures_id_;
  stats::Block<stats::ExtensionStat> failures_;
  std::unique_ptr<config::Subscription> subscription_;
};

}  // namespace sluice::server
