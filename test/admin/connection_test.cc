// The admin server on the wire, in the simulation.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fake_source.h"
#include "server/admin/admin.h"
#include "test/sim/sim_peers.h"
#include "test/support/sim_fabric.h"

namespace sluice::server::admin {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class AdminServer : public testing::TestWithParam<uint64_t> {
 protected:
  AdminServer() {
    net::ListenOptions single;
    single.reuse_port = false;
    socket = *proxy.network.bind(*net::Address::from_ip("10.0.0.2", 9901), single, 1);
    admin = std::make_unique<Admin>(proxy.loop, proxy.network, *socket, source, cells);
  }

  std::unique_ptr<test::SimTalker> connect() { return client.connect(socket->address()); }
  // All that comes back until the server closes.
  std::string ask(std::string_view request) {
    auto talker = connect();
    talker->send(request);
    EXPECT_TRUE(world.run_until([&] { return talker->ended(); }));
    return talker->received();
  }
  void pause() { world.run_for(std::chrono::milliseconds(50)); }

  test::SimWorld world{GetParam()};
  test::SimFabric fabric{world};
  test::SimMachine client{fabric, "10.0.0.1"};
  test::SimMachine proxy{fabric, "10.0.0.2"};
  FakeSource source;
  stats::WorkerCells cells{source.stats};
  std::unique_ptr<net::ListenSocket> socket;
  std::unique_ptr<Admin> admin;
};

TEST_P(AdminServer, AnswersAndCloses) {
  const std::string got = ask("GET /ready HTTP/1.1\r\nhost: admin\r\nconnection: close\r\n\r\n");
  EXPECT_THAT(got, StartsWith("HTTP/1.1 200 OK\r\n"));
  for (const char* header : {"content-type: text/plain; charset=UTF-8\r\n", "cache-control: no-cache, max-age=0\r\n",
                             "x-content-type-options: nosniff\r\n", "server: envoy\r\n", "connection: close\r\n",
                             "transfer-encoding: chunked\r\n", "date: Thu, 01 Jan 2026 00:00:00 GMT\r\n"}) {
    EXPECT_THAT(got, HasSubstr(header));
  }
  EXPECT_THAT(got, EndsWith("\r\n\r\n5\r\nLIVE\n\r\n0\r\n\r\n"));
}

TEST_P(AdminServer, HeadHasNoBody) {
  const std::string got = ask("HEAD /ready HTTP/1.1\r\nhost: admin\r\nconnection: close\r\n\r\n");
  EXPECT_THAT(got, HasSubstr("transfer-encoding: chunked\r\n"));
  EXPECT_THAT(got, EndsWith("\r\n\r\n"));
  EXPECT_THAT(got, Not(HasSubstr("LIVE")));
}

TEST_P(AdminServer, OldClientsGetTheBodyUntilTheClose) {
  EXPECT_THAT(ask("GET /ready HTTP/1.0\r\n\r\n"), EndsWith("\r\n\r\nLIVE\n"));
}

TEST_P(AdminServer, KeepsTheConnectionAndTheOrder) {
  auto talker = connect();
  talker->send("GET /ready HTTP/1.1\r\nhost: a\r\n\r\nGET /nope HTTP/1.1\r\nhost: a\r\n\r\nGET /ready HTTP/1.1\r\nhost: a\r\n\r\n");
  pause();
  EXPECT_FALSE(talker->ended());
  const std::string& got = talker->received();
  const size_t second = got.find("HTTP/1.1 404");
  ASSERT_NE(second, std::string::npos);
  EXPECT_NE(got.find("HTTP/1.1 200", second), std::string::npos);
  EXPECT_EQ(source.stats.value("http.admin.downstream_rq_total"), 3u);
  EXPECT_EQ(source.stats.value("http.admin.downstream_rq_2xx"), 2u);
  EXPECT_EQ(source.stats.value("http.admin.downstream_rq_4xx"), 1u);
  EXPECT_EQ(source.stats.value("http.admin.downstream_rq_active"), 0u);
  EXPECT_EQ(source.stats.value("listener.admin.downstream_cx_active"), 1u);
  talker->close();
  pause();
  EXPECT_EQ(source.stats.value("listener.admin.downstream_cx_active"), 0u);
}

TEST_P(AdminServer, FormsCount) {
  ask("POST /runtime_modify HTTP/1.1\r\nhost: a\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: 3\r\n"
      "connection: close\r\n\r\na=b");
  EXPECT_EQ(source.stats.value("http.admin.downstream_rq_5xx"), 1u);  // understood: there is no admin layer
}

TEST_P(AdminServer, GarbageIsRefused) {
  EXPECT_THAT(ask("BAD\r\n\r\n"), StartsWith("HTTP/1.1 400 Bad Request\r\n"));
  EXPECT_EQ(source.stats.value("http.admin.downstream_cx_protocol_error"), 1u);
}

TEST_P(AdminServer, QuitsBehindItsAnswer) {
  const std::string got = ask("POST /quitquitquit HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
  EXPECT_THAT(got, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(source.done, ElementsAre("quit"));
}

TEST_P(AdminServer, QuitsEvenWhenTheClientIsGone) {
  auto talker = connect();
  talker->send("POST /quitquitquit HTTP/1.1\r\nhost: a\r\n\r\n");
  EXPECT_TRUE(world.run_until([&] { return talker->connected(); }));
  talker->close(net::CloseHow::kReset);
  pause();
  // The reset may overtake the request; whoever got the request quits.
  EXPECT_LE(source.done.size(), 1u);
  EXPECT_EQ(source.done.size(), source.stats.value("http.admin.downstream_rq_total"));
}

TEST_P(AdminServer, LargeAnswersToASlowClient) {
  fabric.faults().short_write = 300;
  fabric.faults().short_read = 300;
  fabric.faults().capacity_min = fabric.faults().capacity_max = 4096;
  for (int i = 0; i < 3000; ++i) {
    source.all_listeners.push_back({"listener-with-a-long-name-" + std::to_string(i), *net::Address::from_ip("10.0.0.1", 80)});
  }
  const std::string got = ask("GET /listeners?format=json HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
  EXPECT_GT(got.size(), 400000u);
  EXPECT_THAT(got, EndsWith(" ]\n}\n\r\n0\r\n\r\n"));
}

TEST_P(AdminServer, MayEndWithOpenConnections) {
  auto idle = connect();
  auto busy = connect();
  busy->send("GET /ready HTTP/1.1\r\nhost: a\r\n\r\n");
  pause();
  admin.reset();
  EXPECT_TRUE(world.run_until([&] { return idle->ended() && busy->ended(); }));
  EXPECT_EQ(source.stats.value("http.admin.downstream_rq_total"), std::nullopt);
}

INSTANTIATE_TEST_SUITE_P(Seeds, AdminServer, testing::Values(1, 2, 3, 4, 5));

}  // namespace
}  // namespace sluice::server::admin
