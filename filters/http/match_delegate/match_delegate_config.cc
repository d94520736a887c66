#include "filters/http/match_delegate/match_delegate_config.h"

#include "base/strings.h"
#include "config/compile_scope.h"
#include "config/filter_compiler.h"
#include "config/matcher_compiler.h"
#include "config/matcher_tree_compiler.h"
#include "envoy/extensions/common/matching/v3/extension_matcher.pb.h"
#include "envoy/extensions/filters/common/matcher/action/v3/skip_action.pb.h"
#include "envoy/extensions/filters/http/composite/v3/composite.pb.h"
#include "filters/http/match_delegate/match_delegate.h"

namespace sluice::filters::match_delegate {
namespace {

using config::CompileScope;
using envoy::extensions::common::matching::v3::ExtensionWithMatcher;
using envoy::extensions::common::matching::v3::ExtensionWithMatcherPerRoute;
using envoy::extensions::filters::common::matcher::action::v3::SkipFilter;
using envoy::extensions::filters::http::composite::v3::Composite;
using envoy::extensions::filters::http::composite::v3::CompositePerRoute;
using envoy::extensions::filters::http::composite::v3::ExecuteFilterAction;
using google::protobuf::Message;

std::shared_ptr<const proxy::HttpFilterFactory> compile_inner(const google::protobuf::Any& any, CompileScope& scope) {
  return std::static_pointer_cast<const proxy::HttpFilterFactory>(config::compile_inner_filter(any, scope));
}

std::shared_ptr<const match::Action> compile_execute(const ExecuteFilterAction& proto, CompileScope& scope) {
  scope.only(proto, {ExecuteFilterAction::kTypedConfigFieldNumber, ExecuteFilterAction::kSamplePercentFieldNumber});
  if (!proto.has_typed_config()) {
    scope.error(proto, "needs a typed_config");
    return nullptr;
  }
  auto out = std::make_shared<Execute>();
  out->factory = compile_inner(proto.typed_config().typed_config(), scope);
  if (proto.has_sample_percent()) out->sample = config::compile_fraction(proto.sample_percent(), scope);
  return out->factory == nullptr ? nullptr : out;
}

TreePtr compile_tree(const xds::type::matcher::v3::Matcher& proto, CompileScope& scope) {
  const config::CompileAction action =
      [&scope](const Message& content, const google::protobuf::Any& place) -> std::shared_ptr<const match::Action> {
    if (content.GetDescriptor() == SkipFilter::descriptor()) return std::make_shared<const Skip>();
    if (content.GetDescriptor() == ExecuteFilterAction::descriptor()) {
      return compile_execute(static_cast<const ExecuteFilterAction&>(content), scope);
    }
    scope.error(place, cat("not supported yet: ", content.GetDescriptor()->full_name(), " as an action"));
    return nullptr;
  };
  return config::compile_fact_tree(proto, action, scope);
}

std::shared_ptr<const model::FilterConfig> compile(const Message& message, CompileScope& scope) {
  const auto& proto = static_cast<const ExtensionWithMatcher&>(message);
  if (proto.has_matcher()) scope.not_supported(proto, ExtensionWithMatcher::kMatcherFieldNumber);
  TreePtr tree = proto.has_xds_matcher() ? compile_tree(proto.xds_matcher(), scope) : nullptr;
  const google::protobuf::Any& extension = proto.extension_config().typed_config();
  const Message* content = scope.unpack(extension);
  if (content == nullptr) return nullptr;
  if (content->GetDescriptor() == Composite::descriptor()) {
    scope.only(*content, {});
    return std::make_shared<const MatchDelegateFactory>(scope.filter_name, nullptr, std::move(tree));
  }
  auto inner = compile_inner(extension, scope);
  if (inner == nullptr) return nullptr;
  return std::make_shared<const MatchDelegateFactory>(scope.filter_name, std::move(inner), std::move(tree));
}

std::shared_ptr<const model::FilterConfig> compile_route(const Message& message, CompileScope& scope) {
  const auto& proto = static_cast<const ExtensionWithMatcherPerRoute&>(message);
  return std::make_shared<const RouteTree>(compile_tree(proto.xds_matcher(), scope));
}

std::shared_ptr<const model::FilterConfig> compile_composite(const Message& message, CompileScope& scope) {
  const auto& proto = static_cast<const Composite&>(message);
  scope.only(proto, {Composite::kMatcherFieldNumber});
  return std::make_shared<const MatchDelegateFactory>(
      scope.filter_name, nullptr, proto.has_matcher() ? compile_tree(proto.matcher(), scope) : nullptr);
}

std::shared_ptr<const model::FilterConfig> compile_composite_route(const Message& message, CompileScope& scope) {
  return std::make_shared<const RouteTree>(
      compile_tree(static_cast<const CompositePerRoute&>(message).matcher(), scope));
}

}  // namespace

config::HttpFilterType extension() {
  return {.type = "envoy.extensions.common.matching.v3.ExtensionWithMatcher",
          .compile = &compile,
          .upstream = true,
          .route_type = "envoy.extensions.common.matching.v3.ExtensionWithMatcherPerRoute",
          .compile_route = &compile_route};
}

config::HttpFilterType composite_extension() {
  return {.type = "envoy.extensions.filters.http.composite.v3.Composite",
          .compile = &compile_composite,
          .upstream = true,
          .route_type = "envoy.extensions.filters.http.composite.v3.CompositePerRoute",
          .compile_route = &compile_composite_route};
}

}  // namespace sluice::filters::match_delegate
