#include "server/discovery/route_discovery.h"

#include <set>
#include <utility>

#include "base/strings.h"
#include "server/discovery/virtual_host_discovery.h"

namespace sluice::server {

using config::Verdict;

// One name at one source: what RDS sends, and with it the virtual hosts that VHDS does. Thread: main.
class RouteDiscovery::Table final : private config::ResourceUser, private VirtualHostDiscovery::Table {
 public:
  Table(const model::RouteSubscription& subscription, const DiscoveryTools& tools)
      : tools_(tools),
        name_(subscription.name),
        stat_prefix_(subscription.stat_prefix),
        slot_(subscription.slot),
        counts_(cat("http.", subscription.stat_prefix, ".rds.", subscription.name, "."), subscription.source, tools,
                DiscoveryCounts::Reloads::kCounted),
        empty_(tools.cells.counter("update_empty", counts_.id())) {
    subscription_ = tools.subscriber.subscribe(
        subscription.source, interest_in(config::ResourceType::kRoutes, name_, subscription.source), *this);
  }

  void when_known(Function<void()> hook) {
    hooks_.push_back(std::move(hook));
    look_at_hooks();
  }
  const RouteVersion& version() const { return version_; }
  const std::string& name() const { return name_; }
  bool is_known() const { return known_ && (hosts_ == nullptr || hosts_->known()); }

  uint32_t followers = 0;

 private:
  std::string on_resources(const config::ResourceUpdate& update) override {
    config::Batch<model::RouteTable> batch = tools_.compiler.routes(update);
    take(update, batch);
    counts_.count(batch.verdict, batch.version);
    std::string answer = tell(name_, batch, tools_);
    // Nothing but a removal says nothing: the table may still come.
    if (update.removed.empty() || !update.resources.empty()) {
      known();
    }
    return answer;
  }
  void on_rejected(std::string_view) override {
    counts_.count(Verdict::kRejected, {});
    known();
  }
  void on_failure(std::string_view) override { counts_.failed(); }
  void on_timeout() override {
    counts_.timed_out();
    known();
  }

  void take(const config::ResourceUpdate& update, config::Batch<model::RouteTable>& batch) {
    if (batch.verdict == Verdict::kUnreadable || batch.verdict == Verdict::kRejected) {
      return;
    }
    if (batch.resources.empty()) {
      if (update.removed.empty()) {
        empty_.inc();
      }
      return;
    }
    config::Compiled<model::RouteTable>& one = batch.resources.front();
    if (batch.resources.size() > 1 || one.name != name_) {
      batch.verdict = Verdict::kRejected;
      batch.why = batch.resources.size() > 1
                      ? cat("there are ", batch.resources.size(), " tables; meant is one, '", name_, "'")
                      : cat("the table is '", one.name, "'; meant is '", name_, "'");
      return;
    }
    if (one.plan == nullptr) {
      batch.verdict = Verdict::kRejected;
      return;
    }
    if (one.bytes == bytes_) {
      return;
    }
    told_ = {batch.unknown.begin(), batch.unknown.end()};
    if (std::string why = follow_hosts(one); !why.empty()) {
      batch.verdict = Verdict::kRejected;
      batch.why = std::move(why);
      return;
    }
    counts_.reloaded();
  }

  // A table without vhds, or with hosts that come from elsewhere now, gives up those that it had.
  std::string follow_hosts(config::Compiled<model::RouteTable>& one) {
    const model::ConfigSource& source = one.plan->vhds;
    if (!source) {
      publish(one, one.version);
      hosts_.reset();
    } else if (!tools_.subscriber.speaks_delta(source)) {
      return cat("'", name_, "': vhds.config_source: must be a control plane that speaks DELTA_GRPC");
    } else if (hosts_ != nullptr && hosts_->source() == source) {
      if (std::string why = publish_with(one.bytes, hosts_->hosts(), one.version); !why.empty()) {
        return why;
      }
    } else {
      hosts_ = std::make_unique<VirtualHostDiscovery>(name_, stat_prefix_, source,
                                                      static_cast<VirtualHostDiscovery::Table&>(*this), tools_);
      publish_with(one.bytes, {}, one.version);
    }
    bytes_ = std::move(one.bytes);
    return {};
  }

  std::string take_hosts(const config::VirtualHosts& hosts, const std::string& version) override {
    if (hosts != hosts_->hosts()) {
      return publish_with(bytes_, hosts, version);
    }
    version_.version = version;
    return {};
  }
  void hosts_known() override { look_at_hooks(); }

  std::string publish_with(const std::string& bytes, const config::VirtualHosts& hosts, const std::string& version) {
    config::Batch<model::RouteTable> batch = tools_.compiler.routes(bytes, hosts, hosts_->on_demand());
    if (batch.verdict == Verdict::kTaken) {
      publish(batch.resources.front(), version);
    }
    std::erase_if(batch.unknown, [this](const std::string& field) { return !told_.insert(field).second; });
    return tell(name_, batch, tools_);
  }

  void publish(config::Compiled<model::RouteTable>& one, const std::string& version) {
    version_ = {name_, version, one.bytes, tools_.loop.wall_now()};
    tools_.fence.behind([slot = slot_, table = std::move(one.plan)]() mutable { slot->publish(std::move(table)); });
  }

  void known() {
    known_ = true;
    look_at_hooks();
  }

  void look_at_hooks() {
    if (!is_known()) {
      return;
    }
    for (Function<void()>& hook : std::exchange(hooks_, {})) {
      hook();
    }
  }

  const DiscoveryTools& tools_;
  const std::string name_;
  const std::string stat_prefix_;
  const std::shared_ptr<model::RouteSlot> slot_;
  std::string bytes_;           // of its RouteConfiguration as it came
  std::set<std::string> told_;  // the fields in it, and in its hosts, that nobody knows
  RouteVersion version_;
  DiscoveryCounts counts_;
  stats::Single empty_;
  bool known_ = false;
  std::vector<Function<void()>> hooks_;
  std::unique_ptr<VirtualHostDiscovery> hosts_;  // null: it has no vhds
  std::unique_ptr<config::Subscription> subscription_;
};

RouteDiscovery::RouteDiscovery(const DiscoveryTools& tools) : tools_(tools) {}
RouteDiscovery::~RouteDiscovery() = default;

void RouteDiscovery::clear() { tables_.clear(); }

void RouteDiscovery::follow(const model::RouteSubscription& subscription) {
  auto& table = tables_[subscription.slot.get()];
  if (table == nullptr) {
    table = std::make_unique<Table>(subscription, tools_);
  }
  ++table->followers;
}

void RouteDiscovery::forget(const model::RouteSubscription& subscription) {
  const auto found = tables_.find(subscription.slot.get());
  if (found != tables_.end() && --found->second->followers == 0) {
    tables_.erase(found);
  }
}

void RouteDiscovery::when_known(const model::RouteSubscription& subscription, Function<void()> hook) {
  tables_.at(subscription.slot.get())->when_known(std::move(hook));
}

std::vector<std::string> RouteDiscovery::awaited() const {
  std::vector<std::string> out;
  for (const auto& [slot, table] : tables_) {
    if (!table->is_known()) out.push_back(table->name());
  }
  return out;
}

std::vector<RouteVersion> RouteDiscovery::dump() const {
  std::vector<RouteVersion> out;
  for (const auto& [slot, table] : tables_) {
    if (!table->version().bytes.empty()) {
      out.push_back(table->version());
    }
  }
  return out;
}

}  // namespace sluice::server
