// OriginalDst: the hosts of an ORIGINAL_DST cluster: one for each address that a client's connection was for, made when
// the first request goes there.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/intro/arch_overview/upstream/service_discovery#original-destination
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "base/filter_state.h"
#include "base/function.h"
#include "event/loop.h"
#include "http/message.h"
#include "model/cluster_plan.h"
#include "stats/names_cluster.h"
#include "upstream/host.h"

namespace sluice::upstream {

// Where a client wanted to go, and what may say otherwise. Null pointers: there is none.
struct Wanted {
  const FilterState* filter_state = nullptr;  // envoy.network.transport_socket.original_dst_address
  const Metadata* metadata = nullptr;         // dynamic
  const http::RequestHeaders* request = nullptr;
  const net::Address* restored = nullptr;  // the connection's local address, when a listener filter found it out
};

// A worker's hosts of one cluster; each worker has its own, so their counts in /clusters are of none. What nobody used
// for a whole cleanup_interval, and no connection leads to, is forgotten. Thread: worker.
class OriginalDst {
 public:
  // More addresses than this are not served: with use_http_header it is the client who makes hosts.
  static constexpr size_t kMaxHosts = 65'536;

  // `on_removed`: hosts are marked as removed, their pools may go.
  OriginalDst(const model::OriginalDstPlan& plan, std::string_view cluster, event::Loop& loop,
              stats::Block<stats::ClusterMemberStat> block, Function<void()> on_removed);
  ~OriginalDst();
  OriginalDst(const OriginalDst&) = delete;
  OriginalDst& operator=(const OriginalDst&) = delete;

  // Null: nothing says where to go.
  Host* host(const Wanted& wanted);

 private:
  struct Entry {
    std::shared_ptr<Host> host;
    bool used = true;  // since the last clean-up
  };
  struct Hash {
    size_t operator()(const net::Address& address) const;
  };

  std::optional<net::Address> address(const Wanted& wanted);
  std::optional<net::Address> parse(std::string_view text);
  void count(int64_t hosts);
  void clean_up();

  const model::OriginalDstPlan& plan_;
  const std::string_view cluster_;
  stats::Block<stats::ClusterMemberStat> block_;
  Function<void()> on_removed_;
  std::unordered_map<net::Address, Entry, Hash> hosts_;
  event::Timer clean_up_;
};

}  // namespace sluice::upstream
