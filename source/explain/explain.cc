#include "explain/explain.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "base/strings.h"

namespace sluice::explain {
namespace {

struct Change {
  std::string name;
  std::string text;
};

std::string joined(const Fields& fields, const std::string& name) {
  std::string out;
  for (const auto& [key, value] : fields) {
    if (key == name) append(out, out.empty() ? "" : " | ", value);
  }
  return out;
}

bool has(const Fields& fields, const std::string& name) {
  return std::any_of(fields.begin(), fields.end(), [&](const auto& field) { return field.first == name; });
}

// What became of the fields, each name once, in the order of `after`.
std::vector<Change> changes(const Fields& before, const Fields& after) {
  std::vector<Change> out;
  const auto known = [&](const std::string& name) {
    return std::any_of(out.begin(), out.end(), [&](const Change& one) { return one.name == name; });
  };
  for (const auto& [name, value] : after) {
    if (known(name)) continue;
    const std::string now = joined(after, name), was = joined(before, name);
    if (!has(before, name)) {
      out.push_back({name, cat("+ ", name, ": ", now)});
    } else if (now != was) {
      out.push_back({name, cat("~ ", name, ": ", now, "   (was ", was, ")")});
    }
  }
  for (const auto& [name, value] : before) {
    if (!has(after, name) && !known(name)) out.push_back({name, cat("- ", name, ": ", joined(before, name))});
  }
  return out;
}

// The head of a message as fields; the names of pseudo headers as HTTP/2 has them.
Fields parse_head(std::string_view head) {
  Fields out;
  bool first = true;
  for (std::string_view line : split(head, '\n')) {
    line = trim(line);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (std::exchange(first, false)) {
      const auto words = split(line, ' ');
      if (line.starts_with("HTTP/")) {
        out.emplace_back(":status", words.size() > 1 ? words[1] : std::string_view());
      } else {
        out.emplace_back(":method", words.front());
        out.emplace_back(":path", words.size() > 1 ? words[1] : std::string_view());
      }
      continue;
    }
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const std::string name = to_lower(line.substr(0, colon));
    out.emplace_back(name == "host" ? ":authority" : name, trim(line.substr(colon + 1)));
  }
  return out;
}

Fields without(Fields fields, std::initializer_list<std::string_view> names) {
  std::erase_if(fields,
                [&](const auto& field) { return std::find(names.begin(), names.end(), field.first) != names.end(); });
  return fields;
}

// Which rule of the route's levels is about a header.
std::string rule_place(const Routed& routed, const std::string& name, model::HeaderRules model::Route::*of_route,
                       model::HeaderRules model::VirtualHost::*of_host, model::HeaderRules model::RouteTable::*of_table,
                       model::HeaderRules model::WeightedCluster::*of_weighted) {
  const auto look = [&](const model::HeaderRules& rules) -> std::string {
    for (const model::HeaderRule& rule : rules.add) {
      if (rule.name == name) return place_of(rule.origin);
    }
    const bool removes = std::find(rules.remove.begin(), rules.remove.end(), name) != rules.remove.end();
    return removes ? place_of(rules.origin) : std::string();
  };
  std::string place;
  const auto level = [&](const model::HeaderRules& rules) {
    if (place.empty()) place = look(rules);
  };
  if (routed.weighted != nullptr) level(routed.weighted->*of_weighted);
  if (routed.route != nullptr && routed.route->host != nullptr) level(routed.route->*of_route);
  if (routed.host != nullptr) {
    level(routed.host->*of_host);
    level(routed.host->table->*of_table);
  }
  return place;
}

std::string seconds(Duration d) {
  const int64_t ms = to_ms(d);
  return ms % 1000 == 0 ? cat(ms / 1000, " s") : cat(ms, " ms");
}

std::string retry_words(uint32_t bits) {
  namespace on = model::retry_on;
  constexpr std::pair<uint32_t, std::string_view> kWords[] = {
      {on::k5xx, "5xx"},
      {on::kGatewayError, "gateway-error"},
      {on::kReset, "reset"},
      {on::kResetBeforeRequest, "reset-before-request"},
      {on::kConnectFailure, "connect-failure"},
      {on::kEnvoyRateLimited, "envoy-ratelimited"},
      {on::kRetriable4xx, "retriable-4xx"},
      {on::kRefusedStream, "refused-stream"},
      {on::kStatusCodes, "retriable-status-codes"},
      {on::kHeaders, "retriable-headers"},
      {on::kHttp3PostConnectFailure, "http3-post-connect-failure"},
      {on::kCancelled, "cancelled"},
      {on::kDeadlineExceeded, "deadline-exceeded"},
      {on::kInternal, "internal"},
      {on::kResourceExhausted, "resource-exhausted"},
      {on::kUnavailable, "unavailable"},
  };
  std::string out;
  for (const auto& [bit, word] : kWords) {
    if ((bits & bit) != 0) append(out, out.empty() ? "" : ",", word);
  }
  return out;
}

std::string match_words(const model::RouteMatch& match) {
  using model::PathKind;
  switch (match.kind) {
    case PathKind::kPrefix:
      return cat("prefix ", match.path);
    case PathKind::kExact:
      return cat("path ", match.path);
    case PathKind::kRegex:
      return "a regex";
    case PathKind::kSeparatedPrefix:
      return cat("path_separated_prefix ", match.path);
    case PathKind::kConnect:
      return "connect_matcher";
    case PathKind::kTemplate:
      return "a path template";
  }
  return {};
}

std::string route_words(const model::Route& route) {
  return route.name.empty() ? match_words(route.match) : cat("'", route.name, "', ", match_words(route.match));
}

// Tells one run. Thread: main.
class Teller {
 public:
  Teller(const Seen& seen, const Question& question, Note& out) : seen_(seen), question_(question), out_(out) {}
  void tell();

