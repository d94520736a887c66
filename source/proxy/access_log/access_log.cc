#include "proxy/access_log/access_log.h"

#include <algorithm>
#include <utility>

#include "proxy/access_log/access_logger.h"

namespace sluice::proxy {

AccessLog::AccessLog(model::AccessLogSetPtr set, LogSinks* sinks) : set_(std::move(set)) {
  const auto has_logger = [](const model::AccessLogPlan& plan) { return plan.logger != nullptr; };
  if (set_ != nullptr) {
    tells_wire_bytes_ = std::any_of(set_->logs.begin(), set_->logs.end(), [](const model::AccessLogPlan& plan) {
      return plan.logger != nullptr || (plan.format && plan.format->tells_wire_bytes());
    });
  }
  if (set_ == nullptr || sinks == nullptr || std::none_of(set_->logs.begin(), set_->logs.end(), has_logger)) {
    return;
  }
  for (const model::AccessLogPlan& plan : set_->logs) {
    loggers_.push_back(has_logger(plan) ? static_cast<const AccessLoggerFactory&>(*plan.logger).on_worker(*sinks)
                                        : nullptr);
  }
}

AccessLog::~AccessLog() = default;

void AccessLog::log(const format::Facts& facts) {
  if (set_ == nullptr) {
    return;
  }
  for (size_t i = 0; i < set_->logs.size(); ++i) {
    const model::AccessLogPlan& plan = set_->logs[i];
    AccessLogger* logger = loggers_.empty() ? nullptr : loggers_[i].get();
    if ((plan.file == nullptr && logger == nullptr) || (plan.filter != nullptr && !plan.filter->passes(facts))) {
      continue;
    }
    if (logger != nullptr) {
      logger->log(facts);
      continue;
    }
    line_.clear();
    plan.format->append(line_, facts);
    plan.file->append(line_);
  }
}

}  // namespace sluice::proxy
