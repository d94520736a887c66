#include "config/header_compiler.h"

#include "base/strings.h"
#include "config/matcher_compiler.h"
#include "envoy/extensions/http/early_header_mutation/header_mutation/v3/header_mutation.pb.h"

namespace sluice::config {
namespace {

namespace core = envoy::config::core::v3;
namespace rules = envoy::config::common::mutation_rules::v3;
using model::AppendAction;

constexpr std::string_view kNotModifiable =
    "pseudo headers and host cannot be changed here; see host_rewrite_* and prefix_rewrite";

bool modifiable(std::string_view lower_name) { return !lower_name.starts_with(':') && lower_name != "host"; }

AppendAction compile_action(const core::HeaderValueOption& option, CompileScope& scope) {
  using Option = core::HeaderValueOption;
  if (option.has_append()) {
    if (option.append_action() != Option::APPEND_IF_EXISTS_OR_ADD) {
      scope.error(option, Option::kAppendFieldNumber, "cannot stand beside append_action");
    }
    return option.append().value() ? AppendAction::kAppendIfExistsOrAdd : AppendAction::kOverwriteIfExistsOrAdd;
  }
  switch (option.append_action()) {
    case Option::ADD_IF_ABSENT:
      return AppendAction::kAddIfAbsent;
    case Option::OVERWRITE_IF_EXISTS_OR_ADD:
      return AppendAction::kOverwriteIfExistsOrAdd;
    case Option::OVERWRITE_IF_EXISTS:
      return AppendAction::kOverwriteIfExists;
    default:
      return AppendAction::kAppendIfExistsOrAdd;
  }
}

}  // namespace

std::optional<model::HeaderRule> compile_header_rule(const core::HeaderValueOption& option, CompileScope& scope) {
  const core::HeaderValue& header = option.header();
  std::string name = to_lower(header.key());
  if (!modifiable(name)) {
    scope.error(header, core::HeaderValue::kKeyFieldNumber, std::string(kNotModifiable));
    return std::nullopt;
  }
  const bool raw = header.value().empty() && !header.raw_value().empty();
  auto value =
      scope.formatter(header, raw ? core::HeaderValue::kRawValueFieldNumber : core::HeaderValue::kValueFieldNumber,
                      raw ? header.raw_value() : header.value(), {.unset = format::ParseOptions::Unset::kNothing});
  const AppendAction action = compile_action(option, scope);
  if (!value) return std::nullopt;
  const http::Token token = http::token_of(name);
  const bool joins = model::joins_lines(token) || scope.inline_headers->request_headers.has(name) ||
                     scope.inline_headers->response_headers.has(name);
  return model::HeaderRule{std::move(name),           token, std::move(*value),   action,
                           option.keep_empty_value(), joins, scope.origin(option)};
}

model::HeaderRules compile_header_rules(const google::protobuf::Message& owner,
                                        const google::protobuf::RepeatedPtrField<core::HeaderValueOption>& add,
                                        const google::protobuf::RepeatedPtrField<std::string>& remove, int remove_field,
                                        CompileScope& scope) {
  model::HeaderRules out;
  out.origin = scope.origin(owner);
  out.add.reserve(static_cast<size_t>(add.size()));
  for (const auto& option : add) {
    if (auto rule = compile_header_rule(option, scope)) out.add.push_back(std::move(*rule));
  }
  for (int i = 0; i < remove.size(); ++i) {
    std::string name = to_lower(remove[i]);
    if (!modifiable(name)) scope.error(owner, remove_field, std::string(kNotModifiable), i);
    out.remove.push_back(std::move(name));
  }
  return out;
}

model::HeaderMutations compile_header_mutations(
    const google::protobuf::RepeatedPtrField<rules::HeaderMutation>& mutations, CompileScope& scope) {
  model::HeaderMutations out;
  for (const rules::HeaderMutation& mutation : mutations) {
    switch (mutation.action_case()) {
      case rules::HeaderMutation::kAppend:
        if (auto rule = compile_header_rule(mutation.append(), scope)) {
          out.list.push_back(std::move(*rule));
        }
        break;
      case rules::HeaderMutation::kRemove: {
        std::string name = to_lower(mutation.remove());
        // Envoy takes "host" here, and the request then fails; ours keeps its host.
        if (name.starts_with(':')) {
          scope.error(mutation, rules::HeaderMutation::kRemoveFieldNumber, "pseudo headers cannot be removed");
        }
        out.list.push_back(model::RemoveHeader{std::move(name)});
        break;
      }
      case rules::HeaderMutation::kRemoveOnMatch:
        out.list.push_back(
            model::RemoveMatchingHeaders{compile_string_matcher(mutation.remove_on_match().key_matcher(), scope)});
        break;
      case rules::HeaderMutation::ACTION_NOT_SET:
        break;  // validation has told
    }
  }
  return out;
}

std::shared_ptr<const model::HeaderMutations> compile_early_mutations(
    const google::protobuf::RepeatedPtrField<envoy::config::core::v3::TypedExtensionConfig>& extensions,
    CompileScope& scope) {
  using Early = envoy::extensions::http::early_header_mutation::header_mutation::v3::HeaderMutation;
  if (extensions.empty()) return nullptr;
  auto out = std::make_shared<model::HeaderMutations>();
  for (const auto& extension : extensions) {
    const google::protobuf::Message* content = scope.unpack(extension.typed_config());
    if (content == nullptr) continue;
    if (content->GetDescriptor() != Early::descriptor()) {
      scope.error(extension.typed_config(),
                  cat(content->GetDescriptor()->full_name(), " changes no headers early (early_header_mutation)"));
      continue;
    }
    for (auto& one : compile_header_mutations(static_cast<const Early&>(*content).mutations(), scope).list) {
      out->list.push_back(std::move(one));
    }
  }
  return out;
}

}  // namespace sluice::config
