#include "explain/dry_run.h"

#include <algorithm>
#include <utility>

#include "base/strings.h"
#include "explain/client_hello.h"
#include "explain/discovered_files.h"
#include "filters/http/router/router.h"
#include "http/path.h"
#include "model/request_policies.h"
#include "proxy/exchange.h"
#include "proxy/grpc_timeout.h"
#include "proxy/http_server.h"
#include "proxy/listener.h"
#include "proxy/listener_filter.h"

namespace sluice::explain {
namespace {

constexpr Duration kLongest = std::chrono::hours(24);  // of virtual time
constexpr size_t kTriedShown = 100;

// A cluster as it is used here: its hosts speak plain HTTP/1.1, are well, and there is at least one.
model::ClusterPlanPtr dry_cluster(const model::ClusterPlan& plan) {
  auto out = std::make_shared<model::ClusterPlan>(plan);
  const net::Address nobody = *net::Address::from_ip("192.0.2.2", 80);
  auto hosts = std::make_shared<model::AssignmentPlan>(*plan.assignment);
  bool any = false;
  for (model::LocalityPlan& place : hosts->localities) {
    for (model::EndpointPlan& endpoint : place.endpoints) {
      if (endpoint.address.kind() == net::AddressKind::kNone) endpoint.address = nobody;
      any = true;
    }
  }
  if (!any && plan.discovery != model::Discovery::kStatic) {
    model::EndpointPlan endpoint;
    endpoint.address = nobody;
    hosts->localities.emplace_back().endpoints.push_back(std::move(endpoint));
  }
  out->assignment = std::move(hosts);
  out->discovery = model::Discovery::kStatic;
  out->original_dst = nullptr;
  out->protocol = model::UpstreamProtocol::kHttp1;
  out->transport_socket = nullptr;
  out->socket_matches.clear();
  out->health_checks.clear();
  out->outlier = nullptr;
  return out;
}

Result<std::pair<model::ListenerPlanPtr, bool>> choose_listener(const config::CompiledBootstrap& bootstrap,
                                                                const Question& question) {
  std::string all;
  for (const model::ListenerPlanPtr& plan : bootstrap.listeners) {
    if (question.listener.empty() ? plan->address.port() == question.port : plan->name == question.listener) {
      return std::pair(plan, false);
    }
    append(all, all.empty() ? "" : ", ", "'", plan->name, "' (", plan->address.to_string(), ")");
  }
  if (bootstrap.listeners.empty()) return Error{"the configuration has no listeners"};
  if (!question.listener.empty()) return Error{cat("no listener is named '", question.listener, "'; there are ", all)};
  if (question.port_given) return Error{cat("no listener has port ", question.port, "; there are ", all)};
  return std::pair(bootstrap.listeners.front(), true);
}

// The most specific domain of the host that matches: asked one by one of tables that have nothing else.
std::string domain_of(const model::VirtualHost& host, const http::RequestHeaders& request) {
  const std::string* best = nullptr;
  const auto rank = [](const std::string& domain) {
    const int kind = domain == "*" ? 0 : domain.ends_with('*') ? 1 : domain.starts_with('*') ? 2 : 3;
    return std::pair(kind, domain.size());
  };
  for (const std::string& domain : host.domains) {
    model::RouteTable table;
    table.vhost_header = host.table->vhost_header;
    table.ignore_port_in_host_matching = host.table->ignore_port_in_host_matching;
    table.hosts.push_back(std::make_unique<model::VirtualHost>());
    table.hosts.back()->domains = {domain};
    (void)table.build();
    if (table.find(request, {}).host == nullptr) continue;
    if (best == nullptr || rank(*best) < rank(domain)) best = &domain;
  }
  return best == nullptr ? std::string() : *best;
}

// Runs one request, and notes what it sees. Thread: main.
class DryRun final : private Observer {
 public:
  DryRun(const config::CompiledBootstrap& bootstrap, const Question& question, Seen& seen)
      : question_(question), seen_(seen) {
    for (const model::ClusterPlanPtr& plan : bootstrap.clusters) {
      auto shared = std::make_shared<upstream::ClusterShared>(dry_cluster(*plan), world_.registry, world_.cells);
      world_.clusters.add(shared, shared->hosts());
    }
  }
  ~DryRun() {
    if (listener_ != nullptr) listener_->close_all();
    world_.loop.run_for(Duration(0));
    listener_.reset();
    world_.loop.post([this] { world_.clusters.clear(); });
    world_.loop.run_for(Duration(0));
  }

  void run();

 private:
  // Observer
  void on_request(size_t place, proxy::Exchange& exchange, const http::RequestHeaders& request) override;
  void on_response(size_t place, const http::ResponseHeaders& response) override;
  void on_end(const format::Facts& facts) override;

