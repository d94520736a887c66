#include "model/header_rules.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/strings.h"

namespace sluice::model {
namespace {

using http::Token;

// Keeps its capacity between requests, so that formatting takes no memory of its own in steady state.
std::string& scratch() {
  thread_local std::string text;
  text.clear();
  return text;
}

// Whether the rule changes anything.
bool in_force(AppendAction action, bool present) {
  switch (action) {
    case AppendAction::kAddIfAbsent:
      return !present;
    case AppendAction::kOverwriteIfExists:
      return present;
    case AppendAction::kAppendIfExistsOrAdd:
    case AppendAction::kOverwriteIfExistsOrAdd:
      return true;
  }
  return false;
}

// Names that have no token are looked for without asking for one each time.
http::HeaderField field_of(std::string_view name, std::string_view value) {
  return {name.data(),  value.data(), static_cast<uint32_t>(value.size()), static_cast<uint16_t>(name.size()),
          Token::kNone, false};
}

// Which names a message may have: a bit for each, out of 64 that their length and two of their letters choose. Most
// rules are for names that nobody sent, and so cost no look through the message.
class Names {
 public:
  explicit Names(const http::HeaderMap& fields) {
    for (const http::HeaderField& field : fields) add(field.name());
  }
  void add(std::string_view name) { bits_ |= bit_of(name); }
  bool may_have(std::string_view name) const { return (bits_ & bit_of(name)) != 0; }

 private:
  static uint64_t bit_of(std::string_view name) {
    if (name.empty()) return 1;
    const size_t letters =
        static_cast<unsigned char>(name.back()) + 5u * static_cast<unsigned char>(name[name.size() / 2]);
    return uint64_t{1} << (letters + 11 * name.size()) % 64;
  }

  uint64_t bits_ = 0;
};

void set_unknown(std::string_view name, std::string_view value, http::HeaderMap& fields) {
  const auto is = [name](const http::HeaderField& field) {
    return field.token == Token::kNone && field.name() == name;
  };
  http::HeaderField* const first = std::find_if(fields.begin(), fields.end(), is);
  if (first == fields.end()) {
    fields.push_back(field_of(name, value));
    return;
  }
  *first = field_of(first->name(), value);
  if (std::find_if(first + 1, fields.end(), is) == fields.end()) return;
  bool kept = false;
  fields.remove_if([&](const http::HeaderField& field) { return is(field) && std::exchange(kept, true); });
}

// The lines of an upstream's answer are not joined yet: all of them come before the value.
void extend(const HeaderRule& rule, std::string_view value, http::HeaderMap& fields) {
  std::string& text = scratch();
  const auto add = [&text](std::string_view one) {
    if (!one.empty()) append(text, text.empty() ? "" : ",", one);
  };
  for (const http::HeaderField& field : fields) {
    if (field.token == rule.token && field.name() == rule.name) add(field.value());
  }
  add(value);
  const std::string_view all = fields.arena().copy(text);
  rule.token != Token::kNone ? fields.set(rule.token, all) : set_unknown(rule.name, all, fields);
}

bool is_listed(std::string_view name, const std::vector<std::string>& names) {
  return std::any_of(names.begin(), names.end(), [name](const std::string& one) { return one == name; });
}

bool asks_for_presence(AppendAction action) {
  return action == AppendAction::kAddIfAbsent || action == AppendAction::kOverwriteIfExists;
}

bool overwrites(const HeaderRule& rule) {
  return rule.action == AppendAction::kOverwriteIfExists || rule.action == AppendAction::kOverwriteIfExistsOrAdd;
}

}  // namespace

bool joins_lines(Token token) {
  switch (token) {
    case Token::kAccept:
    case Token::kAcceptEncoding:
    case Token::kAuthorization:
    case Token::kCacheControl:
    case Token::kConnection:
    case Token::kContentEncoding:
    case Token::kContentType:
    case Token::kEtag:
    case Token::kExpect:
    case Token::kGrpcMessage:
    case Token::kGrpcStatus:
    case Token::kGrpcTimeout:
    case Token::kKeepAlive:
    case Token::kLocation:
    case Token::kOrigin:
    case Token::kReferer:
    case Token::kServer:
    case Token::kTe:
    case Token::kUpgrade:
    case Token::kUserAgent:
    case Token::kVary:
    case Token::kVia:
    case Token::kXClientTraceId:
    case Token::kXForwardedClientCert:
    case Token::kXForwardedFor:
    case Token::kXForwardedHost:
    case Token::kXForwardedPort:
    case Token::kXForwardedProto:
    case Token::kXRequestId:
      return true;
    default:
      return token >= Token::kXEnvoyAttemptCount && token <= Token::kXEnvoyUpstreamStreamDurationMs;
  }
}

bool is_present(const HeaderRule& rule, const http::HeaderMap& fields) {
  return rule.token != Token::kNone ? fields.has(rule.token) : fields.find(rule.name) != nullptr;
}

std::string_view evaluate(const HeaderRule& rule, bool present, const format::Facts& facts, Arena& arena) {
  if (!in_force(rule.action, present)) return {};
  // As the rule's name, its constant value is not copied: the plan outlives the message.
  if (const std::string_view constant = rule.value.constant(); constant.data() != nullptr) {
    return constant.empty() && !rule.keep_empty_value ? std::string_view() : constant;
  }
  std::string& text = scratch();
  rule.value.append(text, facts);
  if (text.empty()) return rule.keep_empty_value ? std::string_view("") : std::string_view();
  return arena.copy(text);
}

void write(const HeaderRule& rule, std::string_view value, http::HeaderMap& fields) {
  const bool known = rule.token != Token::kNone;
  if (overwrites(rule)) {
    known ? fields.set(rule.token, value) : set_unknown(rule.name, value, fields);
  } else if (rule.joins) {
    extend(rule, value, fields);
  } else {
    known ? fields.add(rule.token, value) : fields.push_back(field_of(rule.name, value));
  }
}

void HeaderRules::change(http::HeaderMap& fields, const format::Facts& facts) const {
  Names names(fields);
  if (std::any_of(remove.begin(), remove.end(), [&](const std::string& name) { return names.may_have(name); })) {
    fields.remove_if([this](const http::HeaderField& field) { return is_listed(field.name(), remove); });
  }
  if (add.empty()) return;

  Arena& arena = fields.arena();
  auto* values =
      static_cast<std::string_view*>(arena.allocate(add.size() * sizeof(std::string_view), alignof(std::string_view)));
  for (size_t i = 0; i < add.size(); ++i) {
    const bool present = asks_for_presence(add[i].action) && names.may_have(add[i].name) && is_present(add[i], fields);
    values[i] = evaluate(add[i], present, facts, arena);
  }
  for (const bool overwriting : {true, false}) {
    for (size_t i = 0; i < add.size(); ++i) {
      if (values[i].data() == nullptr || overwrites(add[i]) != overwriting) continue;
      if (overwriting && add[i].token == Token::kNone && !names.may_have(add[i].name)) {
        fields.push_back(field_of(add[i].name, values[i]));
      } else {
        write(add[i], values[i], fields);
      }
      names.add(add[i].name);
    }
  }
}

}  // namespace sluice::model
