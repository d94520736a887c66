#include "http/hop_by_hop.h"

#include "base/strings.h"
#include "http/chars.h"

namespace sluice::http {

namespace {

constexpr uint32_t kMostNominated = 10;
// Of a response: more names than fields can stand in it are not looked for.
constexpr uint32_t kMostNamed = 100;

bool stays(Token token) {
  return token == Token::kContentLength || token == Token::kTransferEncoding || token == Token::kHost ||
         token == Token::kConnection || token == Token::kUpgrade || token == Token::kTe;
}

const HeaderField* nth(const HeaderMap& fields, Token token, uint32_t n) {
  for (const HeaderField& field : fields) {
    if (field.token == token && n-- == 0) {
      return &field;
    }
  }
  return nullptr;
}

// Removes the fields that the lines of Connection name; those lines stay.
void remove_named(HeaderMap& fields) {
  uint32_t named = 0;
  for (uint32_t i = 0; const HeaderField* line = nth(fields, Token::kConnection, i); ++i) {
    for_each_element(line->value(), [&](std::string_view option) {
      if (++named <= kMostNamed) {
        fields.remove_if([option](const HeaderField& field) {
          return !stays(field.token) && equal_ignore_case(field.name(), option);
        });
      }
    });
  }
}

template <typename Visit>
void for_each_value(const HeaderMap& fields, Token token, Visit&& visit) {
  for (const HeaderField& field : fields) {
    if (field.token == token) {
      visit(field.value());
    }
  }
}

bool may_be_named(std::string_view option) {
  return !equal_ignore_case(option, "x-forwarded-for") && !equal_ignore_case(option, "x-forwarded-host") &&
         !equal_ignore_case(option, "x-forwarded-proto") && option[0] != ':';
}

void keep_te_trailers(HeaderMap& fields) {
  bool trailers = false;
  for_each_value(fields, Token::kTe, [&](std::string_view value) {
    for_each_element(value, [&](std::string_view coding) {
      trailers |= trim(coding.substr(0, coding.find(';'))) == "trailers";  // written in this way alone, as Envoy has it
    });
  });
  if (!trailers) {
    fields.remove(Token::kTe);
  } else if (fields.get(Token::kTe) != "trailers" || fields.count(Token::kTe) > 1) {
    fields.set(Token::kTe, "trailers");
  }
}

}  // namespace

bool remove_nominated(RequestHeaders& headers) {
  uint32_t named = 0;
  bool allowed = true;
  for_each_value(headers.fields, Token::kConnection, [&](std::string_view options) {
    for_each_element(options, [&](std::string_view option) {
      allowed &= may_be_named(option) && ++named < kMostNominated;
      if (equal_ignore_case(option, "host")) {
        headers.authority = {};
      }
    });
  });
  if (allowed) {
    remove_named(headers.fields);
  }
  return allowed;
}

void remove_hop_by_hop(RequestHeaders& headers) {
  HeaderMap& fields = headers.fields;
  fields.remove(Token::kHttp2Settings);
  if (headers.tunnel != Tunnel::kUpgrade) {
    fields.remove(Token::kConnection);
    fields.remove(Token::kUpgrade);
  } else if (!equal_ignore_case(fields.get(Token::kConnection), "upgrade") || fields.count(Token::kConnection) > 1) {
    fields.set(Token::kConnection, "upgrade");
  }
  fields.remove(Token::kKeepAlive);
  fields.remove(Token::kProxyConnection);
  if (fields.has(Token::kTe)) {
    keep_te_trailers(fields);
  }
}

void remove_hop_by_hop(ResponseHeaders& headers) {
  HeaderMap& fields = headers.fields;
  fields.remove(Token::kKeepAlive);
  fields.remove(Token::kProxyConnection);
  if (headers.status == 101) {
    return;
  }
  // RFC 9110 7.6.1: what Connection names goes too. Envoy leaves it (behaviour case protocol/hop_by_hop), but the
  // corpus of hostile input (rs-hd-nominated) asks for the RFC, and wins over a recording.
  if (fields.has(Token::kConnection)) {
    remove_named(fields);
    fields.remove(Token::kConnection);
  }
  if (headers.status != 426) {
    fields.remove(Token::kUpgrade);
  }
}

}  // namespace sluice::http
