// Repeated lines of one field, joined into one line as RFC 9110 5.3 allows for lists.
#pragma once

#include "http/header_map.h"
#include "http/token_set.h"

namespace sluice::http {

enum class Direction : uint8_t { kRequest, kResponse };

// Joins "a" and "b" to "a,b", in the arena, for the fields that Envoy keeps in slots of their own: those that are
// lists, and those that may stand only once (so that nobody reads the first line where another reads the last). All
// other fields keep their lines: cookie, set-cookie, forwarded and what is not known.
//
// Returns the names that the head has; one pass over it when nothing is repeated.
TokenSet join_repeated(HeaderMap& fields, Direction direction);

// The lines of that name as one, "a,b"; in the arena when there are several. Null data: there is none.
std::string_view joined(const HeaderMap& fields, std::string_view name);

}  // namespace sluice::http
