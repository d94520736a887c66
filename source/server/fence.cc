#include "server/fence.h"

#include <algorithm>
#include <utility>

namespace sluice::server {

void Fence::workers_run() { passed_by_.assign(workers_.size(), raised_); }

void Fence::raise() {
  if (passed_by_.empty()) {
    return;
  }
  ++raised_;
  for (size_t i = 0; i < workers_.size(); ++i) {
    workers_[i]->loop().post([this, &main = main_, alive = std::weak_ptr(alive_), i, number = raised_] {
      main.post([this, alive, i, number] {
        if (!alive.expired()) {
          pass(i, number);
        }
      });
    });
  }
}

void Fence::behind(Function<void()> work) {
  if (is_down() && waiting_.empty()) {
    work();
  } else {
    waiting_.push_back({raised_, std::move(work)});
  }
}

void Fence::when_taken(Function<void()> work) {
  if (passed_by_.empty()) {
    return;
  }
  struct Taking {
    size_t left;  // Thread: main.
    Function<void()> work;
  };
  behind([this, taking = std::make_shared<Taking>(workers_.size(), std::move(work))] {
    for (const auto& worker : workers_) {
      worker->loop().post([&main = main_, alive = std::weak_ptr(alive_), taking]() mutable {
        main.post([alive = std::move(alive), taking = std::move(taking)] {
          if (!alive.expired() && --taking->left == 0) {
            taking->work();
          }
        });
      });
    }
  });
}

// What runs here may raise it again, and put more behind.
void Fence::pass(size_t worker, uint64_t number) {
  passed_by_[worker] = number;
  passed_ = *std::min_element(passed_by_.begin(), passed_by_.end());
  while (!waiting_.empty() && waiting_.front().after <= passed_) {
    Waiting first = std::move(waiting_.front());
    waiting_.pop_front();
    first.work();
  }
  if (is_down() && on_down_) {
    on_down_();
  }
}

}  // namespace sluice::server
