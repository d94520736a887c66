#include "event/uv_append.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <map>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/log.h"
#include "base/strings.h"

namespace sluice::event {

namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr Duration kRetryStuck = 50ms;    // how soon a pipe without room is tried again
constexpr Duration kLongestFlush = 5s;    // of AppendFile::flush()
constexpr Duration kLongestGoodbye = 1s;  // of the destructor

int open_descriptor(const std::string& path) {
  if (path == "/dev/stdout") {
    return STDOUT_FILENO;
  }
  if (path == "/dev/stderr") {
    return STDERR_FILENO;
  }
  // O_NONBLOCK: a named pipe without a reader is an error here and now, not a process that hangs.
  return ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0644);
}

}  // namespace

// What the thread and all handles share. `mutex` guards everything in it and in its files but the descriptors and
// `writing`, which belong to the thread.
struct AppendWriter::Shared {
  Shared(Duration interval, size_t bytes) : flush_interval(interval), flush_bytes(bytes) {}

  const Duration flush_interval;
  const size_t flush_bytes;
  mutable std::mutex mutex;
  std::condition_variable wake;      // for the thread
  std::condition_variable progress;  // for flush()
  std::map<std::string, std::weak_ptr<Handle>> handles;
  std::vector<std::shared_ptr<File>> files;
  std::thread thread;
  bool ending = false;
  bool urgent = false;  // somebody waits, or a queue is long
  Clock::time_point ends_at;
  AppendCounts counts;

  void start_thread();
  // The thread's; with the lock held.
  void run();
  void wait_for_work(std::unique_lock<std::mutex>& lock, bool stuck);
  void begin_writing(File& file);
  bool serve(std::unique_lock<std::mutex>& lock, File& file);
  bool write_due(std::unique_lock<std::mutex>& lock, File& file);
  bool change_files(std::unique_lock<std::mutex>& lock, File& file);
  Clock::time_point next_due() const;
};

class AppendWriter::File {
 public:
  File(std::string path, int fd) : path_(std::move(path)), fd_(fd) {
    struct stat info;
    own_descriptor_ = fd > STDERR_FILENO;
    regular_ = fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
  }
  ~File() {
    if (own_descriptor_) {
      ::close(fd_);
    }
  }

  // The thread, without the lock.
  bool reopen();
  enum class Outcome : uint8_t { kWritten, kStuck, kFailed };
  Outcome write_some();

  // Guarded by Shared::mutex.
  std::string queue;
  Clock::time_point due;  // of a queue that is not empty
  bool reopen_wanted = false;
  size_t for_old_file = 0;  // of the queue, what was appended before that was wanted
  bool reopening = false;
  bool abandoned = false;  // no handle is left
  uint64_t appended = 0;   // bytes, ever
  uint64_t done = 0;       // of them those that were written or lost

  // The thread's.
  std::string writing;
  size_t written = 0;

 private:
  const std::string path_;
  int fd_;
  bool own_descriptor_;
  bool regular_;
};

bool AppendWriter::File::reopen() {
  if (!own_descriptor_) {
    return true;
  }
  const int fd = open_descriptor(path_);
  if (fd < 0) {
    SLUICE_LOG(kWarning, kFile, "cannot reopen ", path_, ": ", std::strerror(errno));
    return false;
  }
  ::close(fd_);
  fd_ = fd;
  return true;
}

// One system call. A regular file takes all; whatever else may be shared with others and so be blocking: it is asked
// first and given no more than a pipe is sure to take.
AppendWriter::File::Outcome AppendWriter::File::write_some() {
  size_t bytes = writing.size() - written;
  if (!regular_) {
    pollfd ready{fd_, POLLOUT, 0};
    if (poll(&ready, 1, 0) == 0) {
      return Outcome::kStuck;
    }
    bytes = std::min<size_t>(bytes, PIPE_BUF);
  }
  const ssize_t n = ::write(fd_, writing.data() + written, bytes);
  if (n >= 0) {
    written += static_cast<size_t>(n);
    return Outcome::kWritten;
  }
  if (errno == EAGAIN || errno == EINTR) {
    return Outcome::kStuck;
  }
  return Outcome::kFailed;
}

