// SimFiles: files in memory, whose changes are told to watches, and whose appended lines can be read.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "event/files.h"
#include "test/support/sim_loop.h"

namespace sluice::test {

// The files of one host. Destroyed before its loop. Thread: the simulation's.
class SimFiles final : public event::Files {
 public:
  static constexpr size_t kLargest = size_t{1} << 30;

  explicit SimFiles(SimLoop& loop) : loop_(loop) {}
  ~SimFiles() override;

  Result<std::string> read(const std::string& path) override;
  Result<std::vector<event::DirectoryEntry>> list(const std::string& path) override;
  Result<std::shared_ptr<event::AppendFile>> open_append(const std::string& path) override;
  Result<std::unique_ptr<event::Watch>> watch(const std::string& path, Function<void()> changed) override;
  Result<void> replace(const std::string& path, std::string_view content) override;
  event::AppendCounts append_counts() const override { return counts_; }

  // For tests: what a user or a config map does to the files. Watches are told in a later turn.
  void write(const std::string& path, std::string content);
  void remove(const std::string& path);
  // Reading, opening or appending this path fails from now on (an empty reason: works again).
  void fail(const std::string& path, std::string reason);
  // What was appended to the path; after write() to it what that wrote, and after a reopen what came behind.
  std::string appended(const std::string& path) const;
  std::vector<std::string> lines(const std::string& path) const;

 private:
  class Appender;
  class Watcher;

  void tell(const std::string& path);

  SimLoop& loop_;
  std::map<std::string, std::shared_ptr<std::string>> content_;
  std::map<std::string, std::string> broken_;
  std::map<std::string, std::shared_ptr<Appender>> appenders_;
  std::vector<Watcher*> watchers_;
  event::AppendCounts counts_;
};

}  // namespace sluice::test
