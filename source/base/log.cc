#include "base/log.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cstring>
#include <mutex>

#include "base/log_format.h"

namespace sluice::log {

namespace internal {
std::atomic<Level> levels[static_cast<int>(Component::kCount)] = {
    Level::kInfo, Level::kInfo, Level::kInfo, Level::kInfo, Level::kInfo, Level::kInfo, Level::kInfo,
    Level::kInfo, Level::kInfo, Level::kInfo, Level::kInfo, Level::kInfo, Level::kInfo};
}

namespace {

constexpr std::string_view kLevels[] = {"trace", "debug", "info", "warning", "error", "critical", "off"};
constexpr std::string_view kComponents[] = {"admin", "client", "config", "connection", "file",   "filter",  "http",
                                            "listener", "main", "pool", "router",     "runtime", "upstream"};
static_assert(std::size(kComponents) == static_cast<size_t>(Component::kCount));

std::mutex sink_mutex;
std::string sink_path;
int sink_fd = STDERR_FILENO;

}  // namespace

std::string_view name_of(Level level) { return kLevels[static_cast<int>(level)]; }
std::string_view name_of(Component component) { return kComponents[static_cast<int>(component)]; }

Result<Level> parse_level(std::string_view text) {
  if (text == "warn") {
    return Level::kWarning;
  }
  for (size_t i = 0; i < std::size(kLevels); ++i) {
    if (kLevels[i] == text) {
      return static_cast<Level>(i);
    }
  }
  return Error{cat("unknown log level '", text, "'; one of trace, debug, info, warning, error, critical, off")};
}

void set_level(Level level) {
  for (auto& one : internal::levels) {
    one.store(level, std::memory_order_relaxed);
  }
}
void set_level(Component component, Level level) {
  internal::levels[static_cast<int>(component)].store(level, std::memory_order_relaxed);
}
Level level_of(Component component) {
  return internal::levels[static_cast<int>(component)].load(std::memory_order_relaxed);
}

Result<void> open_file(const std::string& path) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd < 0) {
    return Error{cat("cannot open log file ", path, ": ", std::strerror(errno))};
  }
  std::lock_guard lock(sink_mutex);
  if (sink_fd != STDERR_FILENO) {
    close(sink_fd);
  }
  sink_path = path;
  sink_fd = fd;
  return {};
}

void reopen_file() {
  std::string path;
  {
    std::lock_guard lock(sink_mutex);
    path = sink_path;
  }
  if (!path.empty()) {
    (void)open_file(path).ok();
  }
}

void internal::write_line(Level level, Component component, std::string_view text) {
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  const std::string line =
      cat(format_line({level, component, text, now, syscall(SYS_gettid), getpid()}), "\n");
  std::lock_guard lock(sink_mutex);
  // A log that cannot be written must not stop the proxy.
  [[maybe_unused]] ssize_t n = ::write(sink_fd, line.data(), line.size());
}

}  // namespace sluice::log
