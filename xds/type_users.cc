#include "xds/type_users.h"

#include <algorithm>
#include <unordered_set>

#include "base/log.h"
#include "base/strings.h"
#include "xds/change_text.h"
#include "xds/resource_types.h"

namespace sluice::xds {
namespace {

using config::Resource;
using config::ResourceType;
using config::ResourceUpdate;
using Lines = std::vector<std::string>;

// Resources that several users of one source have in common: a later user gets what is known and nothing is asked.
// Endpoints are not among them: a cluster that comes later wants an answer of its own, and takes what is known only
// when there is none.
bool shared_at_once(ResourceType type) {
  return type != ResourceType::kCluster && type != ResourceType::kListener && type != ResourceType::kEndpoints;
}

// What is known of endpoints is better than to wait for ever for an answer that may never come.
constexpr Duration kLongestWaitForKnown = std::chrono::seconds(15);

// Whose users see single resources, of which one must not be in force while another one of the response is refused.
bool checked_first(ResourceType type) { return type != ResourceType::kCluster && type != ResourceType::kListener; }

// To be told that a route table does not exist is no reason to stop waiting for it.
bool ends_waiting(ResourceType type, const ResourceUpdate& update) {
  return (type != ResourceType::kRoutes && type != ResourceType::kVirtualHost) || !update.resources.empty() ||
         update.removed.empty();
}

}  // namespace

TypeUsers::TypeUsers(event::Loop& loop, ResourceType type, Function<void(std::vector<std::string>)> on_expired)
    : loop_(loop),
      type_(type),
      on_expired_(std::move(on_expired)),
      expiry_(loop.timers(), [this] { expire(); }),
      handing_over_(loop.timers(), [this] { hand_over(); }) {}

// ---- who

InterestChange TypeUsers::add(Watch& watch) {
  InterestChange change;
  const bool before = wildcard();
  watch.number = ++last_number_;
  watches_.emplace(watch.number, &watch);
  if (!watch.named()) {
    unnamed_.emplace(watch.number, &watch);
  }
  for (const std::string& name : watch.interest.names) {
    add_name(name, watch, change);
  }
  change.wildcard = wildcard() != before;
  if (watch.interest.initial_fetch_timeout > Duration::zero()) {
    watch.timeout.arm(watch.interest.initial_fetch_timeout);
  } else if (type_ == ResourceType::kEndpoints) {
    watch.timeout.arm(kLongestWaitForKnown);
  }
  note_fresh(watch);
  return change;
}

InterestChange TypeUsers::ask(Watch& watch, NameSet names) {
  InterestChange change;
  NameSet news;
  const auto before = std::exchange(watch.interest.names, std::move(names));
  for (const std::string& name : watch.interest.names) {
    if (!before.contains(name)) {
      add_name(name, watch, change);
      news.insert(name);
    }
  }
  for (const std::string& name : before) {
    if (!watch.interest.names.contains(name)) {
      drop_name(name, watch, change);
    }
  }
  if (!news.empty() && shared_at_once(type_)) {
    const auto [fresh, made] = fresh_.try_emplace(watch.number, NameSet());
    if (fresh->second) {
      fresh->second->merge(news);
    }
    handing_over_.arm(Duration::zero());
  }
  return change;
}

InterestChange TypeUsers::remove(Watch& watch) {
  InterestChange change;
  const bool before = wildcard();
  watches_.erase(watch.number);
  unnamed_.erase(watch.number);
  fresh_.erase(watch.number);
  for (const std::string& name : watch.interest.names) {
    drop_name(name, watch, change);
  }
  change.wildcard = wildcard() != before;
  if (change.wildcard) {
    for (auto held = held_.begin(); held != held_.end();) {
      const std::string name = (held++)->first;
      drop_held(name);
    }
    std::erase_if(doubted_, [this](const std::string& name) { return !wants(name); });
  }
  return change;
}

void TypeUsers::leave_all() {
  for (const auto& [number, watch] : watches_) {
    watch->session = nullptr;
    watch->timeout.cancel();
  }
  watches_.clear();
  unnamed_.clear();
  names_.clear();
}

void TypeUsers::add_name(const std::string& name, Watch& watch, InterestChange& change) {
  auto& users = names_[name];
  if (users.empty()) {
    change.added.push_back(name);
  }
  users.push_back(&watch);
}

void TypeUsers::drop_name(const std::string& name, Watch& watch, InterestChange& change) {
  const auto found = names_.find(name);
  std::erase(found->second, &watch);
  if (found->second.empty()) {
    names_.erase(found);
    change.removed.push_back(name);
    drop_held(name);
  }
}

void TypeUsers::drop_held(const std::string& name) {
  if (wants(name)) {
    return;
  }
  doubted_.erase(name);
  if (const auto held = held_.find(name); held != held_.end()) {
    set_expiry(name, held->second, Duration::zero());
    held_.erase(held);
  }
}

Watch* TypeUsers::find(uint64_t number) {
  const auto found = watches_.find(number);
  return found == watches_.end() ? nullptr : found->second;
}

const TypeUsers::Held* TypeUsers::find_held(std::string_view name) const {
  const auto found = held_.find(name);
  return found == held_.end() ? nullptr : &found->second;
}

// ---- what came

std::string TypeUsers::problem_in(const Arrival& arrival) const {
  if (!checked_first(type_)) {
    return {};
  }
  for (const ArrivedResource& arrived : arrival.resources) {
    const Resource& resource = arrived.resource;
    if (resource.has_body && (arrival.complete || wants(resource.name))) {
      if (std::string problem = xds::problem_in(resource); !problem.empty()) {
        return problem;
      }
    }
  }
  return {};
}

void TypeUsers::compare(const Arrival& arrival, Push& push) const {
  const auto note = [&push](std::vector<std::string>& names, const std::string& name, const auto& lines) {
    if (names.size() < History::kMostNames) {
      names.push_back(name);
    }
    const size_t room = History::kMostLines - push.lines.size();
    if (room > 0) {
      for (const std::string& line : lines(room)) {
        push.lines.push_back(cat(name, ": ", line));
      }
    }
  };
  push.resources = arrival.resources.size();
  std::unordered_set<std::string_view> here;
  for (const ArrivedResource& arrived : arrival.resources) {
    const Resource& now = arrived.resource;
    if (!here.insert(now.name).second || arrived.heartbeat || !wants(now.name)) {
      continue;
    }
    const Held* const held = find_held(now.name);
    if (held != nullptr && held->resource->body == now.body && held->resource->has_body == now.has_body) {
      continue;
    }
    ++push.changes;
    note(push.changed, now.name, [&](size_t room) {
      return held == nullptr ? Lines{"new"} : describe_change(now.type_url, held->resource->body, now.body, room - 1);
    });
  }
  const auto gone = [](size_t) { return Lines{"gone"}; };
  for (const std::string& name : arrival.removed) {
    ++push.removals;
    note(push.removed, name, gone);
  }
  if (arrival.complete && wildcard() && !arrival.only_heartbeats()) {
    for (const auto& [name, held] : held_) {
      if (!here.contains(name)) {
        ++push.removals;
        note(push.removed, name, gone);
      }
    }
  }
}

TypeUsers::Parts TypeUsers::divide(const Arrival& arrival) const {
  Parts parts;
  const auto part_of = [&](const Watch& watch) -> ResourceUpdate& {
    const auto [part, made] = parts.try_emplace(watch.number);
    if (made) {
      part->second.version = arrival.version;
      part->second.control_plane = arrival.control_plane;
      part->second.complete = arrival.complete && !watch.named();
    }
    return part->second;
  };
  for (const auto& [number, watch] : unnamed_) {
    // What only renews says nothing about what is absent from it.
    if (watch->interest.scope == Interest::Scope::kEverything && !(arrival.complete && arrival.only_heartbeats())) {
      part_of(*watch);
    }
  }
  std::unordered_set<std::string_view> seen;
  for (const ArrivedResource& arrived : arrival.resources) {
    const Resource* resource = &arrived.resource;
    if (arrived.heartbeat) {
      const Held* const held = find_held(resource->name);
      if (!arrival.complete || arrival.only_heartbeats() || held == nullptr) {
        continue;
      }
      resource = held->resource.get();  // it is still there
    }
    for (const auto& [number, watch] : unnamed_) {
      if (watch->covers(*resource)) {
        part_of(*watch).resources.push_back(*resource);
      }
    }
    if (!arrived.heartbeat && seen.insert(resource->name).second) {
      if (const auto users = names_.find(resource->name); users != names_.end()) {
        for (const Watch* const watch : users->second) {
          if (watch->named()) {
            part_of(*watch).resources.push_back(*resource);
          }
        }
      }
    }
  }
  for (const std::string& name : arrival.removed) {
    for (const auto& [number, watch] : unnamed_) {
      if (watch->covers(name)) {
        part_of(*watch).removed.push_back(name);
      }
    }
    if (const auto users = names_.find(name); users != names_.end()) {
      for (const Watch* const watch : users->second) {
        if (watch->named()) {
          part_of(*watch).removed.push_back(name);
        }
      }
    }
  }
  return parts;
}

TypeUsers::Delivered TypeUsers::deliver(const Arrival& arrival) {
  Delivered out;
  NameSet taken;
  for (const auto& [number, update] : divide(arrival)) {
    Watch* const watch = find(number);
    if (watch == nullptr) {
      continue;
    }
    if (ends_waiting(type_, update)) {
      watch->answered = true;
      watch->timeout.cancel();
    }
    const bool one = watch->named() && update.resources.size() == 1 && update.removed.empty();
    const std::string text = watch->user.on_resources(update);
    if (!text.empty() && out.refused.find(text) == std::string::npos) {
      append(out.refused, out.refused.empty() ? "" : "; ", text);
    }
    NameSet& names = one && !text.empty() ? out.kept : taken;
    for (const Resource& resource : update.resources) {
      names.insert(resource.name);
    }
  }
  std::erase_if(out.kept, [&](const std::string& name) { return taken.contains(name); });
  return out;
}

void TypeUsers::take(Arrival& arrival) {
  version_ = arrival.version;
  answered_ = true;
  state_of_the_world_ = arrival.complete;
  std::unordered_set<std::string_view> here;
  for (ArrivedResource& arrived : arrival.resources) {
    const std::string& name = arrived.resource.name;
    if (!wants(name) || !here.insert(name).second) {
      continue;
    }
    doubted_.erase(name);
    if (arrived.heartbeat) {
      if (const auto held = held_.find(name); held != held_.end()) {
        set_expiry(name, held->second, arrived.ttl);
      }
      continue;
    }
    Held& held = held_[name];
    set_expiry(name, held, arrived.ttl);
    held.version = arrived.resource.version;
    Resource& from = arrived.resource;
    held.resource = std::make_shared<const Resource>(Resource{
        name, from.version, std::move(from.type_url), std::move(from.body), std::move(from.aliases), from.has_body});
  }
  if (arrival.complete && wildcard() && !arrival.only_heartbeats()) {
    doubted_.clear();
    for (auto held = held_.begin(); held != held_.end();) {
      const auto each = held++;
      if (!here.contains(each->first)) {
        set_expiry(each->first, each->second, Duration::zero());
        held_.erase(each);
      }
    }
  }
  for (const std::string& name : arrival.removed) {
    doubted_.erase(name);
    if (const auto held = held_.find(name); held != held_.end()) {
      set_expiry(name, held->second, Duration::zero());
      held_.erase(held);
    }
  }
  arm_expiry();
}

void TypeUsers::doubt(const Arrival& arrival, const NameSet& kept) {
  if (arrival.complete && wildcard()) {
    doubted_.clear();  // what is not in it is gone, taken or not
  }
  for (const ArrivedResource& arrived : arrival.resources) {
    if (!kept.contains(arrived.resource.name)) {
      doubt(arrived.resource.name);
    }
  }
  for (const std::string& name : arrival.removed) {
    doubt(name);
    if (const auto held = held_.find(name); held != held_.end()) {
      set_expiry(name, held->second, Duration::zero());
      held_.erase(held);
    }
  }
  arm_expiry();
}

void TypeUsers::doubt(const std::string& name) {
  if (wants(name) && doubted_.size() < kMostDoubted) {
    doubted_.insert(name);
  }
}

void TypeUsers::reject(std::string_view why) {
  const auto watches = watches_;
  for (const auto& [number, unused] : watches) {
    if (Watch* const watch = find(number); watch != nullptr) {
      watch->answered = true;
      watch->timeout.cancel();
      watch->user.on_rejected(why);
    }
  }
}

void TypeUsers::fail(std::string_view why) {
  const auto watches = watches_;
  for (const auto& [number, unused] : watches) {
    if (Watch* const watch = find(number); watch != nullptr) {
      watch->user.on_failure(why);
    }
  }
}

// ---- time to live

void TypeUsers::set_expiry(const std::string& name, Held& held, Duration ttl) {
  if (held.expires != 0) {
    expiries_.erase({held.expires, name});
    held.expires = 0;
  }
  if (ttl > Duration::zero()) {
    const int64_t now = loop_.now().ns;
    held.expires = now + std::min<int64_t>(ttl.count(), INT64_MAX - now);
    expiries_.emplace(held.expires, name);
  }
}

void TypeUsers::arm_expiry() {
  if (expiries_.empty()) {
    expiry_.cancel();
  } else {
    expiry_.arm(Duration(expiries_.begin()->first - loop_.now().ns));
  }
}

void TypeUsers::expire() {
  std::vector<std::string> names;
  while (!expiries_.empty() && expiries_.begin()->first <= loop_.now().ns) {
    names.push_back(expiries_.begin()->second);
    expiries_.erase(expiries_.begin());
    held_.erase(held_.find(names.back()));
  }
  arm_expiry();
  if (!names.empty()) {
    on_expired_(std::move(names));
  }
}

// ---- what was known before

void TypeUsers::note_fresh(const Watch& watch) {
  // Nothing more is asked in delta for endpoints that were asked for, so that nothing would end a wait without end.
  const bool nothing_will_come = type_ == ResourceType::kEndpoints && answered_ && !state_of_the_world_ &&
                                 watch.interest.initial_fetch_timeout == Duration::zero();
  if (shared_at_once(type_) || nothing_will_come) {
    fresh_.emplace(watch.number, std::nullopt);
    handing_over_.arm(Duration::zero());
  }
}

void TypeUsers::hand_over() {
  const auto fresh = std::exchange(fresh_, {});
  for (const auto& [number, names] : fresh) {
    Watch* const watch = find(number);
    if (watch == nullptr || (watch->answered && !names)) {
      continue;
    }
    if (const auto update = known_to(*watch, names ? *names : watch->interest.names)) {
      watch->answered = true;
      watch->timeout.cancel();
      watch->user.on_resources(*update);
    }
  }
}

std::optional<ResourceUpdate> TypeUsers::known_to(const Watch& watch, const NameSet& names) {
  ResourceUpdate update;
  update.version = version_;
  update.known = true;
  for (const std::string& name : names) {
    if (const Held* const held = find_held(name); held != nullptr) {
      update.resources.push_back(*held->resource);
    }
  }
  if (!watch.named() && names.empty()) {
    for (const auto& [name, held] : held_) {
      if (watch.covers(*held.resource)) {
        update.resources.push_back(*held.resource);
      }
    }
  }
  const bool everything = watch.interest.scope == Interest::Scope::kEverything;
  update.complete = state_of_the_world_ && everything;
  return update.resources.empty() && !(everything && answered_) ? std::nullopt : std::optional(std::move(update));
}

void TypeUsers::time_out(Watch& watch) {
  const uint64_t number = watch.number;
  if (watch.interest.initial_fetch_timeout > Duration::zero()) {
    SLUICE_LOG(kWarning, kConfig, names_of(type_).acronym, ": initial fetch timed out for ", names_of(type_).type_url);
    watch.answered = true;
    watch.user.on_timeout();
  }
  if (Watch* const still = find(number); still != nullptr && type_ == ResourceType::kEndpoints) {
    if (const auto update = known_to(*still, still->interest.names)) {
      still->user.on_resources(*update);
    }
  }
}

}  // namespace sluice::xds
