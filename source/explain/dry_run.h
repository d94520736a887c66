// DryRun: one request through the data path of a configuration, from the listener's filters to what an upstream is sent
// and back, without an outside; and what was seen on the way.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/bootstrap.h"
#include "explain/dry_world.h"
#include "explain/probe.h"
#include "explain/question.h"
#include "filters/http/router/timeouts.h"
#include "model/chain_matcher.h"
#include "model/retry_policy.h"

namespace sluice::explain {

// How a route that was looked at lost; empty: it matched.
struct TriedRoute {
  const model::Route* route = nullptr;
  std::string why_not;
};

// What the router found: the route, and what it says of this request.
struct Routed {
  const model::VirtualHost* host = nullptr;
  const model::Route* route = nullptr;
  const model::WeightedCluster* weighted = nullptr;
  std::string domain;             // of the virtual host, that matched
  std::vector<TriedRoute> tried;  // in their order, the one that matched last
  bool by_tree = false;           // a matcher of the virtual host chose which routes are looked at
  std::string cluster;            // that the route names for this request
};

// What was seen. Members are empty where the request did not get so far. Thread: main.
struct Seen {
  model::ListenerPlanPtr listener;
  bool listener_guessed = false;            // no listener has the port
  std::vector<std::string> listener_notes;  // of its filters
  std::vector<std::string> unknown;         // what comes from elsewhere and could not be read here
  std::string server_name, transport_protocol;
  std::vector<model::ChainDecision> decisions;
  bool by_tree = false;  // a filter_chain_matcher chose the chain
  std::optional<uint32_t> chain;
  bool http = false;  // it ends in a connection manager
  std::shared_ptr<const model::HttpPlan> plan;

  Fields received;  // as the client sent it
  bool internal = false;
  Routed routed;                       // as the first filter saw it
  std::optional<Routed> rerouted;      // as the last one did, when that is another route
  std::vector<bool> in_force;          // by filter
  std::map<size_t, Fields> requests;   // in front of the filter of that number
  std::map<size_t, Fields> responses;  // behind it, as seen on the way back
  filters::router::Timeouts timeouts;
  model::RetryPolicyPtr cluster_retry;  // counts in place of the route's; null: the cluster has none
  std::optional<Duration> max_duration;
  Duration max_try_duration{0};  // of the cluster; 0: none
  std::vector<Sent> sent;        // upstream, by the router and others
  Fields upstream_answer;
  std::string answer;  // to the client, its head as bytes

  bool ended = false;
  uint16_t status = 0;
  std::string details, flags, cluster, upstream;
};

// An error says why nothing can be asked ("no listener is named ..."). Thread: main.
Result<Seen> run_dry(config::CompiledBootstrap& bootstrap, const Question& question);

}  // namespace sluice::explain
