// LogFiles: the open files of all access logs.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/result.h"
#include "event/files.h"

namespace sluice::proxy {

// One for each server. A file stays open as long as some configuration writes to it. Thread: main.
class LogFiles {
 public:
  explicit LogFiles(event::Files& files) : files_(files) {}

  // The same path gives the same file. Errors name the path and the reason.
  Result<std::shared_ptr<event::AppendFile>> open(const std::string& path);
  // After a rotation (SIGUSR1, /reopen_logs).
  void reopen();
  // Writes out what is queued; at the end of the process.
  void flush();

 private:
  template <typename F>
  void each(F&& f);

  event::Files& files_;
  std::map<std::string, std::weak_ptr<event::AppendFile>> open_;
};

}  // namespace sluice::proxy
