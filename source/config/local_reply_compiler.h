// Compiler of local_reply_config.
#pragma once

#include <optional>

#include "config/compile_scope.h"
#include "envoy/config/core/v3/substitution_format_string.pb.h"
#include "envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.pb.h"
#include "model/local_reply_plan.h"

namespace sluice::config {

// None after an error.
std::optional<model::BodyFormat> compile_body_format(const envoy::config::core::v3::SubstitutionFormatString& proto,
                                                     CompileScope& scope);

model::LocalReplyPlan compile_local_reply(
    const envoy::extensions::filters::network::http_connection_manager::v3::LocalReplyConfig& proto,
    CompileScope& scope);

}  // namespace sluice::config
