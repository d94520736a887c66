#include "server/server_stats.h"

#include "base/log.h"
#include "base/strings.h"
#include "server/admin/process_memory.h"

namespace sluice::server {

using stats::FilesystemStat;
using stats::RuntimeStat;
using stats::ServerStat;
using stats::WatchdogStat;

namespace {

// Counters grow by what is new: they may have been reset in between.
template <typename Stat>
void grow(stats::Block<Stat>& block, Stat stat, uint64_t now, uint64_t& told) {
  block.add(stat, now - told);
  told = now;
}

}  // namespace

ServerStats::ServerStats(stats::Registry& registry, stats::WorkerCells& cells) : registry_(registry), cells_(cells) {
  const auto watchdogs = [&](std::string_view prefix) {
    return cells_.block<WatchdogStat>(registry_.add_block<WatchdogStat>(prefix));
  };
  server_ = cells_.block<ServerStat>(registry_.add_block<ServerStat>("server."));
  files_ = cells_.block<FilesystemStat>(registry_.add_block<FilesystemStat>("filesystem."));
  runtime_ = cells_.block<RuntimeStat>(registry_.add_block<RuntimeStat>("runtime."));
  main_thread_ = watchdogs("main_thread.");
  workers_ = watchdogs("workers.");
}

void ServerStats::watch(std::string_view name, const event::Loop& loop) {
  auto own = cells_.block<WatchdogStat>(registry_.add_block<WatchdogStat>(cat("server.", name, ".")));
  dogs_.push_back({std::string(name), &loop, own, name == "main_thread" ? main_thread_ : workers_});
}

void ServerStats::started(uint32_t concurrency, Duration took, uint64_t version) {
  server_.set(ServerStat::kVersion, version);
  set_live(true);
  server_.set(ServerStat::kConcurrency, concurrency);
  server_.record(ServerStat::kInitializationTimeMs, static_cast<uint64_t>(to_ms(took)));
}

void ServerStats::set_live(bool live) { server_.set(ServerStat::kLive, live ? 1 : 0); }

void ServerStats::refresh(const Now& now) {
  const admin::ProcessMemory memory = admin::process_memory();
  server_.set(ServerStat::kUptime, static_cast<uint64_t>(now.uptime_s));
  server_.set(ServerStat::kState, now.state);
  server_.set(ServerStat::kTotalConnections, now.connections);
  server_.set(ServerStat::kDaysUntilFirstCertExpiring, now.certificate_days);
  server_.set(ServerStat::kSecondsUntilFirstOcspResponseExpiring, now.ocsp_seconds);
  server_.set(ServerStat::kMemoryAllocated, memory.allocated);
  server_.set(ServerStat::kMemoryHeapSize, memory.heap);
  server_.set(ServerStat::kMemoryPhysicalSize, memory.physical);
  refresh_files(now.files);
  look_after_threads(now.time);
}

void ServerStats::look_after_threads(MonotonicTime now) {
  for (Dog& dog : dogs_) {
    look_after(dog, now);
  }
}

void ServerStats::refresh_runtime(const runtime::Layers& layers) {
  const runtime::Layers::Counts& counts = layers.counts();
  grow(runtime_, RuntimeStat::kLoadSuccess, counts.success, runtime_told_.success);
  grow(runtime_, RuntimeStat::kLoadError, counts.error, runtime_told_.error);
  grow(runtime_, RuntimeStat::kOverrideDirExists, counts.override_exists, runtime_told_.override_exists);
  grow(runtime_, RuntimeStat::kOverrideDirNotExists, counts.override_absent, runtime_told_.override_absent);
  runtime_.set(RuntimeStat::kNumKeys, layers.keys());
  runtime_.set(RuntimeStat::kNumLayers, layers.names().size());
  runtime_.set(RuntimeStat::kAdminOverridesActive, layers.overridden() ? 1 : 0);
}

// Lines that found a full queue count as failed writes: their bytes are lost just the same.
void ServerStats::refresh_files(const event::AppendCounts& files) {
  uint64_t failed_told = files_told_.write_failed + files_told_.dropped;
  grow(files_, FilesystemStat::kWriteBuffered, files.appended, files_told_.appended);
  grow(files_, FilesystemStat::kWriteCompleted, files.written, files_told_.written);
  grow(files_, FilesystemStat::kWriteFailed, files.write_failed + files.dropped, failed_told);
  grow(files_, FilesystemStat::kReopenFailed, files.reopen_failed, files_told_.reopen_failed);
  grow(files_, FilesystemStat::kFlushedByTimer, files.flushed_by_timer, files_told_.flushed_by_timer);
  files_.set(FilesystemStat::kWriteTotalBuffered, files.queued_bytes);
  files_told_ = files;
}

void ServerStats::look_after(Dog& dog, MonotonicTime now) {
  const event::SlowTurns& turns = dog.loop->slow_turns();
  const uint64_t misses = turns.misses.load(std::memory_order_relaxed);
  const uint64_t mega_misses = turns.mega_misses.load(std::memory_order_relaxed);
  dog.group.add(WatchdogStat::kWatchdogMiss, misses - dog.misses);
  dog.group.add(WatchdogStat::kWatchdogMegaMiss, mega_misses - dog.mega_misses);
  grow(dog.own, WatchdogStat::kWatchdogMiss, misses, dog.misses);
  grow(dog.own, WatchdogStat::kWatchdogMegaMiss, mega_misses, dog.mega_misses);
  // A turn that does not end is not counted by its loop; it is told once.
  const int64_t began = turns.turn_began.load(std::memory_order_relaxed);
  if (began != 0 && began != dog.stuck_turn && turns.mega_miss > Duration::zero() &&
      now - MonotonicTime{began} >= turns.mega_miss) {
    dog.stuck_turn = began;
    SLUICE_LOG(kCritical, kMain, dog.name, " has been busy with one turn of its loop for ",
               to_ms(now - MonotonicTime{began}), " ms");
  }
}

}  // namespace sluice::server