// What a user holds; the file lives on until its queue is written. Thread: any.
class AppendWriter::Handle final : public AppendFile {
 public:
  Handle(std::shared_ptr<Shared> shared, std::shared_ptr<File> file)
      : shared_(std::move(shared)), file_(std::move(file)) {}
  ~Handle() override {
    std::lock_guard lock(shared_->mutex);
    file_->abandoned = true;
    shared_->urgent = true;
    shared_->wake.notify_one();
  }

  bool append(std::string_view bytes) override {
    std::lock_guard lock(shared_->mutex);
    ++shared_->counts.appended;
    if (shared_->ending || file_->queue.size() + bytes.size() > kQueueBytes) {
      ++shared_->counts.dropped;
      return false;
    }
    const bool was_empty = file_->queue.empty();
    const bool was_short = file_->queue.size() < shared_->flush_bytes;
    file_->queue += bytes;
    file_->appended += bytes.size();
    shared_->counts.queued_bytes += bytes.size();
    if (was_empty) {
      file_->due = Clock::now() + shared_->flush_interval;
    }
    const bool is_long = was_short && file_->queue.size() >= shared_->flush_bytes;
    shared_->urgent |= is_long;
    if (was_empty || is_long) {
      shared_->wake.notify_one();
    }
    return true;
  }

  void flush() override {
    std::unique_lock lock(shared_->mutex);
    const uint64_t wanted = file_->appended;
    file_->due = Clock::now();
    shared_->urgent = true;
    shared_->wake.notify_one();
    shared_->progress.wait_for(lock, kLongestFlush,
                               [&] { return file_->done >= wanted && !file_->reopen_wanted && !file_->reopening; });
  }

  void reopen() override {
    std::lock_guard lock(shared_->mutex);
    file_->reopen_wanted = true;
    file_->for_old_file = file_->queue.size();
    shared_->urgent = true;
    shared_->wake.notify_one();
  }

 private:
  const std::shared_ptr<Shared> shared_;
  const std::shared_ptr<File> file_;
};

AppendWriter::AppendWriter(Duration flush_interval, size_t flush_bytes)
    : shared_(std::make_shared<Shared>(flush_interval, flush_bytes)) {}

AppendWriter::~AppendWriter() {
  std::unique_lock lock(shared_->mutex);
  shared_->ending = true;
  shared_->ends_at = Clock::now() + kLongestGoodbye;
  shared_->wake.notify_one();
  lock.unlock();
  if (shared_->thread.joinable()) {
    shared_->thread.join();
  }
}

Result<std::shared_ptr<AppendFile>> AppendWriter::open(const std::string& path) {
  std::lock_guard lock(shared_->mutex);
  std::weak_ptr<Handle>& known = shared_->handles[path];
  if (std::shared_ptr<Handle> handle = known.lock()) {
    return std::shared_ptr<AppendFile>(std::move(handle));
  }
  const int fd = open_descriptor(path);
  if (fd < 0) {
    return Error{cat("cannot open ", path, ": ", std::strerror(errno))};
  }
  auto file = std::make_shared<File>(path, fd);
  auto handle = std::make_shared<Handle>(shared_, file);
  known = handle;
  shared_->files.push_back(std::move(file));
  shared_->start_thread();
  return std::shared_ptr<AppendFile>(std::move(handle));
}

AppendCounts AppendWriter::counts() const {
  std::lock_guard lock(shared_->mutex);
  return shared_->counts;
}

