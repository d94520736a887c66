#include "server/main_upstream.h"

namespace sluice::server {

MainUpstream::MainUpstream(Platform& platform, stats::Registry& registry, stats::WorkerCells& cells)
    : local_{platform.main_loop(),
             platform.main_network(),
             platform.random(),
             chunks_,
             slabs_,
             flushes_,
             registry,
             cells} {
  local_.loop.at_turn_end([this] { flushes_.flush_turn(); });
}

MainUpstream::~MainUpstream() { local_.loop.at_turn_end(nullptr); }

}  // namespace sluice::server
