// Weights out of reports: when they are believed, and what hosts get of which nothing is known.
#include "upstream/reported_weights.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "test/upstream/call_world.h"

namespace sluice::test {
namespace {

using namespace std::chrono_literals;

class ReportedWeightsTest : public testing::Test {
 protected:
  // One priority for each of `sizes`, with so many hosts of the weight 7.
  void use(const std::vector<int>& sizes) {
    auto plan = std::make_shared<model::ClusterPlan>();
    plan->name = "pool";
    auto rules = std::make_shared<model::ReportedWeightsPlan>();
    rules->blackout = 10s;
    rules->expiration = 60s;
    plan->lb.reported_weights = rules;
    auto assignment = std::make_shared<model::AssignmentPlan>();
    for (size_t priority = 0; priority < sizes.size(); ++priority) {
      model::LocalityPlan& locality = assignment->localities.emplace_back();
      locality.priority = static_cast<uint32_t>(priority);
      for (int n = 0; n < sizes[priority]; ++n) {
        model::EndpointPlan& one = locality.endpoints.emplace_back();
        one.address = *net::Address::from_ip(cat("10.0.", priority, ".", n + 1), 80);
        one.weight = 7;
      }
    }
    plan->assignment = std::move(assignment);
    shared = std::make_shared<upstream::ClusterShared>(plan, world.registry, world.cells);
    weights = std::make_unique<upstream::ReportedWeights>(*shared, world.loop);
  }
  // The host says that it serves so many requests with all it has.
  void report(size_t host, int weight) {
    Arena arena(world.chunks);
    http::HeaderMap fields(arena);
    fields.add_copy("endpoint-load-metrics", cat("TEXT rps_fractional=", weight, ",cpu_utilization=1"));
    EXPECT_TRUE(upstream::take_load_report(*shared->plan->lb.reported_weights, *shared->hosts()->hosts[host], fields,
                                           world.loop.now()));
  }
  void wait(Duration time) { world.world.run_for(time); }
  // Those in force, by what the workers get.
  std::vector<uint32_t> in_force() const {
    std::vector<uint32_t> out;
    for (const auto& host : shared->hosts()->hosts) {
      out.push_back(host->weight());
      bool found = false;
      for (const upstream::HostGroup& group : shared->hosts()->groups) {
        for (const upstream::WeightedHost& one : group.hosts) {
          found = found || (one.host == host.get() && one.weight == out.back());
        }
      }
      EXPECT_TRUE(found);
    }
    return out;
  }

  CallWorld world{model::UpstreamProtocol::kHttp1};
  std::shared_ptr<upstream::ClusterShared> shared;
  std::unique_ptr<upstream::ReportedWeights> weights;  // ends before the cluster
};

using Weights = std::vector<uint32_t>;

TEST_F(ReportedWeightsTest, WithoutReportsAllAreEven) {
  use({2});
  EXPECT_EQ(in_force(), (Weights{7, 7}));
  wait(1500ms);
  EXPECT_EQ(in_force(), (Weights{1, 1}));
}

TEST_F(ReportedWeightsTest, AReportIsBelievedAfterTheBlackoutAndUntilItExpires) {
  use({2});
  report(0, 500);
  wait(9500ms);
  EXPECT_EQ(in_force(), (Weights{1, 1}));
  wait(1s);
  EXPECT_EQ(in_force(), (Weights{500, 500}));  // the other one has the median
  report(0, 300);
  wait(1s);
  EXPECT_EQ(in_force(), (Weights{300, 300}));  // no blackout for one that goes on
  wait(61s);
  EXPECT_EQ(in_force(), (Weights{1, 1}));
  report(0, 400);
  wait(5s);
  EXPECT_EQ(in_force(), (Weights{1, 1}));  // it begins anew
  wait(6s);
  EXPECT_EQ(in_force(), (Weights{400, 400}));
}

TEST_F(ReportedWeightsTest, TheMedianIsThatOfThePriority) {
  use({4, 2});
  report(0, 100);
  report(1, 900);
  report(2, 201);
  report(4, 50);
  wait(12s);
  EXPECT_EQ(in_force(), (Weights{100, 900, 201, 201, 50, 50}));
  report(3, 300);
  wait(11s);
  EXPECT_EQ(in_force(), (Weights{100, 900, 201, 300, 50, 50}));
}

TEST_F(ReportedWeightsTest, OfAnEvenNumberItIsInTheMiddle) {
  use({3});
  report(0, 100);
  report(1, 201);
  wait(12s);
  EXPECT_EQ(in_force(), (Weights{100, 201, 150}));
}

}  // namespace
}  // namespace sluice::test
