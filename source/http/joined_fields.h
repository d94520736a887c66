// Repeated lines of one field, joined into one line as RFC 9110 5.3 allows for lists.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "http/header_map.h"
#include "http/token_set.h"

namespace sluice::http {

// The fields whose lines are joined in one kind of message. Thread: any (immutable once it is made).
class JoinedNames {
 public:
  static constexpr size_t kMost = 64;  // of names that have no token

  JoinedNames() = default;
  JoinedNames(const TokenSet& tokens, std::vector<std::string> names);

  // A name in lower case. False: there are too many.
  bool add(std::string_view name);
  bool has(std::string_view name) const;
  bool empty() const { return empty_; }

 private:
  friend TokenSet join_repeated(HeaderMap& fields, const JoinedNames& joined);

  TokenSet tokens_;
  std::vector<std::string> names_;  // without tokens
  uint64_t sizes_ = 0;              // the lengths of those, so that most names need no comparison
  bool empty_ = true;
};

// Those of all messages. Headers have what Envoy keeps in slots of their own: the fields that are lists, and those that
// may stand only once (so that nobody reads the first line where another reads the last). All other fields keep their
// lines: cookie, set-cookie, forwarded and what is not known, unless inline_headers of the bootstrap names them.
// Immutable. Thread: any.
struct InlineHeaders {
  JoinedNames request_headers, request_trailers, response_headers, response_trailers;

  static const std::shared_ptr<const InlineHeaders>& builtin();
};

// Joins "a" and "b" to "a,b", in the arena. Returns the names that the message has; one pass over it when nothing is
// repeated.
TokenSet join_repeated(HeaderMap& fields, const JoinedNames& joined);

// The lines of that name as one, "a,b"; in the arena when there are several. Null data: there is none.
std::string_view joined(const HeaderMap& fields, std::string_view name);

}  // namespace sluice::http
