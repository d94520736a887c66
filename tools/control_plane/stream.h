// Stream: one client's discovery stream: requests go in, responses come out, no input or output here.
//
// A response of a type is sent when the one before it was answered, so a client that is slow gets the newest and not
// all in between. A change of the world comes in three steps, so that no request finds nothing to go to
// (https://www.envoyproxy.io/docs/envoy/v1.36.0/api-docs/xds_protocol#eventual-consistency-considerations):
//
//   make     what others refer to: runtime, secrets, clusters, endpoints; what is to go stays
//   switch   once all of that is answered: filters, listeners, tables, scopes
//   break    once that is answered too: what was to go is gone
//
// That holds within a stream: it is what the aggregated one is for.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "tools/control_plane/wire.h"

namespace sluice::control_plane {

// Owned by its Clients. Thread: main.
class Stream {
 public:
  // Of one type that a client may ask for; whoever asks for more is no client of ours.
  static constexpr size_t kMostNames = 250'000;

  // What was said about one type.
  struct State {
    bool asked = false;
    bool wildcard = false;  // everything is wanted, also what comes later
    std::set<std::string, std::less<>> names;
    // By name, what the client holds as far as it was told: the version, empty: that there is none.
    std::map<std::string, std::string, std::less<>> sent;
    std::string nonce;  // of the last response
    std::string sent_version;
    std::string acked_version;
    std::string error;  // of the last response, refused
    uint64_t nacks = 0;
    bool waiting = false;  // for the answer to the last response
    bool named = false;    // names were given once: an empty list means none from now on (SotW)
    bool due = false;      // the next response is sent although nothing differs
    bool dirty = false;    // something may differ

    bool wants(std::string_view name) const { return wildcard || names.contains(name); }
  };

  // `only`: the type of a stream that is not aggregated.
  Stream(Protocol protocol, std::optional<ResourceType> only) : protocol_(protocol), only_(only) {}

  // Not empty: why the stream must end (INVALID_ARGUMENT).
  std::string on_request(std::string_view message, const World& world);
  void on_world(const World& world);
  // What to send now, if anything; to be called again when it has left, and after every request and change.
  std::optional<std::string> next_response();

  Protocol protocol() const { return protocol_; }
  bool aggregated() const { return !only_; }
  const std::optional<Request::Node>& node() const { return node_; }
  const State& state(ResourceType type) const { return states_[index_of(type)]; }
  bool in_force() const { return broken_ && settled(kAll); }

 private:
  using Types = std::span<const ResourceType>;
  static const Types kAll, kMake, kSwitch;

  std::string take_node(const Request& request, const World& world);
  void take_answer(State& state, const Request& request);
  void take_sotw(ResourceType type, const Request& request);
  void take_delta(ResourceType type, const Request& request);

  const ResourcePtr* find(ResourceType type, std::string_view name) const;
  template <typename F>
  void for_each_shown(ResourceType type, const F& f) const;
  std::string version_shown(ResourceType type) const;
  std::optional<Response> make_response(ResourceType type);
  void note_new_cluster(const ServedResource& cluster);
  bool may_remove(ResourceType type) const;
  bool settled(Types types) const;
  void look_again(Types types);
  bool step();

  const Protocol protocol_;
  const std::optional<ResourceType> only_;
  std::optional<Request::Node> node_;
  PerType<State> states_;
  uint64_t last_nonce_ = 0;

  SnapshotPtr target_;         // null until the node is known
  SnapshotPtr switched_;       // what the types of the second step are taken from; null until the first is done
  PerType<ResourceMap> kept_;  // what is to go
  bool broken_ = false;        // the third step was taken
};

}  // namespace sluice::control_plane
