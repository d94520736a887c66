// What the router's configuration says.
#pragma once

#include <memory>
#include <vector>

#include "base/time.h"
#include "http/token.h"
#include "model/access_log_plan.h"
#include "model/filter_plan.h"

namespace sluice::filters::router {

// Immutable. Thread: any.
struct RouterOptions {
  bool dynamic_stats = true;  // counters by response code
  bool start_child_span = false;
  bool suppress_envoy_headers = false;
  bool respect_expected_timeout = false;    // respect_expected_rq_timeout
  std::vector<http::Token> strict_headers;  // strict_check_headers
  // upstream_http_filters, of tries whose cluster has none of its own; null: none.
  std::shared_ptr<const std::vector<model::FilterPlan>> upstream_filters;
  model::AccessLogSetPtr upstream_logs;  // one line for each try; null: none
  bool log_at_stream = false;            // flush_upstream_log_on_upstream_stream: one more when the try has its stream
  Duration log_interval{0};              // upstream_log_flush_interval: and one each time; 0: never
};

}  // namespace sluice::filters::router
