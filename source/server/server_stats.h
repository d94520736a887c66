// ServerStats: the stats of the process itself: "server.", "filesystem.", "runtime.", and the watchdogs' of every
// thread.
#pragma once

#include <vector>

#include "base/time.h"
#include "event/files.h"
#include "event/loop.h"
#include "runtime/layers.h"
#include "stats/names_server.h"
#include "stats/registry.h"

namespace sluice::server {

// Their values are gathered when somebody asks; a watchdog costs a worker nothing but the clock that it reads anyway.
// Owned by the Server. Thread: main.
class ServerStats {
 public:
  // `cells` are the main thread's; the registry and the loops outlive this.
  ServerStats(stats::Registry& registry, stats::WorkerCells& cells);

  // A thread to watch: "main_thread", "worker_0" ...
  void watch(std::string_view name, const event::Loop& loop);
  void stop_watching() { dogs_.clear(); }
  // The server serves; it took so long to get there. `version`: of stats_server_version_override.
  void started(uint32_t concurrency, Duration took, uint64_t version);

  // What a refresh tells, beside what can be read off the process.
  struct Now {
    MonotonicTime time;
    int64_t uptime_s;
    uint64_t state;
    uint64_t connections;  // downstream, of all listeners
    event::AppendCounts files;
    uint64_t certificate_days = UINT32_MAX;  // until the first one ends; as Envoy's, when there is none
    uint64_t ocsp_seconds = 0;               // until the first OCSP response does
  };
  // Whether health checks of others shall pass: server.live.
  void set_live(bool live);
  void refresh(const Now& now);
  // Counts long turns of the watched loops, and tells of one that does not end.
  void look_after_threads(MonotonicTime now);
  void refresh_runtime(const runtime::Layers& layers);
  // Of resources that came while the process ran.
  void count_unknown_fields(size_t fields) { server_.add(stats::ServerStat::kDynamicUnknownFields, fields); }

 private:
  struct Dog {
    std::string name;
    const event::Loop* loop;
    stats::Block<stats::WatchdogStat> own;
    stats::Block<stats::WatchdogStat> group;  // of all workers, or of the main thread
    uint64_t misses = 0, mega_misses = 0;     // told so far
    int64_t stuck_turn = 0;                   // a turn that was logged as stuck
  };
  void look_after(Dog& dog, MonotonicTime now);
  void refresh_files(const event::AppendCounts& files);

  stats::Registry& registry_;
  stats::WorkerCells& cells_;
  stats::Block<stats::ServerStat> server_;
  stats::Block<stats::FilesystemStat> files_;
  stats::Block<stats::WatchdogStat> main_thread_;
  stats::Block<stats::WatchdogStat> workers_;
  stats::Block<stats::RuntimeStat> runtime_;
  event::AppendCounts files_told_;
  runtime::Layers::Counts runtime_told_;
  std::vector<Dog> dogs_;
};

}  // namespace sluice::server
