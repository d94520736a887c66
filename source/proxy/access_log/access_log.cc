#include "proxy/access_log/access_log.h"

namespace sluice::proxy {

void AccessLog::log(const format::Facts& facts) {
  if (set_ == nullptr) {
    return;
  }
  for (const model::AccessLogPlan& plan : set_->logs) {
    if (plan.file == nullptr || (plan.filter != nullptr && !plan.filter->passes(facts))) {
      continue;
    }
    line_.clear();
    plan.format.append(line_, facts);
    plan.file->append(line_);
  }
}

}  // namespace sluice::proxy
