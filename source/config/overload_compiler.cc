#include "config/overload_compiler.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "base/strings.h"
#include "config/any.h"
#include "envoy/extensions/resource_monitors/downstream_connections/v3/downstream_connections.pb.h"
#include "envoy/extensions/resource_monitors/fixed_heap/v3/fixed_heap.pb.h"
#include "envoy/extensions/resource_monitors/injected_resource/v3/injected_resource.pb.h"

namespace sluice::config {
namespace {

namespace v3 = envoy::config::overload::v3;
using envoy::extensions::resource_monitors::downstream_connections::v3::DownstreamConnectionsConfig;
using envoy::extensions::resource_monitors::fixed_heap::v3::FixedHeapConfig;
using envoy::extensions::resource_monitors::injected_resource::v3::InjectedResourceConfig;
using What = model::OverloadActionPlan::What;

constexpr std::array kActions = {std::pair("stop_accepting_requests", What::kRefuseRequests),
                                 std::pair("disable_http_keepalive", What::kNoKeepalive),
                                 std::pair("stop_accepting_connections", What::kPauseAccepting),
                                 std::pair("reject_incoming_connections", What::kRefuseConnections),
                                 std::pair("shrink_heap", What::kShrinkHeap)};
constexpr std::string_view kActionPrefix = "envoy.overload_actions.";

void compile_heap(const v3::ResourceMonitor& monitor, const FixedHeapConfig& proto, model::OverloadPlan& out,
                  CompileScope& scope) {
  const auto& live = proto.max_heap_size_bytes_runtime();
  model::OverloadMonitor made{monitor.name(), model::OverloadMonitor::Kind::kHeap, {}, {}};
  made.max_heap = proto.has_max_heap_size_bytes_runtime()
                      ? scope.runtime.live_number(live.default_value(), live.runtime_key())
                      : scope.runtime.live_number(proto.max_heap_size_bytes(), "");
  if (made.max_heap.now() == 0) {
    scope.error(proto, FixedHeapConfig::kMaxHeapSizeBytesFieldNumber, "must be more than 0");
  }
  out.monitors.push_back(std::move(made));
}

void compile_monitor(const v3::ResourceMonitor& monitor, model::OverloadPlan& out, CompileScope& scope) {
  if (!monitor.has_typed_config()) {
    scope.error(monitor, cat("the resource monitor '", monitor.name(), "' needs a typed_config"));
    return;
  }
  const google::protobuf::Message* content = scope.unpack(monitor.typed_config());
  if (content == nullptr) return;
  if (content->GetDescriptor() == DownstreamConnectionsConfig::descriptor()) {
    out.max_connections = static_cast<uint64_t>(
        static_cast<const DownstreamConnectionsConfig&>(*content).max_active_downstream_connections());
  } else if (content->GetDescriptor() == FixedHeapConfig::descriptor()) {
    compile_heap(monitor, static_cast<const FixedHeapConfig&>(*content), out, scope);
  } else if (content->GetDescriptor() == InjectedResourceConfig::descriptor()) {
    const auto& injected = static_cast<const InjectedResourceConfig&>(*content);
    if (injected.filename().find('/') == std::string::npos) {
      scope.error(injected, InjectedResourceConfig::kFilenameFieldNumber,
                  cat("'", injected.filename(), "' must be a path with its folder, which is watched"));
    }
    out.monitors.push_back({monitor.name(), model::OverloadMonitor::Kind::kFile, {}, injected.filename()});
  } else {
    scope.error(monitor, v3::ResourceMonitor::kTypedConfigFieldNumber,
                cat("not supported yet: ", content->GetDescriptor()->full_name()));
  }
}

// It refuses connections by itself and tells no action, in Envoy as here.
bool acts_alone(const v3::ResourceMonitor& monitor) {
  return type_name(monitor.typed_config().type_url()) == DownstreamConnectionsConfig::descriptor()->full_name();
}

void compile_trigger(const v3::Trigger& trigger, const std::string& of, const v3::OverloadManager& proto,
                     const model::OverloadPlan& plan, model::OverloadActionPlan& out, CompileScope& scope) {
  const auto& all = proto.resource_monitors();
  if (std::any_of(all.begin(), all.end(),
                  [&](const auto& each) { return each.name() == trigger.name() && acts_alone(each); })) {
    scope.pass_over(trigger,
                    cat("never triggers '", of, "': '", trigger.name(), "' only refuses connections at its limit"));
    return;
  }
  const auto monitor = std::find_if(plan.monitors.begin(), plan.monitors.end(),
                                    [&](const model::OverloadMonitor& each) { return each.name == trigger.name(); });
  if (monitor == plan.monitors.end()) {
    scope.error(trigger, v3::Trigger::kNameFieldNumber,
                cat("'", trigger.name(), "' is no resource monitor that '", of, "' could look at"));
    return;
  }
  model::OverloadTrigger made;
  made.monitor = static_cast<size_t>(monitor - plan.monitors.begin());
  if (trigger.has_scaled()) {
    made.from = trigger.scaled().scaling_threshold();
    made.to = trigger.scaled().saturation_threshold();
    if (made.from >= made.to) {
      scope.error(trigger.scaled(), "scaling_threshold must be less than saturation_threshold");
    }
  } else {
    made.from = made.to = trigger.threshold().value();
  }
  out.triggers.push_back(made);
}

void compile_action(const v3::OverloadAction& action, const v3::OverloadManager& proto, model::OverloadPlan& out,
                    CompileScope& scope) {
  model::OverloadActionPlan made;
  made.name = action.name();
  const auto known = std::find_if(kActions.begin(), kActions.end(),
                                  [&](const auto& each) { return action.name() == cat(kActionPrefix, each.first); });
  if (known == kActions.end()) {
    scope.error(action, v3::OverloadAction::kNameFieldNumber, cat("not supported yet: ", action.name()));
    return;
  }
  made.what = known->second;
  scope.only(action, {v3::OverloadAction::kNameFieldNumber, v3::OverloadAction::kTriggersFieldNumber});
  std::set<std::string_view> seen;
  for (const v3::Trigger& trigger : action.triggers()) {
    if (!seen.insert(trigger.name()).second) {
      scope.error(trigger, v3::Trigger::kNameFieldNumber,
                  cat("'", trigger.name(), "' triggers '", action.name(), "' already"));
    }
    compile_trigger(trigger, action.name(), proto, out, made, scope);
  }
  out.actions.push_back(std::move(made));
}

}  // namespace

std::shared_ptr<const model::OverloadPlan> compile_overload(const v3::OverloadManager& proto, CompileScope& scope) {
  using M = v3::OverloadManager;
  auto out = std::make_shared<model::OverloadPlan>();
  scope.only(proto, {M::kRefreshIntervalFieldNumber, M::kResourceMonitorsFieldNumber, M::kActionsFieldNumber});
  if (proto.has_refresh_interval()) out->refresh = to_duration(proto.refresh_interval());
  std::set<std::string_view> names;
  for (const v3::ResourceMonitor& monitor : proto.resource_monitors()) {
    if (!names.insert(monitor.name()).second) {
      scope.error(monitor, v3::ResourceMonitor::kNameFieldNumber,
                  cat("there are two resource monitors named '", monitor.name(), "'"));
    }
    compile_monitor(monitor, *out, scope);
  }
  names.clear();
  for (const v3::OverloadAction& action : proto.actions()) {
    if (!names.insert(action.name()).second) {
      scope.error(action, v3::OverloadAction::kNameFieldNumber, cat("the action '", action.name(), "' stands twice"));
    }
    compile_action(action, proto, *out, scope);
  }
  return out;
}

}  // namespace sluice::config
