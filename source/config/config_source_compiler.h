// ConfigSource, ApiConfigSource -> where resources come from.
#pragma once

#include <memory>
#include <optional>

#include "config/compile_scope.h"
#include "envoy/config/core/v3/config_source.pb.h"
#include "model/config_source.h"

namespace sluice::config {

// None after an error. There must be a node, a file must be there, a control plane's cluster must be one of the
// bootstrap.
std::optional<model::ConfigSource> compile_config_source(const envoy::config::core::v3::ConfigSource& proto,
                                                         CompileScope& scope);
// The same for listeners: a file of them needs no node.
std::optional<model::ConfigSource> compile_listeners_source(const envoy::config::core::v3::ConfigSource& proto,
                                                            CompileScope& scope);
// An error at `place` unless the node has an id and a cluster, as whoever asks a control plane must.
void require_node(const google::protobuf::Message& place, CompileScope& scope);
// Null after an error.
std::shared_ptr<const model::ApiSource> compile_api_source(const envoy::config::core::v3::ApiConfigSource& proto,
                                                           CompileScope& scope);

}  // namespace sluice::config
