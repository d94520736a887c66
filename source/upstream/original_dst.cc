#include "upstream/original_dst.h"

#include <utility>
#include <vector>

#include "base/hash.h"
#include "base/strings.h"
#include "net/address_text.h"

namespace sluice::upstream {

using stats::ClusterMemberStat;

namespace {
constexpr std::string_view kFilterState = "envoy.network.transport_socket.original_dst_address";
}

OriginalDst::OriginalDst(const model::OriginalDstPlan& plan, std::string_view cluster, event::Loop& loop,
                         stats::Block<ClusterMemberStat> block, Function<void()> on_removed)
    : plan_(plan),
      cluster_(cluster),
      block_(block),
      on_removed_(std::move(on_removed)),
      clean_up_(loop.timers(), [this] { clean_up(); }) {}

OriginalDst::~OriginalDst() { count(-static_cast<int64_t>(hosts_.size())); }

size_t OriginalDst::Hash::operator()(const net::Address& address) const {
  return static_cast<size_t>(xxhash64(address.ip_bytes())) + address.port();
}

void OriginalDst::count(int64_t hosts) {
  for (const ClusterMemberStat gauge : {ClusterMemberStat::kMembershipTotal, ClusterMemberStat::kMembershipHealthy}) {
    hosts < 0 ? block_.sub(gauge, static_cast<uint64_t>(-hosts)) : block_.add(gauge, static_cast<uint64_t>(hosts));
  }
}

// "10.0.0.1:+80" is read as Envoy reads it.
std::optional<net::Address> OriginalDst::parse(std::string_view text) {
  std::string plain(text);
  if (const size_t sign = plain.find(":+"); sign != std::string::npos) plain.erase(sign + 1, 1);
  if (auto address = net::parse_address(plain)) return address;
  block_.inc(ClusterMemberStat::kOriginalDstHostInvalid);
  return std::nullopt;
}

// In Envoy's order: the first that says something that can be read.
std::optional<net::Address> OriginalDst::address(const Wanted& wanted) {
  std::optional<net::Address> found;
  if (wanted.filter_state != nullptr) {
    if (const FilterState::Object* object = wanted.filter_state->find(kFilterState)) found = parse(object->text);
  }
  if (!found && wanted.metadata != nullptr && !plan_.metadata_space.empty()) {
    const Value* value = wanted.metadata->find(plan_.metadata_space, plan_.metadata_path);
    if (value != nullptr && value->as_text() != nullptr) found = parse(*value->as_text());
  }
  if (!found && wanted.request != nullptr && !plan_.header.empty()) {
    if (const std::string_view value = wanted.request->get(plan_.header); value.data() != nullptr) found = parse(value);
  }
  if (!found && wanted.restored != nullptr && wanted.restored->is_ip()) found = *wanted.restored;
  if (found && plan_.port) return found->with_port(*plan_.port);
  return found;
}

Host* OriginalDst::host(const Wanted& wanted) {
  const std::optional<net::Address> to = address(wanted);
  if (!to) return nullptr;
  if (const auto known = hosts_.find(*to); known != hosts_.end()) {
    known->second.used = true;
    return known->second.host.get();
  }
  if (hosts_.size() >= kMaxHosts) return nullptr;
  if (hosts_.empty()) clean_up_.arm(plan_.cleanup_interval);
  Entry entry{std::make_shared<Host>(*to, cat(cluster_, to->to_string()))};
  count(1);
  block_.inc(ClusterMemberStat::kMembershipChange);
  return hosts_.emplace(*to, std::move(entry)).first->second.host.get();
}

void OriginalDst::clean_up() {
  bool removed = false;
  for (auto at = hosts_.begin(); at != hosts_.end();) {
    Entry& entry = at->second;
    const HostState& state = entry.host->state;
    if (std::exchange(entry.used, false) || state.cx_active.load(std::memory_order_relaxed) != 0 ||
        state.rq_active.load(std::memory_order_relaxed) != 0) {
      ++at;
      continue;
    }
    entry.host->removed.store(true, std::memory_order_relaxed);
    at = hosts_.erase(at);
    count(-1);
    removed = true;
  }
  if (removed) {
    block_.inc(ClusterMemberStat::kMembershipChange);
    on_removed_();
  }
  if (!hosts_.empty()) clean_up_.arm(plan_.cleanup_interval);
}

}  // namespace sluice::upstream
