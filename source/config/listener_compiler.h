// Listener -> ListenerPlan.
#pragma once

#include "config/compile_scope.h"
#include "envoy/config/listener/v3/listener.pb.h"
#include "model/listener_plan.h"

namespace sluice::config {

// Counts only when the scope has no errors.
model::ListenerPlanPtr compile_listener(const envoy::config::listener::v3::Listener& listener, CompileScope& scope);

}  // namespace sluice::config