  std::string request_bytes();
  void look(proxy::Accepted& accepted, const std::string& bytes);
  void choose_chain(const proxy::Accepted& accepted);
  Routed routed(const proxy::Exchange& exchange, const http::RequestHeaders& request) const;
  void read_timeouts(const proxy::Exchange& exchange, const http::RequestHeaders& request);

  const Question& question_;
  Seen& seen_;
  DryWorld world_;
  std::unique_ptr<proxy::Listener> listener_;
};

std::string DryRun::request_bytes() {
  std::string host = question_.authority, fields;
  for (const auto& [name, value] : question_.headers) {
    if (equal_ignore_case(name, "host") || name == ":authority") {
      host = value;
    } else {
      append(fields, name, ": ", value, "\r\n");
    }
  }
  const std::string target = question_.method == "CONNECT" ? host : question_.path;
  seen_.received = {{":method", question_.method}, {":authority", host}, {":path", target}};
  for (const auto& [name, value] : question_.headers) {
    if (!equal_ignore_case(name, "host") && name != ":authority") seen_.received.emplace_back(to_lower(name), value);
  }
  return cat(question_.method, " ", target, " HTTP/1.1\r\nhost: ", host, "\r\n", fields, "\r\n");
}

// The listener's filters look at the first bytes.
void DryRun::look(proxy::Accepted& accepted, const std::string& bytes) {
  for (const proxy::ListenerFilterEntry& entry : listener_->filters()) {
    if (entry.plan->disabled.matches(accepted.local())) continue;
    proxy::Need need = entry.filter->on_accept(accepted);
    if (need.what() == proxy::Need::What::kBytes) need = entry.filter->on_bytes(accepted, bytes);
    if (need.what() != proxy::Need::What::kDone) {
      seen_.listener_notes.push_back(cat(entry.plan->name, " wants to see something else first: passed over"));
    }
  }
  if (const proxy::Found* found = accepted.known()) {
    seen_.server_name = found->server_name;
    seen_.transport_protocol = found->transport_protocol;
  }
}

void DryRun::choose_chain(const proxy::Accepted& accepted) {
  const model::ListenerPlan& plan = *seen_.listener;
  seen_.by_tree = plan.tree != nullptr;
  const model::ChainInputs inputs = proxy::Listener::chain_inputs(accepted);
  if (seen_.by_tree) {
    format::Facts facts;
    accepted.describe(facts);
    const format::Detected detected{inputs.transport_protocol, inputs.application_protocols};
    facts.detected = &detected;
    seen_.chain = model::choose_chain(plan, facts);
    return;
  }
  (void)plan.matcher.find(inputs, &seen_.decisions);
  seen_.chain = model::choose_chain(plan, inputs);
}

void DryRun::run() {
  auto plan = std::make_shared<model::ListenerPlan>(*seen_.listener);
  for (model::FilterChainPlanPtr& chain : plan->chains) {
    auto probed = std::make_shared<model::FilterChainPlan>(*chain);
    probed->transport_socket = nullptr;
    if (const auto* manager = dynamic_cast<const proxy::HttpConnectionManager*>(chain->terminal.get())) {
      probed->terminal = std::make_shared<const proxy::HttpConnectionManager>(with_probes(manager->plan(), *this));
    }
    chain = std::move(probed);
  }
  listener_ = std::make_unique<proxy::Listener>(0, plan, proxy::ListenOn{}, world_.proxy);
  net::Address local = plan->address;
  if (local.is_wildcard() || !local.is_ip()) local = *net::Address::from_ip("127.0.0.1", local.port());
  auto transport = std::make_unique<DryTransport>(world_.loop, local, question_.source);
  if (question_.tls()) {
    auto facts = std::make_shared<net::TlsTexts>();
    facts->version = "TLSv1.3";
    facts->server_name = question_.server_name;
    transport->set_tls(std::move(facts));
  }
  auto accepted = std::make_unique<proxy::Accepted>(*listener_, *transport, 0, world_.loop.now());
  const std::string request = request_bytes();
  look(*accepted, question_.tls() ? client_hello(question_.server_name) : request);
  choose_chain(*accepted);
  if (!seen_.chain) return;
  const model::FilterChainPlan& chain = *seen_.listener->chains[*seen_.chain];
  const auto* manager = dynamic_cast<const proxy::HttpConnectionManager*>(chain.terminal.get());
  if (manager == nullptr) return;
  seen_.http = true;
  seen_.plan = std::shared_ptr<const model::HttpPlan>(seen_.listener, &manager->plan());
  transport->receive(request);
  transport->on_written(
      [this](std::string_view written) { seen_.answer = written.substr(0, written.find("\r\n\r\n")); });
  listener_->pass_on(std::move(transport), std::move(accepted));
  world_.loop.run_for(kLongest);
  seen_.sent = world_.network.sent();
}

Routed DryRun::routed(const proxy::Exchange& exchange, const http::RequestHeaders& request) const {
  const model::RouteChoice& choice = exchange.route();
  Routed out;
  out.host = choice.host;
  out.route = choice.route;
  out.weighted = exchange.weighted();
  if (out.host == nullptr) return out;
  const model::VirtualHost& host = *out.host;
  out.by_tree = host.tree != nullptr;
  out.domain = domain_of(host, request);
  if (out.route != nullptr) {
    if (const auto* forward = std::get_if<model::ForwardAction>(&out.route->action)) {
      out.cluster = forward->cluster_name(out.weighted, request);
    }
    if (out.route->host == nullptr) return out;  // of require_tls
  }
  const http::Target target = http::split_target(request.path);
  const std::string_view path =
      host.table->ignore_path_parameters ? http::without_parameters(target.path, request.fields.arena()) : target.path;
  const model::MatchInputs inputs = exchange.match_inputs();
  for (const model::Route& route : host.routes) {
    if (&route == out.route) break;
    if (out.tried.size() == kTriedShown) break;
    out.tried.push_back({&route, route.match.why_not(request, path, target.query, inputs).value_or("")});
  }
  if (out.route != nullptr) out.tried.push_back({out.route, {}});
  return out;
}

void DryRun::read_timeouts(const proxy::Exchange& exchange, const http::RequestHeaders& request) {
  const model::Route* route = exchange.route().route;
  const auto* forward = route == nullptr ? nullptr : std::get_if<model::ForwardAction>(&route->action);
  const auto* router = dynamic_cast<const filters::router::RouterFactory*>(seen_.plan->filters.back().config.get());
  if (forward == nullptr || router == nullptr) return;
  // What reads them takes them out of the request: here out of a copy.
  http::RequestHeaders copy(request.fields.arena());
  copy.method = request.method;
  for (const http::HeaderField& field : request.fields) copy.fields.push_back(field);
  seen_.max_duration = proxy::stream_duration(*seen_.plan, *forward, copy);
  const Routed& routed = seen_.rerouted ? *seen_.rerouted : seen_.routed;
  const upstream::Cluster* cluster = world_.clusters.find(routed.cluster);
  if (cluster != nullptr && cluster->plan().policies != nullptr) {
    seen_.cluster_retry = cluster->plan().policies->retry;
  }
  const model::RetryPolicy* retry = seen_.cluster_retry != nullptr ? seen_.cluster_retry.get() : forward->retry.get();
  seen_.timeouts = filters::router::take_timeouts(*forward, retry, router->options(), copy);
}

void DryRun::on_request(size_t place, proxy::Exchange& exchange, const http::RequestHeaders& request) {
  seen_.requests[place] = fields_of(request);
  if (place == 0) {
    seen_.internal = exchange.internal();
    seen_.routed = routed(exchange, request);
    for (const model::FilterPlan& filter : seen_.plan->filters) seen_.in_force.push_back(exchange.in_force(filter));
  }
  if (place + 1 < seen_.plan->filters.size()) return;
  if (exchange.route().route != seen_.routed.route) seen_.rerouted = routed(exchange, request);
  read_timeouts(exchange, request);
}

void DryRun::on_response(size_t place, const http::ResponseHeaders& response) {
  seen_.responses[place] = fields_of(response);
}

void DryRun::on_end(const format::Facts& facts) {
  seen_.ended = true;
  seen_.status = facts.response_code;
  seen_.details = facts.details;
  format::append_flags(seen_.flags, facts.flags, format::FlagNames::kShort);
  seen_.cluster = facts.cluster;
  if (facts.upstream_host != nullptr) seen_.upstream = facts.upstream_host->to_string();
}

}  // namespace

Result<Seen> run_dry(config::CompiledBootstrap& bootstrap, const Question& question) {
  std::vector<std::string> unknown = read_discovered_files(bootstrap);
  auto chosen = choose_listener(bootstrap, question);
  if (!chosen) {
    std::string why = chosen.error();
    for (const std::string& text : unknown) append(why, "; ", text);
    return Error{why};
  }
  Seen seen;
  seen.unknown = std::move(unknown);
  seen.listener = chosen->first;
  seen.listener_guessed = chosen->second;
  DryRun(bootstrap, question, seen).run();
  for (const model::ClusterPlanPtr& cluster : bootstrap.clusters) {
    if (cluster->name == seen.cluster) seen.max_try_duration = cluster->max_stream_duration;
  }
  return seen;
}

}  // namespace sluice::explain
