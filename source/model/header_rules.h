// HeaderRules: request_headers_to_add, request_headers_to_remove and their response twins, compiled; and their
// application in Envoy's order of levels.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "format/facts.h"
#include "format/formatter.h"
#include "http/message.h"

namespace sluice::model {

enum class AppendAction : uint8_t { kAppendIfExistsOrAdd, kAddIfAbsent, kOverwriteIfExistsOrAdd, kOverwriteIfExists };

// Thread: any (immutable).
struct HeaderRule {
  std::string name;  // lower case; ":path" and friends are refused when compiled unless allowed there
  http::Token token = http::Token::kNone;
  format::Formatter value;
  AppendAction action = AppendAction::kAppendIfExistsOrAdd;
  bool keep_empty_value = false;
};

// Removals come before additions. Thread: any (immutable).
struct HeaderRules {
  std::vector<std::string> remove;
  std::vector<HeaderRule> add;

  bool empty() const { return remove.empty() && add.empty(); }
  void apply(http::RequestHeaders& headers, const format::Facts& facts) const;
  void apply(http::ResponseHeaders& headers, const format::Facts& facts) const;
};

}  // namespace sluice::model