// At the first file only. All signals stay with the other threads; SIGPIPE becomes an error of write().
void AppendWriter::Shared::start_thread() {
  if (thread.joinable()) {
    return;
  }
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread = std::thread([this] { run(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

// When the thread has something to do; max() when not before it is woken.
Clock::time_point AppendWriter::Shared::next_due() const {
  Clock::time_point due = Clock::time_point::max();
  for (const auto& file : files) {
    if (!file->queue.empty()) {
      due = std::min(due, file->due);
    }
  }
  return due;
}

void AppendWriter::Shared::wait_for_work(std::unique_lock<std::mutex>& lock, bool stuck) {
  const Clock::time_point retry = stuck ? Clock::now() + kRetryStuck : Clock::time_point::max();
  if (stuck && ending) {
    wake.wait_until(lock, std::min(retry, ends_at));
    return;
  }
  while (!ending && !urgent) {
    const Clock::time_point due = std::min(next_due(), retry);
    if (due == Clock::time_point::max()) {
      wake.wait(lock);
    } else if (wake.wait_until(lock, due) == std::cv_status::timeout) {
      return;
    }
  }
}

// Takes the queue when it is time, unless the last one is not yet written; when the file is to be reopened, only what
// is for the old one.
void AppendWriter::Shared::begin_writing(File& file) {
  if (file.written < file.writing.size() || file.queue.empty() || (file.reopen_wanted && file.for_old_file == 0)) {
    return;
  }
  const bool due = file.due <= Clock::now();
  if (due || ending || file.reopen_wanted || file.abandoned || file.queue.size() >= flush_bytes) {
    counts.flushed_by_timer += due ? 1 : 0;
    if (file.writing.capacity() > 4 * kFlushBytes) {
      std::string().swap(file.writing);  // after a jam; an assignment would keep the memory
    }
    file.writing.clear();
    file.written = 0;
    if (file.reopen_wanted) {
      file.writing.assign(file.queue, 0, file.for_old_file);
      file.queue.erase(0, std::exchange(file.for_old_file, 0));
    } else {
      file.writing.swap(file.queue);
    }
  }
}

// Writes what is due of one file, and reopens it when that is wanted; false when it is stuck.
bool AppendWriter::Shared::serve(std::unique_lock<std::mutex>& lock, File& file) {
  do {
    if (!write_due(lock, file)) {
      return false;
    }
  } while (change_files(lock, file));
  return true;
}

// False when it is stuck.
bool AppendWriter::Shared::write_due(std::unique_lock<std::mutex>& lock, File& file) {
  begin_writing(file);
  const size_t before = file.written;
  uint64_t calls = 0;
  auto outcome = File::Outcome::kWritten;
  lock.unlock();
  while (file.written < file.writing.size() && outcome == File::Outcome::kWritten) {
    outcome = file.write_some();
    calls += outcome == File::Outcome::kWritten ? 1 : 0;
  }
  lock.lock();
  if (outcome == File::Outcome::kFailed) {
    ++counts.write_failed;
    file.written = file.writing.size();
  }
  counts.written += calls;
  counts.queued_bytes -= file.written - before;
  file.done += file.written - before;
  progress.notify_all();
  return file.written == file.writing.size();
}

// Once all that is for the old file is written. True when something is left to do: more for that one, or for the new
// one.
bool AppendWriter::Shared::change_files(std::unique_lock<std::mutex>& lock, File& file) {
  if (!file.reopen_wanted || file.for_old_file > 0) {
    return file.reopen_wanted;
  }
  file.reopen_wanted = false;
  file.reopening = true;
  lock.unlock();
  const bool reopened = file.reopen();
  lock.lock();
  file.reopening = false;
  counts.reopen_failed += reopened ? 0 : 1;
  progress.notify_all();
  return true;
}

void AppendWriter::Shared::run() {
  std::unique_lock lock(mutex);
  bool stuck = false;
  while (true) {
    wait_for_work(lock, stuck);
    urgent = false;
    stuck = false;
    const bool last = ending;
    const std::vector<std::shared_ptr<File>> all = files;
    for (const auto& file : all) {
      stuck |= !serve(lock, *file);
    }
    std::erase_if(files, [](const auto& file) {
      return file->abandoned && file->queue.empty() && file->written == file->writing.size();
    });
    if (last && (!stuck || Clock::now() >= ends_at)) {
      return;
    }
  }
}

}  // namespace sluice::event
