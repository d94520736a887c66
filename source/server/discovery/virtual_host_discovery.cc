#include "server/discovery/virtual_host_discovery.h"

#include <set>
#include <utility>

#include "base/strings.h"

namespace sluice::server {

using config::Verdict;
using model::Found;

// From the workers to here; the discovery may be gone by then. Thread: any (immutable).
class VirtualHostDiscovery::Way final : public model::HostsOnDemand {
 public:
  Way(event::Loop& main, std::weak_ptr<VirtualHostDiscovery*> to, Duration longest_wait)
      : HostsOnDemand(longest_wait), main_(main), to_(std::move(to)) {}

  void ask(std::string host, model::Asker asker) const override {
    main_.post([to = to_, host = std::move(host), asker = std::move(asker)]() mutable {
      if (const auto discovery = to.lock()) {
        (*discovery)->ask(host, std::move(asker));
      } else {
        asker.answer(Found::kNo);
      }
    });
  }

 private:
  event::Loop& main_;
  const std::weak_ptr<VirtualHostDiscovery*> to_;
};

VirtualHostDiscovery::VirtualHostDiscovery(std::string name, std::string_view stat_prefix,
                                           const model::ConfigSource& source, Table& table, const DiscoveryTools& tools)
    : name_(std::move(name)),
      source_(source),
      table_(table),
      tools_(tools),
      asked_(tools.loop),
      counts_(cat("http.", stat_prefix, ".rds.vhds.", name_, "."), source, tools, DiscoveryCounts::Reloads::kCounted),
      on_demand_(std::make_shared<const Way>(tools.loop, self_, source.initial_fetch_timeout)) {
  xds::Interest interest;
  interest.type = config::ResourceType::kVirtualHost;
  interest.scope = xds::Interest::Scope::kUnder;
  interest.under = name_;
  interest.initial_fetch_timeout = source.initial_fetch_timeout;
  subscription_ = tools.subscriber.subscribe(source, std::move(interest), *this);
}

VirtualHostDiscovery::~VirtualHostDiscovery() = default;

std::string VirtualHostDiscovery::on_resources(const config::ResourceUpdate& update) {
  config::VirtualHosts hosts = hosts_;
  for (const std::string& name : update.removed) {
    hosts.erase(name);
  }
  for (const config::Resource& resource : update.resources) {
    if (resource.has_body) {
      hosts[resource.name] = resource.body;
    } else {
      hosts.erase(resource.name);
    }
  }
  std::string refused = table_.take_hosts(hosts, update.version);
  counts_.count(refused.empty() ? Verdict::kTaken : Verdict::kRejected, update.version);
  if (refused.empty()) {
    counts_.reloaded();
    for (const std::string& name : update.removed) {
      if (hosts_.contains(name)) {
        answer(name, Found::kNo);
      }
    }
    hosts_ = std::move(hosts);
    for (const config::Resource& resource : update.resources) {
      const Found found = resource.has_body ? Found::kYes : Found::kNo;
      answer(resource.name, found);
      for (const std::string& alias : resource.aliases) {
        answer(alias, found);
      }
    }
  }
  // Nothing but a removal says nothing: the hosts may still come.
  if (!update.resources.empty()) {
    end_wait();
  }
  return refused;
}

void VirtualHostDiscovery::answer(std::string_view name, Found found) {
  if (name.size() > name_.size() && name.starts_with(name_) && name[name_.size()] == '/') {
    // Not before the table with it is seen.
    tools_.fence.behind([self = std::weak_ptr(self_), host = std::string(name.substr(name_.size() + 1)), found] {
      if (const auto alive = self.lock()) {
        (*alive)->asked_.answer(host, found);
      }
    });
  }
}

void VirtualHostDiscovery::ask(const std::string& host, model::Asker asker) {
  switch (asked_.ask(host)) {
    case AskedNames::Asked::kFirst: {
      asked_.wait(host, std::move(asker));
      std::set<std::string, std::less<>> names;
      for (const std::string& one : asked_.names()) {
        names.insert(cat(name_, "/", one));
      }
      subscription_->ask(std::move(names));
      return;
    }
    case AskedNames::Asked::kAgain:
      asked_.wait(host, std::move(asker));
      return;
    case AskedNames::Asked::kBefore:
      // The control plane tells by itself when there is something new to say of it; perhaps it just did.
    case AskedNames::Asked::kRefused:
      tools_.fence.behind([asker = std::move(asker)]() mutable { asker.answer(Found::kNo); });
  }
}

void VirtualHostDiscovery::on_rejected(std::string_view) {
  counts_.count(Verdict::kRejected, {});
  end_wait();
}

void VirtualHostDiscovery::on_timeout() {
  counts_.timed_out();
  end_wait();
}

void VirtualHostDiscovery::end_wait() {
  if (!std::exchange(known_, true)) {
    table_.hosts_known();
  }
}

}  // namespace sluice::server
