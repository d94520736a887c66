#include "filters/network/tcp_proxy/tcp_proxy.h"

#include <algorithm>

#include "base/strings.h"
#include "filters/network/tcp_proxy/relay.h"

namespace sluice::filters::tcp_proxy {

TcpServer::TcpServer(std::shared_ptr<const Plan> plan, const proxy::ProxyLocal& proxy,
                     const proxy::ListenerFacts& listener)
    : ByteServer(proxy, listener), plan_(std::move(plan)), access_log_(plan_->access_logs, proxy.log_sinks) {
  std::string prefix = cat("tcp.", plan_->stat_prefix, ".");
  std::replace(prefix.begin(), prefix.end(), ':', '_');  // as in every name out of the configuration
  stats_ = proxy.local.registry.add_block<TcpStat>(prefix);
  block_ = proxy.local.cells.block<TcpStat>(stats_);
}

TcpServer::~TcpServer() {
  close_all();
  proxy().local.registry.release_block(stats_);
}

void TcpServer::serve(std::unique_ptr<net::Transport> transport, proxy::AcceptedPtr accepted) {
  run(new Relay(*this, std::move(transport), std::move(accepted)));
}

}  // namespace sluice::filters::tcp_proxy
