// Who gets how many requests of each policy, and how few move when a host leaves.
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "base/strings.h"
#include "test/upstream/call_world.h"
#include "upstream/load_balancer/load_balancer.h"

namespace sluice::test {
namespace {

using model::LbPlan;
using model::LbPolicy;

constexpr int kHosts = 20;
constexpr int kHashes = 20'000;

// 10.1.0.1 and up with weights 1, 2, 3, 4, 1 ... or 1 each, without the one of that index.
model::AssignmentPtr fleet(bool weighted, int gone = -1, int hosts = kHosts) {
  auto out = std::make_shared<model::AssignmentPlan>();
  model::LocalityPlan& locality = out->localities.emplace_back();
  for (int i = 0; i < hosts; ++i) {
    if (i == gone) continue;
    model::EndpointPlan& one = locality.endpoints.emplace_back();
    one.address = *net::Address::from_ip(cat("10.1.", i / 200, ".", i % 200 + 1), 80);
    one.weight = weighted ? static_cast<uint32_t>(i % 4 + 1) : 1;
  }
  return out;
}

class Distribution : public testing::Test {
 protected:
  using Shares = std::map<std::string, int>;

  Distribution() { lb.hash.edit().min_ring_size = 65'536; }

  void use(LbPolicy policy, const model::AssignmentPtr& assignment) {
    lb.policy = policy;
    hosts = upstream::build_host_set(lb, assignment, nullptr);
    balancer.update(hosts);
  }
  std::string pick(std::optional<uint64_t> hash = {}) {
    upstream::LbRequest request;
    request.hash = hash;
    return balancer.choose(request, nullptr)->address().to_string();
  }
  Shares shares(int picks) {
    Shares out;
    for (int i = 0; i < picks; ++i) ++out[pick()];
    return out;
  }
  // Of what was seen against the weights. 43.8 is above it in one of 1,000 runs of an honest die with 20 faces.
  double chi_squared(const Shares& seen, int picks) {
    double weights = 0, out = 0;
    for (const auto& host : hosts->hosts) weights += host->weight();
    for (const auto& host : hosts->hosts) {
      const double wanted = picks * host->weight() / weights;
      const auto found = seen.find(host->address().to_string());
      const double off = (found == seen.end() ? 0 : found->second) - wanted;
      out += off * off / wanted;
    }
    return out;
  }
  // Where each hash goes.
  std::vector<std::string> places() {
    std::vector<std::string> out;
    SimRandom hashes{11};
    for (int i = 0; i < kHashes; ++i) out.push_back(pick(hashes.next()));
    return out;
  }

  // When a host leaves, in units of its share; the mean of some hosts.
  double moved(LbPolicy policy) {
    use(policy, fleet(false));
    const std::vector<std::string> before = places();
    double out = 0;
    for (const int gone : {0, 7, 13, 19}) {
      use(policy, fleet(false, gone));
      const std::vector<std::string> after = places();
      for (int i = 0; i < kHashes; ++i) out += before[i] == after[i] ? 0 : 1;
    }
    return out / 4 / kHashes * kHosts;
  }

  CallWorld world{model::UpstreamProtocol::kHttp1};
  LbPlan lb;
  upstream::HostSetPtr hosts;
  upstream::LoadBalancer balancer{lb, world.shared->breakers, world.random, world.loop, world.cluster->block()};
};

constexpr double kOneOfAThousand = 43.8;

TEST_F(Distribution, RoundRobinIsExact) {
  use(LbPolicy::kRoundRobin, fleet(false));
  for (const auto& [host, count] : shares(kHosts * 50)) EXPECT_EQ(count, 50) << host;
  use(LbPolicy::kRoundRobin, fleet(true));
  const Shares seen = shares(50 * 50);  // the weights are 50 in all
  for (const auto& host : hosts->hosts) {
    EXPECT_NEAR(seen.at(host->address().to_string()), 50.0 * host->weight(), 1.0);
  }
}

// So many are queued while they are used, a few with each pick.
TEST_F(Distribution, RoundRobinOfManyWeightsIsFair) {
  use(LbPolicy::kRoundRobin, fleet(true, -1, 1'000));
  const Shares seen = shares(2'500 * 20);
  for (const auto& host : hosts->hosts) {
    EXPECT_NEAR(seen.at(host->address().to_string()), 20.0 * host->weight(), 1.5);
  }
}

TEST_F(Distribution, RandomIsFair) {
  use(LbPolicy::kRandom, fleet(false));
  EXPECT_LT(chi_squared(shares(100'000), 100'000), kOneOfAThousand);
}

TEST_F(Distribution, LeastRequestIsFairAmongIdleHosts) {
  use(LbPolicy::kLeastRequest, fleet(false));
  EXPECT_LT(chi_squared(shares(100'000), 100'000), kOneOfAThousand);
  use(LbPolicy::kLeastRequest, fleet(true));
  const Shares seen = shares(50 * 50);
  for (const auto& host : hosts->hosts) {
    EXPECT_NEAR(seen.at(host->address().to_string()), 50.0 * host->weight(), 1.0);
  }
}

// The table itself deals with a seeded hash, so its shares are what they are: near enough to the weights.
TEST_F(Distribution, TablesFollowTheWeights) {
  for (const LbPolicy policy : {LbPolicy::kRingHash, LbPolicy::kMaglev}) {
    use(policy, fleet(true));
    const Shares seen = shares(100'000);
    for (const auto& host : hosts->hosts) {
      const double wanted = 100'000.0 * host->weight() / 50;
      EXPECT_NEAR(seen.at(host->address().to_string()), wanted, wanted * 0.15);
    }
  }
}

// Of all hosts that might leave, in the mean.
TEST_F(Distribution, ARingMovesOnlyWhatWasThere) {
  lb.hash.edit().min_ring_size = 361;  // 19 points for each of 20 hosts, and of 19
  use(LbPolicy::kRingHash, fleet(false));
  const std::vector<std::string> before = places();
  int moved = 0;
  for (int gone = 0; gone < kHosts; ++gone) {
    const std::string left = cat("10.1.0.", gone + 1, ":80");
    use(LbPolicy::kRingHash, fleet(false, gone));
    const std::vector<std::string> after = places();
    for (int i = 0; i < kHashes; ++i) {
      ASSERT_EQ(before[i] != after[i], before[i] == left);
      moved += before[i] == left ? 1 : 0;
    }
  }
  EXPECT_EQ(moved, kHashes);
}

// As in Envoy those that stay get more points, up to the least size of a ring: what these take moves as well, for a
// fleet of this size as much again.
TEST_F(Distribution, ARingOfALeastSizeMovesTwiceThat) { EXPECT_LE(moved(LbPolicy::kRingHash), 2.1); }

TEST_F(Distribution, AMaglevTableMovesLittleMoreThanWhatWasThere) { EXPECT_LE(moved(LbPolicy::kMaglev), 1.1); }

}  // namespace
}  // namespace sluice::test
