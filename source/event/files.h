// Files: reading, watching and appending as a seam, so that configuration and logs run in the simulation too.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

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
  // Writes out what is queued and waits for it (a few seconds at most); for tests and the end of the process.
  virtual void flush() = 0;
  // Opens the path anew (after a rotation): the old file gets what was appended before, the new one what comes now.
  virtual void reopen() = 0;
};

// Of all files of a Files since its start. Thread: any.
struct AppendCounts {
  uint64_t appended = 0;          // calls of append()
  uint64_t dropped = 0;           // of them those that found the queue full
  uint64_t written = 0;           // system calls that wrote
  uint64_t write_failed = 0;      // their bytes are lost
  uint64_t reopen_failed = 0;     // the old file stays in use
  uint64_t flushed_by_timer = 0;  // rather than by size
  uint64_t queued_bytes = 0;      // now
};

// Thread: any.
struct DirectoryEntry {
  enum class Kind : uint8_t { kFile, kDirectory, kOther };  // of a link: what it leads to
  Kind kind;
  std::string name;
};

// A watch on a path; destroying it ends it. Thread: its loop's.
class Watch {
 public:
  virtual ~Watch() = default;
};

// Thread: main (read, open, replace, watch); the opened files and append_counts(): any.
class Files {
 public:
  virtual ~Files() = default;
  // The whole file; an error names the path and the reason. Refuses files above 1 GiB.
  virtual Result<std::string> read(const std::string& path) = 0;
  // Without "." and "..", by name.
  virtual Result<std::vector<DirectoryEntry>> list(const std::string& path) = 0;
  // "/dev/stdout" and "/dev/stderr" are the process's own streams. The same path opened twice is one file.
  virtual Result<std::shared_ptr<AppendFile>> open_append(const std::string& path) = 0;
  // Calls `changed` when another file takes the place of `path`: by a rename, or by a change of a symbolic link beside
  // it (as Kubernetes updates a config map). Not when the file is rewritten in place, which nobody could read safely.
  // A path that ends in '/' is a directory: any rename into it counts.
  virtual Result<std::unique_ptr<Watch>> watch(const std::string& path, Function<void()> changed) = 0;
  // Another file takes the place of `path`, in one step: whoever reads it sees the old one or the new one, whole.
  virtual Result<void> replace(const std::string& path, std::string_view content) = 0;
  virtual AppendCounts append_counts() const = 0;
};

}  // namespace sluice::event
