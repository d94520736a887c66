#include "config/filter_chain_compiler.h"

#include <google/protobuf/wrappers.pb.h>
#include <algorithm>
#include <set>
#include <utility>

#include "base/strings.h"
#include "config/any.h"
#include "config/content.h"
#include "config/matcher_tree_compiler.h"
#include "config/tls_compiler.h"
#include "envoy/extensions/filters/listener/proxy_protocol/v3/proxy_protocol.pb.h"
#include "proxy/empty_chain.h"

namespace sluice::config {
namespace {

using envoy::config::listener::v3::Filter;
using envoy::config::listener::v3::FilterChain;
using envoy::config::listener::v3::FilterChainMatch;
using envoy::config::listener::v3::Listener;
using envoy::config::listener::v3::ListenerFilter;
using envoy::config::listener::v3::ListenerFilterChainMatchPredicate;
using google::protobuf::RepeatedPtrField;

// The content of the typed_config of a filter of any kind; null after an error.
template <typename Proto>
const google::protobuf::Message* unpack_filter(const Proto& proto, CompileScope& scope) {
  if (proto.has_config_discovery()) {
    scope.not_supported(proto, Proto::kConfigDiscoveryFieldNumber);
    return nullptr;
  }
  if (!proto.has_typed_config()) {
    scope.error(
        proto, cat("the filter '", proto.name(), "' needs a typed_config: filters are found by its type, not by name"));
    return nullptr;
  }
  return scope.unpack(proto.typed_config());
}

void unknown_filter(const google::protobuf::Any& any, const google::protobuf::Message& content, std::string_view prefix,
                    std::string_view what, CompileScope& scope) {
  const std::string& type = content.GetDescriptor()->full_name();
  const bool known = type.starts_with(prefix) || is_typed_struct(type);
  scope.error(any, known ? cat("not supported yet: ", type) : cat(type, " is not a ", what));
}

std::shared_ptr<const model::NetworkFilterPlan> compile_filter(const Filter& proto, bool last, CompileScope& scope) {
  const google::protobuf::Message* content = unpack_filter(proto, scope);
  if (content == nullptr) return nullptr;
  const NetworkFilterType* type = scope.extensions().network_filter(content->GetDescriptor()->full_name());
  if (type == nullptr) {
    unknown_filter(proto.typed_config(), *content, "envoy.extensions.filters.network.", "network filter", scope);
    return nullptr;
  }
  if (type->terminal != last) {
    scope.error(proto, last ? cat("'", proto.name(), "' cannot be the last filter: the last one must be terminal")
                            : cat("'", proto.name(), "' is terminal and must be the last filter"));
    return nullptr;
  }
  return type->compile(*content, scope);
}

model::FilterChainPlanPtr compile_chain(const FilterChain& proto, std::string_view stat_prefix, CompileScope& scope) {
  scope.only(proto, {FilterChain::kFilterChainMatchFieldNumber, FilterChain::kFiltersFieldNumber,
                     FilterChain::kMetadataFieldNumber, FilterChain::kTransportSocketConnectTimeoutFieldNumber,
                     FilterChain::kTransportSocketFieldNumber, FilterChain::kNameFieldNumber,
                     FilterChain::kUseProxyProtoFieldNumber});
  auto plan = std::make_shared<model::FilterChainPlan>();
  model::FilterChainPlan& out = *plan;
  out.name = proto.name();
  out.content = content_of(proto);
  out.origin = scope.origin(proto);
  if (proto.has_transport_socket()) {
    out.transport_socket =
        compile_downstream_socket(proto.transport_socket(), cat("listener.", stat_prefix, "."), scope);
  }
  if (proto.has_transport_socket_connect_timeout()) {
    out.transport_socket_timeout = to_duration(proto.transport_socket_connect_timeout());
  }
  if (proto.filters().empty()) out.terminal = std::make_shared<const proxy::EmptyChain>();
  for (int i = 0; i < proto.filters_size(); ++i) {
    const bool last = i + 1 == proto.filters_size();
    auto filter = compile_filter(proto.filters(i), last, scope);
    if (last) {
      out.terminal = std::move(filter);
    } else {
      out.filters.push_back(std::move(filter));
    }
  }
  out.needs = std::exchange(scope.needs, {});
  return plan;
}

// Bits behind the prefix do not count.
bool is_same_range(const model::Prefix& a, const model::Prefix& b) {
  const auto first = a.address.ip_bytes();
  const auto second = b.address.ip_bytes();
  if (a.length != b.length || first.size() != second.size()) return false;
  for (uint32_t bit = 0; bit < a.length; ++bit) {
    const uint8_t mask = static_cast<uint8_t>(0x80 >> bit % 8);
    if (((static_cast<uint8_t>(first[bit / 8]) ^ static_cast<uint8_t>(second[bit / 8])) & mask) != 0) return false;
  }
  return true;
}

std::vector<model::Prefix> compile_prefixes(const RepeatedPtrField<envoy::config::core::v3::CidrRange>& ranges,
                                            CompileScope& scope) {
  std::vector<model::Prefix> out;
  for (const auto& range : ranges) {
    Result<net::Address> address = net::Address::from_ip(range.address_prefix(), 0);
    if (!address) {
      scope.error(range, envoy::config::core::v3::CidrRange::kAddressPrefixFieldNumber, address.error());
      continue;
    }
    const auto bits = static_cast<uint32_t>(address->ip_bytes().size() * 8);
    const model::Prefix prefix{*address, std::min(range.prefix_len().value(), bits)};
    for (const model::Prefix& before : out) {
      if (is_same_range(before, prefix)) scope.error(range, "this range stands here twice");
    }
    out.push_back(prefix);
  }
  return out;
}

std::vector<std::string> compile_server_names(const FilterChainMatch& proto, CompileScope& scope) {
  std::vector<std::string> out;
  for (int i = 0; i < proto.server_names_size(); ++i) {
    const std::string& name = proto.server_names(i);
    if (name.find('*') != std::string::npos && !name.starts_with("*.")) {
      scope.error(proto, FilterChainMatch::kServerNamesFieldNumber,
                  "a wildcard must be the whole first label of a name: '*.example.com'", i);
    }
    out.push_back(to_lower(name));
  }
  return out;
}

// A value that stands twice in one list would lead to the same chain twice, which Envoy takes for two chains.
template <typename List>
void refuse_twice(const FilterChainMatch& proto, int field, const List& list, CompileScope& scope) {
  for (auto one = list.begin(); one != list.end(); ++one) {
    if (std::find(list.begin(), one, *one) != one) {
      scope.error(proto, field, "has the same value twice", static_cast<int>(one - list.begin()));
    }
  }
}

void refuse_twice(const FilterChainMatch& proto, const model::ChainCriteria& out, CompileScope& scope) {
  using M = FilterChainMatch;
  refuse_twice(proto, M::kServerNamesFieldNumber, out.server_names, scope);
  refuse_twice(proto, M::kApplicationProtocolsFieldNumber, out.application_protocols, scope);
  refuse_twice(proto, M::kSourcePortsFieldNumber, out.source_ports, scope);
}

model::ChainCriteria compile_match(const FilterChainMatch& proto, CompileScope& scope) {
  using M = FilterChainMatch;
  scope.only(proto,
             {M::kDestinationPortFieldNumber, M::kPrefixRangesFieldNumber, M::kDirectSourcePrefixRangesFieldNumber,
              M::kSourceTypeFieldNumber, M::kSourcePrefixRangesFieldNumber, M::kSourcePortsFieldNumber,
              M::kServerNamesFieldNumber, M::kTransportProtocolFieldNumber, M::kApplicationProtocolsFieldNumber});
  model::ChainCriteria out;
  out.destination_port = static_cast<uint16_t>(proto.destination_port().value());
  out.destinations = compile_prefixes(proto.prefix_ranges(), scope);
  out.server_names = compile_server_names(proto, scope);
  out.transport_protocol = proto.transport_protocol();
  out.application_protocols.assign(proto.application_protocols().begin(), proto.application_protocols().end());
  out.direct_sources = compile_prefixes(proto.direct_source_prefix_ranges(), scope);
  switch (proto.source_type()) {
    case M::SAME_IP_OR_LOOPBACK:
      out.source_type = model::SourceType::kSameIpOrLoopback;
      break;
    case M::EXTERNAL:
      out.source_type = model::SourceType::kExternal;
      break;
    default:
      break;
  }
  out.sources = compile_prefixes(proto.source_prefix_ranges(), scope);
  for (const uint32_t port : proto.source_ports()) out.source_ports.push_back(static_cast<uint16_t>(port));
  refuse_twice(proto, out, scope);
  return out;
}

model::PortPredicate compile_predicate(const ListenerFilterChainMatchPredicate& proto) {
  using P = ListenerFilterChainMatchPredicate;
  using Kind = model::PortPredicate::Kind;
  model::PortPredicate out;
  const auto add_all = [&out](const P::MatchSet& set) {
    for (const P& rule : set.rules()) out.rules.push_back(compile_predicate(rule));
  };
  switch (proto.rule_case()) {
    case P::kOrMatch:
      out.kind = Kind::kOr;
      add_all(proto.or_match());
      break;
    case P::kAndMatch:
      out.kind = Kind::kAnd;
      add_all(proto.and_match());
      break;
    case P::kNotMatch:
      out.kind = Kind::kNot;
      out.rules.push_back(compile_predicate(proto.not_match()));
      break;
    case P::kAnyMatch:
      out.kind = Kind::kAny;
      break;
    case P::kDestinationPortRange:
      out.kind = Kind::kRange;
      out.begin = proto.destination_port_range().start();
      out.end = proto.destination_port_range().end();
      break;
    case P::RULE_NOT_SET:
      break;
  }
  return out;
}

// The name of a chain; the matches of the chains themselves do not count any more.
std::shared_ptr<const match::Action> compile_chain_action(const google::protobuf::Message& content,
                                                          const google::protobuf::Any& place, const Listener& proto,
                                                          CompileScope& scope) {
  if (content.GetDescriptor() != google::protobuf::StringValue::descriptor()) {
    scope.error(place, "the action of a filter_chain_matcher is the name of a chain: a google.protobuf.StringValue");
    return nullptr;
  }
  const std::string& name = static_cast<const google::protobuf::StringValue&>(content).value();
  for (int i = 0; i < proto.filter_chains_size(); ++i) {
    if (proto.filter_chains(i).name() == name) {
      return std::make_shared<const model::ChainAction>(static_cast<uint32_t>(i));
    }
  }
  return std::make_shared<const model::ChainAction>(std::nullopt);
}

}  // namespace

void compile_filter_chains(const Listener& proto, model::ListenerPlan& out, CompileScope& scope) {
  for (int i = 0; i < proto.filter_chains_size(); ++i) {
    const FilterChain& chain = proto.filter_chains(i);
    const auto index = static_cast<uint32_t>(i);
    out.chains.push_back(compile_chain(chain, out.stat_prefix, scope));
    if (proto.has_filter_chain_matcher()) continue;
    if (const auto same = out.matcher.add(compile_match(chain.filter_chain_match(), scope), index)) {
      const FilterChain& other = proto.filter_chains(static_cast<int>(*same));
      scope.error(chain, cat("the filter chain '", chain.name(), "' has the same filter_chain_match as '", other.name(),
                             "' at line ", scope.map().at(other).line, ": no connection would reach it"));
    }
  }
  if (proto.has_filter_chain_matcher()) {
    std::set<std::string_view> names;
    for (const FilterChain& chain : proto.filter_chains()) {
      if (chain.name().empty()) {
        scope.error(chain, FilterChain::kNameFieldNumber, "is needed: a filter_chain_matcher chooses by name");
      } else if (!names.insert(chain.name()).second) {
        scope.error(
            chain, FilterChain::kNameFieldNumber,
            cat("there are two filter chains named '", chain.name(), "': a filter_chain_matcher chooses by name"));
      }
    }
    out.tree = compile_fact_tree(
        proto.filter_chain_matcher(),
        [&](const google::protobuf::Message& content, const google::protobuf::Any& place) {
          return compile_chain_action(content, place, proto, scope);
        },
        scope, TreeInputs::kConnection);
  }
  if (proto.has_default_filter_chain()) {
    // Its own match is ignored.
    out.default_chain = static_cast<uint32_t>(out.chains.size());
    out.chains.push_back(compile_chain(proto.default_filter_chain(), out.stat_prefix, scope));
  }
  if (out.chains.empty()) scope.error(proto, Listener::kFilterChainsFieldNumber, "needs at least one filter chain");
}

// use_proxy_proto, which the listener filter has replaced: Envoy looks at the first filter chain alone, and adds the
// filter behind the others.
void compile_use_proxy_proto(const Listener& proto, model::ListenerPlan& out, CompileScope& scope) {
  using envoy::extensions::filters::listener::proxy_protocol::v3::ProxyProtocol;
  for (int i = 0; i < proto.filter_chains_size(); ++i) {
    const FilterChain& chain = proto.filter_chains(i);
    if (!chain.use_proxy_proto().value()) continue;
    const ListenerFilterType* type = scope.extensions().listener_filter(ProxyProtocol::descriptor()->full_name());
    if (i > 0) {
      scope.error(chain, FilterChain::kUseProxyProtoFieldNumber, "counts in the first filter chain only");
    } else if (type == nullptr) {
      scope.not_supported(chain, FilterChain::kUseProxyProtoFieldNumber);
    } else {
      model::ListenerFilterPlan plan;
      plan.name = "envoy.filters.listener.proxy_protocol";
      plan.config = type->compile(ProxyProtocol::default_instance(), scope);
      out.filters.push_back(std::move(plan));
    }
  }
}

void compile_listener_filters(const Listener& proto, model::ListenerPlan& out, CompileScope& scope) {
  for (const ListenerFilter& filter : proto.listener_filters()) {
    const google::protobuf::Message* content = unpack_filter(filter, scope);
    if (content == nullptr) continue;
    const ListenerFilterType* type = scope.extensions().listener_filter(content->GetDescriptor()->full_name());
    if (type == nullptr) {
      unknown_filter(filter.typed_config(), *content, "envoy.extensions.filters.listener.", "listener filter", scope);
      continue;
    }
    model::ListenerFilterPlan plan;
    plan.name = filter.name();
    plan.config = type->compile(*content, scope);
    if (filter.has_filter_disabled()) plan.disabled = compile_predicate(filter.filter_disabled());
    out.filters.push_back(std::move(plan));
  }
  compile_use_proxy_proto(proto, out, scope);
  if (proto.has_listener_filters_timeout()) out.filters_timeout = to_duration(proto.listener_filters_timeout());
  out.continue_after_timeout = proto.continue_on_listener_filters_timeout();
}

}  // namespace sluice::config
