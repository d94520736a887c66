#include "upstream/dns_cache.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/log.h"
#include "base/strings.h"

namespace sluice::upstream {

using net::DnsAnswer;
using Answer = NameLookups::Answer;
using Found = NameLookups::Outcome;

namespace {

std::optional<net::Address> address_of(const std::string& ip, uint16_t port) {
  const auto address = net::Address::from_ip(ip, port);
  return address ? std::optional(*address) : std::nullopt;
}

}  // namespace

// One name with its port. Thread: main.
struct DnsCache::Name final : event::Deferred {
  Name(DnsCache& cache, std::string the_key, std::string the_host, uint16_t the_port)
      : key(std::move(the_key)),
        host(std::move(the_host)),
        port(the_port),
        address(address_of(host, port)),
        literal(address.has_value()),
        failure_wait(cache.plan_->failure_base),
        again(cache.loop_.timers(), [this, &cache] { cache.ask(*this); }),
        too_late(cache.loop_.timers(),
                 [this, &cache] {
                   query.reset();
                   cache.block_.inc(Stat::kDnsQueryTimeout);
                   cache.answered(*this, {DnsAnswer::Status::kFailed, {}, "timeout"});
                 }),
        unused(cache.loop_.timers(), [this, &cache] { cache.look_whether_used(*this); }) {}

