#include "config/filter_compiler.h"

#include <algorithm>
#include <map>

#include "base/strings.h"
#include "config/any.h"
#include "config/config_source_compiler.h"
#include "envoy/config/route/v3/route_components.pb.h"
#include "envoy/extensions/filters/http/upstream_codec/v3/upstream_codec.pb.h"
#include "proxy/discovered_filter.h"

namespace sluice::config {
namespace {

namespace hcm = envoy::extensions::filters::network::http_connection_manager::v3;
using envoy::config::route::v3::FilterConfig;
using google::protobuf::Any;
using google::protobuf::Message;

constexpr std::string_view kHttpFilters = "envoy.extensions.filters.http.";
constexpr std::string_view kNotOnTries = " may not stand on tries: it is for the http_filters of a connection manager";

std::string_view type_of(const Message& message) { return message.GetDescriptor()->full_name(); }

std::string refusal(std::string_view type, std::string_view kind) {
  if (type.starts_with(kHttpFilters) || is_typed_struct(type)) return cat("not supported yet: ", type);
  return cat(type, " is not ", kind);
}

const HttpFilterType* find_type(const hcm::HttpFilter& filter, const Message& content, CompileScope& scope) {
  const HttpFilterType* type = scope.extensions().http_filter(type_of(content));
  if (type == nullptr && !(filter.is_optional() && is_typed_struct(type_of(content)))) {
    const bool for_routes = scope.extensions().http_filter_by_route_type(type_of(content)) != nullptr;
    scope.error(filter.typed_config(), for_routes ? cat(type_of(content), " is for typed_per_filter_config")
                                                  : refusal(type_of(content), "an HTTP filter"));
  }
  return type;
}

// Of one of `types`; null after an error.
std::shared_ptr<const model::FilterConfig> compile_typed(const Any& any, const std::string& name,
                                                         const std::vector<std::string>& types, CompileScope& scope) {
  const Message* content = scope.unpack(any);
  if (content == nullptr) return nullptr;
  const HttpFilterType* type = scope.extensions().http_filter(type_of(*content));
  if (type == nullptr || std::find(types.begin(), types.end(), type_of(*content)) == types.end()) {
    scope.error(any, cat(type_of(*content), " is none of the type_urls of the filter '", name, "'"));
    return nullptr;
  }
  // Names in it live as long as what is compiled.
  scope.filter_name = name;
  auto compiled = type->compile(*content, scope);
  scope.filter_name = {};
  return compiled;
}

// A filter whose configuration comes later: the chain has a place for it, see proxy/discovered_filter.h.
// As in Envoy it is told when it comes that it cannot stand there: last, and only there, is what is terminal.
enum class Place : uint8_t { kInside, kLast };

void compile_discovery(const hcm::HttpFilter& filter, Place place, std::vector<model::FilterPlan>& out,
                       CompileScope& scope) {
  using Source = envoy::config::core::v3::ExtensionConfigSource;
  const Source& proto = filter.config_discovery();
  model::ExtensionSubscription wanted;
  wanted.name = filter.name();
  wanted.slot = std::make_shared<model::FilterSlot>();
  wanted.waits = !proto.apply_default_config_without_warming();
  for (int i = 0; i < proto.type_urls_size(); ++i) {
    const std::string name(type_name(proto.type_urls(i)));
    const HttpFilterType* type = scope.extensions().http_filter(name);
    if (type == nullptr) {
      scope.error(proto, Source::kTypeUrlsFieldNumber, refusal(name, "an HTTP filter"), i);
    } else if (type->terminal == (place == Place::kLast)) {
      wanted.types.push_back(name);
    }
  }
  if (const auto source = compile_config_source(proto.config_source(), scope)) wanted.source = *source;
  if (proto.has_default_config()) {
    wanted.fallback = compile_typed(proto.default_config(), filter.name(), wanted.types, scope);
  } else if (!wanted.waits) {
    scope.error(proto, Source::kApplyDefaultConfigWithoutWarmingFieldNumber, "needs a default_config");
  }
  out.push_back({filter.name(), std::make_shared<const proxy::DiscoveredFilter>(wanted.slot), filter.disabled(),
                 scope.origin(filter)});
  scope.needs.extensions.push_back(std::move(wanted));
}

// Null when there is none, or none is wanted (an optional one that nobody knows).
const HttpFilterType* compile_filter(const hcm::HttpFilter& filter, std::vector<model::FilterPlan>& out,
                                     CompileScope& scope) {
  if (!filter.has_typed_config()) {
    if (filter.is_optional()) return nullptr;
    scope.error(filter, cat("the filter '", filter.name(),
                            "' needs a typed_config: filters are found by its type, not by name"));
    return nullptr;
  }
  const Message* content = scope.unpack(filter.typed_config());
  if (content == nullptr) return nullptr;
  const HttpFilterType* type = find_type(filter, *content, scope);
  if (type == nullptr) return nullptr;
  scope.filter_name = filter.name();
  out.push_back({filter.name(), type->compile(*content, scope), filter.disabled(), scope.origin(filter)});
  scope.filter_name = {};
  return type;
}

std::shared_ptr<const model::FilterConfig> compile_override(const Any& any, bool optional, CompileScope& scope) {
  const Message* content = scope.unpack(any);
  if (content == nullptr) return nullptr;
  if (const HttpFilterType* type = scope.extensions().http_filter_by_route_type(type_of(*content))) {
    return type->compile_route(*content, scope);
  }
  if (!optional) {
    const bool filter = scope.extensions().http_filter(type_of(*content)) != nullptr;
    scope.error(any, filter ? cat(type_of(*content), " has no settings for routes")
                            : refusal(type_of(*content), "a setting of an HTTP filter for routes"));
  }
  return nullptr;
}

}  // namespace

std::vector<model::FilterPlan> compile_http_filters(const google::protobuf::RepeatedPtrField<hcm::HttpFilter>& filters,
                                                    CompileScope& scope) {
  std::vector<model::FilterPlan> out;
  out.reserve(static_cast<size_t>(filters.size()));
  for (int i = 0; i < filters.size(); ++i) {
    const bool last = i + 1 == filters.size();
    if (filters[i].has_config_discovery()) {
      compile_discovery(filters[i], last ? Place::kLast : Place::kInside, out, scope);
      continue;
    }
    const HttpFilterType* type = compile_filter(filters[i], out, scope);
    if (type == nullptr) continue;
    if (last && !type->terminal) {
      scope.error(filters[i], cat("'", filters[i].name(),
                                  "' cannot be the last filter: the last one must be terminal, usually the router"));
    } else if (!last && type->terminal) {
      scope.error(filters[i], cat("'", filters[i].name(), "' is terminal and must be the last filter"));
    }
    if (last && filters[i].disabled())
      scope.error(filters[i], hcm::HttpFilter::kDisabledFieldNumber, "a terminal filter cannot be disabled");
  }
  return out;
}

std::shared_ptr<const std::vector<model::FilterPlan>> compile_upstream_filters(
    const google::protobuf::RepeatedPtrField<hcm::HttpFilter>& filters, CompileScope& scope) {
  using Codec = envoy::extensions::filters::http::upstream_codec::v3::UpstreamCodec;
  if (filters.empty()) return nullptr;
  auto out = std::make_shared<std::vector<model::FilterPlan>>();
  for (int i = 0; i < filters.size(); ++i) {
    const hcm::HttpFilter& filter = filters[i];
    const bool last = i + 1 == filters.size();
    const Message* content = filter.has_typed_config() ? scope.unpack(filter.typed_config()) : nullptr;
    if (content != nullptr && content->GetDescriptor() == Codec::descriptor()) {
      if (!last) scope.error(filter, cat("'", filter.name(), "' is terminal and must be the last filter"));
      continue;
    }
    if (last) {
      scope.error(filter, cat("'", filter.name(), "' cannot be the last filter of a cluster: that is ",
                              Codec::descriptor()->full_name()));
    }
    if (filter.has_config_discovery()) {
      scope.not_supported(filter, hcm::HttpFilter::kConfigDiscoveryFieldNumber);
      continue;
    }
    scope.on_tries = true;
    const HttpFilterType* type = compile_filter(filter, *out, scope);
    scope.on_tries = false;
    if (type != nullptr && !type->upstream) scope.error(filter, cat(type->type, kNotOnTries));
  }
  return out->empty() ? nullptr : out;
}

std::shared_ptr<const model::FilterConfig> compile_discovered_filter(
    const envoy::config::core::v3::TypedExtensionConfig& proto, const std::vector<std::string>& types,
    CompileScope& scope) {
  return compile_typed(proto.typed_config(), proto.name(), types, scope);
}

std::shared_ptr<const model::FilterConfig> compile_inner_filter(const Any& any, CompileScope& scope) {
  const Message* content = scope.unpack(any);
  if (content == nullptr) return nullptr;
  const HttpFilterType* type = scope.extensions().http_filter(type_of(*content));
  if (type == nullptr) {
    scope.error(any, refusal(type_of(*content), "an HTTP filter"));
  } else if (type->terminal) {
    scope.error(any, cat(type_of(*content), " is terminal and cannot stand inside of another filter"));
  } else if (scope.on_tries && !type->upstream) {
    scope.error(any, cat(type->type, kNotOnTries));
  } else {
    return type->compile(*content, scope);
  }
  return nullptr;
}

model::FilterOverrides compile_filter_overrides(const google::protobuf::Map<std::string, Any>& configs,
                                                CompileScope& scope) {
  const std::map<std::string, const Any*> sorted = [&] {
    std::map<std::string, const Any*> by_name;
    for (const auto& [name, any] : configs) by_name.emplace(name, &any);
    return by_name;
  }();
  model::FilterOverrides out;
  for (const auto& [name, any] : sorted) {
    const Message* content = scope.unpack(*any);
    if (content == nullptr) continue;
    if (content->GetDescriptor() != FilterConfig::descriptor()) {
      out.push_back({name, compile_override(*any, false, scope), false, scope.origin(*any)});
      continue;
    }
    const auto& wrapper = static_cast<const FilterConfig&>(*content);
    if (wrapper.disabled()) {
      out.push_back({name, nullptr, true, scope.origin(*any)});
    } else if (wrapper.has_config() && wrapper.config().type_url().empty()) {
      // Only switches the filter on.
      out.push_back({name, nullptr, false, scope.origin(*any)});
    } else if (wrapper.has_config()) {
      auto config = compile_override(wrapper.config(), wrapper.is_optional(), scope);
      if (config != nullptr) out.push_back({name, std::move(config), false, scope.origin(*any)});
    } else {
      scope.error(*any, "needs a config, or disabled: true");
    }
  }
  return out;
}

}  // namespace sluice::config
