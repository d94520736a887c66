#include "test/support/sim_files.h"

#include <algorithm>

#include "base/check.h"
#include "base/strings.h"

namespace sluice::test {

// Keeps everything; what a reopened path got before stays readable, as after a rotation.
class SimFiles::Appender final : public event::AppendFile {
 public:
  Appender(SimFiles& files, std::string path) : files_(files), path_(std::move(path)) {}
  bool append(std::string_view bytes) override {
    ++files_.counts_.appended;
    if (files_.broken_.contains(path_)) {
      ++files_.counts_.dropped;
      return false;
    }
    if (!replaced) {
      all_ += bytes;
    }
    files_.loop_.world().trace("append", bytes.size());
    return true;
  }
  void flush() override {}
  void reopen() override {
    if (std::exchange(replaced, false)) {
      all_ = *files_.content_.at(path_);
    }
  }
  const std::string& all() const { return all_; }
  // Another file has the name: what is appended goes to one that nobody sees any more.
  bool replaced = false;

 private:
  SimFiles& files_;
  const std::string path_;
  std::string all_;
};

class SimFiles::Watcher final : public event::Watch {
 public:
  Watcher(SimFiles& files, std::string path, Function<void()> changed)
      : files_(files),
        path_(std::move(path)),
        changed_(std::move(changed)),
        soon_(files.loop_.timers(), [this] { changed_(); }) {
    files_.watchers_.push_back(this);
  }
  ~Watcher() override { std::erase(files_.watchers_, this); }
  const std::string& path() const { return path_; }
  void tell() { soon_.arm(Duration(0)); }

 private:
  SimFiles& files_;
  const std::string path_;
  Function<void()> changed_;
  event::Timer soon_;  // several changes may be told as one
};

SimFiles::~SimFiles() { SLUICE_CHECK(watchers_.empty()); }

Result<std::string> SimFiles::read(const std::string& path) {
  if (const auto broken = broken_.find(path); broken != broken_.end()) {
    return Error{cat("cannot read ", path, ": ", broken->second)};
  }
  const auto found = content_.find(path);
  if (found == content_.end()) {
    return Error{cat("cannot read ", path, ": No such file or directory")};
  }
  if (found->second->size() > kLargest) {
    return Error{cat("cannot read ", path, ": File too large")};
  }
  return *found->second;
}

Result<std::vector<event::DirectoryEntry>> SimFiles::list(const std::string& path) {
  const std::string below = cat(path, "/");
  std::map<std::string, event::DirectoryEntry::Kind> found;
  for (const auto& [name, content] : content_) {
    if (!name.starts_with(below)) {
      continue;
    }
    const std::string rest = name.substr(below.size());
    const size_t slash = rest.find('/');
    found[rest.substr(0, slash)] =
        slash == std::string::npos ? event::DirectoryEntry::Kind::kFile : event::DirectoryEntry::Kind::kDirectory;
  }
  if (found.empty()) {
    return Error{cat("cannot read ", path, ": No such file or directory")};
  }
  std::vector<event::DirectoryEntry> out;
  for (const auto& [name, kind] : found) {
    out.push_back({kind, name});
  }
  return out;
}

Result<std::shared_ptr<event::AppendFile>> SimFiles::open_append(const std::string& path) {
  if (const auto broken = broken_.find(path); broken != broken_.end()) {
    return Error{cat("cannot open ", path, ": ", broken->second)};
  }
  std::shared_ptr<Appender>& file = appenders_[path];
  if (file == nullptr) {
    file = std::make_shared<Appender>(*this, path);
  }
  return std::shared_ptr<event::AppendFile>(file);
}

Result<std::unique_ptr<event::Watch>> SimFiles::watch(const std::string& path, Function<void()> changed) {
  return std::unique_ptr<event::Watch>(std::make_unique<Watcher>(*this, path, std::move(changed)));
}

Result<void> SimFiles::replace(const std::string& path, std::string_view content) {
  if (const auto broken = broken_.find(path); broken != broken_.end()) {
    return Error{cat("cannot write ", path, ": ", broken->second)};
  }
  write(path, std::string(content));
  return {};
}

void SimFiles::tell(const std::string& path) {
  for (Watcher* watcher : watchers_) {
    const std::string& watched = watcher->path();
    if (watched == path || (watched.ends_with('/') && path.starts_with(watched))) {
      watcher->tell();
    }
  }
}

void SimFiles::write(const std::string& path, std::string content) {
  content_[path] = std::make_shared<std::string>(std::move(content));
  if (const auto appender = appenders_.find(path); appender != appenders_.end()) {
    appender->second->replaced = true;
  }
  tell(path);
}

void SimFiles::remove(const std::string& path) {
  content_.erase(path);
  tell(path);
}

void SimFiles::fail(const std::string& path, std::string reason) {
  if (reason.empty()) {
    broken_.erase(path);
  } else {
    broken_[path] = std::move(reason);
  }
}

std::string SimFiles::appended(const std::string& path) const {
  const auto found = appenders_.find(path);
  if (found == appenders_.end()) {
    return {};
  }
  return found->second->replaced ? *content_.at(path) : found->second->all();
}

std::vector<std::string> SimFiles::lines(const std::string& path) const {
  const std::string all = appended(path);
  std::vector<std::string> out;
  for (const std::string_view line : split(all, '\n')) {
    out.emplace_back(line);
  }
  if (!out.empty() && out.back().empty()) {
    out.pop_back();
  }
  return out;
}

}  // namespace sluice::test