  const std::string key;   // "a.test:80"
  const std::string host;  // "a.test"
  const uint16_t port;
  std::optional<net::Address> address;  // none: nothing is known yet, or DNS has none
  net::AddressesPtr others;             // that DNS has as well; null: none
  const bool literal;                   // an address in itself: nobody is asked
  bool asked_once = false;
  std::string why;  // there is no address
  MonotonicTime wanted_at;
  Duration failure_wait;
  std::vector<Function<void(Answer)>> waiting;
  std::unique_ptr<net::DnsQuery> query;
  event::Timer again, too_late, unused;
};

bool NameLookups::ask(std::shared_ptr<NameLookups> lookups, std::string name, event::Loop& loop, OnAnswer on_answer) {
  if (lookups->pending_.fetch_add(1, std::memory_order_relaxed) >= lookups->max_pending_) {
    lookups->pending_.fetch_sub(1, std::memory_order_relaxed);
    lookups->overflows_.fetch_add(1, std::memory_order_relaxed);
    return false;
  }
  event::Loop& main = lookups->main_;
  main.post([lookups = std::move(lookups), name = std::move(name), &loop, on_answer = std::move(on_answer)]() mutable {
    auto tell = [lookups, &loop, on_answer = std::move(on_answer)](Answer answer) mutable {
      lookups->pending_.fetch_sub(1, std::memory_order_relaxed);
      loop.post(
          [on_answer = std::move(on_answer), answer = std::move(answer)]() mutable { on_answer(std::move(answer)); });
    };
    if (lookups->cache_ == nullptr) {
      tell({Found::kFailed, "the cluster is gone"});
      return;
    }
    lookups->cache_->look_up(name, std::move(tell));
  });
  return true;
}

DnsCache::DnsCache(std::shared_ptr<const model::DnsCachePlan> plan, net::Resolver& resolver, event::Loop& loop,
                   Random& random, stats::Registry& registry, stats::WorkerCells& cells)
    : plan_(std::move(plan)),
      resolver_(resolver),
      loop_(loop),
      random_(random),
      registry_(registry),
      block_id_(registry.add_block<stats::DnsCacheStat>(cat("dns_cache.", plan_->name, "."))),
      block_(cells.block<stats::DnsCacheStat>(block_id_)),
      lookups_(std::make_shared<NameLookups>(loop, *this, plan_->max_pending_requests)) {
  for (const model::DnsCachePlan::Known& known : plan_->preresolve) {
    look_up(cat(known.name, ":", known.port), [](Answer) {});
  }
}

DnsCache::~DnsCache() {
  lookups_->cache_ = nullptr;
  for (auto& [key, name] : names_) {
    fail(*name, "the cluster is gone");
  }
  names_.clear();
  registry_.release_block(block_id_);
}

void DnsCache::add(ClusterShared& cluster) {
  clusters_.push_back(&cluster);
  cluster.lookups = lookups_;
  publish(cluster);
}

void DnsCache::remove(ClusterShared& cluster) { std::erase(clusters_, &cluster); }

void DnsCache::show_breaker() {
  block_.add(Stat::kDnsRqPendingOverflow, lookups_->overflows_.exchange(0, std::memory_order_relaxed));
  const uint32_t most = plan_->max_pending_requests;
  const uint32_t pending = std::min(lookups_->pending_.load(std::memory_order_relaxed), most);
  block_.set(Stat::kRqPendingOpen, pending > 0 && pending == most ? 1 : 0);
  block_.set(Stat::kRqPendingRemaining, most - pending);
}

void DnsCache::look_up(const std::string& key, Function<void(Answer)> on_answer) {
  if (const auto found = names_.find(key); found != names_.end()) {
    Name& name = *found->second;
    name.wanted_at = loop_.now();
    name.waiting.push_back(std::move(on_answer));
    if (name.asked_once) {
      tell(name);
    }
    return;
  }
  if (names_.size() >= plan_->max_hosts) {
    block_.inc(Stat::kHostOverflow);
    on_answer({Found::kFull, {}});
    return;
  }
  const size_t colon = key.rfind(':');
  std::string host = key.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  const auto port = parse_number<uint16_t>(std::string_view(key).substr(colon + 1));
  if (!port) {
    on_answer({Found::kFailed, "no port"});
    return;
  }
  auto made = std::make_unique<Name>(*this, key, std::move(host), *port);
  Name& name = *made;
  name.wanted_at = loop_.now();
  name.waiting.push_back(std::move(on_answer));
  name.unused.arm(plan_->host_ttl);
  names_.emplace(key, std::move(made));
  block_.inc(Stat::kHostAdded);
  block_.set(Stat::kNumHosts, names_.size());
  if (name.literal) {
    block_.inc(Stat::kDnsQueryAttempt);  // as Envoy counts them
    block_.inc(Stat::kDnsQuerySuccess);
    block_.inc(Stat::kHostAddressChanged);
    name.asked_once = true;
    publish();
    tell(name);
    return;
  }
  ask(name);
}

void DnsCache::ask(Name& name) {
  block_.inc(Stat::kDnsQueryAttempt);
  if (plan_->query_timeout.count() > 0) {
    name.too_late.arm(plan_->query_timeout);
  }
  name.query = resolver_.resolve(name.host, plan_->family, [this, &name](DnsAnswer answer) {
    name.query.reset();
    answered(name, answer);
  });
}

void DnsCache::answered(Name& name, const DnsAnswer& answer) {
  name.too_late.cancel();
  name.asked_once = true;
  if (answer.status != DnsAnswer::Status::kFound || answer.records.empty()) {
    block_.inc(Stat::kDnsQueryFailure);
    // An address that was good goes on: who has one is not cut off by a DNS server that is down.
    if (!name.address) {
      fail(name, answer.error);
      if (!plan_->refresh_failed) {
        forget(name);
        return;
      }
    } else {
      tell(name);
    }
    Duration wait = plan_->refresh_rate;
    if (plan_->failure_base.count() > 0) {
      wait = std::max<Duration>(std::chrono::milliseconds(1),
                                Duration(random_.below(static_cast<uint64_t>(name.failure_wait.count()))));
      name.failure_wait = std::min(name.failure_wait * 2, plan_->failure_max);
    }
    name.again.arm(wait);
    return;
  }
  block_.inc(Stat::kDnsQuerySuccess);
  name.failure_wait = plan_->failure_base;
  Duration ttl = Duration::max();
  std::vector<net::Address> fresh;
  for (const DnsAnswer::Record& record : answer.records) {
    ttl = std::min(ttl, record.ttl);
    fresh.push_back(record.address.with_port(name.port));
  }
  take(name, std::move(fresh));
  tell(name);
  name.again.arm(ttl > Duration(0) ? std::max(ttl, plan_->min_refresh_rate) : plan_->refresh_rate);
}

// An address that DNS still has stays the first one.
void DnsCache::take(Name& name, std::vector<net::Address> fresh) {
  const bool known = name.address.has_value();
  const auto still_there = known ? std::find(fresh.begin(), fresh.end(), *name.address) : fresh.end();
  if (still_there == fresh.end()) {
    name.address = fresh.front();
    block_.inc(Stat::kHostAddressChanged);
  }
  std::erase(fresh, *name.address);
  const bool same_others = name.others == nullptr ? fresh.empty()
                                                  : std::is_permutation(fresh.begin(), fresh.end(),
                                                                        name.others->begin(), name.others->end());
  if (!same_others) {
    name.others = fresh.empty() ? nullptr : std::make_shared<const std::vector<net::Address>>(std::move(fresh));
  }
  if (!known) {
    publish();
    return;
  }
  // The same host: its connections go on, new ones go to the new addresses.
  for (ClusterShared* cluster : clusters_) {
    for (const auto& host : cluster->hosts()->hosts) {
      if (host->hostname() == name.key) {
        if (!same_others) host->set_others(name.others);
        host->move_to(*name.address);
      }
    }
  }
}

void DnsCache::fail(Name& name, std::string why) {
  name.why = std::move(why);
  tell(name);
}

// Whoever waits. Their workers have heard of the host before.
void DnsCache::tell(Name& name) {
  std::vector<Function<void(Answer)>> waiting = std::move(name.waiting);
  name.waiting.clear();
  for (auto& one : waiting) {
    one(name.address ? Answer{Found::kKnown, {}} : Answer{Found::kFailed, name.why});
  }
}

MonotonicTime DnsCache::last_use(const Name& name) const {
  MonotonicTime last = name.wanted_at;
  for (const ClusterShared* cluster : clusters_) {
    for (const auto& host : cluster->hosts()->hosts) {
      if (host->hostname() == name.key) {
        last = std::max(last, host->noted_at.load(std::memory_order_relaxed));
      }
    }
  }
  return last;
}

void DnsCache::look_whether_used(Name& name) {
  const Duration idle = loop_.now() - last_use(name);
  if (idle < plan_->host_ttl || !name.waiting.empty()) {
    name.unused.arm(std::max<Duration>(plan_->host_ttl - idle, std::chrono::milliseconds(1)));
    return;
  }
  forget(name);
}

void DnsCache::forget(Name& name) {
  const bool had_host = name.address.has_value();
  name.query.reset();
  name.again.cancel();
  name.too_late.cancel();
  name.unused.cancel();
  const auto found = names_.find(name.key);
  std::unique_ptr<Name> last = std::move(found->second);  // one of its timers may be on the stack
  names_.erase(found);
  loop_.destroy_later(std::move(last));
  block_.inc(Stat::kHostRemoved);
  block_.set(Stat::kNumHosts, names_.size());
  if (had_host) {
    publish();
  }
}

void DnsCache::publish() {
  for (ClusterShared* cluster : clusters_) {
    publish(*cluster);
  }
}

void DnsCache::publish(ClusterShared& cluster) {
  auto assignment = std::make_shared<model::AssignmentPlan>();
  model::LocalityPlan& all = assignment->localities.emplace_back();
  for (const auto& [key, name] : names_) {
    if (name->address) {
      model::EndpointPlan& endpoint = all.endpoints.emplace_back();
      endpoint.address = *name->address;
      endpoint.extra.edit().hostname = key;
      endpoint.extra.edit().others = name->others;
    }
  }
  cluster.assign(std::move(assignment));
}

}  // namespace sluice::upstream
