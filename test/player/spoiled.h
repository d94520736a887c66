// What must not come of a case that is disturbed: messages that look whole and are not, or that cannot be read.
#pragma once

#include <string>

#include "base/value.h"

namespace sluice::player {

// Says which client or origin got such a message, beside the same steps without a disturbance; empty when none did.
std::string spoiled(const Value::Map& got, const Value::Map& whole);

}  // namespace sluice::player
