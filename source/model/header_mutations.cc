#include "model/header_mutations.h"

#include <algorithm>

#include "base/strings.h"

namespace sluice::model {
namespace {

bool pseudo(const std::string& name) { return name.starts_with(':'); }

// A pseudo header's new value: there is only one of it, so adding to it joins.
std::string_view joined(const HeaderRule& rule, std::string_view old, std::string_view value, Arena& arena) {
  if (old.empty() || rule.action != AppendAction::kAppendIfExistsOrAdd) return value;
  return arena.copy(cat(old, ",", value));
}

void set_pseudo(http::RequestHeaders& headers, const HeaderRule& rule, std::string_view value) {
  Arena& arena = headers.fields.arena();
  for (auto [name, field] : {std::pair{":method", &headers.method}, std::pair{":path", &headers.path},
                             std::pair{":authority", &headers.authority}, std::pair{":scheme", &headers.scheme}}) {
    if (rule.name == name) *field = joined(rule, *field, value, arena);
  }
}

void set_pseudo(http::ResponseHeaders& headers, const HeaderRule& rule, std::string_view value) {
  const auto status = parse_number<uint16_t>(value);
  if (rule.name != ":status" || !status || *status < 200 || *status > 999) return;
  headers.status = *status;
  headers.reason = {};
}

bool has(const http::HeaderMap& fields, const HeaderRule& rule) {
  return rule.token != http::Token::kNone ? fields.has(rule.token) : fields.find(rule.name) != nullptr;
}

void change(http::HeaderMap& fields, const HeaderRule& rule, const format::Facts& facts) {
  const std::string_view value = evaluate(rule, has(fields, rule), facts, fields.arena());
  if (value.data() != nullptr) write(rule, value, fields);
}

template <typename Headers>
void change(Headers& headers, const HeaderRule& rule, const format::Facts& facts) {
  if (!pseudo(rule.name)) return change(headers.fields, rule, facts);
  const std::string_view value = evaluate(rule, headers.get(rule.name).data() != nullptr, facts, headers.fields.arena());
  if (value.data() != nullptr) set_pseudo(headers, rule, value);
}

template <typename Headers>
void apply_all(const std::vector<HeaderMutation>& list, Headers& headers, http::HeaderMap& fields,
               const format::Facts& facts) {
  for (const HeaderMutation& mutation : list) {
    if (const auto* rule = std::get_if<HeaderRule>(&mutation)) {
      change(headers, *rule, facts);
    } else if (const auto* remove = std::get_if<RemoveHeader>(&mutation)) {
      fields.remove(remove->name);
    } else {
      const auto& name = std::get<RemoveMatchingHeaders>(mutation).name;
      fields.remove_if([&](const http::HeaderField& field) { return name.matches(field.name()); });
    }
  }
}

}  // namespace

void HeaderMutations::apply(http::RequestHeaders& headers, const format::Facts& facts) const {
  apply_all(list, headers, headers.fields, facts);
}
void HeaderMutations::apply(http::ResponseHeaders& headers, const format::Facts& facts) const {
  apply_all(list, headers, headers.fields, facts);
}
void HeaderMutations::apply(http::HeaderMap& trailers, const format::Facts& facts) const {
  apply_all(list, trailers, trailers, facts);
}

}  // namespace sluice::model
