#include "upstream/dns_discovery.h"

#include <algorithm>
#include <map>

#include "base/log.h"

namespace sluice::upstream {

using net::DnsAnswer;
using stats::ClusterMemberStat;

namespace {

net::AddressesPtr others_of(const std::vector<net::Address>& addresses) {
  return addresses.size() < 2
             ? nullptr
             : std::make_shared<const std::vector<net::Address>>(addresses.begin() + 1, addresses.end());
}

}  // namespace

// One name that is asked for, again and again. Thread: main.
struct DnsDiscovery::Name {
  const model::DnsName& plan;
  std::vector<net::Address> addresses;  // of the last good answer, with the port
  Duration failure_wait;
  std::unique_ptr<net::DnsQuery> query;
  event::Timer again;
};

DnsDiscovery::DnsDiscovery(ClusterShared& cluster, net::Resolver& resolver, event::Loop& loop, Random& random,
                           Function<void()> on_first_answer)
    : cluster_(cluster), resolver_(resolver), random_(random), on_first_answer_(std::move(on_first_answer)) {
  const model::DnsPlan& plan = *cluster.plan->dns;
  for (const model::DnsName& name : plan.names) {
    const size_t index = names_.size();
    names_.push_back(std::unique_ptr<Name>(new Name{
        name, {}, plan.failure_base, nullptr, event::Timer(loop.timers(), [this, index] { ask(*names_[index]); })}));
  }
  size_t endpoints = 0;
  for (const model::LocalityPlan& locality : cluster.plan->assignment->localities) {
    endpoints += locality.endpoints.size();
  }
  if (endpoints > names_.size()) {
    publish();  // those that are no names are there at once
  }
  for (const auto& name : names_) {
    ask(*name);
  }
}

DnsDiscovery::~DnsDiscovery() = default;

void DnsDiscovery::ask(Name& name) {
  cluster_.main_block().inc(ClusterMemberStat::kUpdateAttempt);
  name.query = resolver_.resolve(name.plan.name, cluster_.plan->dns->family, [this, &name](DnsAnswer answer) {
    name.query.reset();
    answered(name, answer);
  });
}

void DnsDiscovery::answered(Name& name, const DnsAnswer& answer) {
  const bool good =
      answer.status == DnsAnswer::Status::kFound || (answer.status == DnsAnswer::Status::kNone && !logical());
  if (good) {
    cluster_.main_block().inc(ClusterMemberStat::kUpdateSuccess);
    name.failure_wait = cluster_.plan->dns->failure_base;
    if (take(name, answer)) {
      publish();
    } else {
      cluster_.main_block().inc(ClusterMemberStat::kUpdateNoRebuild);
    }
  } else {
    cluster_.main_block().inc(ClusterMemberStat::kUpdateFailure);
    SLUICE_LOG(kDebug, kUpstream, "DNS for ", cluster_.plan->name, " failed: ", answer.error);
  }
  name.again.arm(good ? until_refresh(name, answer) : until_retry(name));
  if (on_first_answer_) {
    std::exchange(on_first_answer_, {})();
  }
}

// An answer in another order is the same answer, for servers rotate them; but not where the order says what is tried
// first.
bool DnsDiscovery::take(Name& name, const DnsAnswer& answer) {
  std::vector<net::Address> fresh;
  for (const DnsAnswer::Record& record : answer.records) {
    fresh.push_back(record.address.with_port(name.plan.port));
  }
  const bool same = logical() ? fresh == name.addresses
                              : fresh.size() == name.addresses.size() &&
                                    std::is_permutation(fresh.begin(), fresh.end(), name.addresses.begin());
  if (!same) {
    name.addresses = std::move(fresh);
  }
  return !same;
}

void DnsDiscovery::publish() {
  // The host of a LOGICAL_DNS cluster stays the same one: its connections go on, only new ones go to the new address.
  if (logical() && !cluster_.hosts()->hosts.empty()) {
    Host& host = *cluster_.hosts()->hosts.front();
    host.set_others(others_of(names_.front()->addresses));
    host.move_to(names_.front()->addresses.front());
    return;
  }
  std::map<std::pair<size_t, size_t>, const Name*> by_place;
  for (const auto& name : names_) {
    by_place[{name->plan.locality, name->plan.endpoint}] = name.get();
  }
  auto out = std::make_shared<model::AssignmentPlan>(*cluster_.plan->assignment);
  for (size_t l = 0; l < out->localities.size(); ++l) {
    std::vector<model::EndpointPlan> endpoints = std::exchange(out->localities[l].endpoints, {});
    for (size_t e = 0; e < endpoints.size(); ++e) {
      const auto found = by_place.find({l, e});
      if (found == by_place.end()) {
        out->localities[l].endpoints.push_back(std::move(endpoints[e]));
        continue;
      }
      if (logical()) {
        endpoints[e].address = found->second->addresses.front();
        endpoints[e].extra.edit().others = others_of(found->second->addresses);
        out->localities[l].endpoints.push_back(std::move(endpoints[e]));
        continue;
      }
      for (const net::Address& address : found->second->addresses) {
        out->localities[l].endpoints.push_back(endpoints[e]);
        out->localities[l].endpoints.back().address = address;
      }
    }
  }
  cluster_.assign(std::move(out));
}

Duration DnsDiscovery::until_refresh(Name&, const DnsAnswer& answer) {
  const model::DnsPlan& plan = *cluster_.plan->dns;
  Duration wait = plan.refresh_rate;
  if (plan.respect_ttl && !answer.records.empty()) {
    Duration ttl = Duration::max();
    for (const DnsAnswer::Record& record : answer.records) {
      ttl = std::min(ttl, record.ttl);
    }
    // 0 says "do not keep it": the refresh rate stands, as asking without a pause would be no service to anybody.
    if (ttl > Duration(0)) {
      wait = std::max(ttl, plan.min_refresh_rate);
    }
  }
  if (plan.jitter > Duration(0)) {
    wait += Duration(static_cast<int64_t>(random_.below(static_cast<uint64_t>(plan.jitter.count()))));
  }
  return wait;
}

// Exponential, and at random below it, so that the proxies of a fleet do not ask in step.
Duration DnsDiscovery::until_retry(Name& name) {
  const model::DnsPlan& plan = *cluster_.plan->dns;
  if (plan.failure_base == Duration(0)) {
    return plan.refresh_rate;
  }
  const Duration bound = name.failure_wait;
  name.failure_wait = std::min(bound * 2, plan.failure_max);
  const Duration wait{static_cast<int64_t>(random_.below(static_cast<uint64_t>(bound.count())))};
  return std::max<Duration>(wait, std::chrono::milliseconds(1));
}

}  // namespace sluice::upstream
