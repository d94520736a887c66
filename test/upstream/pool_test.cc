// Pools of one client, on simulated connections.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "test/upstream/call_world.h"
#include "upstream/cluster_set.h"
#include "upstream/wishes.h"

namespace sluice::test {
namespace {

using namespace std::chrono_literals;

// One GET on a stream of a pool.
struct Asker final : upstream::PoolRequest, upstream::StreamUser {
  explicit Asker(CallWorld& world) : arena(world.chunks), headers(arena) {
    headers.method = "GET";
    headers.path = "/";
    headers.scheme = "http";
    headers.authority = "a.test";
  }
  void on_stream(upstream::UpstreamStream& stream) override { stream.send_headers(headers, http::End::kYes); }
  void on_no_stream(upstream::ResetReason, std::string_view) override { failed = true; }
  upstream::StreamUser& user() override { return *this; }
  Arena& response_arena() override { return arena; }
  void on_interim(http::ResponseHeaders&) override {}
  void on_response_headers(http::ResponseHeaders& answer, http::End) override { status = answer.status; }
  void on_response_data(buffer::Buffer& data, http::End) override { data.clear(); }
  void on_response_trailers(http::HeaderMap&) override {}
  void on_stream_reset(upstream::ResetReason, std::string_view) override { failed = true; }
  void on_request_full(bool) override {}
  size_t response_room() const override { return SIZE_MAX; }

  Arena arena;
  http::RequestHeaders headers;
  uint16_t status = 0;
  bool failed = false;
};

struct OwnPool : testing::Test {
  OwnPool() {
    auto plan = std::make_shared<model::ClusterPlan>(*world.shared->plan);
    plan->name = "own";
    plan->pool_per_downstream = true;
    shared = std::make_shared<upstream::ClusterShared>(plan, world.registry, world.cells);
    world.set.add(shared, shared->hosts());
  }
  upstream::Pool& pool_of(uint64_t client) {
    upstream::Cluster& cluster = *world.set.find("own");
    return upstream::pool_for(cluster, *cluster.hosts()->hosts[0], 0, asker.headers, client);
  }
  uint64_t stat(std::string_view name) const {
    return world.registry.value(std::string("cluster.own.").append(name)).value_or(0);
  }

  CallWorld world{model::UpstreamProtocol::kHttp1};
  SimOrigin origin{world.peers, *net::Address::from_ip("10.0.0.9", 9000), [](const std::string&, const std::string&) {
                     return "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
                   }};
  std::shared_ptr<upstream::ClusterShared> shared;
  Asker asker{world};
};

TEST_F(OwnPool, AConnectionIsKeptWhileTheClusterIsThere) {
  pool_of(1).request(asker, 0);
  world.world.run_for(100ms);
  EXPECT_EQ(asker.status, 200);
  EXPECT_EQ(stat("upstream_cx_active"), 1u);
}

// What waits still gets its answer, on a connection that is made after the cluster went: nobody will close it later.
TEST_F(OwnPool, NoConnectionOutlivesTheCluster) {
  pool_of(1).request(asker, 0);
  world.set.remove(shared);
  world.world.run_for(1s);
  EXPECT_EQ(asker.status, 200);
  EXPECT_EQ(stat("upstream_cx_active"), 0u);
  const std::weak_ptr<upstream::ClusterShared> left = shared;
  shared.reset();
  EXPECT_TRUE(left.expired()) << "a pool still holds the cluster";
}

TEST_F(OwnPool, AnIdleConnectionClosesWithTheCluster) {
  pool_of(1).request(asker, 0);
  world.world.run_for(100ms);
  world.set.remove(shared);
  world.world.run_for(100ms);
  shared.reset();
  EXPECT_EQ(stat("upstream_cx_active"), 0u);
}

}  // namespace
}  // namespace sluice::test
