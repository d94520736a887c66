#include "proxy/access_log/log_files.h"

namespace sluice::proxy {

Result<std::shared_ptr<event::AppendFile>> LogFiles::open(const std::string& path) {
  if (auto file = open_[path].lock(); file != nullptr) {
    return file;
  }
  auto opened = files_.open_append(path);
  if (opened.ok()) {
    open_[path] = *opened;
  } else {
    open_.erase(path);
  }
  return opened;
}

template <typename F>
void LogFiles::each(F&& f) {
  for (auto at = open_.begin(); at != open_.end();) {
    if (auto file = at->second.lock(); file != nullptr) {
      f(*file);
      ++at;
    } else {
      at = open_.erase(at);
    }
  }
}

void LogFiles::reopen() {
  each([](event::AppendFile& file) { file.reopen(); });
}

void LogFiles::flush() {
  each([](event::AppendFile& file) { file.flush(); });
}

}  // namespace sluice::proxy
