// Discovery over our own pools, to a control plane in the simulation. What calls do is tested in test/upstream.
#include "xds/pool_ads_transport.h"

#include <gtest/gtest.h>

#include "base/strings.h"
#include "test/upstream/call_world.h"
#include "test/upstream/sim_grpc_peer.h"

namespace sluice::xds {
namespace {

using namespace std::chrono_literals;

const net::Address kPlane = *net::Address::from_ip("10.0.0.9", 9000);

struct Owner final : AdsStreamOwner, AdsFetchOwner {
  void on_message(std::string_view message) override {
    heard.emplace_back(message);
    if (drop) stream.reset();
  }
  void on_end(int status, std::string_view message) override {
    heard.push_back(cat("end ", status, " ", message));
    if (drop) stream.reset();
  }
  void on_fetched(uint32_t status, std::string_view body) override { heard.push_back(cat(status, " ", body)); }
  void on_fetch_failed(std::string_view why) override { heard.push_back(cat("failed: ", why)); }

  std::vector<std::string> heard;
  std::unique_ptr<AdsStream> stream;
  std::unique_ptr<AdsFetch> fetch;
  bool drop = false;
};

struct PoolAds : testing::Test {
  void wait(size_t calls = 1) {
    world.world.run_until([&] { return owner.heard.size() >= calls; }, 10s);
    ASSERT_EQ(owner.heard.size(), calls);
  }
  PoolAdsTransport transport(PoolAdsOptions options = {}) {
    return PoolAdsTransport(
        world.local, [this] { return world.cluster.get(); }, std::move(options));
  }
  test::CallWorld world{model::UpstreamProtocol::kHttp2};
  std::unique_ptr<test::SimGrpcPeer> plane = std::make_unique<test::SimGrpcPeer>(world.peers, kPlane);
  Owner owner;
};

TEST_F(PoolAds, CarriesMessages) {
  PoolAdsOptions options;
  options.authority = "xds.test";
  options.machine_ip = "10.0.0.2";
  PoolAdsTransport ads = transport(options);
  owner.stream = ads.open_stream("/echo", {{"x-token", "secret"}, {"x-two", "2"}}, owner);
  owner.stream->send("one");
  wait();
  owner.stream->send("two");
  wait(2);
  EXPECT_EQ(owner.heard, (std::vector<std::string>{"one", "two"}));
  const test::SimGrpcPeer::Request& request = *plane->requests.at(0);
  EXPECT_EQ(request.authority, "xds.test");
  EXPECT_EQ(request.fields, (std::vector<std::pair<std::string, std::string>>{{"te", "trailers"},
                                                                              {"content-type", "application/grpc"},
                                                                              {"x-token", "secret"},
                                                                              {"x-two", "2"},
                                                                              {"x-envoy-internal", "true"},
                                                                              {"x-forwarded-for", "10.0.0.2"}}));
}

TEST_F(PoolAds, TellsTheEndOnceAndNeverInsideOpenStream) {
  PoolAdsTransport ads = transport();
  plane->stop();
  owner.stream = ads.open_stream("/echo", {}, owner);
  EXPECT_TRUE(owner.heard.empty());
  wait();
  EXPECT_TRUE(owner.heard[0].starts_with("end 14 upstream connect error")) << owner.heard[0];
  owner.stream->send("nobody hears it");
  world.cluster.reset();
  owner.stream = ads.open_stream("/echo", {}, owner);
  EXPECT_EQ(owner.heard.size(), 1u);
  wait(2);
  EXPECT_EQ(owner.heard[1], "end 14 Cluster not available");
}

TEST_F(PoolAds, MayBeDroppedInsideItsOwnersCalls) {
  PoolAdsTransport ads = transport();
  owner.drop = true;
  owner.stream = ads.open_stream("/echo", {}, owner);
  owner.stream->send("one");
  owner.stream->send("two");
  wait();
  owner.stream = ads.open_stream("/refuse", {}, owner);
  wait(2);
  EXPECT_EQ(owner.heard[1], "end 7 no entry");
  world.world.run_for(1s);
  EXPECT_EQ(owner.heard.size(), 2u);
}

TEST_F(PoolAds, Fetches) {
  PoolAdsTransport ads = transport();
  owner.fetch = ads.fetch({"/v3/discovery:clusters", "{\"a\":1}", 1s}, owner);
  wait();
  EXPECT_EQ(owner.heard[0], "200 {\"a\":1}");
  const test::SimGrpcPeer::Request& request = *plane->requests.at(0);
  EXPECT_EQ(request.path, "/v3/discovery:clusters");
  EXPECT_EQ(request.get("content-type"), "application/json");
  EXPECT_EQ(request.get("content-length"), "7");
  owner.fetch = ads.fetch({"/silent", "{}", 100ms}, owner);
  wait(2);
  EXPECT_EQ(owner.heard[1], "failed: upstream request timeout");
  owner.fetch = ads.fetch({"/v3/discovery:clusters", "{}", 1s}, owner);
  owner.fetch.reset();
  world.world.run_for(2s);
  EXPECT_EQ(owner.heard.size(), 2u);
}

}  // namespace
}  // namespace sluice::xds
