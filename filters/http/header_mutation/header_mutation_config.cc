#include "filters/http/header_mutation/header_mutation_config.h"

#include "config/compile_scope.h"
#include "config/header_compiler.h"
#include "envoy/extensions/filters/http/header_mutation/v3/header_mutation.pb.h"
#include "filters/http/header_mutation/header_mutation.h"

namespace sluice::filters::header_mutation {
namespace {

namespace v3 = envoy::extensions::filters::http::header_mutation::v3;
using config::CompileScope;
using google::protobuf::Message;

Mutations compile_mutations(const v3::Mutations& proto, CompileScope& scope) {
  using M = v3::Mutations;
  scope.only(proto, {M::kRequestMutationsFieldNumber, M::kResponseMutationsFieldNumber,
                     M::kResponseTrailersMutationsFieldNumber, M::kRequestTrailersMutationsFieldNumber});
  return {.request = config::compile_header_mutations(proto.request_mutations(), scope),
          .request_trailers = config::compile_header_mutations(proto.request_trailers_mutations(), scope),
          .response = config::compile_header_mutations(proto.response_mutations(), scope),
          .response_trailers = config::compile_header_mutations(proto.response_trailers_mutations(), scope)};
}

std::shared_ptr<const model::FilterConfig> compile(const Message& message, CompileScope& scope) {
  const auto& proto = static_cast<const v3::HeaderMutation&>(message);
  return std::make_shared<const HeaderMutationFactory>(
      scope.filter_name, compile_mutations(proto.mutations(), scope),
      proto.most_specific_header_mutations_wins() ? Last::kRoute : Last::kRouteConfiguration);
}

std::shared_ptr<const model::FilterConfig> compile_route(const Message& message, CompileScope& scope) {
  const auto& proto = static_cast<const v3::HeaderMutationPerRoute&>(message);
  return std::make_shared<const RouteMutations>(compile_mutations(proto.mutations(), scope));
}

}  // namespace

config::HttpFilterType extension() {
  return {.type = "envoy.extensions.filters.http.header_mutation.v3.HeaderMutation",
          .compile = &compile,
          .upstream = true,
          .route_type = "envoy.extensions.filters.http.header_mutation.v3.HeaderMutationPerRoute",
          .compile_route = &compile_route};
}

}  // namespace sluice::filters::header_mutation
