// DirectoryWatch: tells that something in some folders changed.
#pragma once

#include <string>
#include <vector>

#include "base/function.h"
#include "base/result.h"
#include "event/uv_loop.h"

namespace sluice::control_plane {

// Every kind of change counts, also a file that was written in place and one that was taken away (event::Files tells
// only of files that take another's place). Several may be told as one. Owned by main. Thread: main.
class DirectoryWatch final : private event::Pollable {
 public:
  DirectoryWatch(event::UvLoop& loop, Function<void()> changed) : loop_(loop), changed_(std::move(changed)) {}
  ~DirectoryWatch();

  // Also these from now on.
  Result<void> add(const std::vector<std::string>& folders);

 private:
  void on_events(uint32_t) override;

  event::UvLoop& loop_;
  Function<void()> changed_;
  int inotify_ = -1;
};

}  // namespace sluice::control_plane
