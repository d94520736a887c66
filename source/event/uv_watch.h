// PathWatcher: tells when another file takes the place of a path, by inotify on its directory.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/function.h"
#include "base/result.h"
#include "event/files.h"
#include "event/uv_loop.h"

struct uv_poll_s;

namespace sluice::event {

// One inotify descriptor for all watches of a loop, made at the first watch. Owned by UvFiles; destroyed after its
// watches. (libuv's own file events do not tell a renamed file, which is whole, from one just created, which is
// empty.) Thread: its loop's.
class PathWatcher {
 public:
  explicit PathWatcher(UvLoop& loop) : loop_(loop) {}
  ~PathWatcher();
  PathWatcher(const PathWatcher&) = delete;
  PathWatcher& operator=(const PathWatcher&) = delete;

  Result<std::unique_ptr<Watch>> watch(const std::string& path, Function<void()> changed);

 private:
  struct Entry;
  class Handle;

  Result<void> start();
  void drain();
  void tell(int directory, uint32_t mask, const std::string& name);
  void forget(uint64_t id);

  UvLoop& loop_;
  int inotify_ = -1;
  uv_poll_s* poll_ = nullptr;  // frees itself when libuv has closed it
  std::map<uint64_t, std::shared_ptr<Entry>> entries_;
  uint64_t next_id_ = 0;
};

}  // namespace sluice::event
