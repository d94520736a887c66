// The command line, and how many CPUs there are.
#include "server/options.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace sluice::server {
namespace {

Options parsed(const std::vector<std::string>& arguments) {
  Result<Options> options = parse_options(arguments);
  EXPECT_TRUE(options.ok()) << (options.ok() ? "" : options.error());
  return options.ok() ? *options : Options();
}

TEST(Options, DrainFlags) {
  const Options defaults = parsed({});
  EXPECT_EQ(defaults.drain_time, std::chrono::seconds(600));
  EXPECT_EQ(defaults.drain_strategy, "gradual");
  EXPECT_EQ(defaults.parent_shutdown_time, std::chrono::seconds(900));
  const Options options = parsed({"--drain-time-s", "45", "--drain-strategy=immediate"});
  EXPECT_EQ(options.drain_time, std::chrono::seconds(45));
  EXPECT_EQ(options.drain_strategy, "immediate");
  EXPECT_FALSE(parse_options({"--drain-strategy", "slowly"}).ok());
}

// What pilot-agent gives to a sidecar's proxy.
TEST(Options, TheCommandLineOfAMesh) {
  const Options options =
      parsed({"-c", "etc/istio/proxy/envoy-rev.json", "--drain-time-s", "45", "--drain-strategy", "immediate",
              "--local-address-ip-version", "v4", "--file-flush-interval-msec", "1000", "--disable-hot-restart",
              "--allow-unknown-static-fields", "-l", "warning", "--component-log-level", "misc:error",
              "--skip-deprecated-logs", "--concurrency", "1"});
  EXPECT_TRUE(options.allow_unknown_static_fields);
  EXPECT_EQ(options.concurrency, 1u);
  EXPECT_EQ(options.file_flush_interval, std::chrono::seconds(1));
  EXPECT_TRUE(options.component_levels.empty());
}

TEST(Options, OddOnes) {
  EXPECT_EQ(parsed({"--stats-tag", "a:b", "--stats-tag", "c:d:e"}).stats_tags.size(), 2u);
  EXPECT_FALSE(parse_options({"--stats-tag", "a:b", "--stats-tag", "a:c"}).ok());
  EXPECT_FALSE(parse_options({"--stats-tag", "a:b.c"}).ok());
  EXPECT_FALSE(parse_options({"--stats-tag", "a:"}).ok());
  EXPECT_FALSE(parse_options({"--stats-tag", "a_b:c"}).ok());
  EXPECT_FALSE(parse_options({"--local-address-ip-version", "v5"}).ok());
  EXPECT_FALSE(parse_options({"--component-log-level", "nonsense:error"}).ok());
  EXPECT_TRUE(parse_options({"--restart-epoch", "1", "--", "anything"}).ok());
  EXPECT_EQ(parse_options({"--disable-extensions", "x"}).error().rfind("not supported", 0), 0u);
  EXPECT_NE(parse_options({"--concurency", "1"}).error().find("--concurrency"), std::string::npos);
}

// A tree as under /sys/fs/cgroup.
class Quota : public testing::Test {
 protected:
  Quota() : root_(std::filesystem::temp_directory_path() / ("quota_test." + std::to_string(getpid()))) {}
  ~Quota() override { std::filesystem::remove_all(root_); }
  void write(const std::string& path, const std::string& text) {
    std::filesystem::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }
  uint32_t cpus(std::string_view groups) { return quota_cpus(root_.string(), groups); }
  std::filesystem::path root_;
};

TEST_F(Quota, NoneIsNoLimit) {
  EXPECT_EQ(cpus("0::/"), UINT32_MAX);
  write("cpu.max", "max 100000\n");
  EXPECT_EQ(cpus("0::/"), UINT32_MAX);
  EXPECT_EQ(cpus(""), UINT32_MAX);
  EXPECT_EQ(cpus("nonsense\n:\n"), UINT32_MAX);
}

TEST_F(Quota, IsRoundedUp) {
  write("cpu.max", "150000 100000\n");
  EXPECT_EQ(cpus("0::/"), 2u);
  write("cpu.max", "20000 100000\n");
  EXPECT_EQ(cpus("0::/"), 1u);
}

TEST_F(Quota, TheSmallestOnTheWayUpCounts) {
  write("cpu.max", "800000 100000\n");
  write("pods/cpu.max", "300000 100000\n");
  write("pods/one/cpu.max", "max 100000\n");
  EXPECT_EQ(cpus("0::/pods/one\n"), 3u);
  EXPECT_EQ(cpus("0::/elsewhere/we/cannot/see"), 8u);
}

TEST_F(Quota, VersionOne) {
  write("cpu,cpuacct/cpu.cfs_quota_us", "-1\n");
  write("cpu,cpuacct/cpu.cfs_period_us", "100000\n");
  write("cpu,cpuacct/docker/x/cpu.cfs_quota_us", "250000\n");
  write("cpu,cpuacct/docker/x/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(cpus("9:memory:/docker/x\n4:cpu,cpuacct:/docker/x\n0::/"), 3u);
  EXPECT_EQ(cpus("4:cpu,cpuacct:/"), UINT32_MAX);
}

TEST(AvailableCpus, AtLeastOne) { EXPECT_GE(available_cpus(), 1u); }

}  // namespace
}  // namespace sluice::server
