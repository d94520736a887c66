#include "net/uv_poller.h"

#include <unistd.h>
#include <uv.h>

#include <cerrno>

#include "base/check.h"

namespace sluice::net {

UvPoller::UvPoller(event::UvLoop& loop) : loop_(loop), epoll_(epoll_create1(EPOLL_CLOEXEC)), poll_(new uv_poll_t) {
  SLUICE_CHECK(epoll_ >= 0);
  SLUICE_CHECK(uv_poll_init(loop.handle(), poll_, epoll_) == 0);
  poll_->data = this;
  SLUICE_CHECK(uv_poll_start(poll_, UV_READABLE, [](uv_poll_t* handle, int, int) {
                 static_cast<UvPoller*>(handle->data)->dispatch();
               }) == 0);
}

UvPoller::~UvPoller() {
  uv_close(reinterpret_cast<uv_handle_t*>(poll_),
           [](uv_handle_t* handle) { delete reinterpret_cast<uv_poll_t*>(handle); });
  ::close(epoll_);
}

bool UvPoller::add(int fd, uint32_t events, Pollable& pollable) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = &pollable;
  return epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) == 0;
}

void UvPoller::modify(int fd, uint32_t events, Pollable& pollable) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = &pollable;
  SLUICE_CHECK(epoll_ctl(epoll_, EPOLL_CTL_MOD, fd, &event) == 0);
}

void UvPoller::remove(int fd) { SLUICE_CHECK(epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr) == 0); }

void UvPoller::forget(const Pollable& pollable) {
  for (int i = at_; i < count_; ++i) {
    if (events_[i].data.ptr == &pollable) {
      events_[i].data.ptr = nullptr;
    }
  }
}

void UvPoller::dispatch() {
  loop_.begin_turn();
  count_ = epoll_wait(epoll_, events_, kBatch, 0);
  for (at_ = 0; at_ < count_;) {
    const epoll_event& event = events_[at_++];
    if (event.data.ptr != nullptr) {
      static_cast<Pollable*>(event.data.ptr)->on_events(event.events);
    }
  }
  at_ = count_ = 0;
}

}  // namespace sluice::net
