#include "server/admin/admin.h"

#include "server/admin/connection.h"

namespace sluice::server::admin {

Admin::Admin(event::Loop& loop, net::Network& network, net::ListenSocket& socket, AdminSource& source,
             stats::WorkerCells& cells)
    : loop_(loop), network_(network), source_(source), access_log_(source.access_logs(), nullptr) {
  stats::Registry& registry = source.registry();
  constexpr size_t kOwnPart = static_cast<size_t>(stats::HttpStat::kNoCluster);  // the router's stats follow
  http_stats_ = registry.add_block("http.admin.", definitions(stats::HttpStat{}).first(kOwnPart));
  listener_stats_ = registry.add_block<stats::ListenerStat>("listener.admin.");
  http_ = cells.block<stats::HttpStat>(http_stats_);
  listener_ = cells.block<stats::ListenerStat>(listener_stats_);
  codec_options_.accept_http_10 = true;
  codec_options_.default_host_for_http_10 = "admin";
  codec_options_.allow_upgrade = false;
  acceptor_ = network.accept(socket, 0, [this](std::unique_ptr<net::Transport> transport) {
    accepted(std::move(transport));
  });
}

Admin::~Admin() {
  acceptor_.reset();
  while (AdminConnection* connection = connections_.front()) {
    connection->shut();
    delete connection;
  }
  source_.registry().release_block(http_stats_);
  source_.registry().release_block(listener_stats_);
}

void Admin::accepted(std::unique_ptr<net::Transport> transport) {
  connections_.push_back(*new AdminConnection(*this, std::move(transport)));
}

}  // namespace sluice::server::admin
