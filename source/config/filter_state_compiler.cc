#include "config/filter_state_compiler.h"

#include <algorithm>

#include "base/strings.h"
#include "config/format_compiler.h"

namespace sluice::config {
namespace {

using ValueProto = envoy::extensions::filters::common::set_filter_state::v3::FilterStateValue;

// Objects are their text. What an object does (choose a cluster, an address) is for those who read it under its key.
constexpr std::string_view kFactories[] = {"envoy.string", "envoy.hashable_string", "envoy.tcp_proxy.cluster",
                                           "envoy.network.transport_socket.original_dst_address"};

}  // namespace

std::optional<format::FilterStateValue> compile_filter_state_value(const ValueProto& proto, CompileScope& scope) {
  const std::string& factory = proto.factory_key().empty() ? proto.object_key() : proto.factory_key();
  if (std::find(std::begin(kFactories), std::end(kFactories), factory) == std::end(kFactories)) {
    const int field =
        proto.factory_key().empty() ? ValueProto::kObjectKeyFieldNumber : ValueProto::kFactoryKeyFieldNumber;
    scope.error(proto, field,
                factory.starts_with("envoy.") ? cat("not supported yet: objects of ", factory)
                                              : cat("'", factory, "' is not the name of an object factory"));
  }
  auto text = compile_format(proto.format_string(), scope);
  if (!text) return std::nullopt;
  FilterState::Object object;
  object.key = proto.object_key();
  object.factory = factory;
  object.read_only = proto.read_only();
  object.shared = proto.shared_with_upstream() == ValueProto::ONCE         ? FilterState::Shared::kOnce
                  : proto.shared_with_upstream() == ValueProto::TRANSITIVE ? FilterState::Shared::kTransitive
                                                                           : FilterState::Shared::kNone;
  return format::FilterStateValue{std::move(object), std::move(*text), proto.skip_if_empty()};
}

}  // namespace sluice::config
