// watchdogs of the bootstrap, and watchdog, their older form.
#pragma once

#include "config/compile_scope.h"
#include "envoy/config/bootstrap/v3/bootstrap.pb.h"
#include "model/watchdog_plan.h"

namespace sluice::config {

model::Watchdogs compile_watchdogs(const envoy::config::bootstrap::v3::Bootstrap& proto, CompileScope& scope);

}  // namespace sluice::config
