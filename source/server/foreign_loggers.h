// The names of Envoy's loggers that this build has no log for.
#pragma once

#include <string_view>

namespace sluice::server {

// Their levels are accepted, on the command line and by /logging, and say nothing: who sets them asks any proxy of a
// mesh the same. Thread: any.
bool is_foreign_logger(std::string_view name);

}  // namespace sluice::server
