#include "xds/load_reporter.h"

#include <algorithm>
#include <atomic>
#include <tuple>
#include <utility>

#include "base/log.h"
#include "envoy/service/load_stats/v3/lrs.pb.h"

namespace sluice::xds {
namespace {

using envoy::config::endpoint::v3::ClusterStats;
using envoy::config::endpoint::v3::UpstreamLocalityStats;
using envoy::service::load_stats::v3::LoadStatsRequest;
using envoy::service::load_stats::v3::LoadStatsResponse;
using stats::ClusterStat;
using stats::LoadReporterStat;

constexpr std::string_view kPath = "/envoy.service.load_stats.v3.LoadReportingService/StreamLoadStats";
constexpr std::string_view kFeature = "envoy.lrs.supports_send_all_clusters";
constexpr int64_t kLongestInterval = 24 * 3600;  // seconds

void set_duration(Duration from, google::protobuf::Duration& to) {
  const int64_t us = std::chrono::duration_cast<std::chrono::microseconds>(from).count();
  to.set_seconds(us / 1'000'000);
  to.set_nanos(static_cast<int32_t>(us % 1'000'000 * 1000));
}

void set_address(const net::Address& from, envoy::config::core::v3::Address& to) {
  if (!from.is_ip()) {
    to.mutable_pipe()->set_path(from.to_string());
    return;
  }
  to.mutable_socket_address()->set_address(from.ip_to_string());
  to.mutable_socket_address()->set_port_value(from.port());
}

// What came to a counter of others since it was `before`.
uint64_t since(const std::atomic<uint64_t>& counter, uint64_t& before) {
  const uint64_t now = counter.load(std::memory_order_relaxed);
  return now - std::exchange(before, now);
}

}  // namespace

LoadReporter::LoadReporter(const LoadReporterSeams& seams, std::string_view node, std::vector<RequestField> metadata,
                           Function<Clusters()> clusters)
    : seams_(seams),
      metadata_(std::move(metadata)),
      clusters_(std::move(clusters)),
      stats_(seams.registry.add_block<LoadReporterStat>("load_reporter.")),
      block_(seams.cells.block<LoadReporterStat>(stats_)),
      period_(seams.loop.timers(), [this] { report(); }),
      retry_(seams.loop.timers(), [this] {
        block_.inc(LoadReporterStat::kRetries);
        open();
      }) {
  envoy::config::core::v3::Node ours;
  ours.ParseFromArray(node.data(), static_cast<int>(node.size()));
  ours.add_client_features(std::string(kFeature));
  node_ = ours.SerializeAsString();
}

LoadReporter::~LoadReporter() { seams_.registry.release_block(stats_); }

void LoadReporter::start() { open(); }

void LoadReporter::open() {
  stream_ = seams_.transport.open_stream(kPath, metadata_, static_cast<AdsStreamOwner&>(*this));
  report();
}

void LoadReporter::on_message(std::string_view message) {
  LoadStatsResponse response;
  if (message.size() > INT32_MAX || !response.ParseFromArray(message.data(), static_cast<int>(message.size()))) {
    on_end(13, "what came is no LoadStatsResponse");
    return;
  }
  block_.inc(LoadReporterStat::kRequests);
  asked_ = true;
  wanted_ = {};
  wanted_.everything = response.send_all_clusters();
  wanted_.clusters.insert(response.clusters().begin(), response.clusters().end());
  wanted_.endpoints = response.report_endpoint_granularity();
  const auto& interval = response.load_reporting_interval();
  wanted_.interval = std::max<Duration>(
      std::chrono::seconds(std::clamp<int64_t>(interval.seconds(), 0, kLongestInterval)) +
          std::chrono::nanoseconds(std::clamp(interval.nanos(), 0, 999'999'999)),
      kShortestInterval);
  begin_period();
}

void LoadReporter::on_end(int grpc_status, std::string_view message) {
  SLUICE_LOG(kWarning, kConfig, "load reports: the stream ended: ", grpc_status, ", ", message, "; the next one in ",
             to_ms(kRetryDelay), " ms");
  period_.cancel();
  stream_.reset();
  if (grpc_status != 0) {
    block_.inc(LoadReporterStat::kErrors);
  }
  retry_.arm(kRetryDelay);
}

// A cluster that was told of before goes on; of a new one counts what comes from now on.
void LoadReporter::begin_period() {
  const auto before = std::exchange(told_, {});
  for (const auto& cluster : clusters_()) {
    const std::string& name = cluster->plan->name;
    if (!wanted_.everything && !wanted_.clusters.contains(name)) {
      continue;
    }
    if (const auto known = before.find(name); known != before.end()) {
      told_.insert(*known);
      continue;
    }
    told_[name] = {seams_.loop.now(), dropped(*cluster)};
    if (cluster->hosts() != nullptr) {
      for (const auto& host : cluster->hosts()->hosts) {
        take(*host);
      }
    }
  }
  period_.arm(wanted_.interval);
}

void LoadReporter::report() {
  LoadStatsRequest request;
  request.mutable_node()->ParseFromString(node_);
  for (const auto& cluster : clusters_()) {
    if (const auto told = told_.find(cluster->plan->name); told != told_.end()) {
      describe(*cluster, told->second, *request.add_cluster_stats());
    }
  }
  stream_->send(request.SerializeAsString());
  block_.inc(LoadReporterStat::kResponses);
  if (asked_) {
    begin_period();
  }
}

void LoadReporter::describe(const upstream::ClusterShared& cluster, Told& told, ClusterStats& out) {
  out.set_cluster_name(cluster.plan->name);
  out.set_cluster_service_name(cluster.plan->eds->service_name);
  struct Place {
    UpstreamLocalityStats stats;
    Counts counts;
  };
  std::map<std::tuple<uint32_t, std::string, std::string, std::string>, Place> places;
  const upstream::HostSetPtr& hosts = cluster.hosts();
  for (size_t i = 0; hosts != nullptr && i < hosts->hosts.size(); ++i) {
    upstream::Host& host = *hosts->hosts[i];
    const model::LocalityPlan& at = *host.place;
    Place& place = places[{at.priority, at.locality.region, at.locality.zone, at.locality.sub_zone}];
    const Counts counts = take(host);
    place.counts.success += counts.success;
    place.counts.error += counts.error;
    place.counts.active += counts.active;
    place.counts.issued += counts.issued;
    if (wanted_.endpoints && (counts.success + counts.error + counts.active + counts.issued) > 0) {
      auto& endpoint = *place.stats.add_upstream_endpoint_stats();
      set_address(host.address(), *endpoint.mutable_address());
      endpoint.set_total_successful_requests(counts.success);
      endpoint.set_total_error_requests(counts.error);
      endpoint.set_total_requests_in_progress(counts.active);
      endpoint.set_total_issued_requests(counts.issued);
    }
  }
  for (auto& [key, place] : places) {
    if (place.counts.issued == 0 && place.counts.active == 0) {
      continue;
    }
    auto& locality = *place.stats.mutable_locality();
    uint32_t priority = 0;
    std::tie(priority, *locality.mutable_region(), *locality.mutable_zone(), *locality.mutable_sub_zone()) = key;
    place.stats.set_priority(priority);
    place.stats.set_total_successful_requests(place.counts.success);
    place.stats.set_total_error_requests(place.counts.error);
    place.stats.set_total_requests_in_progress(place.counts.active);
    place.stats.set_total_issued_requests(place.counts.issued);
    *out.add_upstream_locality_stats() = std::move(place.stats);
  }
  const uint64_t now_dropped = dropped(cluster);
  const uint64_t before = std::exchange(told.dropped, now_dropped);
  // Fewer than before: the counters began anew.
  out.set_total_dropped_requests(now_dropped >= before ? now_dropped - before : now_dropped);
  const MonotonicTime now = seams_.loop.now();
  set_duration(now - std::exchange(told.at, now), *out.mutable_load_report_interval());
}

LoadReporter::Counts LoadReporter::take(upstream::Host& host) {
  Counts out;
  upstream::Host::Reported& reported = host.reported.edit();
  out.success = since(host.state.rq_success, reported.success);
  out.error = since(host.state.rq_error, reported.error);
  out.issued = since(host.state.rq_total, reported.total);
  out.active = host.state.rq_active.load(std::memory_order_relaxed);
  return out;
}

// What no host was asked for: refused by circuit breakers, or by the cluster's maintenance mode.
uint64_t LoadReporter::dropped(const upstream::ClusterShared& cluster) const {
  uint64_t out = 0;
  for (const ClusterStat stat : {ClusterStat::kUpstreamRqPendingOverflow, ClusterStat::kUpstreamRqActiveOverflow,
                                 ClusterStat::kUpstreamRqMaintenanceMode}) {
    out += seams_.registry.value(cluster.stats, stat);
  }
  return out;
}

}  // namespace sluice::xds
