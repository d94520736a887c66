// Compiler of matcher trees (xds.type.matcher.v3.Matcher) over the facts of an exchange or a connection.
#pragma once

#include <functional>
#include <memory>

#include "config/compile_scope.h"
#include "model/fact_inputs.h"
#include "xds/type/matcher/v3/matcher.pb.h"

namespace sluice::config {

// Makes the action that stands in a tree; null after it reported an error.
using CompileAction = std::function<std::shared_ptr<const match::Action>(const google::protobuf::Message& content,
                                                                         const google::protobuf::Any& place)>;

// What a tree may look at.
enum class TreeInputs : uint8_t {
  kAll,
  kRequestHeaders,
  kConnection,      // addresses, names of TLS, filter state
  kRbac,            // request headers too, but not the type of the source
  kConnectionRbac,  // what both of them have
};

std::unique_ptr<const model::FactTree> compile_fact_tree(const xds::type::matcher::v3::Matcher& proto,
                                                         const CompileAction& action, CompileScope& scope,
                                                         TreeInputs inputs = TreeInputs::kAll);

}  // namespace sluice::config
