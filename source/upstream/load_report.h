// LoadReport: what an answer says of the load of its host (ORCA), in one of the forms that a header can have.
// https://github.com/cncf/xds/blob/main/xds/data/orca/v3/orca_load_report.proto
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "http/header_map.h"

namespace sluice::upstream {

// Rates are per second; a utilization of 1 is a host that has all it can take. 0: not said. Thread: any.
struct LoadReport {
  using Metrics = std::map<std::string, double, std::less<>>;

  double cpu_utilization = 0;
  double mem_utilization = 0;
  double application_utilization = 0;
  double rps_fractional = 0;
  double eps = 0;
  Metrics utilization, named_metrics;

  // The greatest of these, each the name of a number above, or of one of a map as "named_metrics.NAME"; "*" for NAME
  // is all of them. Not below 0.
  double greatest(const std::vector<std::string>& names) const;
};

// Of "endpoint-load-metrics-bin" (base64 of the message), or else of "endpoint-load-metrics", which begins with "BIN ",
// "JSON " or "TEXT ". None: there is no report, or it is not whole. Headers or trailers.
std::optional<LoadReport> read_load_report(const http::HeaderMap& fields);

}  // namespace sluice::upstream
