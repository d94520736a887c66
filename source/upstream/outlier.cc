#include "upstream/outlier.h"

#include "model/health_plan.h"
#include "upstream/host.h"
#include "upstream/outlier_detector.h"

namespace sluice::upstream {

namespace {

uint32_t next(std::atomic<uint32_t>& count) { return count.fetch_add(1, std::memory_order_relaxed) + 1; }

}  // namespace

void OutlierInbox::report(Host& host, Outcome outcome, uint16_t status) {
  if (!plan_.split_local_origin) {
    if (outcome != Outcome::kConnected) {
      count_answer(host, status);
    }
    return;
  }
  switch (outcome) {
    case Outcome::kConnected:
      count_local(host, true);
      break;
    case Outcome::kConnectFailed:
    case Outcome::kTimeout:
      count_local(host, false);
      break;
    case Outcome::kAnswered:
      count_answer(host, status);
      break;
  }
}

void OutlierInbox::says_degraded(Host& host) {
  if (!plan_.detect_degraded || (host.degraded.load(std::memory_order_relaxed) & kOutlier) != 0) {
    return;
  }
  main_.post([self = shared_from_this(), host = host.shared_from_this()] {
    if (self->detector_ != nullptr) self->detector_->on_degraded(*host);
  });
}

void OutlierInbox::count_answer(Host& host, uint16_t status) {
  OutlierCounts& counts = *host.outlier;
  next(counts.answers);
  if (status < 500 || status > 599) {
    next(counts.good_answers);
    if (counts.consecutive_5xx.load(std::memory_order_relaxed) != 0) {
      counts.consecutive_5xx.store(0, std::memory_order_relaxed);
      counts.consecutive_gateway.store(0, std::memory_order_relaxed);
    }
    return;
  }
  if (status >= 502 && status <= 504) {
    if (next(counts.consecutive_gateway) == plan_.consecutive_gateway) {
      tell(host, OutlierKind::kConsecutiveGateway);
    }
  } else {
    counts.consecutive_gateway.store(0, std::memory_order_relaxed);
  }
  if (next(counts.consecutive_5xx) == plan_.consecutive_5xx) {
    tell(host, OutlierKind::kConsecutive5xx);
  }
}

void OutlierInbox::count_local(Host& host, bool good) {
  OutlierCounts& counts = *host.outlier;
  next(counts.tries);
  if (good) {
    next(counts.good_tries);
    counts.consecutive_local.store(0, std::memory_order_relaxed);
  } else if (next(counts.consecutive_local) == plan_.consecutive_local) {
    tell(host, OutlierKind::kConsecutiveLocalOrigin);
  }
}

void OutlierInbox::tell(Host& host, OutlierKind kind) {
  main_.post([self = shared_from_this(), host = host.shared_from_this(), kind] {
    if (self->detector_ != nullptr) {
      self->detector_->on_consecutive(*host, kind);
    }
  });
}

}  // namespace sluice::upstream
