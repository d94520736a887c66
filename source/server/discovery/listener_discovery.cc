#include "server/discovery/listener_discovery.h"

#include <set>
#include <utility>

#include "base/strings.h"
#include "config/tls_secrets.h"

namespace sluice::server {

using config::Verdict;

ListenerFollowing::ListenerFollowing(model::ListenerPlanPtr plan, const ListenerSources& sources,
                                     Function<void()> on_ready)
    : plan_(std::move(plan)), routes_(sources.routes), fence_(sources.tools.fence), on_ready_(std::move(on_ready)) {
  std::vector<const net::TransportSocketPlan*> sockets;
  for (const auto& chain : plan_->chains) {
    for (const model::RouteSubscription& table : chain->needs.routes) {
      routes_.follow(table);
      routes_.when_known(table, one_more());
    }
    for (const model::ScopeSubscription& scopes : chain->needs.scopes) {
      scopes_.push_back(
          std::make_unique<ScopeDiscovery>(scopes, sources.routes, sources.slots, sources.tools, one_more()));
    }
    for (const model::ExtensionSubscription& extension : chain->needs.extensions) {
      extensions_.push_back(std::make_unique<ExtensionDiscovery>(extension, sources.tools, one_more()));
    }
    sockets.push_back(chain->transport_socket.get());
  }
  sources.tools.secrets.when_known(sockets, one_more());
  known();
}

ListenerFollowing::~ListenerFollowing() {
  for (const auto& chain : plan_->chains) {
    for (const model::RouteSubscription& table : chain->needs.routes) {
      routes_.forget(table);
    }
  }
}

Function<void()> ListenerFollowing::one_more() {
  ++waits_;
  return [this, alive = std::weak_ptr(alive_)] {
    if (!alive.expired()) {
      known();
    }
  };
}

void ListenerFollowing::known() {
  if (--waits_ > 0) {
    return;
  }
  // Its tables, scopes and filters are seen then.
  fence_.behind([this, alive = std::weak_ptr(alive_)] {
    if (!alive.expired()) {
      Function<void()> hook = std::move(on_ready_);
      hook();
    }
  });
}

std::vector<ScopesVersion> ListenerFollowing::scopes() const {
  std::vector<ScopesVersion> out;
  for (const auto& scopes : scopes_) {
    out.push_back(scopes->version());
  }
  return out;
}

std::vector<ExtensionVersion> ListenerFollowing::extensions() const {
  std::vector<ExtensionVersion> out;
  for (const auto& extension : extensions_) {
    out.push_back(extension->version());
  }
  return out;
}

struct ListenerDiscovery::One {
  std::unique_ptr<ListenerFollowing> active, warming;
  std::string bytes;  // of the newest that was taken
  DiscoveredListener shown;
  bool discovered = false;
  bool in_place = false;  // what warms changes filter chains only
  uint64_t push = 0;      // that brought the newest; 0: none did
};

ListenerDiscovery::ListenerDiscovery(Listeners& listeners, RouteDiscovery& routes, model::RouteSlots& slots,
                                     const DiscoveryTools& tools, Duration drain_time)
    : listeners_(listeners), sources_{routes, slots, tools}, tools_(tools), drain_time_(drain_time) {}

ListenerDiscovery::~ListenerDiscovery() = default;

void ListenerDiscovery::follow(const model::ListenerPlanPtr& plan) {
  // Several without a name may have the same address: 127.0.0.1:0.
  std::string key = plan->name;
  while (ones_.contains(key)) {
    key += '\n';
  }
  ones_[key] = std::make_unique<One>();
  wait_for(key, plan);
}

void ListenerDiscovery::start(const model::ConfigSource& source, Function<void()> on_known) {
  on_known_ = std::move(on_known);
  counts_ =
      std::make_unique<DiscoveryCounts>("listener_manager.lds.", source, tools_, DiscoveryCounts::Reloads::kUncounted);
  subscription_ = tools_.subscriber.subscribe(source, interest_in_all(config::ResourceType::kListener, source), *this);
}

std::string ListenerDiscovery::on_resources(const config::ResourceUpdate& update) {
  config::Batch<model::ListenerPlan> batch = tools_.compiler.listeners(update);
  if (batch.verdict == Verdict::kTaken || batch.verdict == Verdict::kPartly) {
    tools_.subscriber.pause(config::ResourceType::kRoutes);
    const bool changed = apply(update, batch);
    tools_.subscriber.resume(config::ResourceType::kRoutes);
    if (changed) {
      version_ = batch.version;
      counts_->reloaded();
    }
  }
  counts_->count(batch.verdict, batch.version);
  std::string answer = tell("listeners", batch, tools_);
  known();
  return answer;
}

// First what is gone, so that a new listener may have its address.
bool ListenerDiscovery::apply(const config::ResourceUpdate& update, config::Batch<model::ListenerPlan>& batch) {
  bool changed = false;
  std::set<std::string, std::less<>> named;
  for (const auto& one : batch.resources) {
    named.insert(one.name);
  }
  std::vector<std::string> gone = update.removed;
  if (update.complete) {
    for (const auto& [name, one] : ones_) {
      if (one->discovered && !named.contains(name)) {
        gone.push_back(name);
      }
    }
  }
  for (const std::string& name : gone) {
    changed |= remove(name);
  }
  for (auto& one : batch.resources) {
    std::string why = one.plan == nullptr ? one.why : std::string();
    changed |= one.plan != nullptr && take(one, why);
    if (why.empty()) {
      continue;
    }
    refuse(one.name, one.bytes, why);
    if (one.plan != nullptr) {
      batch.verdict = Verdict::kPartly;
      append(batch.why, batch.why.empty() ? "" : "; ", "'", one.name, "': ", why);
    }
  }
  return changed;
}

bool ListenerDiscovery::take(config::Compiled<model::ListenerPlan>& one, std::string& why) {
  const auto known = ones_.find(one.name);
  if (known != ones_.end() && known->second->discovered && known->second->bytes == one.bytes) {
    return false;
  }
  const Result<ListenerChange> change = listeners_.add_or_update(one.plan, ListenerSource::kDynamic);
  if (!change) {
    why = change.error();
    return false;
  }
  if (*change == ListenerChange::kNone) {
    return false;
  }
  auto& entry = ones_[one.name];
  if (entry == nullptr) {
    entry = std::make_unique<One>();
  }
  entry->discovered = true;
  entry->push = tools_.subscriber.history().in_hand();
  entry->bytes = one.bytes;
  entry->shown.failed.clear();
  if (*change == ListenerChange::kRestored) {
    entry->warming.reset();
    entry->shown.warming = {};
    return true;
  }
  entry->shown.warming = {one.version, std::move(one.bytes), tools_.loop.wall_now()};
  const model::ListenerPlanPtr warming = listeners_.warming(one.name);
  entry->in_place = warming != nullptr && warming != one.plan;
  if (entry->in_place) {
    // In place: it goes on under the version that it began with, as Envoy shows it.
    entry->shown.warming.version = entry->shown.active.version;
  }
  wait_for(one.name, warming != nullptr ? warming : one.plan);
  return true;
}

void ListenerDiscovery::refuse(const std::string& name, const std::string& bytes, const std::string& why) {
  auto& entry = ones_[name];
  if (entry == nullptr) {
    entry = std::make_unique<One>();
  }
  entry->shown.failed = bytes;
  entry->shown.why = why;
  entry->shown.failed_at = tools_.loop.wall_now();
}

void ListenerDiscovery::wait_for(const std::string& name, const model::ListenerPlanPtr& plan) {
  One& one = *ones_[name];
  one.warming.reset();
  // The one that serves goes on following until this is ready: what they share is not asked for again.
  const auto self = std::make_shared<const ListenerFollowing*>(nullptr);
  const auto at_once = std::make_shared<bool>(false);
  one.warming = std::make_unique<ListenerFollowing>(plan, sources_, [this, name, self, at_once] {
    if (*self == nullptr) {
      *at_once = true;
    } else {
      ready(name, *self);
    }
  });
  *self = one.warming.get();
  if (*at_once) {
    ready(name, *self);
  }
}

void ListenerDiscovery::ready(const std::string& name, const ListenerFollowing* following) {
  const auto found = ones_.find(name);
  if (found == ones_.end() || found->second->warming.get() != following) {
    return;
  }
  One& one = *found->second;
  listeners_.ready(name.substr(0, name.find('\n')), note_drained(one.push, name));
  drain(one);
  one.active = std::move(one.warming);
  if (!one.shown.warming.bytes.empty()) {
    DiscoveredListener::State old = std::exchange(one.shown.active, std::exchange(one.shown.warming, {}));
    if (!one.in_place) {
      one.shown.draining = std::move(old);
    }
  }
  if (on_ready_) {
    on_ready_();
  }
}

OnDrained ListenerDiscovery::note_drained(uint64_t push, const std::string& name) {
  if (push == 0) {
    return {};
  }
  return [&history = tools_.subscriber.history(), push, name](const Drained& what) {
    history.drained(
        push, cat("listener '", name, "': ", what.chains, what.chains == 1 ? " filter chain, " : " filter chains, ",
                  what.connections, what.connections == 1 ? " connection" : " connections"));
  };
}

// Its connections go on for a while, and so does what they are routed by.
void ListenerDiscovery::drain(One& one) {
  if (one.active == nullptr) {
    return;
  }
  Draining& draining = draining_.emplace_back();
  draining.following = std::move(one.active);
  draining.end = std::make_unique<event::Timer>(tools_.loop.timers(), [this, raw = &draining] {
    tools_.loop.post([this, raw] {
      std::erase_if(draining_, [raw](const Draining& it) { return &it == raw; });
      forget_gone();
    });
  });
  draining.end->arm(drain_time_);
}

// Nothing is left of a listener that was removed: neither a plan nor an update of it that was refused.
void ListenerDiscovery::forget_gone() {
  std::erase_if(ones_, [this](const auto& entry) {
    const One& one = *entry.second;
    return !one.discovered && one.active == nullptr && one.warming == nullptr && one.shown.failed.empty() &&
           !listeners_.draining(entry.first);
  });
}

void ListenerDiscovery::clear() {
  subscription_.reset();
  ones_.clear();
  draining_.clear();
}

std::map<std::string, DiscoveredListener> ListenerDiscovery::dump() const {
  std::map<std::string, DiscoveredListener> out;
  for (const auto& [name, one] : ones_) {
    DiscoveredListener& shown = out[name];
    shown = one->shown;
    // It drains as long as the workers have it.
    if (!listeners_.draining(name)) {
      shown.draining = {};
    }
  }
  return out;
}

std::vector<ScopesVersion> ListenerDiscovery::scopes() const {
  std::vector<ScopesVersion> out;
  for (const auto& [name, one] : ones_) {
    if (one->active == nullptr) {
      continue;
    }
    for (ScopesVersion& scopes : one->active->scopes()) {
      out.push_back(std::move(scopes));
    }
  }
  return out;
}

std::vector<ExtensionVersion> ListenerDiscovery::extensions() const {
  std::map<std::string, ExtensionVersion> by_name;
  for (const auto& [name, one] : ones_) {
    if (one->active == nullptr) {
      continue;
    }
    for (ExtensionVersion& extension : one->active->extensions()) {
      if (!extension.bytes.empty()) {
        by_name.insert_or_assign(extension.name, std::move(extension));
      }
    }
  }
  std::vector<ExtensionVersion> out;
  for (auto& [name, extension] : by_name) {
    out.push_back(std::move(extension));
  }
  return out;
}

bool ListenerDiscovery::remove(const std::string& name) {
  const auto found = ones_.find(name);
  if (found == ones_.end() || !found->second->discovered) {
    return false;
  }
  drain(*found->second);
  found->second->warming.reset();
  found->second->discovered = false;
  found->second->shown.draining = std::exchange(found->second->shown.active, {});
  found->second->shown.warming = {};
  return listeners_.remove(name, note_drained(tools_.subscriber.history().in_hand(), name));
}

void ListenerDiscovery::on_rejected(std::string_view) {
  counts_->count(Verdict::kRejected, {});
  known();
}

void ListenerDiscovery::on_failure(std::string_view) { counts_->failed(); }

void ListenerDiscovery::on_timeout() {
  counts_->timed_out();
  known();
}

void ListenerDiscovery::known() {
  if (Function<void()> hook = std::exchange(on_known_, nullptr)) {
    hook();
  }
}

}  // namespace sluice::server
