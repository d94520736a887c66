#include "model/header_mutations.h"

namespace sluice::model {
namespace {

void change(http::HeaderMap& fields, const HeaderRule& rule, const format::Facts& facts) {
  const std::string_view value = evaluate(rule, is_present(rule, fields), facts, fields.arena());
  if (value.data() != nullptr) write(rule, value, fields);
}

}  // namespace

void HeaderMutations::apply(http::HeaderMap& fields, const format::Facts& facts) const {
  for (const HeaderMutation& mutation : list) {
    if (const auto* rule = std::get_if<HeaderRule>(&mutation)) {
      change(fields, *rule, facts);
    } else if (const auto* remove = std::get_if<RemoveHeader>(&mutation)) {
      fields.remove(remove->name);
    } else {
      const auto& name = std::get<RemoveMatchingHeaders>(mutation).name;
      fields.remove_if([&](const http::HeaderField& field) { return name.matches(field.name()); });
    }
  }
}

}  // namespace sluice::model
