// AppendWriter: files that are appended to from any thread and written by one thread of their own.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "event/files.h"

namespace sluice::event {

// Callers append to a queue under a short lock. The thread writes a file's queue when it holds 64 KiB, or when the
// flush interval has passed since its first byte. A queue holds at most 16 MiB; beyond that bytes are dropped and
// counted. A pipe that nobody reads delays no other file. Owned by the UvFiles of the process; files may outlive it
// and then drop what they get. Thread: any.
class AppendWriter {
 public:
  static constexpr size_t kFlushBytes = 64 * 1024;
  static constexpr size_t kQueueBytes = 16 * 1024 * 1024;

  explicit AppendWriter(Duration flush_interval, size_t flush_bytes = kFlushBytes);
  // Writes out everything (waiting for a stuck pipe no longer than a second) and ends the thread.
  ~AppendWriter();
  AppendWriter(const AppendWriter&) = delete;
  AppendWriter& operator=(const AppendWriter&) = delete;

  Result<std::shared_ptr<AppendFile>> open(const std::string& path);
  AppendCounts counts() const;

 private:
  class File;
  class Handle;
  struct Shared;
  std::shared_ptr<Shared> shared_;
};

}  // namespace sluice::event
