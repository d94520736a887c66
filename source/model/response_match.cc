#include "model/response_match.h"

#include <algorithm>

namespace sluice::model {

bool ResponseMatch::holds(const http::ResponseHeaders& answer) const {
  const auto rule_holds = [&](const ResponseMatch& rule) { return rule.holds(answer); };
  switch (kind) {
    case Kind::kHeaders:
      return std::all_of(headers.begin(), headers.end(), [&](const auto& header) { return header.matches(answer); });
    case Kind::kAll:
      return std::all_of(rules.begin(), rules.end(), rule_holds);
    case Kind::kAny:
      return std::any_of(rules.begin(), rules.end(), rule_holds);
    case Kind::kNot:
      return !rules.front().holds(answer);
    case Kind::kAlways:
      return true;
    case Kind::kNever:
      break;
  }
  return false;
}

}  // namespace sluice::model
