// Files: reading, watching and appending as a seam, so that configuration and logs run in the simulation too.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/function.h"
#include "base/result.h"

namespace sluice::event {

// A file that is appended to (an access log). Lines are handed over whole; writing happens elsewhere and never blocks
// the caller. Thread: any.
class AppendFile {
 public:
  virtual ~AppendFile() = default;
  // False when the bytes were dropped (the queue is full because the disk or pipe is stuck).
  virtual bool append(std::string_view bytes) = 0;
  // Writes out what is queued and waits for it; for tests and the end of the process.
  virtual void flush() = 0;
  // Opens the path anew (after a rotation).
  virtual void reopen() = 0;
};

// A watch on a path; destroying it ends it. Thread: its loop's.
class Watch {
 public:
  virtual ~Watch() = default;
};

// Thread: main (read, open, watch); the opened files: any.
class Files {
 public:
  virtual ~Files() = default;
  // The whole file; an error names the path and the reason. Refuses files above 1 GiB.
  virtual Result<std::string> read(const std::string& path) = 0;
  // "/dev/stdout" and "/dev/stderr" are the process's own streams. The same path opened twice is one file.
  virtual Result<std::shared_ptr<AppendFile>> open_append(const std::string& path) = 0;
  virtual Result<std::unique_ptr<Watch>> watch(const std::string& path, Function<void()> changed) = 0;
};

}  // namespace sluice::event
