// The parts of a Listener: its filter chains with their matches and filters, and its listener filters.
#pragma once

#include "config/compile_scope.h"
#include "envoy/config/listener/v3/listener.pb.h"
#include "model/listener_plan.h"

namespace sluice::config {

// Fills chains, default_chain and matcher. Chains that say the same are errors.
void compile_filter_chains(const envoy::config::listener::v3::Listener& listener, model::ListenerPlan& out,
                           CompileScope& scope);

void compile_listener_filters(const envoy::config::listener::v3::Listener& listener, model::ListenerPlan& out,
                              CompileScope& scope);

}  // namespace sluice::config
