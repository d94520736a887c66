#include "event/uv_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/strings.h"

namespace sluice::event {

Result<std::string> UvFiles::read(const std::string& path) {
  const auto error = [&path](int number) { return Error{cat("cannot read ", path, ": ", std::strerror(number))}; };
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    return error(errno);
  }
  std::string content;
  struct stat info;
  if (fstat(fd, &info) == 0 && info.st_size > 0) {
    if (static_cast<size_t>(info.st_size) > kLargest) {
      ::close(fd);
      return error(EFBIG);
    }
    content.reserve(static_cast<size_t>(info.st_size));
  }
  // The size of a pipe is not known, and that of a file may change: read to the end.
  char part[64 * 1024];
  ssize_t n;
  while ((n = ::read(fd, part, sizeof(part))) != 0) {
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n < 0 || content.size() + static_cast<size_t>(n) > kLargest) {
      const int number = n < 0 ? errno : EFBIG;
      ::close(fd);
      return error(number);
    }
    content.append(part, static_cast<size_t>(n));
  }
  ::close(fd);
  return content;
}

Result<void> UvFiles::replace(const std::string& path, std::string_view content) {
  const std::string fresh = cat(path, ".new");
  const auto error = [&](const char* what) {
    const int number = errno;
    ::unlink(fresh.c_str());
    return Error{cat("cannot ", what, " ", fresh, ": ", std::strerror(number))};
  };
  const int fd = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) {
    return error("open");
  }
  while (!content.empty()) {
    const ssize_t n = ::write(fd, content.data(), content.size());
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n < 0) {
      const Error failed = error("write");
      ::close(fd);
      return failed;
    }
    content.remove_prefix(static_cast<size_t>(n));
  }
  if (::close(fd) != 0) {
    return error("close");
  }
  if (::rename(fresh.c_str(), path.c_str()) != 0) {
    return error("rename");
  }
  return {};
}

Result<std::vector<DirectoryEntry>> UvFiles::list(const std::string& path) {
  DIR* directory = ::opendir(path.c_str());
  if (directory == nullptr) {
    return Error{cat("cannot read ", path, ": ", std::strerror(errno))};
  }
  std::vector<DirectoryEntry> out;
  while (const dirent* entry = ::readdir(directory)) {
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") {
      continue;
    }
    struct stat info;
    const bool known = fstatat(dirfd(directory), entry->d_name, &info, 0) == 0;
    const auto kind = known && S_ISREG(info.st_mode)   ? DirectoryEntry::Kind::kFile
                      : known && S_ISDIR(info.st_mode) ? DirectoryEntry::Kind::kDirectory
                                                       : DirectoryEntry::Kind::kOther;
    out.push_back({kind, std::string(name)});
  }
  ::closedir(directory);
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return out;
}

}  // namespace sluice::event
