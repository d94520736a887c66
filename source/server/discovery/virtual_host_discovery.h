// VirtualHostDiscovery: VHDS of one route table: the virtual hosts that the control plane sends by itself, and those
// that requests ask for.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "config/resources.h"
#include "model/on_demand.h"
#include "server/discovery/asked_names.h"
#include "server/discovery/counts.h"

namespace sluice::server {

// Owned by the table that they belong to. Thread: main.
class VirtualHostDiscovery final : private config::ResourceUser {
 public:
  // Outlives it.
  class Table {
   public:
    // Empty: these are in force from now on, instead of those before. Otherwise why they cannot be.
    virtual std::string take_hosts(const config::VirtualHosts& hosts, const std::string& version) = 0;
    // Once: something came, was refused, or did not come in time.
    virtual void hosts_known() = 0;

   protected:
    ~Table() = default;
  };

  // `name` of the table; `stat_prefix` of its connection manager.
  VirtualHostDiscovery(std::string name, std::string_view stat_prefix, const model::ConfigSource& source, Table& table,
                       const DiscoveryTools& tools);
  ~VirtualHostDiscovery();

  const model::ConfigSource& source() const { return source_; }
  // Those that were taken.
  const config::VirtualHosts& hosts() const { return hosts_; }
  bool known() const { return known_; }
  // Where workers ask for hosts that the table does not have.
  const std::shared_ptr<const model::HostsOnDemand>& on_demand() const { return on_demand_; }

 private:
  class Way;

  std::string on_resources(const config::ResourceUpdate& update) override;
  void on_rejected(std::string_view why) override;
  void on_failure(std::string_view) override { counts_.failed(); }
  void on_timeout() override;
  void ask(const std::string& host, model::Asker asker);
  // `name`: TABLE/HOST, of a resource or an alias.
  void answer(std::string_view name, model::Found found);
  void end_wait();

  const std::string name_;
  const model::ConfigSource source_;
  Table& table_;
  const DiscoveryTools& tools_;
  config::VirtualHosts hosts_;
  AskedNames asked_;
  bool known_ = false;
  DiscoveryCounts counts_;
  const std::shared_ptr<VirtualHostDiscovery*> self_ = std::make_shared<VirtualHostDiscovery*>(this);
  const std::shared_ptr<const model::HostsOnDemand> on_demand_;
  std::unique_ptr<config::Subscription> subscription_;
};

}  // namespace sluice::server
