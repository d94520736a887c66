// Waits: the requests of one worker that wait for something on demand.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "base/intrusive_list.h"
#include "model/on_demand.h"

namespace sluice::filters::on_demand {

class Waits;

// A request that waits. Thread: worker.
class Waiter : public IntrusiveNode<Waiter> {
 public:
  // It is in no list any more, and may die inside.
  virtual void on_answer(model::Found found) = 0;

 protected:
  ~Waiter() = default;
};

// One name, and all who wait for it: main is asked once for them, and not told when one of them leaves. Owned by its
// waiters, so it ends with the last. Thread: worker.
class Wait final : public model::Question {
 public:
  // What is asked for, by name.
  using Key = std::pair<const void*, std::string>;

  Wait(Waits& waits, Key key) : waits_(waits), key_(std::move(key)) {}
  ~Wait();

  void on_answer(model::Found found) override;
  IntrusiveList<Waiter, Waiter>& waiters() { return waiters_; }

 private:
  Waits& waits_;
  const Key key_;
  IntrusiveList<Waiter, Waiter> waiters_;
};

// Part of a filter's worker-local state; outlives its waiters. Thread: worker.
class Waits {
 public:
  // The wait for that name; `fresh` when nobody waited for it, so that it is to be asked for.
  struct Joined {
    std::shared_ptr<Wait> wait;
    bool fresh;
  };
  Joined join(Waiter& waiter, const void* of, std::string name);

 private:
  friend class Wait;
  void forget(const Wait::Key& key, const Wait* wait);

  std::map<Wait::Key, std::pair<const Wait*, std::weak_ptr<Wait>>> waits_;
};

}  // namespace sluice::filters::on_demand
