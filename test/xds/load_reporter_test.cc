// Load reports: what is told, when, and what comes after the end of a stream.
#include "xds/load_reporter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/strings.h"
#include "envoy/service/load_stats/v3/lrs.pb.h"
#include "test/support/sim_loop.h"
#include "test/support/sim_world.h"
#include "test/xds/rig/fake_transport.h"

namespace sluice::xds {
namespace {

using namespace std::chrono_literals;
using envoy::service::load_stats::v3::LoadStatsRequest;
using envoy::service::load_stats::v3::LoadStatsResponse;
using testing::ElementsAre;
using testing::IsEmpty;
using upstream::HostState;

class LoadReports : public testing::Test {
 protected:
  LoadReports() {
    add("a", {{"r1", 0}, {"r1", 0}, {"r2", 1}});
    add("b", {{"", 0}});
    envoy::config::core::v3::Node node;
    node.set_id("me");
    reporter_ = std::make_unique<LoadReporter>(LoadReporterSeams{loop_, transport_, registry_, cells_},
                                               node.SerializeAsString(), std::vector<RequestField>{},
                                               [this] { return clusters_; });
    reporter_->start();
  }

  // One host for each region and priority.
  void add(const std::string& name, const std::vector<std::pair<std::string, uint32_t>>& places) {
    auto plan = std::make_shared<model::ClusterPlan>();
    plan->name = name;
    plan->eds.edit().service_name = name == "a" ? "svc" : "";
    auto assignment = std::make_shared<model::AssignmentPlan>();
    for (const auto& [region, priority] : places) {
      model::LocalityPlan& at = assignment->localities.emplace_back();
      at.locality.region = region;
      at.priority = priority;
      at.endpoints.emplace_back().address =
          *net::Address::from_ip("10.0.0.9", static_cast<uint16_t>(9000 + assignment->localities.size()));
    }
    plan->assignment = assignment;
    clusters_.push_back(std::make_shared<upstream::ClusterShared>(plan, registry_, cells_));
  }
  HostState& host(size_t cluster, size_t i) { return clusters_[cluster]->hosts()->hosts[i]->state; }
  // A request that ended with an answer.
  void serve(size_t cluster, size_t i, int times = 1) {
    for (int k = 0; k < times; ++k) {
      HostState::inc(host(cluster, i).rq_total);
      HostState::inc(host(cluster, i).rq_success);
    }
  }
  test::FakeTransport::Stream& stream() { return *transport_.streams.back(); }
  void want(const std::vector<std::string>& names, Duration interval, bool all = false, bool endpoints = false) {
    LoadStatsResponse response;
    for (const std::string& name : names) {
      response.add_clusters(name);
    }
    response.set_send_all_clusters(all);
    response.set_report_endpoint_granularity(endpoints);
    response.mutable_load_reporting_interval()->set_seconds(interval / 1s);
    response.mutable_load_reporting_interval()->set_nanos(static_cast<int32_t>(interval.count() % 1'000'000'000));
    stream().owner->on_message(response.SerializeAsString());
  }
  // "a(svc) 2s dropped=1: r1/0 ok=2 err=0 now=1 issued=3", for each cluster of each report since the last call.
  std::vector<std::string> reports() {
    std::vector<std::string> out;
    for (const std::string& sent : std::exchange(stream().sent, {})) {
      LoadStatsRequest request;
      EXPECT_TRUE(request.ParseFromString(sent));
      EXPECT_EQ(request.node().id(), "me");
      EXPECT_THAT(request.node().client_features(), ElementsAre("envoy.lrs.supports_send_all_clusters"));
      if (request.cluster_stats().empty()) {
        out.emplace_back("nothing");
      }
      for (const auto& cluster : request.cluster_stats()) {
        std::string& text = out.emplace_back(
            cat(cluster.cluster_name(), "(", cluster.cluster_service_name(), ") ",
                cluster.load_report_interval().seconds(), "s dropped=", cluster.total_dropped_requests()));
        for (const auto& at : cluster.upstream_locality_stats()) {
          append(text, ": ", at.locality().region(), "/", at.priority(), " ok=", at.total_successful_requests(),
                 " err=", at.total_error_requests(), " now=", at.total_requests_in_progress(),
                 " issued=", at.total_issued_requests());
          for (const auto& endpoint : at.upstream_endpoint_stats()) {
            append(text, " [", endpoint.address().socket_address().address(), ":",
                   endpoint.address().socket_address().port_value(), " ", endpoint.total_issued_requests(), "]");
          }
        }
      }
    }
    return out;
  }
  uint64_t stat(std::string_view name) { return *registry_.value(cat("load_reporter.", name)); }

  test::SimWorld world_{1};
  test::SimLoop loop_{world_};
  test::FakeTransport transport_;
  stats::Registry registry_;
  stats::WorkerCells cells_{registry_};
  LoadReporter::Clusters clusters_;
  std::unique_ptr<LoadReporter> reporter_;
};

TEST_F(LoadReports, AreAboutTheClustersThatWereAskedFor) {
  EXPECT_EQ(stream().path, "/envoy.service.load_stats.v3.LoadReportingService/StreamLoadStats");
  EXPECT_THAT(reports(), ElementsAre("nothing"));
  serve(0, 0, 5);  // before anybody asked
  world_.run_for(60s);
  EXPECT_THAT(reports(), IsEmpty());
  want({"a", "none"}, 2s);
  serve(0, 0, 2);
  serve(0, 1);
  serve(1, 0);
  HostState::inc(host(0, 2).rq_total);
  HostState::inc(host(0, 2).rq_error);
  world_.run_for(2100ms);
  EXPECT_THAT(reports(), ElementsAre("a(svc) 2s dropped=0: r1/0 ok=3 err=0 now=0 issued=3: r2/1 ok=0 err=1 now=0 issued=1"));
  world_.run_for(2s);
  EXPECT_THAT(reports(), ElementsAre("a(svc) 2s dropped=0")) << "what was told is not told again";
  EXPECT_EQ(stat("requests"), 1u);
  EXPECT_EQ(stat("responses"), 3u);
}

TEST_F(LoadReports, ShowWhatGoesOnAndEachEndpointWhenAsked) {
  want({}, 1s, true, true);
  reports();
  HostState::inc(host(0, 1).rq_total);
  HostState::inc(host(0, 1).rq_active);
  world_.run_for(1100ms);
  EXPECT_THAT(reports(), ElementsAre("a(svc) 1s dropped=0: r1/0 ok=0 err=0 now=1 issued=1 [10.0.0.9:9002 1]",
                                     "b() 1s dropped=0"));
  world_.run_for(1s);
  EXPECT_THAT(reports(), ElementsAre("a(svc) 1s dropped=0: r1/0 ok=0 err=0 now=1 issued=0 [10.0.0.9:9002 0]",
                                     "b() 1s dropped=0"));
}

TEST_F(LoadReports, CountWhatNoHostWasAskedFor) {
  auto block = cells_.block<stats::ClusterStat>(clusters_[1]->stats);
  block.add(stats::ClusterStat::kUpstreamRqPendingOverflow, 4);
  want({"b"}, 1s);
  reports();
  block.add(stats::ClusterStat::kUpstreamRqPendingOverflow, 2);
  block.add(stats::ClusterStat::kUpstreamRqMaintenanceMode, 1);
  world_.run_for(1100ms);
  EXPECT_THAT(reports(), ElementsAre("b() 1s dropped=3"));
}

TEST_F(LoadReports, AnotherAnswerChangesWhatIsTold) {
  want({"a"}, 5s);
  reports();
  serve(0, 0);
  serve(1, 0);
  want({"a", "b"}, 1s);
  serve(1, 0);
  world_.run_for(1100ms);
  EXPECT_THAT(reports(), ElementsAre("a(svc) 1s dropped=0: r1/0 ok=1 err=0 now=0 issued=1",
                                     "b() 1s dropped=0: /0 ok=1 err=0 now=0 issued=1"));
}

TEST_F(LoadReports, GoOnOnTheNextStream) {
  want({"a"}, 1s);
  transport_.end(stream(), 14, "gone");
  serve(0, 0);
  world_.run_for(4900ms);
  EXPECT_EQ(transport_.streams.size(), 1u);
  world_.run_for(200ms);
  ASSERT_EQ(transport_.streams.size(), 2u);
  EXPECT_THAT(reports(), ElementsAre("a(svc) 5s dropped=0: r1/0 ok=1 err=0 now=0 issued=1"));
  world_.run_for(1s);
  EXPECT_THAT(reports(), ElementsAre("a(svc) 1s dropped=0"));
  EXPECT_EQ(stat("errors"), 1u);
  transport_.end(stream(), 0);
  world_.run_for(5100ms);
  EXPECT_EQ(transport_.streams.size(), 3u);
  EXPECT_EQ(stat("errors"), 1u);
  EXPECT_EQ(stat("retries"), 2u);
}

TEST_F(LoadReports, BytesThatAreNoAnswerEndTheStream) {
  stream().owner->on_message("\xff\xff\xff");
  EXPECT_EQ(stream().owner, nullptr);
  EXPECT_EQ(stat("errors"), 1u);
  world_.run_for(5100ms);
  EXPECT_EQ(transport_.streams.size(), 2u);
}

TEST_F(LoadReports, AnIntervalOfNothingDoesNotKeepTheProxyBusy) {
  want({"b"}, 0s);
  reports();
  world_.run_for(105ms);
  EXPECT_LE(reports().size(), static_cast<size_t>(105ms / LoadReporter::kShortestInterval));
}

}  // namespace
}  // namespace sluice::xds
