#include "stats/response_codes.h"

#include "base/strings.h"

namespace sluice::stats {

Single ResponseCodes::make(Kind kind, std::string_view name) {
  return cells_.single(kind, cat(prefix_, "upstream_rq_", name), parent_);
}

void ResponseCodes::show() {
  if (!completed_) {
    completed_ = make(Kind::kCounter, "completed");
  }
}

void ResponseCodes::inc(uint16_t status) {
  show();
  completed_.inc();
  if (status < 100 || status > 599) {
    return;
  }
  Single& of_class = classes_[status / 100 - 1];
  if (!of_class) {
    of_class = make(Kind::kCounter, cat(status / 100, "xx"));
  }
  of_class.inc();
  for (auto& [code, counter] : codes_) {
    if (code == status) {
      counter.inc();
      return;
    }
  }
  codes_.emplace_back(status, make(Kind::kCounter, cat(status))).second.inc();
}

void ResponseCodes::record_time(uint64_t ms) {
  if (!time_) {
    time_ = make(Kind::kHistogram, "time");
  }
  time_.record(ms);
}

}  // namespace sluice::stats
