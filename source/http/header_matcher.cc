#include "http/header_matcher.h"

#include "base/strings.h"

namespace sluice::http {

HeaderMatcher::HeaderMatcher(std::string_view name, Condition condition, Invert invert, Missing missing)
    : name_(to_lower(name)), invert_(invert), missing_(missing), condition_(std::move(condition)) {
  if (name_ == "host") name_ = ":authority";
  pseudo_ = name_.starts_with(':');
  token_ = token_of(name_);
}

bool HeaderMatcher::matches_value(std::string_view value) const {
  if (const auto* text = std::get_if<match::StringMatcher>(&condition_)) return text->matches(value);
  if (const auto* range = std::get_if<match::IntegerRange>(&condition_)) return range->matches(value);
  return true;
}

bool HeaderMatcher::conclude(bool found, bool matched) const {
  if (!found && missing_ == Missing::kIsEmpty) {
    found = true;
    matched = matches_value({});
  }
  if (!found && !std::holds_alternative<Present>(condition_)) return false;
  return matched != (invert_ == Invert::kYes);
}

bool HeaderMatcher::matches(const HeaderMap& headers) const {
  bool found = false;
  bool matched = false;
  const HeaderField* field = token_ != Token::kNone ? headers.find(token_) : headers.begin();
  for (; field != nullptr && field != headers.end() && !matched; ++field) {
    if (field->token == token_ && (token_ != Token::kNone || field->name() == name_)) {
      found = true;
      matched = matches_value(field->value());
    }
  }
  return conclude(found, matched);
}

template <typename Headers>
bool HeaderMatcher::matches_message(const Headers& headers) const {
  if (!pseudo_) return matches(headers.fields);
  const std::string_view value = headers.get(name_);
  const bool found = value.data() != nullptr;
  return conclude(found, found && matches_value(value));
}

bool HeaderMatcher::matches(const RequestHeaders& headers) const { return matches_message(headers); }
bool HeaderMatcher::matches(const ResponseHeaders& headers) const { return matches_message(headers); }

std::string HeaderMatcher::describe() const {
  std::string text = cat(inverted() ? "not " : "", name_, " ");
  if (const auto* value = std::get_if<match::StringMatcher>(&condition_)) {
    append(text, value->describe());
  } else if (const auto* range = std::get_if<match::IntegerRange>(&condition_)) {
    append(text, "in [", range->start, ", ", range->end, ")");
  } else {
    append(text, "present");
  }
  if (missing_ == Missing::kIsEmpty) append(text, " (missing counts as empty)");
  return text;
}

}  // namespace sluice::http
