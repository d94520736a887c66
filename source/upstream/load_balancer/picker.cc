#include "upstream/load_balancer/picker.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <vector>

#include "upstream/load_balancer/edf.h"

namespace sluice::upstream {
namespace {

uint32_t active(const Host& host) { return host.state.rq_active.load(std::memory_order_relaxed); }

// ROUND_ROBIN of equal weights. Every worker starts at a random place, so that many workers (and many proxies) do not
// all begin with the first host.
class InTurn final : public Picker {
 public:
  InTurn(const HostGroup& group, Random& random) : group_(group), next_(random.below(group.hosts.size())) {}
  Host* pick(const PickRequest&) override {
    if (next_ >= group_.hosts.size()) {
      next_ = 0;
    }
    return group_.hosts[next_++].host;
  }

 private:
  const HostGroup& group_;
  size_t next_;
};

// Its window is not over.
bool starts_slowly(const model::SlowStart& slow, const Host& host, MonotonicTime now) {
  const MonotonicTime since = host.noted_at.load(std::memory_order_relaxed);
  return slow.window.count() > 0 && since != Host::kNever && now - since < slow.window;
}

// The part of its weight that a host in its window has.
double slow_part(const model::SlowStart& slow, const Host& host, MonotonicTime now) {
  const Duration since =
      std::max<Duration>(now - host.noted_at.load(std::memory_order_relaxed), std::chrono::milliseconds(1));
  const double time = static_cast<double>(since.count()) / static_cast<double>(slow.window.count());
  const double set = slow.aggression.now();
  const double aggression = set > 0 ? set : 1;
  return std::max(aggression == 1 ? time : std::pow(time, 1 / aggression), slow.least);
}

bool any_starts_slowly(const model::LbPlan& lb, const HostGroup& group, MonotonicTime now) {
  return lb.slow_start->window.count() > 0 &&
         std::any_of(group.hosts.begin(), group.hosts.end(),
                     [&](const WeightedHost& one) { return starts_slowly(*lb.slow_start, *one.host, now); });
}

// ROUND_ROBIN and LEAST_REQUEST of unequal weights: by deadlines; LEAST_REQUEST lowers the weight of hosts that have
// requests, slow start that of hosts that are new. Begins at a random place. A new set of thousands of hosts must not
// hold a worker: each pick lets in a few of those that are not queued yet, so that all are after the first picks.
class ByDeadline final : public Picker {
 public:
  ByDeadline(const model::LbPlan& lb, const HostGroup& group, Random& random, const event::Loop& loop)
      : bias_(lb.policy == model::LbPolicy::kLeastRequest ? lb.active_request_bias : 0),
        slow_(*lb.slow_start),
        hosts_(group.hosts),
        loop_(loop) {
    queue_.reserve(hosts_.size());
    outside_ = hosts_.size() > kAtOnce ? random.below(hosts_.size()) : 0;
    let_in();
    for (uint64_t skip = random.below(queue_.size()); skip > 0; --skip) {
      next();
    }
  }
  Host* pick(const PickRequest&) override {
    if (queue_.size() < hosts_.size()) {
      let_in();
    }
    return next();
  }

 private:
  static constexpr size_t kAtOnce = 64;  // let in by a pick

  void let_in() {
    for (size_t i = 0; i < kAtOnce && queue_.size() < hosts_.size(); ++i) {
      queue_.add(slowed(hosts_[outside_]), &hosts_[outside_]);
      outside_ = outside_ + 1 == hosts_.size() ? 0 : outside_ + 1;
    }
  }
  Host* next() {
    return queue_.pick([this](const WeightedHost* one) { return weight_of(*one); })->host;
  }
  double weight_of(const WeightedHost& one) const {
    if (bias_ == 0) {
      return slowed(one);
    }
    const double divisor = bias_ == 1 ? active(*one.host) + 1.0 : std::pow(active(*one.host) + 1.0, bias_);
    return slowed(one) / divisor;
  }
  double slowed(const WeightedHost& one) const {
    return slow_.window.count() > 0 && starts_slowly(slow_, *one.host, loop_.now())
               ? one.weight * slow_part(slow_, *one.host, loop_.now())
               : one.weight;
  }

  const double bias_;
  const model::SlowStart& slow_;
  const std::vector<WeightedHost>& hosts_;
  const event::Loop& loop_;
  Edf<const WeightedHost*> queue_;
  size_t outside_ = 0;  // the next of hosts_ to be let in
};

// LEAST_REQUEST of equal weights: the least busy of a few random hosts.
class FewChoices final : public Picker {
 public:
  FewChoices(const model::LbPlan& lb, const HostGroup& group, Random& random)
      : choices_(lb.choice_count), group_(group), random_(random) {}
  Host* pick(const PickRequest&) override {
    Host* best = random_host();
    uint32_t least = active(*best);
    for (uint32_t i = 1; i < choices_; ++i) {
      Host* host = random_host();
      if (const uint32_t busy = active(*host); busy < least) {
        least = busy;
        best = host;
      }
    }
    return best;
  }

 private:
  Host* random_host() { return group_.hosts[random_.below(group_.hosts.size())].host; }

