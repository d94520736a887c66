// Compilers of header changes: *_headers_to_add and *_headers_to_remove, and lists of mutations.
#pragma once

#include <google/protobuf/repeated_ptr_field.h>

#include <memory>
#include <optional>
#include <string>

#include "config/compile_scope.h"
#include "envoy/config/common/mutation_rules/v3/mutation_rules.pb.h"
#include "envoy/config/core/v3/base.pb.h"
#include "envoy/config/core/v3/extension.pb.h"
#include "model/header_mutations.h"
#include "model/header_rules.h"

namespace sluice::config {

// None after an error. Pseudo headers and host are refused.
std::optional<model::HeaderRule> compile_header_rule(const envoy::config::core::v3::HeaderValueOption& option,
                                                     CompileScope& scope);

// The fields NAME_headers_to_add and NAME_headers_to_remove of a route, virtual host, weighted cluster or route table;
// `remove_field` is the number of the latter, for the place of errors.
model::HeaderRules compile_header_rules(
    const google::protobuf::Message& owner,
    const google::protobuf::RepeatedPtrField<envoy::config::core::v3::HeaderValueOption>& add,
    const google::protobuf::RepeatedPtrField<std::string>& remove, int remove_field, CompileScope& scope);

model::HeaderMutations compile_header_mutations(
    const google::protobuf::RepeatedPtrField<envoy::config::common::mutation_rules::v3::HeaderMutation>& mutations,
    CompileScope& scope);

// early_header_mutation_extensions, one after the other; null: none.
std::shared_ptr<const model::HeaderMutations> compile_early_mutations(
    const google::protobuf::RepeatedPtrField<envoy::config::core::v3::TypedExtensionConfig>& extensions,
    CompileScope& scope);

// Fills request_headers and response_headers of `out` from any message that has the usual four fields.
template <typename Proto, typename Out>
void compile_both_header_rules(const Proto& proto, Out& out, CompileScope& scope) {
  out.request_headers = compile_header_rules(proto, proto.request_headers_to_add(), proto.request_headers_to_remove(),
                                             Proto::kRequestHeadersToRemoveFieldNumber, scope);
  out.response_headers =
      compile_header_rules(proto, proto.response_headers_to_add(), proto.response_headers_to_remove(),
                           Proto::kResponseHeadersToRemoveFieldNumber, scope);
}

}  // namespace sluice::config
