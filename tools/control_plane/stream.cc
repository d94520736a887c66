#include "tools/control_plane/stream.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/strings.h"

namespace sluice::control_plane {
namespace {

constexpr std::array kOrder = {ResourceType::kRuntime,   ResourceType::kSecret,      ResourceType::kCluster,
                               ResourceType::kEndpoints, ResourceType::kExtension,   ResourceType::kListener,
                               ResourceType::kRoutes,    ResourceType::kScopedRoutes};
constexpr size_t kMakes = 4;

bool is_made(ResourceType type) {
  return std::find(kOrder.begin(), kOrder.begin() + kMakes, type) != kOrder.begin() + kMakes;
}

// Of which nothing asked means everything, and a state of the world is all there is.
bool is_whole(ResourceType type) {
  return type == ResourceType::kCluster || type == ResourceType::kListener || type == ResourceType::kScopedRoutes;
}

constexpr std::string_view kEverything = "*";

}  // namespace

const Stream::Types Stream::kAll(kOrder);
const Stream::Types Stream::kMake(kOrder.data(), kMakes);
const Stream::Types Stream::kSwitch(kOrder.data() + kMakes, kOrder.size() - kMakes);

// ---- requests

std::string Stream::on_request(std::string_view message, const World& world) {
  const std::optional<Request> request = parse_request(protocol_, message);
  if (!request) {
    return "these bytes are no discovery request";
  }
  if (std::string wrong = take_node(*request, world); !wrong.empty()) {
    return wrong;
  }
  const auto type = request->type_url.empty() ? only_ : xds::type_of(request->type_url);
  if (only_ && type != only_) {
    return cat("this stream is for ", xds::names_of(*only_).type_url, ", not for ", request->type_url);
  }
  if (!type) {
    return request->type_url.empty() ? "a request without a type_url" : "";  // of types that nobody knows there is none
  }
  if (protocol_ == Protocol::kSotw) {
    take_sotw(*type, *request);
  } else {
    take_delta(*type, *request);
  }
  const bool too_many = states_[index_of(*type)].names.size() > kMostNames || request->held.size() > kMostNames;
  return too_many ? "too many names" : "";
}

// The first request tells who it is, for as long as the stream lives.
std::string Stream::take_node(const Request& request, const World& world) {
  if (node_) {
    return {};
  }
  if (!request.node) {
    return "the first request must have a node";
  }
  node_ = request.node;
  target_ = world.snapshot_for(node_->id, node_->cluster);
  return {};
}

void Stream::take_answer(State& state, const Request& request) {
  state.waiting = false;
  if (request.error) {
    state.error = request.error->empty() ? "(no reason given)" : *request.error;
    ++state.nacks;
  } else {
    state.error.clear();
    state.acked_version = state.sent_version;
  }
}

// A request that answers an older response was overtaken by the newer one: the client will say it all again with that.
void Stream::take_sotw(ResourceType type, const Request& request) {
  State& state = states_[index_of(type)];
  if (!state.asked || request.nonce.empty()) {
    state = State{.asked = true, .acked_version = request.version, .due = is_whole(type), .dirty = true};
  } else if (request.nonce != state.nonce) {
    return;
  } else if (state.waiting) {
    take_answer(state, request);
  }
  std::set<std::string, std::less<>> names(request.names.begin(), request.names.end());
  const bool wildcard = names.erase(std::string(kEverything)) > 0 || (names.empty() && is_whole(type) && !state.named);
  state.named = state.named || !request.names.empty();
  if (wildcard != state.wildcard || names != state.names) {
    state.wildcard = wildcard;
    state.names = std::move(names);
    // What is given up is sent again when it is wanted again.
    std::erase_if(state.sent, [&state](const auto& sent) { return !state.wants(sent.first); });
    state.due = is_whole(type);  // that there is none of a name is told by a response without it
    state.dirty = true;
  }
}

void Stream::take_delta(ResourceType type, const Request& request) {
  State& state = states_[index_of(type)];
  const bool first = !state.asked;
  if (first) {
    state.asked = true;
    for (const auto& [name, version] : request.held) {
      state.sent[name] = version.empty() ? "?" : version;  // empty here: that there is none
    }
    state.wildcard = request.names.empty() && is_whole(type);
    state.due = is_whole(type);
  }
  if (!request.nonce.empty() && request.nonce == state.nonce && state.waiting) {
    take_answer(state, request);
  }
  for (const std::string& name : request.names) {
    if (name == kEverything) {
      state.wildcard = true;
    } else {
      state.names.insert(name);
      if (!first) {
        state.sent.erase(name);  // whoever asks again has lost it
      }
    }
  }
  for (const std::string& name : request.unsubscribe) {
    if (name == kEverything) {
      state.wildcard = false;
    } else {
      state.names.erase(name);
    }
  }
  if (!request.unsubscribe.empty()) {
    std::erase_if(state.sent, [&state](const auto& sent) { return !state.wants(sent.first); });
  }
  state.dirty = state.dirty || first || !request.names.empty() || !request.unsubscribe.empty();
}

// ---- the world

void Stream::on_world(const World& world) {
  if (!node_) {
    return;
  }
  const SnapshotPtr next = world.snapshot_for(node_->id, node_->cluster);
  if (next->versions == target_->versions) {
    return;
  }
  for (const ResourceType type : kMake) {
    ResourceMap& kept = kept_[index_of(type)];
    const ResourceMap& coming = next->resources[index_of(type)];
    kept.insert(target_->resources[index_of(type)].begin(), target_->resources[index_of(type)].end());
    std::erase_if(kept, [&coming](const auto& each) { return coming.contains(each.first); });
  }
  target_ = next;
  broken_ = false;
  look_again(kMake);
}

void Stream::look_again(Types types) {
  for (const ResourceType type : types) {
    states_[index_of(type)].dirty = states_[index_of(type)].asked;
  }
}

bool Stream::settled(Types types) const {
  return std::none_of(types.begin(), types.end(), [this](ResourceType type) {
    return states_[index_of(type)].dirty || states_[index_of(type)].waiting;
  });
}

// A refused response is an answer too: of what was refused the client keeps what it had, and the rest goes on.
bool Stream::step() {
  if (target_ == nullptr) {
    return false;
  }
  if (switched_ != target_ && settled(kMake)) {
    switched_ = target_;
    look_again(kSwitch);
    return true;
  }
  if (!broken_ && switched_ == target_ && settled(kAll)) {
    broken_ = true;
    kept_ = {};
    look_again(kMake);
    return true;
  }
  return false;
}

// ---- responses

const ResourcePtr* Stream::find(ResourceType type, std::string_view name) const {
  const SnapshotPtr& shown = is_made(type) ? target_ : switched_;
  for (const ResourceMap* map : {shown ? &shown->resources[index_of(type)] : nullptr, &kept_[index_of(type)]}) {
    if (map != nullptr) {
      if (const auto found = map->find(name); found != map->end()) {
        return &found->second;
      }
    }
  }
  return nullptr;
}

template <typename F>
void Stream::for_each_shown(ResourceType type, const F& f) const {
  const State& state = states_[index_of(type)];
  if (!state.wildcard) {
    for (const std::string& name : state.names) {
      if (const ResourcePtr* resource = find(type, name)) {
        f(*resource);
      }
    }
    return;
  }
  const SnapshotPtr& shown = is_made(type) ? target_ : switched_;
  for (const ResourceMap* map : {&shown->resources[index_of(type)], &kept_[index_of(type)]}) {
    for (const auto& [name, resource] : *map) {
      f(resource);
    }
  }
}

std::string Stream::version_shown(ResourceType type) const {
  const std::string& version = (is_made(type) ? target_ : switched_)->versions[index_of(type)];
  const ResourceMap& kept = kept_[index_of(type)];
  return kept.empty() ? version : cat(version, "+", version_of(kept));
}

// What others may still refer to is not removed before they were switched.
bool Stream::may_remove(ResourceType type) const { return broken_ || !is_made(type); }

// A cluster that changes warms again, and waits for its endpoints as a new one does, although they may be the same.
void Stream::note_new_cluster(const ServedResource& cluster) {
  for (const Reference& reference : cluster.references) {
    if (reference.type == ResourceType::kEndpoints) {
      State& endpoints = states_[index_of(ResourceType::kEndpoints)];
      endpoints.sent.erase(reference.name);
      endpoints.dirty = endpoints.asked;
    }
  }
}

// Nothing: the client has all that it wants.
std::optional<Response> Stream::make_response(ResourceType type) {
  State& state = states_[index_of(type)];
  Response response{.type = type, .version = version_shown(type)};
  const bool whole = protocol_ == Protocol::kSotw && is_whole(type);
  bool differs = state.due;
  for_each_shown(type, [&](const ResourcePtr& resource) {
    std::string& sent = state.sent[resource->name];
    const bool changed = sent != resource->version;
    if (changed && type == ResourceType::kCluster && !sent.empty()) {
      note_new_cluster(*resource);
    }
    if (changed || whole) {
      response.resources.push_back(resource);
    }
    differs |= changed;
    sent = resource->version;
  });
  if (may_remove(type)) {
    std::erase_if(state.sent, [&](const auto& sent) {
      if (sent.second.empty() || find(type, sent.first) != nullptr) {
        return false;
      }
      response.removed.push_back(sent.first);
      return true;
    });
  }
  for (const std::string& name : state.names) {  // that there is none of a name is told once
    if (protocol_ == Protocol::kDelta && find(type, name) == nullptr && state.sent.try_emplace(name).second) {
      if (std::find(response.removed.begin(), response.removed.end(), name) == response.removed.end()) {
        response.removed.push_back(name);
      }
    }
  }
  differs |= !response.removed.empty() && (whole || protocol_ == Protocol::kDelta);
  state.dirty = false;
  state.due = false;
  if (!differs) {
    return std::nullopt;
  }
  response.nonce = cat(++last_nonce_);
  state.nonce = response.nonce;
  state.sent_version = response.version;
  state.waiting = true;
  return response;
}

std::optional<std::string> Stream::next_response() {
  do {
    for (const ResourceType type : kAll) {
      const State& state = states_[index_of(type)];
      if (!state.dirty || state.waiting || (switched_ == nullptr && !is_made(type))) {
        continue;
      }
      if (const std::optional<Response> response = make_response(type)) {
        return serialize(protocol_, *response);
      }
    }
  } while (step());
  return std::nullopt;
}

}  // namespace sluice::control_plane
