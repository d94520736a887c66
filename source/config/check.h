// What `sluice check` says about a configuration: errors, deprecated and unknown fields, risky settings; and how
// findings are printed, for people and for machines.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "config/bootstrap.h"
#include "config/config_error.h"

namespace sluice::config {

// Thread: any.
struct CheckFinding {
  enum class Level : uint8_t { kError, kWarning, kNote };
  Level level;
  std::string rule;  // "error", "deprecated-field", "no-request-timeout" ...
  ConfigError what;
};

// By place, errors first. Thread: main.
std::vector<CheckFinding> check(const CompileOutcome& outcome);

enum class ReportFormat : uint8_t { kText, kJson, kSarif };
std::string print_report(const std::vector<CheckFinding>& findings, ReportFormat format);

// The findings' lines out of their files, for a terminal: the line, and a caret below the place. Thread: main (it reads
// files).
class Excerpts {
 public:
  // With its line ends; empty when the place is not in a file.
  std::string of(const ConfigError& error);

 private:
  const std::vector<std::string>& lines(const std::string& file);
  std::map<std::string, std::vector<std::string>> files_;
};

}  // namespace sluice::config
