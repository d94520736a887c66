#include "match/range.h"

#include "base/strings.h"

namespace sluice::match {

bool IntegerRange::matches(std::string_view text) const {
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) return false;
  }
  const auto number = parse_number<int64_t>(text);
  return number.has_value() && *number >= start && *number < end;
}

}  // namespace sluice::match
