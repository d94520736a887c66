#include "filters/http/on_demand/waits.h"

namespace sluice::filters::on_demand {

Wait::~Wait() { waits_.forget(key_, this); }

// Who asks for the same from now on asks anew.
void Wait::on_answer(model::Found found) {
  waits_.forget(key_, this);
  while (Waiter* const waiter = waiters_.pop_front()) {
    waiter->on_answer(found);
  }
}

Waits::Joined Waits::join(Waiter& waiter, const void* of, std::string name) {
  Wait::Key key{of, std::move(name)};
  auto& known = waits_[key];
  std::shared_ptr<Wait> wait = known.second.lock();
  const bool fresh = wait == nullptr;
  if (fresh) {
    wait = std::make_shared<Wait>(*this, std::move(key));
    known = {wait.get(), wait};
  }
  wait->waiters().push_back(waiter);
  return {std::move(wait), fresh};
}

void Waits::forget(const Wait::Key& key, const Wait* wait) {
  if (const auto known = waits_.find(key); known != waits_.end() && known->second.first == wait) {
    waits_.erase(known);
  }
}

}  // namespace sluice::filters::on_demand
