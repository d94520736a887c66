// UvFiles on a real folder: reading, appending, watching.
#include "event/uv_files.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

namespace sluice::event {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

// A folder of its own for each test. Thread: the test's.
class UvFilesTest : public testing::Test {
 protected:
  UvFilesTest() {
    std::string name = testing::TempDir() + "sluice_files_XXXXXX";
    folder = std::string(mkdtemp(name.data())) + "/";
  }
  ~UvFilesTest() override { fs::remove_all(folder); }

  static void put(const std::string& path, std::string_view text) { std::ofstream(path) << text; }
  static std::string get(const std::string& path) {
    std::ifstream in(path);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  bool run_until(const std::function<bool()>& done, Duration limit = 5s) {
    bool reached = done();
    Timer deadline(loop.timers(), [this] { loop.stop(); });
    loop.at_turn_end([&] {
      if (!reached && done()) {
        reached = true;
        loop.stop();
      }
    });
    if (!reached) {
      deadline.arm(limit);
      loop.run();
    }
    loop.at_turn_end(nullptr);
    return reached;
  }

  std::string folder;
  UvLoop loop;
  UvFiles files{loop, 1h};  // nothing is written by time unless a test says so
};

TEST_F(UvFilesTest, ReadsWholeFilesAndSaysWhyNot) {
  put(folder + "x", std::string(200'000, 'r'));
  EXPECT_EQ(*files.read(folder + "x"), std::string(200'000, 'r'));
  put(folder + "empty", "");
  EXPECT_EQ(*files.read(folder + "empty"), "");
  EXPECT_EQ(files.read(folder + "none").error(), "cannot read " + folder + "none: No such file or directory");
  EXPECT_EQ(files.read(folder).error(), "cannot read " + folder + ": Is a directory");
}

TEST_F(UvFilesTest, RefusesHugeFiles) {
  put(folder + "huge", "");
  ASSERT_EQ(truncate((folder + "huge").c_str(), (off_t{1} << 30) + 1), 0);
  EXPECT_EQ(files.read(folder + "huge").error(), "cannot read " + folder + "huge: File too large");
}

TEST_F(UvFilesTest, AppendsInOrderFromSeveralThreads) {
  put(folder + "log", "before\n");
  auto log = *files.open_append(folder + "log");
  EXPECT_EQ(*files.open_append(folder + "log"), log);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&log, t] {
      for (int i = 0; i < 2000; ++i) {
        EXPECT_TRUE(log->append(std::to_string(t) + " " + std::to_string(i) + "\n"));
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  log->flush();
  std::ifstream in(folder + "log");
  std::string line;
  ASSERT_TRUE(std::getline(in, line) && line == "before");
  int next[4] = {};
  int lines = 0;
  int thread = 0;
  int number = 0;
  while (in >> thread >> number) {
    ++lines;
    EXPECT_EQ(number, next[thread]++);
  }
  EXPECT_EQ(lines, 8000);
  const AppendCounts counts = files.append_counts();
  EXPECT_EQ(counts.appended, 8000u);
  EXPECT_EQ(counts.queued_bytes, 0u);
  EXPECT_EQ(counts.dropped + counts.write_failed, 0u);
  EXPECT_LT(counts.written, 100u);
}

TEST_F(UvFilesTest, WritesBySizeAndByTime) {
  auto log = *files.open_append(folder + "log");
  log->append("short\n");
  EXPECT_FALSE(run_until([&] { return !get(folder + "log").empty(); }, 50ms));
  log->append(std::string(AppendWriter::kFlushBytes, 'x'));
  Timer poll(loop.timers(), [&] { poll.arm(2ms); });
  poll.arm(2ms);
  EXPECT_TRUE(run_until([&] { return get(folder + "log").size() == 6 + AppendWriter::kFlushBytes; }));

  UvFiles quick(loop, 20ms);
  auto timed = *quick.open_append(folder + "timed");
  timed->append("soon\n");
  EXPECT_TRUE(run_until([&] { return get(folder + "timed") == "soon\n"; }));
  EXPECT_TRUE(run_until([&] { return quick.append_counts().flushed_by_timer == 1; }));
}

TEST_F(UvFilesTest, TheEndWritesWhatIsQueued) {
  {
    UvFiles ending(loop, 1h);
    auto kept = *ending.open_append(folder + "kept");
    kept->append("one\n");
    auto dropped = *ending.open_append(folder + "dropped");
    dropped->append("two\n");
    dropped.reset();
    EXPECT_NE(*ending.open_append(folder + "kept"), nullptr);
  }
  EXPECT_EQ(get(folder + "kept"), "one\n");
  EXPECT_EQ(get(folder + "dropped"), "two\n");
}

TEST_F(UvFilesTest, AFileMayOutliveTheWriter) {
  std::shared_ptr<AppendFile> file;
  {
    UvFiles ending(loop, 1h);
    file = *ending.open_append(folder + "late");
  }
  EXPECT_FALSE(file->append("lost"));
}

TEST_F(UvFilesTest, ReopenAfterARotation) {
  auto log = *files.open_append(folder + "log");
  log->append("old\n");
  fs::rename(folder + "log", folder + "log.1");
  log->reopen();
  Timer poll(loop.timers(), [&] { poll.arm(2ms); });
  poll.arm(2ms);
  EXPECT_TRUE(run_until([&] { return fs::exists(folder + "log"); }));  // also without a new line
  log->append("new\n");
  log->flush();
  EXPECT_EQ(get(folder + "log.1"), "old\n");
  EXPECT_EQ(get(folder + "log"), "new\n");
}

TEST_F(UvFilesTest, ReopeningParts) {
  auto log = *files.open_append(folder + "log");
  for (int i = 0; i < 50; ++i) {  // the thread comes to it before the second line or after it
    log->append("before\n");
    fs::rename(folder + "log", folder + "log.1");
    log->reopen();
    log->append("after\n");
    log->flush();
    ASSERT_EQ(get(folder + "log.1"), i == 0 ? "before\n" : "after\nbefore\n");
    ASSERT_EQ(get(folder + "log"), "after\n");
  }
}

TEST_F(UvFilesTest, AFailedReopenKeepsTheOldFile) {
  fs::create_directory(folder + "sub");
  auto log = *files.open_append(folder + "sub/log");
  fs::rename(folder + "sub", folder + "moved");
  log->reopen();
  log->append("still here\n");
  log->flush();
  EXPECT_EQ(get(folder + "moved/log"), "still here\n");
  EXPECT_EQ(files.append_counts().reopen_failed, 1u);
}

TEST_F(UvFilesTest, OpenErrorsNameThePath) {
  EXPECT_EQ(files.open_append(folder + "no/log").error(),
            "cannot open " + folder + "no/log: No such file or directory");
  EXPECT_EQ(files.open_append(folder).error(), "cannot open " + folder + ": Is a directory");
  ASSERT_EQ(mkfifo((folder + "pipe").c_str(), 0600), 0);
  EXPECT_EQ(files.open_append(folder + "pipe").error(),
            "cannot open " + folder + "pipe: No such device or address");  // nobody reads it
}

TEST_F(UvFilesTest, AStuckPipeDropsAndDelaysNobody) {
  ASSERT_EQ(mkfifo((folder + "pipe").c_str(), 0600), 0);
  const int reader = open((folder + "pipe").c_str(), O_RDONLY | O_NONBLOCK);
  auto pipe = *files.open_append(folder + "pipe");
  const std::string line(1 << 20, 'p');
  int taken = 0;
  for (int i = 0; i < 40; ++i) {
    taken += pipe->append(line) ? 1 : 0;
  }
  EXPECT_GE(taken, 16);
  EXPECT_LE(taken, 33);  // two queues: one waits, one is being written
  EXPECT_EQ(files.append_counts().dropped, static_cast<uint64_t>(40 - taken));
  auto other = *files.open_append(folder + "other");
  other->append("goes on\n");
  other->flush();
  EXPECT_EQ(get(folder + "other"), "goes on\n");
  // Once somebody reads, everything comes.
  std::thread reads([&] {
    std::string space(1 << 20, '\0');
    for (size_t seen = 0; seen < static_cast<size_t>(taken) << 20;) {
      const ssize_t n = read(reader, space.data(), space.size());
      seen += n > 0 ? static_cast<size_t>(n) : 0;
    }
  });
  pipe->flush();
  reads.join();
  EXPECT_EQ(files.append_counts().queued_bytes, 0u);
  close(reader);
  // Without a reader the write fails, and the process lives.
  pipe->append("nobody");
  pipe->flush();
  EXPECT_EQ(files.append_counts().write_failed, 1u);
}

TEST_F(UvFilesTest, WatchTellsRenamesOnly) {
  put(folder + "config", "one");
  int changes = 0;
  int others = 0;
  auto watch = *files.watch(folder + "config", [&] { ++changes; });
  auto other = *files.watch(folder + "other", [&] { ++others; });
  put(folder + "config", "rewritten in place");
  put(folder + "unrelated", "x");
  run_until([] { return false; }, 20ms);
  EXPECT_EQ(changes, 0);
  put(folder + "config.new", "two");
  fs::rename(folder + "config.new", folder + "config");
  EXPECT_TRUE(run_until([&] { return changes == 1; }));
  EXPECT_EQ(others, 0);
  watch.reset();
  put(folder + "config.new", "three");
  fs::rename(folder + "config.new", folder + "config");
  fs::rename(folder + "unrelated", folder + "other");
  EXPECT_TRUE(run_until([&] { return others == 1; }));
  EXPECT_EQ(changes, 1);
}

// As the kubelet updates a config map: file -> ..data/file, and ..data is swapped.
TEST_F(UvFilesTest, WatchSeesThroughLinks) {
  fs::create_directory(folder + "v1");
  fs::create_directory(folder + "v2");
  put(folder + "v1/config", "one");
  put(folder + "v2/config", "two!");
  fs::create_symlink("v1", folder + "..data");
  fs::create_symlink("..data/config", folder + "config");
  std::string seen;
  auto watch = *files.watch(folder + "config", [&] { seen = *files.read(folder + "config"); });
  fs::create_symlink("v2", folder + "..data_tmp");
  fs::rename(folder + "..data_tmp", folder + "..data");
  EXPECT_TRUE(run_until([&] { return seen == "two!"; }));
}

TEST_F(UvFilesTest, WatchOfAFolder) {
  int changes = 0;
  std::unique_ptr<Watch> watch;
  watch = *files.watch(folder, [&] {
    ++changes;
    watch.reset();  // a callback may end its watch
  });
  put(folder + "a", "x");
  fs::rename(folder + "a", folder + "b");
  EXPECT_TRUE(run_until([&] { return changes == 1; }));
  fs::rename(folder + "b", folder + "c");
  run_until([] { return false; }, 20ms);
  EXPECT_EQ(changes, 1);
}

TEST_F(UvFilesTest, WatchErrorNamesThePath) {
  EXPECT_EQ(files.watch(folder + "no/config", [] {}).error(),
            "cannot watch " + folder + "no/config: No such file or directory");
}

}  // namespace
}  // namespace sluice::event
