// Subscriber: from where a configuration says resources come to a subscription that brings them.
#pragma once

#include <list>
#include <memory>
#include <string>
#include <utility>

#include "config/subscription.h"
#include "event/loop.h"
#include "model/config_source.h"
#include "server/discovery/last_good.h"
#include "server/main_upstream.h"
#include "stats/names_discovery.h"
#include "stats/registry.h"
#include "xds/control_plane.h"
#include "xds/history.h"
#include "xds/load_reporter.h"
#include "xds/pool_ads_transport.h"

namespace sluice::server {

class Platform;

// What a subscriber needs of the server. Outlives it. Thread: main.
struct SubscriberSeams {
  Platform& platform;
  MainUpstream& upstreams;
  stats::Registry& registry;
  stats::WorkerCells& cells;
};

// Owned by the server; outlives its subscriptions. Thread: main.
class Subscriber {
 public:
  // `node`: as control planes are told, serialized.
  Subscriber(const SubscriberSeams& seams, std::string node);
  ~Subscriber();

  // For x-forwarded-for of what is sent. Before the first subscription.
  void set_machine_ip(std::string ip) { machine_ip_ = std::move(ip); }
  // What control planes send is kept in this file, and serves while they are away. Before the first subscription.
  void keep_last_good(std::string path);
  // Subscriptions that live on it; it stays as it is from now on, for the process ends.
  uint32_t stale() const { return last_good_ == nullptr ? 0 : last_good_->stale(); }
  void freeze_last_good() {
    if (last_good_ != nullptr) last_good_->freeze();
  }
  // The aggregated stream of the bootstrap: before the first subscription, and opened when its cluster is there.
  void add_ads(const model::ApiSource& source);
  void open_ads();
  // Whether who is subscribed to tells changes only.
  bool speaks_delta(const model::ConfigSource& source) const;
  // LRS, about the clusters that serve; once its cluster is there.
  void report_loads(const model::ApiSource& source, Function<xds::LoadReporter::Clusters()> clusters);
  // The user hears nothing before this returned.
  std::unique_ptr<config::Subscription> subscribe(const model::ConfigSource& source, xds::Interest interest,
                                                  config::ResourceUser& user);
  // While a type is paused nothing is sent about it; what changes meanwhile is one request. They nest.
  void pause(config::ResourceType type);
  void resume(config::ResourceType type);

  // The gauges of control planes as they are now.
  void show();
  xds::History& history() { return history_; }
  const xds::History& history() const { return history_; }
  void clear();

 private:
  struct Plane;
  std::unique_ptr<config::Subscription> subscribe(xds::ControlPlane& client, xds::Interest interest,
                                                  config::ResourceUser& user);
  Plane& plane(const model::ApiSource& source);
  std::unique_ptr<xds::AdsTransport> way_to(const model::ApiSource& source);
  std::unique_ptr<Plane> make_plane(const model::ApiSource& source, xds::Options::Streams streams);

  const SubscriberSeams seams_;
  const std::string node_;
  std::string machine_ip_;
  xds::History history_;
  xds::PerType<uint32_t> paused_{};
  std::unique_ptr<LastGood> last_good_;  // null: nothing is kept
  std::unique_ptr<Plane> ads_;
  std::list<std::unique_ptr<Plane>> others_;
  std::unique_ptr<xds::AdsTransport> load_way_;
  std::unique_ptr<xds::LoadReporter> load_reporter_;
  stats::Block<stats::ControlPlaneStat> block_;  // of ads_
  uint64_t enforced_ = 0;                        // that were counted
};

// One resource, by its name.
xds::Interest interest_in(config::ResourceType type, std::string name, const model::ConfigSource& source);
// All of a type.
xds::Interest interest_in_all(config::ResourceType type, const model::ConfigSource& source);

}  // namespace sluice::server
