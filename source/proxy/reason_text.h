// The table of reasons as text for people: `sluice flags`.
#pragma once

#include <string>
#include <string_view>

#include "proxy/reason.h"

namespace sluice::proxy {

// What to look at, in one sentence.
std::string_view hint_of(Reason reason);

// Every reason: status, response flag, details, what it means, and the hint. With a `word` only those whose flag (short
// or long), status or details it is; empty when there is none.
std::string reasons_text(std::string_view word);

}  // namespace sluice::proxy
