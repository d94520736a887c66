// Admin: the HTTP server for the people and tools that run the proxy. On the main thread, over the same codec as the
// data plane, so that it runs in the simulation too.
#pragma once

#include <memory>

#include "base/arena.h"
#include "base/intrusive_list.h"
#include "base/owner.h"
#include "buffer/slab.h"
#include "event/loop.h"
#include "http/codec.h"
#include "http/date.h"
#include "net/network.h"
#include "proxy/access_log/access_log.h"
#include "server/admin/admin_source.h"
#include "stats/names_http.h"
#include "stats/names_listener.h"
#include "stats/registry.h"

namespace sluice::server::admin {

class AdminConnection;

// Where connections take their memory; shared with them, because the last one may end after the Admin. Thread: main.
struct AdminPools {
  Owner arena_owner{"admin arenas"};
  Owner slab_owner{"admin slabs"};
  ChunkPool chunks{arena_owner};
  buffer::SlabPool slabs{slab_owner};
};

// Accepts from its construction on; destroying it closes all of its connections. Pages are in page.h. Thread: main.
class Admin {
 public:
  // `socket` was bound for one worker. `cells` are the main thread's.
  Admin(event::Loop& loop, net::Network& network, net::ListenSocket& socket, AdminSource& source,
        stats::WorkerCells& cells);
  ~Admin();
  Admin(const Admin&) = delete;
  Admin& operator=(const Admin&) = delete;

 private:
  friend class AdminConnection;

  void accepted(std::unique_ptr<net::Transport> transport);

  event::Loop& loop_;
  net::Network& network_;
  AdminSource& source_;
  stats::BlockId http_stats_;
  stats::BlockId listener_stats_;
  stats::Block<stats::HttpStat> http_;          // "http.admin."; without the router's part
  stats::Block<stats::ListenerStat> listener_;  // "listener.admin."
  http::CodecOptions codec_options_;
  http::DateText date_;
  proxy::AccessLog access_log_;
  std::shared_ptr<AdminPools> pools_ = std::make_shared<AdminPools>();
  IntrusiveList<AdminConnection, Admin> connections_;
  std::unique_ptr<net::Acceptor> acceptor_;
};

}  // namespace sluice::server::admin
