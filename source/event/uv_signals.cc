#include "event/uv_signals.h"

#include <signal.h>
#include <uv.h>

#include <utility>
#include <vector>

#include "base/check.h"

namespace sluice::event {

struct UvSignals::State {
  State(UvLoop& loop, size_t count, Function<void(int)> callback)
      : loop(loop), handles(count), open(count), on_signal(std::move(callback)) {}

  UvLoop& loop;
  std::vector<uv_signal_t> handles;
  size_t open;
  Function<void(int)> on_signal;
};

UvSignals::UvSignals(UvLoop& loop, std::initializer_list<int> signals, Function<void(int)> on_signal)
    : state_(std::make_unique<State>(loop, signals.size(), std::move(on_signal))) {
  ::signal(SIGPIPE, SIG_IGN);
  auto handle = state_->handles.begin();
  for (const int number : signals) {
    SLUICE_CHECK(uv_signal_init(loop.handle(), &*handle) == 0);
    handle->data = state_.get();
    SLUICE_CHECK(uv_signal_start(
                     &*handle,
                     [](uv_signal_t* h, int signal) { static_cast<State*>(h->data)->on_signal(signal); },
                     number) == 0);
    ++handle;
  }
  loop.uv_changed();
}

UvSignals::~UvSignals() {
  State* state = state_.release();
  state->loop.uv_changed();
  for (uv_signal_t& handle : state->handles) {
    uv_close(reinterpret_cast<uv_handle_t*>(&handle), [](uv_handle_t* h) {
      auto* owner = static_cast<State*>(h->data);
      if (--owner->open == 0) {
        delete owner;
      }
    });
  }
  if (state->handles.empty()) {
    delete state;
  }
}

}  // namespace sluice::event
