// UvPoller: which descriptors of one thread are ready: an epoll set of our own, which libuv polls as one descriptor
// (docs/decisions/0002-epoll-or-uv-poll.md).
#pragma once

#include <sys/epoll.h>

#include <cstdint>

#include "event/uv_loop.h"

struct uv_poll_s;

namespace sluice::net {

// Something with a descriptor in the set. Thread: its loop's.
class Pollable {
 public:
  // EPOLL* bits. May remove or destroy any Pollable, itself too.
  virtual void on_events(uint32_t events) = 0;

 protected:
  ~Pollable() = default;
};

// Level-triggered. Closing a descriptor that was not duplicated removes it; only the Pollable must then be forgotten.
// One for each UvNetwork; destroyed before the loop. Thread: its loop's.
class UvPoller {
 public:
  explicit UvPoller(event::UvLoop& loop);
  ~UvPoller();
  UvPoller(const UvPoller&) = delete;
  UvPoller& operator=(const UvPoller&) = delete;

  // False when the kernel has no room for another (errno says why).
  [[nodiscard]] bool add(int fd, uint32_t events, Pollable& pollable);
  void modify(int fd, uint32_t events, Pollable& pollable);
  void remove(int fd);
  // No call to `pollable` follows, also none for an event that was already fetched. For destructors.
  void forget(const Pollable& pollable);

 private:
  // How many events one turn takes at most; what remains is reported in the next turn, after timers and posts.
  static constexpr int kBatch = 256;

  void dispatch();

  event::UvLoop& loop_;
  int epoll_;
  uv_poll_s* poll_;  // frees itself when libuv has closed it
  int at_ = 0;       // the batch is events_[at_ .. count_)
  int count_ = 0;
  epoll_event events_[kBatch];
};

}  // namespace sluice::net
