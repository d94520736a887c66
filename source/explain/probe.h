// Probes: HTTP filters that stand between the filters of a chain and note how the messages look there.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "format/response_flags.h"
#include "model/http_plan.h"
#include "proxy/filter.h"

namespace sluice::explain {

// In order; pseudo headers first, with their names.
using Fields = std::vector<std::pair<std::string, std::string>>;

Fields fields_of(const http::RequestHeaders& request);
Fields fields_of(const http::ResponseHeaders& response);

// Is told by the probes; `place` is how many filters stand in front of it. Thread: main.
class Observer {
 public:
  virtual void on_request(size_t place, proxy::Exchange& exchange, const http::RequestHeaders& request) = 0;
  virtual void on_response(size_t place, const http::ResponseHeaders& response) = 0;
  // The exchange is over, also when no filter ever saw it.
  virtual void on_end(const format::Facts& facts) = 0;

 protected:
  ~Observer() = default;
};

// The plan with a probe in front of each filter. The observer outlives it.
std::shared_ptr<const model::HttpPlan> with_probes(const model::HttpPlan& plan, Observer& observer);

}  // namespace sluice::explain