  const uint32_t choices_;
  const HostGroup& group_;
  Random& random_;
};

// ... or of all hosts; among equals by chance. O(n), as asked for.
class FullScan final : public Picker {
 public:
  FullScan(const HostGroup& group, Random& random) : group_(group), random_(random) {}
  Host* pick(const PickRequest&) override {
    Host* best = nullptr;
    uint32_t least = UINT32_MAX;
    uint64_t equals = 0;
    for (const WeightedHost& one : group_.hosts) {
      const uint32_t busy = active(*one.host);
      if (busy < least) {
        least = busy;
        equals = 0;
      }
      if (busy == least && random_.below(++equals) == 0) {
        best = one.host;
      }
    }
    return best;
  }

 private:
  const HostGroup& group_;
  Random& random_;
};

// RANDOM; weights do not count, as in Envoy.
class AtRandom final : public Picker {
 public:
  AtRandom(const HostGroup& group, Random& random) : group_(group), random_(random) {}
  Host* pick(const PickRequest&) override { return group_.hosts[random_.below(group_.hosts.size())].host; }

 private:
  const HostGroup& group_;
  Random& random_;
};

// RING_HASH and MAGLEV, with bounded load where it is asked for (https://arxiv.org/abs/1608.01350).
class ByHash final : public Picker {
 public:
  ByHash(const model::LbPlan& lb, const HostGroup& group, const Breakers& breakers)
      : bound_(lb.hash->balance_factor), group_(group), breakers_(breakers) {}
  Host* pick(const PickRequest& request) override {
    const uint32_t own = group_.table->find(request.hash, request.attempt);
    if (bound_ == 0 || load(own) <= 1) {
      return group_.hosts[own].host;
    }
    return elsewhere(request.hash, own);
  }

 private:
  // Of the requests that a host may have, counting this one; above 1: it has too many.
  double load(uint32_t index) const {
    const uint64_t requests = breakers_.in_use(Resource::kRequests, 0) + breakers_.in_use(Resource::kRequests, 1) + 1;
    const uint64_t slots_of_all = (requests * bound_ + 99) / 100;
    const double slots = std::max(1.0, std::ceil(static_cast<double>(slots_of_all) * group_.table->share(index)));
    return active(*group_.hosts[index].host) / slots;
  }
  // The other hosts in an order that the hash decides, so that an overloaded host's keys go to the same places; the
  // least loaded one when all are full.
  Host* elsewhere(uint64_t hash, uint32_t own) const {
    SeededRandom order(hash);
    const auto size = static_cast<uint32_t>(group_.hosts.size());
    uint32_t best = own;
    double least = load(own);
    // Random tries first: one of the first few has room unless nearly all are full.
    for (int tries = 0; tries < 16; ++tries) {
      const auto index = static_cast<uint32_t>(order.below(size));
      if (load(index) <= 1) {
        return group_.hosts[index].host;
      }
    }
    for (uint32_t i = 0; i < size; ++i) {
      if (const double one = load(i); one < least) {
        least = one;
        best = i;
      }
    }
    return group_.hosts[best].host;
  }

  const uint32_t bound_;
  const HostGroup& group_;
  const Breakers& breakers_;
};

// predictive_preconnect_ratio: picks of a policy that asks nothing of a request, made before they are needed.
class LookingAhead final : public Picker {
 public:
  LookingAhead(std::unique_ptr<Picker> picker, size_t hosts) : picker_(std::move(picker)), most_(hosts) {}
  Host* pick(const PickRequest& request) override {
    if (ahead_.empty()) {
      return picker_->pick(request);
    }
    Host* host = ahead_.front();
    ahead_.pop_front();
    return host;
  }
  Host* peek() override { return ahead_.size() < most_ ? ahead_.emplace_back(picker_->pick({})) : nullptr; }

 private:
  const std::unique_ptr<Picker> picker_;
  const size_t most_;
  std::deque<Host*> ahead_;
};

std::unique_ptr<Picker> make_policy(const model::LbPlan& lb, const HostGroup& group, const Breakers& breakers,
                                    Random& random, const event::Loop& loop) {
  switch (lb.policy) {
    case model::LbPolicy::kRandom:
      return std::make_unique<AtRandom>(group, random);
    case model::LbPolicy::kRingHash:
    case model::LbPolicy::kMaglev:
      return std::make_unique<ByHash>(lb, group, breakers);
    case model::LbPolicy::kRoundRobin:
    case model::LbPolicy::kLeastRequest:
      break;
  }
  if (!group.even || any_starts_slowly(lb, group, loop.now())) {
    return std::make_unique<ByDeadline>(lb, group, random, loop);
  }
  if (lb.policy == model::LbPolicy::kRoundRobin) {
    return std::make_unique<InTurn>(group, random);
  }
  if (lb.full_scan) {
    return std::make_unique<FullScan>(group, random);
  }
  return std::make_unique<FewChoices>(lb, group, random);
}

// The least busy host is only known when it is needed, as is that of a hash.
bool can_look_ahead(const model::LbPlan& lb, const HostGroup& group) {
  return lb.preconnect_ratio > 1 && !lb.hashes() && (lb.policy != model::LbPolicy::kLeastRequest || !group.even);
}

}  // namespace

std::unique_ptr<Picker> make_picker(const model::LbPlan& lb, const HostGroup& group, const Breakers& breakers,
                                    Random& random, const event::Loop& loop) {
  std::unique_ptr<Picker> policy = make_policy(lb, group, breakers, random, loop);
  if (!can_look_ahead(lb, group)) {
    return policy;
  }
  return std::make_unique<LookingAhead>(std::move(policy), group.hosts.size());
}

}  // namespace sluice::upstream
