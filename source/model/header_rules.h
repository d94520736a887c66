// HeaderRules: request_headers_to_add, request_headers_to_remove and their response twins, compiled.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/configuration/http/http_conn_man/headers#custom-request-response-headers
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "format/facts.h"
#include "format/formatter.h"
#include "http/message.h"
#include "model/origin.h"

namespace sluice::model {

enum class AppendAction : uint8_t { kAppendIfExistsOrAdd, kAddIfAbsent, kOverwriteIfExistsOrAdd, kOverwriteIfExists };

// Thread: any (immutable).
struct HeaderRule {
  std::string name;  // lower case; never a pseudo header or host
  http::Token token = http::Token::kNone;
  format::Formatter value;
  AppendAction action = AppendAction::kAppendIfExistsOrAdd;
  bool keep_empty_value = false;  // else a value that turns out empty changes nothing
  bool joins = false;             // the lines of that header are one list, which an addition extends
  Origin origin;
};

// Whether the message has the rule's header.
bool is_present(const HeaderRule& rule, const http::HeaderMap& fields);
// The value that a rule gives for a message as it is now, in `arena`; null data when the rule changes nothing: the
// header is there, or is not, or the value is empty and such are not wanted.
std::string_view evaluate(const HeaderRule& rule, bool present, const format::Facts& facts, Arena& arena);
// Writes an evaluated value as the rule's action says.
void write(const HeaderRule& rule, std::string_view value, http::HeaderMap& fields);

// One level's rules. Removals come first; then all values are formatted from the message as it is then, and only after
// that overwrites and additions are written: a rule never sees another rule of its level. Thread: any (immutable).
struct HeaderRules {
  std::vector<std::string> remove;
  std::vector<HeaderRule> add;
  Origin origin;  // of the level

  bool empty() const { return remove.empty() && add.empty(); }
  void apply(http::RequestHeaders& headers, const format::Facts& facts) const { apply(headers.fields, facts); }
  void apply(http::ResponseHeaders& headers, const format::Facts& facts) const { apply(headers.fields, facts); }
  void apply(http::HeaderMap& fields, const format::Facts& facts) const {
    if (!empty()) change(fields, facts);
  }

 private:
  void change(http::HeaderMap& fields, const format::Facts& facts) const;
};

// Whether several lines of that header are one list joined with ',' (as Envoy keeps its "inline" headers). All others
// get a line of their own, but for those that the bootstrap names (inline_headers).
bool joins_lines(http::Token token);

}  // namespace sluice::model
