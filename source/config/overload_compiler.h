// OverloadManager -> OverloadPlan.
#pragma once

#include <memory>

#include "config/compile_scope.h"
#include "envoy/config/overload/v3/overload.pb.h"
#include "model/overload_plan.h"

namespace sluice::config {

std::shared_ptr<const model::OverloadPlan> compile_overload(const envoy::config::overload::v3::OverloadManager& proto,
                                                            CompileScope& scope);

}  // namespace sluice::config
