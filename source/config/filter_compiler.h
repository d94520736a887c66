// Compilers of lists of HTTP filters and of their per-route settings: extensions are found by the type of their
// message.
#pragma once

#include <google/protobuf/any.pb.h>
#include <google/protobuf/map.h>
#include <google/protobuf/repeated_ptr_field.h>

#include <memory>
#include <string>
#include <vector>

#include "config/compile_scope.h"
#include "envoy/config/core/v3/extension.pb.h"
#include "envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.pb.h"
#include "model/filter_plan.h"

namespace sluice::config {

// http_filters, in order. The last one, and no other, must end the chain; no filter at all is fine, as in Envoy.
std::vector<model::FilterPlan> compile_http_filters(
    const google::protobuf::RepeatedPtrField<
        envoy::extensions::filters::network::http_connection_manager::v3::HttpFilter>& filters,
    CompileScope& scope);

// Those of a cluster, which each try passes. The last one must be the codec, which is no filter of ours. Null: none.
std::shared_ptr<const std::vector<model::FilterPlan>> compile_upstream_filters(
    const google::protobuf::RepeatedPtrField<
        envoy::extensions::filters::network::http_connection_manager::v3::HttpFilter>& filters,
    CompileScope& scope);

// typed_per_filter_config, sorted by name. A name that no filter has is fine, as in Envoy.
model::FilterOverrides compile_filter_overrides(
    const google::protobuf::Map<std::string, google::protobuf::Any>& configs, CompileScope& scope);

// The filter that stands in an Any of another filter; it cannot end the chain. Null after an error.
std::shared_ptr<const model::FilterConfig> compile_inner_filter(const google::protobuf::Any& any, CompileScope& scope);

// One that a config_discovery brought, of one of `types`; null after an error.
std::shared_ptr<const model::FilterConfig> compile_discovered_filter(
    const envoy::config::core::v3::TypedExtensionConfig& proto, const std::vector<std::string>& types,
    CompileScope& scope);

}  // namespace sluice::config
