// UvFiles: the Files of production.
#pragma once

#include <memory>
#include <string>

#include "event/files.h"
#include "event/uv_append.h"
#include "event/uv_loop.h"
#include "event/uv_watch.h"

namespace sluice::event {

// One for the process. Destroyed before its loop; its destructor writes out what is queued. Thread: main, but
// append_counts() is for any.
class UvFiles final : public Files {
 public:
  static constexpr Duration kFlushInterval = std::chrono::seconds(10);  // Envoy's default
  static constexpr size_t kLargest = size_t{1} << 30;

  explicit UvFiles(UvLoop& loop, Duration flush_interval = kFlushInterval,
                   size_t flush_bytes = AppendWriter::kFlushBytes)
      : watcher_(loop), writer_(flush_interval, flush_bytes) {}

  Result<std::string> read(const std::string& path) override;
  Result<std::vector<DirectoryEntry>> list(const std::string& path) override;
  Result<std::shared_ptr<AppendFile>> open_append(const std::string& path) override { return writer_.open(path); }
  Result<std::unique_ptr<Watch>> watch(const std::string& path, Function<void()> changed) override {
    return watcher_.watch(path, std::move(changed));
  }
  Result<void> replace(const std::string& path, std::string_view content) override;
  AppendCounts append_counts() const override { return writer_.counts(); }

 private:
  PathWatcher watcher_;
  AppendWriter writer_;
};

}  // namespace sluice::event
