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

namespace core = envoy::config::core::v3;
using Append = core::KeyValueAppend;

QueryMutation::Kind kind_of(Append::KeyValueAppendAction action) {
  switch (action) {
    case Append::ADD_IF_ABSENT:
      return QueryMutation::Kind::kAddIfAbsent;
    case Append::OVERWRITE_IF_EXISTS_OR_ADD:
      return QueryMutation::Kind::kOverwriteOrAdd;
    case Append::OVERWRITE_IF_EXISTS:
      return QueryMutation::Kind::kOverwriteIfExists;
    default:
      return QueryMutation::Kind::kAppend;
  }
}

void compile_query_mutation(const core::KeyValueMutation& proto, QueryMutations& out, CompileScope& scope) {
  if (proto.has_append() != proto.remove().empty()) {
    scope.error(proto, "needs either append or remove");
    return;
  }
  QueryMutation one;
  if (!proto.remove().empty()) {
    one.kind = QueryMutation::Kind::kRemove;
    one.name = proto.remove();
    out.add(std::move(one));
    return;
  }
  scope.only(proto.append(), {Append::kRecordFieldNumber, Append::kActionFieldNumber});
  const core::KeyValuePair& record = proto.append().record();
  one.kind = kind_of(proto.append().action());
  one.name = record.key();
  if (one.name.empty() || record.value().kind_case() != google::protobuf::Value::kStringValue) {
    scope.error(proto.append(), Append::kRecordFieldNumber, "needs a key, and a text as its value");
    return;
  }
  one.value = scope.formatter(record, core::KeyValuePair::kValueFieldNumber, record.value().string_value(),
                              {.unset = format::ParseOptions::Unset::kNothing});
  if (one.value) out.add(std::move(one));
}

Mutations compile_mutations(const v3::Mutations& proto, CompileScope& scope) {
  using M = v3::Mutations;
  scope.only(proto, {M::kRequestMutationsFieldNumber, M::kResponseMutationsFieldNumber,
                     M::kResponseTrailersMutationsFieldNumber, M::kRequestTrailersMutationsFieldNumber,
                     M::kQueryParameterMutationsFieldNumber});
  QueryMutations query;
  for (const auto& one : proto.query_parameter_mutations()) compile_query_mutation(one, query, scope);
  return {.request = config::compile_header_mutations(proto.request_mutations(), scope),
          .request_trailers = config::compile_header_mutations(proto.request_trailers_mutations(), scope),
          .response = config::compile_header_mutations(proto.response_mutations(), scope),
          .response_trailers = config::compile_header_mutations(proto.response_trailers_mutations(), scope),
          .query = std::move(query)};
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
