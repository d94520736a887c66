// EpollSet: which descriptors of one thread are ready.
#pragma once

#include <sys/epoll.h>

#include <cstdint>

namespace sluice::event {

// Something with a descriptor in the set. Thread: its loop's.
class Pollable {
 public:
  // EPOLL* bits. May remove or destroy any Pollable, itself too.
  virtual void on_events(uint32_t events) = 0;

 protected:
  ~Pollable() = default;
};

// Level-triggered. Closing a descriptor that was not duplicated removes it; only the Pollable must then be forgotten.
// Part of a UvLoop, which waits on it. Thread: its loop's.
class EpollSet {
 public:
  EpollSet();
  ~EpollSet();
  EpollSet(const EpollSet&) = delete;
  EpollSet& operator=(const EpollSet&) = delete;

  // False when the kernel has no room for another (errno says why).
  [[nodiscard]] bool add(int fd, uint32_t events, Pollable& pollable);
  void modify(int fd, uint32_t events, Pollable& pollable);
  void remove(int fd);
  // No call to `pollable` follows, also none for an event that was already fetched. For destructors.
  void forget(const Pollable& pollable);

  // Fetches events; waits for the first one at most so many milliseconds (-1: for ever).
  void wait(int timeout_ms);
  // Tells the fetched ones.
  void dispatch();

 private:
  // How many events one turn takes at most; what remains is fetched in the next turn, after timers and posts.
  static constexpr int kBatch = 256;

  const int epoll_;
  int at_ = 0;  // the batch is events_[at_ .. count_)
  int count_ = 0;
  epoll_event events_[kBatch];
};

}  // namespace sluice::event
