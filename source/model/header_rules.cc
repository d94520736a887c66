#include "model/header_rules.h"

#include <initializer_list>

namespace sluice::model {
namespace {

using http::Token;

// Keeps its capacity between requests, so that formatting takes no memory of its own in steady state.
std::string& scratch() {
  thread_local std::string text;
  text.clear();
  return text;
}

struct Pending {
  const HeaderRule* rule;
  std::string_view value;
};

bool has(const http::HeaderMap& fields, const HeaderRule& rule) {
  return rule.token != Token::kNone ? fields.has(rule.token) : fields.find(rule.name) != nullptr;
}

// Whether the rule changes anything, given the message as it is.
bool in_force(const http::HeaderMap& fields, const HeaderRule& rule) {
  switch (rule.action) {
    case AppendAction::kAddIfAbsent: return !has(fields, rule);
    case AppendAction::kOverwriteIfExists: return has(fields, rule);
    case AppendAction::kAppendIfExistsOrAdd:
    case AppendAction::kOverwriteIfExistsOrAdd: return true;
  }
  return false;
}

bool overwrites(const HeaderRule& rule) {
  return rule.action == AppendAction::kOverwriteIfExists || rule.action == AppendAction::kOverwriteIfExistsOrAdd;
}

void overwrite(http::HeaderMap& fields, const Pending& change) {
  if (change.rule->token != Token::kNone) {
    fields.set(change.rule->token, change.value);
  } else {
    fields.set(change.rule->name, change.value);
  }
}

void add(http::HeaderMap& fields, const Pending& change) {
  if (joins_lines(change.rule->token)) {
    fields.append_value(change.rule->token, change.value);
  } else if (change.rule->token != Token::kNone) {
    fields.add(change.rule->token, change.value);
  } else {
    fields.add(change.rule->name, change.value);
  }
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

void HeaderRules::apply(http::HeaderMap& fields, const format::Facts& facts) const {
  for (const std::string& name : remove) fields.remove(name);
  if (add.empty()) return;

  Arena& arena = fields.arena();
  auto* changes = static_cast<Pending*>(arena.allocate(add.size() * sizeof(Pending), alignof(Pending)));
  size_t count = 0;
  for (const HeaderRule& rule : add) {
    if (!in_force(fields, rule)) continue;
    std::string& text = scratch();
    rule.value.append(text, facts);
    if (text.empty() && !rule.keep_empty_value) continue;
    changes[count++] = {&rule, arena.copy(text)};
  }
  for (size_t i = 0; i < count; ++i) {
    if (overwrites(*changes[i].rule)) overwrite(fields, changes[i]);
  }
  for (size_t i = 0; i < count; ++i) {
    if (!overwrites(*changes[i].rule)) model::add(fields, changes[i]);
  }
}

}  // namespace sluice::model