 private:
  const Routed& last() const { return seen_.rerouted ? *seen_.rerouted : seen_.routed; }
  void tell_listener();
  bool tell_chain();
  void tell_manager();
  void tell_route(const Routed& routed, std::string topic);
  void tell_action(const Routed& routed, Note& note);
  void tell_filters();
  void tell_router();
  void tell_answer();
  void list(Note& note, const Fields& before, const Fields& after,
            const std::function<std::string(const std::string&)>& place = {});

  const Seen& seen_;
  const Question& question_;
  Note& out_;
};

void Teller::list(Note& note, const Fields& before, const Fields& after,
                  const std::function<std::string(const std::string&)>& place) {
  for (Change& change : changes(before, after)) {
    note.add("", std::move(change.text), place ? place(change.name) : std::string());
  }
}

void Teller::tell_listener() {
  for (const std::string& text : seen_.unknown) out_.add("not known here", text);
  const model::ListenerPlan& plan = *seen_.listener;
  Note& note = out_.add("listener", cat("'", plan.name, "' on ", plan.address.to_string()), place_of(plan.origin));
  if (seen_.listener_guessed) {
    note.add("", cat("no listener has port ", question_.port, "; this is the first one (--listener chooses another)"));
  }
  note.add("client", cat(question_.source.to_string(), question_.tls() ? " over TLS" : " in plain text",
                         seen_.server_name.empty() ? "" : cat(", SNI ", seen_.server_name)));
  if (question_.tls() && seen_.transport_protocol.empty()) {
    note.add("", "no listener filter looks for TLS (tls_inspector): chains are chosen without SNI");
  }
  for (const std::string& text : seen_.listener_notes) note.add("listener filter", text);
}

bool Teller::tell_chain() {
  if (!seen_.chain) {
    Note& none = out_.add("filter chain", "none fits: the connection is closed (flag NR, filter_chain_not_found)");
    for (const model::ChainDecision& one : seen_.decisions) {
      if (!one.fits) none.add("", cat(one.criterion, ": no chain that is still in question fits"));
    }
    return false;
  }
  const model::FilterChainPlan& chain = *seen_.listener->chains[*seen_.chain];
  const bool fallback = seen_.listener->default_chain == seen_.chain;
  Note& note = out_.add("filter chain",
                        cat(chain.name.empty() ? cat("number ", *seen_.chain + 1) : cat("'", chain.name, "'"),
                            fallback ? ", the default one" : "", seen_.by_tree ? ", by filter_chain_matcher" : ""),
                        place_of(chain.origin));
  for (const model::ChainDecision& one : seen_.decisions) {
    if (!one.fits) {
      note.add("", cat(one.criterion, ": no chain that is still in question fits"));
    } else if (!one.value.empty()) {
      note.add("", cat(one.criterion, ": ", one.value, one.alone ? "" : " won as the most specific that fits"));
    } else if (!one.alone) {
      note.add("", cat(one.criterion, ": nothing that chains name fits; those that name nothing stay"));
    }
  }
  if (!seen_.http) note.add("", "it ends in no HTTP connection manager: what follows are bytes");
  return seen_.http;
}

void Teller::tell_manager() {
  Note& note =
      out_.add("connection manager", cat("stat_prefix ", seen_.plan->stat_prefix), place_of(seen_.plan->origin));
  if (seen_.requests.empty()) return;
  note.add("", seen_.internal ? "the request is internal" : "the request is external");
  list(note, seen_.received, without(seen_.requests.begin()->second, {":scheme"}));
}

void Teller::tell_route(const Routed& routed, std::string topic) {
  if (routed.host == nullptr) {
    const std::string name = joined(seen_.requests.begin()->second, ":authority");
    out_.add("virtual host", cat("none has a domain for '", name, "'"));
    return;
  }
  const model::VirtualHost& host = *routed.host;
  Note& where =
      out_.add("virtual host", cat("'", host.name, "' by domain '", routed.domain, "'"), place_of(host.origin));
  if (routed.route != nullptr && routed.route->host == nullptr) {
    where.add("", "require_tls: the request is redirected to https");
    return;
  }
  if (routed.by_tree) where.add("", "its matcher chooses which routes are looked at");
  size_t number = 0;
  for (const TriedRoute& tried : routed.tried) {
    ++number;
    if (tried.route == routed.route) {
      Note& note = out_.add(topic, cat("matched: ", route_words(*tried.route)), place_of(tried.route->origin));
      tell_action(routed, note);
    } else if (tried.why_not.empty()) {
      out_.add("route lost", cat(route_words(*tried.route), ": not looked at"), place_of(tried.route->origin));
    } else {
      out_.add("route lost", cat(route_words(*tried.route), ": ", tried.why_not), place_of(tried.route->origin));
    }
  }
  if (routed.route == nullptr) out_.add(topic, cat("none of ", host.routes.size(), " routes matches"));
}

void Teller::tell_action(const Routed& routed, Note& note) {
  if (const auto* direct = std::get_if<model::DirectResponseAction>(&routed.route->action)) {
    note.add("action", cat("direct response with status ", direct->status));
  } else if (const auto* redirect = std::get_if<model::RedirectAction>(&routed.route->action)) {
    note.add("action", cat("redirect with status ", redirect->status));
  } else if (std::holds_alternative<model::ForwardAction>(routed.route->action)) {
    const auto& forward = std::get<model::ForwardAction>(routed.route->action);
    if (routed.weighted != nullptr) {
      note.add("cluster",
               cat("'", routed.cluster, "', drawn with weight ", routed.weighted->weight, " of ", forward.total_weight),
               place_of(routed.weighted->origin));
      for (const model::WeightedCluster& other : forward.weighted) {
        if (&other == routed.weighted) continue;
        note.add("",
                 cat("or '", other.name.empty() ? cat("header ", other.cluster_header) : other.name, "' with weight ",
                     other.weight),
                 place_of(other.origin));
      }
    } else if (!forward.cluster_header.empty()) {
      note.add("cluster", cat("'", routed.cluster, "', by the header ", forward.cluster_header),
               place_of(forward.origin));
    } else {
      note.add("cluster", cat("'", routed.cluster, "'"), place_of(forward.origin));
    }
  } else {
    note.add("action", "non_forwarding_action");
  }
}

void Teller::tell_filters() {
  const auto& filters = seen_.plan->filters;
  for (size_t i = 0; i + 1 < filters.size(); ++i) {
    if (i < seen_.in_force.size() && !seen_.in_force[i]) {
      out_.add("filter", cat(filters[i].name, ": disabled for this route"), place_of(filters[i].origin));
      continue;
    }
    const auto before = seen_.requests.find(i), after = seen_.requests.find(i + 1);
    if (before == seen_.requests.end()) break;  // an earlier one kept the request
    if (after == seen_.requests.end()) {
      const std::string what = seen_.ended ? cat("answers ", seen_.status, ", ", seen_.details) : "keeps the request";
      out_.add("filter", cat(filters[i].name, ": ", what), place_of(filters[i].origin));
      break;
    }
    Note note{"filter", filters[i].name, place_of(filters[i].origin), {}};
    list(note, before->second, after->second);
    const auto came = seen_.responses.find(i + 1), went = seen_.responses.find(i);
    if (came != seen_.responses.end() && went != seen_.responses.end()) {
      Note back{"response", "", "", {}};
      list(back, came->second, went->second);
      if (!back.parts.empty()) note.parts.push_back(std::move(back));
    }
    if (note.parts.empty()) note.text += ": changes nothing";
    out_.parts.push_back(std::move(note));
  }
}

void Teller::tell_router() {
  const size_t last_place = seen_.plan->filters.size() - 1;
  const auto before = seen_.requests.find(last_place);
  if (before == seen_.requests.end()) return;
  if (seen_.rerouted) tell_route(*seen_.rerouted, "route, chosen again");
  const Routed& routed = last();
  const auto* forward = routed.route == nullptr ? nullptr : std::get_if<model::ForwardAction>(&routed.route->action);
  if (forward == nullptr) return;
  Note& times = out_.add("timeouts",
                         seen_.timeouts.global.count() > 0 ? cat("whole request ", seconds(seen_.timeouts.global))
                                                           : "none for the whole request",
                         place_of(forward->origin));
  if (!forward->timeout && !has(before->second, "x-envoy-upstream-rq-timeout-ms")) times.text += ", by default";
  if (seen_.timeouts.per_try.count() > 0) times.add("per try", seconds(seen_.timeouts.per_try));
  if (seen_.timeouts.per_try_idle.count() > 0) times.add("per try, idle", seconds(seen_.timeouts.per_try_idle));
  if (seen_.max_duration) times.add("max_stream_duration", seconds(*seen_.max_duration));
  if (seen_.max_try_duration.count() > 0) {
    times.add("each try", cat(seconds(seen_.max_try_duration), ", max_stream_duration of the cluster"));
  }
  const Duration idle = forward->idle_timeout.value_or(seen_.plan->stream_idle_timeout);
  times.add("idle", idle.count() > 0 ? seconds(idle) : "none",
            place_of(forward->idle_timeout ? forward->origin : seen_.plan->origin));
  std::string asked = joined(before->second, "x-envoy-retry-on");
  const model::RetryPolicy* policy = seen_.cluster_retry != nullptr ? seen_.cluster_retry.get() : forward->retry.get();
  if (policy != nullptr && policy->on != 0) {
    const std::string_view whose = seen_.cluster_retry != nullptr ? ", as the cluster says" : "";
    Note& retry = out_.add("retries", cat("up to ", policy->num_retries, " on ", retry_words(policy->on), whose),
                           place_of(policy->origin));
    if (!asked.empty()) retry.add("", cat("and as the request asks, on ", asked));
  } else {
    out_.add("retries", asked.empty() ? "none" : cat("as the request asks, on ", asked));
  }
  if (seen_.sent.empty()) return;
  Note& request =
      out_.add("upstream request", seen_.upstream.empty() ? cat("to cluster ", seen_.cluster)
                                                          : cat("to ", seen_.upstream, " of cluster ", seen_.cluster));
  for (const Sent& sent : seen_.sent) {
    if (sent.to.to_string() != seen_.upstream) {
      request.add("", cat("beside it, to ", sent.to.to_string(), ": ", sent.head.substr(0, sent.head.find('\r'))));
      continue;
    }
    list(request, without(before->second, {":scheme"}), parse_head(sent.head), [&](const std::string& name) {
      if (name == ":path" || name == ":authority" || name == "x-envoy-original-path" ||
          name == "x-envoy-original-host") {
        return place_of(forward->origin);
      }
      return rule_place(routed, name, &model::Route::request_headers, &model::VirtualHost::request_headers,
                        &model::RouteTable::request_headers, &model::WeightedCluster::request_headers);
    });
  }
}

void Teller::tell_answer() {
  const Fields client = parse_head(seen_.answer);
  Note& note = out_.add("answer", client.empty() ? "none" : cat("status ", joined(client, ":status")));
  if (seen_.ended) {
    note.add("", cat("details ", seen_.details, ", flags ", seen_.flags));
  }
  if (seen_.sent.empty() || seen_.details != "via_upstream") {
    for (const auto& [name, value] : without(client, {":status"})) note.add("", cat("+ ", name, ": ", value));
    return;
  }
  note.add("", "the upstream's answer is an invented one: 200, without a body");
  const Routed& routed = last();
  list(note, {{":status", "200"}, {"content-length", "0"}}, client, [&](const std::string& name) {
    return rule_place(routed, name, &model::Route::response_headers, &model::VirtualHost::response_headers,
                      &model::RouteTable::response_headers, &model::WeightedCluster::response_headers);
  });
}

void Teller::tell() {
  tell_listener();
  if (!tell_chain()) return;
  tell_manager();
  if (!seen_.requests.empty()) {
    tell_route(seen_.routed, "route");
    tell_filters();
    tell_router();
  }
  tell_answer();
}

}  // namespace

Note tell(const Seen& seen, const Question& question) {
  Note out;
  out.topic = "request";
  out.text = cat(question.method, " ", question.scheme, "://", question.authority, question.path);
  Teller(seen, question, out).tell();
  return out;
}

}  // namespace sluice::explain
