#include "server/guard.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/strings.h"

namespace sluice::server {

void Guard::watch(std::string name, const event::Loop& loop, const model::WatchdogPlan& plan, Random& random) {
  Duration kill = plan.kill;
  if (kill > Duration::zero() && plan.kill_jitter > Duration::zero()) {
    kill += Duration(static_cast<int64_t>(random.next() % static_cast<uint64_t>(plan.kill_jitter.count())));
  }
  watched_.push_back({std::move(name), &loop.slow_turns(), kill, plan.multikill, plan.multikill_percent});
}

Duration Guard::interval() const {
  Duration shortest{0};
  for (const Watched& one : watched_) {
    for (const Duration limit : {one.kill, one.multikill}) {
      if (limit > Duration::zero() && (shortest == Duration::zero() || limit < shortest)) {
        shortest = limit;
      }
    }
  }
  return shortest == Duration::zero() ? shortest : std::max<Duration>(shortest / 2, std::chrono::milliseconds(1));
}

std::optional<std::string> Guard::verdict(MonotonicTime now) const {
  size_t hanging = 0;
  for (const Watched& one : watched_) {
    const int64_t began = one.turns->turn_began.load(std::memory_order_relaxed);
    if (began == 0) {
      continue;  // it waits for work
    }
    const Duration taken = now - MonotonicTime{began};
    if (one.kill > Duration::zero() && taken >= one.kill) {
      return cat(one.name, " hangs in one turn of its loop for ", to_ms(taken), " ms, more than its kill_timeout");
    }
    if (one.multikill > Duration::zero() && taken >= one.multikill) {
      const double share = one.multikill_percent / 100 * static_cast<double>(watched_.size());
      if (++hanging >= std::max<size_t>(2, static_cast<size_t>(std::ceil(share)))) {
        return cat(hanging, " of ", watched_.size(), " threads hang, each for more than its multikill_timeout");
      }
    }
  }
  return std::nullopt;
}

}  // namespace sluice::server
