// Compiler of RBAC rules and matchers, for the HTTP and the network filter.
#pragma once

#include <memory>

#include "config/compile_scope.h"
#include "config/matcher_tree_compiler.h"
#include "envoy/config/rbac/v3/rbac.pb.h"
#include "model/rbac.h"
#include "xds/type/matcher/v3/matcher.pb.h"

namespace sluice::config {

std::shared_ptr<const model::Rbac> compile_rbac(const envoy::config::rbac::v3::RBAC& proto, CompileScope& scope);
// `inputs`: kRbac or kConnectionRbac.
std::shared_ptr<const model::Rbac> compile_rbac(const xds::type::matcher::v3::Matcher& proto, TreeInputs inputs,
                                                CompileScope& scope);

}  // namespace sluice::config
