// `sluice explain`: what a configuration does to one request, and why; without a socket.
#pragma once

#include <string>
#include <vector>

#include "config/extensions.h"
#include "explain/dry_run.h"
#include "explain/question.h"
#include "explain/report.h"

namespace sluice::explain {

// What was seen, told in the order in which it happens.
Note tell(const Seen& seen, const Question& question);

}  // namespace sluice::explain
