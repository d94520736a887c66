// ControlPlane: the client's side of one source of discovery (an ApiConfigSource, or the ADS of the bootstrap).
// Sans-io: time comes from the Loop, bytes go over an AdsTransport.
//
//   users (clusters, listeners, ...) --subscribe()--> ControlPlane --requests--> AdsTransport --> control plane
//         <--on_resources()--                                      <--responses--
//
// One response: it is decoded, every user that wants some of it gets its part by on_resources(), then it is answered
// once: ACK when all took it, NACK with what they said otherwise. While the users look at it, what they subscribe to is
// collected: of endpoints and secrets during a response of clusters, of route tables and secrets during one of
// listeners, of route tables during one of scopes. That goes out in one request, before the answer.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/api-docs/xds_protocol
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/random.h"
#include "config/subscription.h"
#include "event/loop.h"
#include "xds/ads_transport.h"
#include "xds/history.h"
#include "xds/resource_types.h"

namespace sluice::xds {

class Session;
class Watch;

// The fields of an ApiConfigSource that the protocol needs. A plain value.
struct Options {
  // api_type: GRPC and AGGREGATED_GRPC, DELTA_GRPC and AGGREGATED_DELTA_GRPC, REST.
  enum class Protocol : uint8_t { kSotw, kDelta, kRest };
  // ads_config: one stream for everything. Else every subscription has one of its own, on the service of its type; only
  // equal subscriptions to what users share (all but endpoints) share it too. REST always polls separately.
  enum class Streams : uint8_t { kAggregated, kSeparate };
  enum class SendNode : uint8_t { kAlways, kOnFirstMessage };  // set_node_on_first_message_only
  // rate_limit_settings; its defaults are Envoy's.
  struct RateLimit {
    uint32_t max_tokens = 100;
    double fill_rate = 10;  // tokens in a second
  };

  Protocol protocol = Protocol::kSotw;
  Streams streams = Streams::kAggregated;
  // envoy.config.core.v3.Node, serialized, with user agent, build version and extensions.
  std::string node;
  SendNode send_node = SendNode::kAlways;
  std::vector<RequestField> metadata;  // grpc_service.initial_metadata
  // retry_policy.retry_back_off of envoy_grpc: full jitter, doubles with every try until a message came. Envoy's
  // default of a max_interval that is not set, next to a base_interval that is, is 10 times the base.
  Duration back_off_base = std::chrono::milliseconds(500);
  Duration back_off_max = std::chrono::seconds(30);
  std::optional<RateLimit> rate_limit;
  // REST: a poll starts refresh_delay, and up to as much again at random, after the end of the one before.
  Duration refresh_delay = std::chrono::seconds(1);
  Duration request_timeout = std::chrono::seconds(1);
};

// What a user wants. A plain value.
struct Interest {
  enum class Scope : uint8_t {
    kNames,       // those in `names`, and only those
    kEverything,  // of the type (*): clusters, listeners, scopes
    kUnder,       // virtual hosts of the route table `under`; `names` are TABLE/HOST, asked on demand
  };

  config::ResourceType type{};
  Scope scope = Scope::kNames;
  std::set<std::string, std::less<>> names;
  std::string under;
  // Until on_timeout(); zero: for ever. Counts from subscribe().
  Duration initial_fetch_timeout = std::chrono::seconds(15);
};

// For `control_plane.*`. A plain value.
struct Numbers {
  uint32_t open_streams = 0;  // connected_state is 1 when there is one
  uint64_t rate_limit_enforced = 0;
  uint64_t pending_requests = 0;
  std::string identifier;  // of the control plane, as it last said
};

// Owned by the server; outlives its subscriptions. Thread: main.
class ControlPlane {
 public:
  // `transport` and `history` outlive it.
  ControlPlane(event::Loop& loop, Random& random, AdsTransport& transport, Options options, History& history);
  ~ControlPlane();
  ControlPlane(const ControlPlane&) = delete;
  ControlPlane& operator=(const ControlPlane&) = delete;

  // Opens the stream (its users may come later). Until then subscriptions only wait.
  void start();

  // Never calls the user before it returns.
  //
  // What is known already of route tables, secrets, scopes and extensions, because other users asked for them, reaches
  // the user in this turn or the next, and nothing is asked; `update.known` says so. Of endpoints it does only when
  // initial_fetch_timeout is over, right after on_timeout(). Where that is 0, it does at once in delta, where nothing
  // more is asked, and after 15 s otherwise, without on_timeout().
  //
  // A user of everything sees a state-of-the-world response as it came, also the same name twice; one of names sees the
  // first copy. Before these see their parts, the field rules of all resources of the response are checked;
  // on_rejected() tells when one is broken. Users of clusters and listeners check their own.
  std::unique_ptr<config::Subscription> subscribe(Interest interest, config::ResourceUser& user);

  // Between the two nothing is sent about a type, neither answers nor changed names; it is made up for at resume().
  // They nest; users may call them inside on_resources(). After start-up the clusters pause kCluster while one of them
  // warms: that holds back the ACK. The first request of a new stream does not wait. No effect on REST.
  void pause(config::ResourceType type);
  void resume(config::ResourceType type);

  const Numbers& numbers() const { return numbers_; }

 private:
  friend class Session;

  Session& session_for(const Interest& interest);
  std::unique_ptr<Session> make_session(const Interest* only);
  // The last subscription of a session of its own ended, perhaps inside one of its calls.
  void retire(Session& session);

  event::Loop& loop_;
  Random& random_;
  AdsTransport& transport_;
  const Options options_;
  History& history_;
  Numbers numbers_;
  bool started_ = false;
  PerType<uint32_t> paused_{};
  std::list<std::unique_ptr<Session>> sessions_;
};

}  // namespace sluice::xds
