#include "xds/session.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/strings.h"

namespace sluice::xds {
namespace {

using config::ResourceType;

// What a response of a type makes its users ask for, in the order in which it is asked.
std::vector<ResourceType> dependents_of(ResourceType type) {
  switch (type) {
    case ResourceType::kCluster:
      return {ResourceType::kEndpoints, ResourceType::kSecret};
    case ResourceType::kListener:
      return {ResourceType::kRoutes, ResourceType::kSecret};
    case ResourceType::kScopedRoutes:
      return {ResourceType::kRoutes};
    default:
      return {};
  }
}

}  // namespace

Watch::~Watch() {
  if (session != nullptr) {
    session->remove(*this);
  }
}

void Watch::ask(std::set<std::string, std::less<>> names) {
  if (session != nullptr) {
    session->ask(*this, std::move(names));
  }
}

void Watch::time_out() {
  if (session != nullptr) {
    session->time_out(*this);
  }
}

bool Watch::covers(std::string_view name) const {
  const std::string& under = interest.under;
  return interest.scope == Interest::Scope::kEverything ||
         (interest.scope == Interest::Scope::kUnder && name.size() > under.size() && name.starts_with(under) &&
          name[under.size()] == '/');
}

bool Watch::covers(const config::Resource& resource) const {
  return covers(resource.name) || std::any_of(resource.aliases.begin(), resource.aliases.end(),
                                              [this](const std::string& alias) { return covers(alias); });
}

Session::Session(ControlPlane& plane, const Interest* only)
    : plane_(plane), only_(only == nullptr ? std::nullopt : std::optional(*only)) {}

Session::~Session() {
  for (auto& users : users_) {
    if (users != nullptr) {
      users->leave_all();
    }
  }
}

std::string Session::path() const {
  const bool delta = options().protocol == Options::Protocol::kDelta;
  if (!only_) {
    return cat("/envoy.service.discovery.v3.AggregatedDiscoveryService/",
               delta ? "DeltaAggregatedResources" : "StreamAggregatedResources");
  }
  const ResourceTypeNames& names = names_of(only_->type);
  return std::string(delta ? names.delta_path : names.stream_path);
}

bool Session::serves(const Interest& interest) const {
  return only_ && watches_ > 0 && interest.type != ResourceType::kEndpoints && only_->type == interest.type &&
         only_->scope == interest.scope && only_->names == interest.names && only_->under == interest.under;
}

bool Session::paused(ResourceType type) const {
  return held_back_[index_of(type)] > 0 || plane_.paused_[index_of(type)] > 0;
}

Session::Hold::~Hold() {
  --session_.held_back_[index_of(type_)];
  if (!session_.paused(type_)) {
    session_.resumed(type_);
  }
}

void Session::add(Watch& watch) {
  const ResourceType type = watch.interest.type;
  auto& users = users_[index_of(type)];
  if (users == nullptr) {
    users = std::make_unique<TypeUsers>(
        loop(), type, [this, type](std::vector<std::string> names) { expired(*users_of(type), std::move(names)); });
    order_.push_back(type);
  }
  watch.session = this;
  ++watches_;
  interest_changed(*users, users->add(watch), Cause::kSubscribed);
}

void Session::ask(Watch& watch, std::set<std::string, std::less<>> names) {
  TypeUsers& users = *users_of(watch.interest.type);
  interest_changed(users, users.ask(watch, std::move(names)), Cause::kAsked);
}

void Session::remove(Watch& watch) {
  TypeUsers& users = *users_of(watch.interest.type);
  const InterestChange change = users.remove(watch);
  watch.session = nullptr;
  if (--watches_ == 0 && only_) {
    plane_.retire(*this);
  } else {
    interest_changed(users, change, Cause::kEnded);
  }
}

void Session::time_out(Watch& watch) { users_of(watch.interest.type)->time_out(watch); }

std::string Session::hand_out(TypeUsers& users, Arrival& arrival) {
  std::string refused = users.problem_in(arrival);
  if (!refused.empty()) {
    refuse(users, arrival, refused);
    return refused;
  }
  note(users, arrival, {});
  const uint64_t push = last_push_;
  TypeUsers::NameSet kept;
  {
    std::vector<std::unique_ptr<Hold>> holds;
    for (const ResourceType type : dependents_of(users.type())) {
      holds.push_back(std::make_unique<Hold>(*this, type));
    }
    plane_.history_.set_in_hand(push);
    TypeUsers::Delivered delivered = users.deliver(arrival);
    refused = std::move(delivered.refused);
    kept = std::move(delivered.kept);
    plane_.history_.set_in_hand(0);
    plane_.history_.published(push, loop());
    for (auto& hold : holds) {
      hold.reset();
    }
  }
  if (refused.empty()) {
    users.take(arrival);
  } else {
    users.doubt(arrival, kept);
    plane_.history_.refuse(push, refused);
    SLUICE_LOG(kWarning, kConfig, "gRPC config for ", names_of(users.type()).type_url, " rejected: ", refused);
  }
  last_push_ = push;
  return refused;
}

void Session::refuse(TypeUsers& users, const Arrival& arrival, const std::string& problem) {
  SLUICE_LOG(kWarning, kConfig, "gRPC config for ", names_of(users.type()).type_url, " rejected: ", problem);
  note(users, arrival, problem);
  users.reject(problem);
}

void Session::fail_all(std::string_view why) {
  const auto types = order_;  // users may subscribe meanwhile
  for (const ResourceType type : types) {
    users_of(type)->fail(why);
  }
}

void Session::expired(TypeUsers& users, std::vector<std::string> names) {
  Arrival arrival;
  arrival.type = users.type();
  arrival.removed = std::move(names);
  std::vector<std::unique_ptr<Hold>> holds;
  for (const ResourceType type : dependents_of(users.type())) {
    holds.push_back(std::make_unique<Hold>(*this, type));
  }
  users.deliver(arrival);
}

void Session::note(const TypeUsers& users, const Arrival& arrival, const std::string& refused) {
  Push push;
  push.at = loop().wall_now();
  push.type = arrival.type;
  push.version = arrival.version;
  push.control_plane = arrival.control_plane;
  users.compare(arrival, push);
  push.refused = refused;
  last_push_ = plane_.history_.add(std::move(push));
}

void Session::note_answer(const Unanswered& waiting) {
  plane_.history_.answered(waiting.push, loop().now() - waiting.since);
}

}  // namespace sluice::xds
