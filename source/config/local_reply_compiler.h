// Compiler of local_reply_config.
#pragma once

#include <optional>

#include "config/compile_scope.h"
#include "envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.pb.h"
#include "model/local_reply_plan.h"

namespace sluice::config {

model::LocalReplyPlan compile_local_reply(
    const envoy::extensions::filters::network::http_connection_manager::v3::LocalReplyConfig& proto,
    CompileScope& scope);

}  // namespace sluice::config
