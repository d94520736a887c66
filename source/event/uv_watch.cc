#include "event/uv_watch.h"

#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/strings.h"

namespace sluice::event {

namespace {

// What tells one content of a path from another: the file behind all links, and its last change.
struct Identity {
  dev_t device = 0;
  ino_t inode = 0;  // 0: there is no file
  int64_t seconds = 0;
  int64_t nanoseconds = 0;
  off_t size = 0;

  bool same_file(const Identity& other) const { return device == other.device && inode == other.inode; }
  friend bool operator==(const Identity&, const Identity&) = default;
};

Identity identity_of(const std::string& path) {
  struct stat info;
  if (stat(path.c_str(), &info) != 0) {
    return {};
  }
  return {info.st_dev, info.st_ino, info.st_mtim.tv_sec, info.st_mtim.tv_nsec, info.st_size};
}

bool is_link(const std::string& path) {
  struct stat info;
  return lstat(path.c_str(), &info) == 0 && S_ISLNK(info.st_mode);
}

}  // namespace

struct PathWatcher::Entry {
  int directory;  // inotify's number; several entries may have one
  std::string folder;
  std::string name;  // empty: any
  Identity identity;
  Function<void()> changed;

  bool is_news(const std::string& renamed);
};

// A rename of another name is news only when it led our path to another file (a link beside it was swapped). Several
// events of one change are told once.
bool PathWatcher::Entry::is_news(const std::string& renamed) {
  const Identity now = identity_of(folder + name);
  if (now.inode == 0 || now == identity || (renamed != name && now.same_file(identity))) {
    return false;
  }
  identity = now;
  return true;
}

class PathWatcher::Handle final : public Watch {
 public:
  Handle(PathWatcher& watcher, uint64_t id) : watcher_(watcher), id_(id) {}
  ~Handle() override { watcher_.forget(id_); }

 private:
  PathWatcher& watcher_;
  const uint64_t id_;
};

PathWatcher::~PathWatcher() {
  SLUICE_CHECK(entries_.empty());
  if (poll_ != nullptr) {
    uv_close(reinterpret_cast<uv_handle_t*>(poll_),
             [](uv_handle_t* handle) { delete reinterpret_cast<uv_poll_t*>(handle); });
    ::close(inotify_);
    loop_.uv_changed();
  }
}

Result<void> PathWatcher::start() {
  if (inotify_ >= 0) {
    return {};
  }
  inotify_ = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (inotify_ < 0) {
    return Error{cat("cannot watch files: ", std::strerror(errno))};
  }
  poll_ = new uv_poll_t;
  SLUICE_CHECK(uv_poll_init(loop_.handle(), poll_, inotify_) == 0);
  poll_->data = this;
  SLUICE_CHECK(uv_poll_start(poll_, UV_READABLE, [](uv_poll_t* handle, int, int) {
                 static_cast<PathWatcher*>(handle->data)->drain();
               }) == 0);
  loop_.uv_changed();
  return {};
}

Result<std::unique_ptr<Watch>> PathWatcher::watch(const std::string& path, Function<void()> changed) {
  if (Result<void> started = start(); !started) {
    return Error{started.error()};
  }
  const size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "./" : path.substr(0, slash + 1);
  const std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
  const int directory = inotify_add_watch(inotify_, folder.c_str(), IN_MOVED_TO | IN_CREATE | IN_ONLYDIR);
  if (directory < 0) {
    return Error{cat("cannot watch ", path, ": ", std::strerror(errno))};
  }
  const uint64_t id = next_id_++;
  entries_[id] = std::make_shared<Entry>(
      Entry{directory, folder, name, name.empty() ? Identity() : identity_of(path), std::move(changed)});
  return std::unique_ptr<Watch>(std::make_unique<Handle>(*this, id));
}

void PathWatcher::forget(uint64_t id) {
  const int directory = entries_.at(id)->directory;
  entries_.erase(id);
  if (std::none_of(entries_.begin(), entries_.end(),
                   [directory](const auto& entry) { return entry.second->directory == directory; })) {
    inotify_rm_watch(inotify_, directory);  // fails when the directory is gone, which is as good
  }
}

void PathWatcher::drain() {
  alignas(inotify_event) char buffer[4096];
  while (true) {
    const ssize_t n = ::read(inotify_, buffer, sizeof(buffer));
    if (n <= 0) {
      return;
    }
    for (ssize_t at = 0; at < n;) {
      const auto* event = reinterpret_cast<const inotify_event*>(buffer + at);
      at += static_cast<ssize_t>(sizeof(*event) + event->len);
      tell(event->wd, event->mask, event->len > 0 ? event->name : "");
    }
  }
}

// A callback may add and end watches.
void PathWatcher::tell(int directory, uint32_t mask, const std::string& name) {
  std::vector<uint64_t> ids;
  for (const auto& [id, entry] : entries_) {
    if (entry->directory == directory || (mask & IN_Q_OVERFLOW) != 0) {
      ids.push_back(id);
    }
  }
  for (const uint64_t id : ids) {
    const auto found = entries_.find(id);
    if (found == entries_.end()) {
      continue;
    }
    const std::shared_ptr<Entry> entry = found->second;
    // A new file is empty yet; a new link is all that it will be.
    if ((mask & IN_CREATE) != 0 && !is_link(entry->folder + name)) {
      continue;
    }
    if (entry->name.empty() || entry->is_news(name)) {
      entry->changed();
    }
  }
}

}  // namespace sluice::event
