// The route of an exchange: in which table it is looked for, and what it sets.
#include <utility>
#include <variant>

#include "base/trace.h"
#include "model/hash_policy.h"
#include "proxy/downstream_connection.h"
#include "proxy/exchange.h"
#include "proxy/grpc_timeout.h"

namespace sluice::proxy {

namespace {
// Nobody knows what a request wants whose x-forwarded-proto is empty. It was set just before, so it is among the last.
bool has_scheme(const http::RequestHeaders& request) {
  for (const http::HeaderField* field = request.fields.end(); field != request.fields.begin();) {
    if ((--field)->token == http::Token::kXForwardedProto) return field->value_size != 0;
  }
  return false;
}
}  // namespace

// With rds the first table is the exchange's until its end; with scopes each look-up may lead to another one.
const model::RouteTable* Exchange::route_table() {
  if (plan().routes != nullptr) {
    return plan().routes.get();
  }
  if (plan().route_slot != nullptr) {
    if (routes_ == nullptr) {
      routes_ = connection_.server().discovered_routes();
    }
    return routes_.get();
  }
  if (model::RouteTablePtr found = plan().scopes->find(*request_); found != routes_) {
    if (routes_ != nullptr) {
      former_routes_.push_back(std::move(routes_));
    }
    routes_ = std::move(found);
  }
  return routes_.get();
}

void Exchange::renew_routes() {
  if (routes_ != nullptr) {
    former_routes_.push_back(std::move(routes_));
    routes_ = nullptr;
  }
}

model::RouteChoice Exchange::look_up_route() {
  const model::RouteTable* table = route_table();
  if (!has_scheme(*request_)) {
    return {};
  }
  return table == nullptr ? model::RouteChoice() : table->find(*request_, match_inputs());
}

model::MatchInputs Exchange::match_inputs() const {
  model::MatchInputs inputs;
  if (const net::TlsFacts* tls = facts_.downstream_tls; tls != nullptr) {
    inputs.tls = true;
    inputs.tls_client_certificate = tls->peer_presented;
    inputs.tls_client_validated = tls->peer_validated;
  }
  inputs.stable_random = stable_random_;
  inputs.metadata = facts_.metadata;
  inputs.filter_state = facts_.filter_state;
  return inputs;
}

void Exchange::find_route(bool internal) {
  const model::RouteTable* table = route_table();
  if (table == nullptr) {
    route_ = {};
    weighted_ = nullptr;
    return;
  }
  if (!internal) {
    for (const std::string& name : table->internal_only_headers) {
      request_->fields.remove(name);
    }
  }
  trace::step("exchange: find route");
  route_ = look_up_route();
  weighted_ = nullptr;
  facts_.virtual_host_metadata = route_.host == nullptr ? nullptr : route_.host->metadata.get();
  if (route_.route == nullptr) {
    facts_.route_metadata = nullptr;
    facts_.route_name = {};
    return;
  }
  facts_.route_name = route_.route->name;
  facts_.route_metadata = route_.route->metadata.get();
  if (const auto* forward = std::get_if<model::ForwardAction>(&route_.route->action)) {
    if (!forward->weighted.empty()) {
      uint64_t random = stable_random_;
      if (forward->weight_by_hash) {
        const model::HashInputs from{facts_.remote, facts_.local, facts_.direct_remote, facts_.filter_state};
        random = model::hash_request(forward->hash_policies, *request_, from).value.value_or(random);
      }
      weighted_ = forward->pick(*request_, random);
    }
    if (forward->idle_timeout) {
      idle_timeout_ = *forward->idle_timeout;
      stream_idle_.cancel();
      if (idle_timeout_.count() > 0) {
        stream_idle_.arm(idle_timeout_);
      }
    }
    max_duration_.cancel();
    if (const auto limit = stream_duration(plan(), *forward, *request_)) {
      max_duration_.arm(*limit - (local().loop.now() - facts_.start));
    }
  }
}

}  // namespace sluice::proxy
