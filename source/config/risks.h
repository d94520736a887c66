// Risky settings in force: what loads and runs, and what its owner should know.
#pragma once

#include <string>
#include <vector>

#include "config/config_error.h"

namespace sluice::config {

struct Document;

// Thread: any.
struct Risk {
  std::string rule;  // "no-request-timeout"
  ConfigError what;  // its text: why, and the field to set
};

// Of a bootstrap that has no errors. Thread: main.
std::vector<Risk> find_risks(const Document& document);

}  // namespace sluice::config
