#include "test/player/stage.h"

#include <algorithm>
#include <utility>

namespace sluice::player {

Until::Until(Stage& stage, Condition condition, Condition over, std::optional<Duration> limit)
    : stage_(stage), condition_(condition), over_(over), limit_(limit) {}

Until::~Until() { std::erase(stage_.waiting_, this); }

void Until::await_suspend(std::coroutine_handle<> waiting) {
  waiting_ = waiting;
  stage_.waiting_.push_back(this);
  if (limit_) {
    deadline_ = stage_.world_.now() + *limit_;
    stage_.world_.after(*limit_, [] {});  // so that there is a step at this time
  }
}

Stage::Stage(test::SimWorld& world) : world_(world) {
  world_.after_step([this] { after_step(); });
}

Stage::~Stage() {
  world_.after_step(nullptr);
  clear();
}

void Stage::spawn(Task<void> task) {
  tasks_.push_back(std::move(task));
  tasks_.back().start();
}

Task<void> Stage::outside(Call<void> work) {
  bool done = false;
  world_.after(Duration(0), [&work, &done] {
    work();
    done = true;
  });
  co_await until([&done] { return done; });
}

void Stage::after_step() {
  while (true) {
    const auto next = std::find_if(waiting_.begin(), waiting_.end(),
                                   [this](const Until* one) { return world_.now() >= one->deadline_ || one->holds(); });
    if (next == waiting_.end()) {
      break;
    }
    const std::coroutine_handle<> waiting = (*next)->waiting_;
    waiting_.erase(next);
    waiting.resume();
  }
  std::erase_if(tasks_, [](const Task<void>& task) { return task.done(); });
}

}  // namespace sluice::player
