// Client, proxy and origin in virtual time, by seed.
#include <gtest/gtest.h>

#include <map>

#include "base/strings.h"
#include "base/trace.h"
#include "test/sim/sim_proxy.h"

namespace sluice::test {
namespace {

std::string ok(std::string_view body) {
  return cat("HTTP/1.1 200 OK\r\ncontent-length: ", body.size(), "\r\n\r\n", body);
}

std::string echo_path(const std::string& head, const std::string& body) {
  return ok(cat(head.substr(0, head.find("\r\n")), "|", body));
}

TEST(FirstLight, ARequestGoesThroughAndIsLogged) {
  SimProxy proxy(1, kPlainProxy, echo_path);
  ASSERT_EQ(proxy.error, "");
  auto client = proxy.connect();
  client->send("GET /a?b=1 HTTP/1.1\r\nhost: example.test\r\n\r\n");
  ASSERT_TRUE(proxy.world.run_until([&] { return client->received().ends_with("|"); })) << client->received();
  EXPECT_TRUE(client->received().starts_with("HTTP/1.1 200 OK\r\n")) << client->received();
  EXPECT_NE(client->received().find("GET /a?b=1 HTTP/1.1|"), std::string::npos);
  client->close();
  ASSERT_TRUE(proxy.stop());
  EXPECT_EQ(proxy.platform.files().appended("/log"), "/a?b=1 200 -\n");
}

TEST(FirstLight, PipelinedRequestsAreAnsweredInOrder) {
  SimProxy proxy(2, kPlainProxy, echo_path);
  ASSERT_EQ(proxy.error, "");
  auto client = proxy.connect();
  client->send(
      "GET /1 HTTP/1.1\r\nhost: a\r\n\r\nPOST /2 HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabc"
      "GET /direct HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
  ASSERT_TRUE(proxy.world.run_until([&] { return client->ended(); })) << client->received();
  const std::string& got = client->received();
  const size_t first = got.find("GET /1 HTTP/1.1|");
  const size_t second = got.find("POST /2 HTTP/1.1|abc");
  const size_t third = got.find("hello");
  ASSERT_NE(third, std::string::npos) << got;
  EXPECT_LT(first, second);
  EXPECT_LT(second, third);
}

TEST(FirstLight, ADeadOriginIs503) {
  SimProxy proxy(3, kPlainProxy, echo_path);
  ASSERT_EQ(proxy.error, "");
  proxy.fabric.set_reach(*net::Address::from_ip("10.0.0.9", 9000), SimReach::kRefused);
  auto client = proxy.connect();
  client->send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
  ASSERT_TRUE(proxy.world.run_until([&] { return client->received().find("remote connection failure") != std::string::npos; }))
      << client->received();
  EXPECT_TRUE(client->received().starts_with("HTTP/1.1 503 Service Unavailable\r\n"));
}

TEST(FirstLight, ABlackHoleEndsWithTheConnectTimeout) {
  SimProxy proxy(4, kPlainProxy, echo_path);
  ASSERT_EQ(proxy.error, "");
  proxy.fabric.set_reach(*net::Address::from_ip("10.0.0.9", 9000), SimReach::kBlackHole);
  auto client = proxy.connect();
  const MonotonicTime start = proxy.world.now();
  client->send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
  ASSERT_TRUE(proxy.world.run_until([&] { return client->received().find("connection timeout") != std::string::npos; }));
  EXPECT_NEAR(static_cast<double>(to_ms(proxy.world.now() - start)), 1000, 20);
}

// One run with faults: many clients, each with a few requests. Returns the hash of the world's trace.
uint64_t rough_run(uint64_t seed) {
  SimProxy proxy(seed, kPlainProxy, echo_path);
  EXPECT_EQ(proxy.error, "");
  SimRandom random(seed + 1);
  proxy.fabric.faults() = SimFaults::rough(random);
  std::vector<std::unique_ptr<SimTalker>> clients;
  std::vector<std::string> wanted;
  for (int i = 0; i < 8; ++i) {
    clients.push_back(proxy.connect());
    const std::string body(random.below(100'000), static_cast<char>('a' + i));
    wanted.push_back(cat("POST /", i, " HTTP/1.1|", body));
    clients.back()->send(cat("POST /", i, " HTTP/1.1\r\nhost: a\r\ncontent-length: ", body.size(), "\r\n\r\n", body));
  }
  proxy.world.run_for(std::chrono::seconds(30));
  for (size_t i = 0; i < clients.size(); ++i) {
    // Exactly one outcome: the whole answer, an error of ours, or a connection that was cut.
    const std::string& got = clients[i]->received();
    if (got.starts_with("HTTP/1.1 200")) {
      const bool whole = got.ends_with(wanted[i]);
      EXPECT_TRUE(whole || clients[i]->ended()) << "seed " << seed << ": client " << i << " waits for the rest";
      EXPECT_TRUE(whole || wanted[i].starts_with(got.substr(std::min(got.size(), got.find("\r\n\r\n") + 4)))) << "seed " << seed;
    } else {
      EXPECT_TRUE(clients[i]->ended() || got.starts_with("HTTP/1.1 5") || got.starts_with("HTTP/1.1 4"))
          << "seed " << seed << ": client " << i << " got nothing: " << got;
    }
  }
  for (auto& client : clients) {
    client->close();
  }
  EXPECT_TRUE(proxy.stop()) << "seed " << seed;
  return proxy.world.trace_hash();
}

TEST(FirstLight, ReplaysBySeed) {
  const uint64_t once = rough_run(7);
  EXPECT_EQ(rough_run(7), once);
  EXPECT_NE(rough_run(8), once);
}

TEST(FirstLight, FaultsNeverLeaveAClientWithoutAnOutcome) {
  for (uint64_t seed = 100; seed < 400; ++seed) {
    rough_run(seed);
  }
}

std::vector<std::string>* steps_seen = nullptr;

TEST(LifeOfARequest, StepsComeInTheOrderOfTheDocument) {
  SimProxy proxy(5, kPlainProxy, echo_path);
  ASSERT_EQ(proxy.error, "");
  std::vector<std::string> steps;
  steps_seen = &steps;
  trace::sink = [](const char* step) { steps_seen->push_back(step); };
  auto client = proxy.connect();
  client->send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
  ASSERT_TRUE(proxy.world.run_until([&] { return client->received().ends_with("|"); }));
  trace::sink = nullptr;
  // The document's table names each step once; the first time a step is seen is its place.
  std::vector<std::string> firsts;
  for (const std::string& step : steps) {
    if (std::find(firsts.begin(), firsts.end(), step) == firsts.end()) {
      firsts.push_back(step);
    }
  }
  Result<std::string> document = [] {
    std::string text;
    FILE* file = std::fopen("docs/life_of_a_request.md", "r");
    if (file == nullptr) {
      return Result<std::string>(Error{"docs/life_of_a_request.md is missing"});
    }
    char line[1024];
    while (std::fgets(line, sizeof(line), file) != nullptr) {
      text += line;
    }
    std::fclose(file);
    return Result<std::string>(text);
  }();
  ASSERT_TRUE(document.ok());
  std::vector<std::string> documented;
  for (size_t at = document->find("| **"); at != std::string::npos; at = document->find("| **", at + 4)) {
    documented.push_back(document->substr(at + 4, document->find("**", at + 4) - at - 4));
  }
  EXPECT_EQ(firsts, documented);
}

}  // namespace
}  // namespace sluice::test
