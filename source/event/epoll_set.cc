#include "event/epoll_set.h"

#include <unistd.h>

#include <cerrno>

#include "base/check.h"

namespace sluice::event {

EpollSet::EpollSet() : epoll_(epoll_create1(EPOLL_CLOEXEC)) { SLUICE_CHECK(epoll_ >= 0); }

EpollSet::~EpollSet() { ::close(epoll_); }

bool EpollSet::add(int fd, uint32_t events, Pollable& pollable) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = &pollable;
  return epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) == 0;
}

void EpollSet::modify(int fd, uint32_t events, Pollable& pollable) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = &pollable;
  SLUICE_CHECK(epoll_ctl(epoll_, EPOLL_CTL_MOD, fd, &event) == 0);
}

void EpollSet::remove(int fd) { SLUICE_CHECK(epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr) == 0); }

void EpollSet::forget(const Pollable& pollable) {
  for (int i = at_; i < count_; ++i) {
    if (events_[i].data.ptr == &pollable) {
      events_[i].data.ptr = nullptr;
    }
  }
}

void EpollSet::wait(int timeout_ms) {
  at_ = 0;
  count_ = epoll_wait(epoll_, events_, kBatch, timeout_ms);
  if (count_ < 0) {
    SLUICE_CHECK(errno == EINTR);
    count_ = 0;
  }
}

void EpollSet::dispatch() {
  while (at_ < count_) {
    const epoll_event& event = events_[at_++];
    if (event.data.ptr != nullptr) {
      static_cast<Pollable*>(event.data.ptr)->on_events(event.events);
    }
  }
  at_ = count_ = 0;
}

}  // namespace sluice::event
