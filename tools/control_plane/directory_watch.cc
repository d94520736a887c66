#include "tools/control_plane/directory_watch.h"

#include <sys/epoll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/strings.h"

namespace sluice::control_plane {

DirectoryWatch::~DirectoryWatch() {
  if (inotify_ >= 0) {
    loop_.epoll_set().forget(*this);
    ::close(inotify_);
  }
}

Result<void> DirectoryWatch::add(const std::vector<std::string>& folders) {
  if (inotify_ < 0) {
    inotify_ = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (inotify_ < 0 || !loop_.epoll_set().add(inotify_, EPOLLIN, *this)) {
      return Error{cat("cannot watch files: ", std::strerror(errno))};
    }
  }
  for (const std::string& folder : folders) {
    constexpr uint32_t kChanges = IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ONLYDIR;
    if (inotify_add_watch(inotify_, folder.c_str(), kChanges) < 0) {
      return Error{cat("cannot watch ", folder, ": ", std::strerror(errno))};
    }
  }
  return {};
}

void DirectoryWatch::on_events(uint32_t) {
  char buffer[16384];
  while (::read(inotify_, buffer, sizeof(buffer)) > 0) {
  }
  changed_();
}

}  // namespace sluice::control_plane
