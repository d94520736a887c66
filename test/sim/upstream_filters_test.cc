// Filters of tries that pause, hold, collect and reply: what becomes of the try, of the next one, and of the client.
#include <gtest/gtest.h>

#include "base/strings.h"
#include "test/sim/probed_proxy.h"

namespace sluice::test {
namespace {

using http::End;
using proxy::Exchange;
using proxy::Resumer;
using proxy::Step;
using namespace std::chrono_literals;

// The probes "first" and "second" stand on each try. A try has a second, and 503 is tried again.
std::string probes_on_tries() {
  std::string yaml(kPlainProxy);
  const std::string_view router = R"("@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router)";
  const auto probe = [](std::string_view name) {
    return cat(
        R"(
              - {name: )",
        name,
        R"(, typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.grpc_http1_bridge.v3.Config}})");
  };
  yaml.insert(yaml.find(router) + router.size(),
              cat("\n              upstream_http_filters:", probe("first"), probe("second"), R"(
              - {name: codec, typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.upstream_codec.v3.UpstreamCodec}})"));
  const std::string_view route = "route: {cluster: origin}";
  return yaml.replace(
      yaml.find(route), route.size(),
      "route: {cluster: origin, retry_policy: {retry_on: \"5xx,reset\", num_retries: 1, per_try_timeout: "
      "1s, retry_back_off: {base_interval: 0.001s}}}");
}

class TryFiltersTest : public ProbedProxyTest {
 protected:
  void start(SimOrigin::Respond respond) { start_with(probes_on_tries(), std::move(respond), 1); }
  uint64_t stat(std::string_view name) { return proxy->server->registry().value(name).value_or(0); }
};

TEST_F(TryFiltersTest, NothingIsAskedOfThePoolWhileOnePauses) {
  first().request_headers = [](Probe& probe, Exchange&, http::RequestHeaders&, End) { return probe.pause_for(500ms); };
  start([](const std::string&, const std::string& body) { return answer(body); });
  const std::string body(300'000, 'b');
  post(body);
  proxy->world.run_for(300ms);
  EXPECT_EQ(proxy->origin.connections(), 0u);
  EXPECT_EQ(stat("cluster.origin.upstream_cx_total"), 0u);
  ASSERT_TRUE(receives(body));
  EXPECT_EQ(first().completed, 1);
}

TEST_F(TryFiltersTest, APausedTryIsTimedOutAndTheNextOneIsNot) {
  std::unique_ptr<Resumer> kept;
  int tries = 0;
  first().request_headers = [&](Probe& probe, Exchange&, http::RequestHeaders&, End) {
    if (++tries > 1) return Step::next();
    Step step = Step::pause(*probe.resumer);
    kept = std::move(probe.resumer);
    return step;
  };
  start([](const std::string&, const std::string&) { return answer("second"); });
  get();
  ASSERT_TRUE(receives("second"));
  EXPECT_EQ(tries, 2);
  EXPECT_EQ(first().completed, 2);
  EXPECT_EQ(stat("cluster.origin.upstream_rq_per_try_timeout"), 1u);
  EXPECT_FALSE(kept->waiting());
  kept->resume();  // of a try that is over: nothing
  proxy->world.run_for(2s);
  EXPECT_EQ(proxy->origin.requests(), 1u);
}

TEST_F(TryFiltersTest, EachTryCollectsTheBody) {
  std::vector<size_t> sizes;
  first().request_headers = [](Probe&, Exchange&, http::RequestHeaders&, End) { return Step::collect(100'000); };
  first().request_data = [&](Probe&, Exchange&, buffer::Buffer& data, End end) {
    EXPECT_EQ(end, End::kYes);
    sizes.push_back(data.size());
    return Step::next();
  };
  int asked = 0;
  start([&](const std::string&, const std::string& body) {
    return ++asked == 1 ? std::string("HTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\n") : answer(body);
  });
  const std::string body(70'000, 'c');
  post(body);
  ASSERT_TRUE(receives(body));
  EXPECT_EQ(sizes, (std::vector<size_t>{body.size(), body.size()}));
}

TEST_F(TryFiltersTest, OverTheLimitIs413AndNotTriedAgain) {
  first().request_headers = [](Probe&, Exchange&, http::RequestHeaders&, End) { return Step::collect(1'000); };
  start([](const std::string&, const std::string& body) { return answer(body); });
  post(std::string(2'000, 'd'));
  EXPECT_TRUE(receives("HTTP/1.1 413 "));
  EXPECT_EQ(proxy->origin.requests(), 0u);
  EXPECT_EQ(first().completed, 1);
}

TEST_F(TryFiltersTest, AResponseThatIsWholeWaitsWithoutItsStream) {
  second().response_headers = [](Probe& probe, Exchange&, http::ResponseHeaders&, End) {
    return probe.pause_response_for(500ms);
  };
  start([](const std::string&, const std::string&) { return answer("late"); });
  get();
  proxy->world.run_for(300ms);
  EXPECT_EQ(client->received(), "");
  EXPECT_EQ(stat("cluster.origin.upstream_rq_active"), 0u);
  ASSERT_TRUE(receives("late"));
  EXPECT_EQ(stat("cluster.origin.upstream_cx_total"), 1u);
  get();  // on the connection that was given back
  ASSERT_TRUE(proxy->world.run_until([&] { return proxy->origin.requests() == 2; }, 5s));
  EXPECT_EQ(stat("cluster.origin.upstream_cx_total"), 1u);
}

TEST_F(TryFiltersTest, APausedResponseStopsItsStreamOnly) {
  second().response_headers = [](Probe& probe, Exchange&, http::ResponseHeaders&, End) {
    return probe.pause_response_for(800ms);
  };
  const std::string body(3'000'000, 'e');
  start([&](const std::string&, const std::string&) { return answer(body); });
  get();
  proxy->world.run_for(700ms);
  EXPECT_EQ(client->received(), "");
  EXPECT_LT(stat("cluster.origin.upstream_cx_rx_bytes_total"), 1'000'000u);
  ASSERT_TRUE(receives(body));
}

TEST_F(TryFiltersTest, TheClientGoesWhileATryIsPaused) {
  std::unique_ptr<Resumer> kept;
  first().request_headers = [&](Probe& probe, Exchange&, http::RequestHeaders&, End) {
    Step step = Step::pause(*probe.resumer);
    kept = std::move(probe.resumer);
    return step;
  };
  start([](const std::string&, const std::string&) { return answer("x"); });
  get();
  proxy->world.run_for(100ms);
  client->close(net::CloseHow::kReset);
  proxy->world.run_for(100ms);
  EXPECT_EQ(first().completed, 1);
  kept->resume();
  EXPECT_EQ(proxy->origin.requests(), 0u);
}

TEST_F(TryFiltersTest, AForgottenTryIsAnswered) {
  first().request_headers = [](Probe& probe, Exchange& exchange, http::RequestHeaders&, End) {
    exchange.local().loop.post([&probe] { probe.resumer = nullptr; });
    return Step::pause(*probe.resumer);
  };
  start([](const std::string&, const std::string&) { return answer("x"); });
  get();
  EXPECT_TRUE(receives("HTTP/1.1 500 Internal Server Error"));
  EXPECT_EQ(first().completed, 1);
}

TEST_F(TryFiltersTest, WhatTheyAddGoesTheTrysWay) {
  second().response_headers = [](Probe&, Exchange& exchange, http::ResponseHeaders& headers, End end) {
    if (end == End::kYes) {
      buffer::Buffer body(exchange.local().slabs);
      body.append_copy("added");
      headers.fields.remove(http::Token::kContentLength);
      exchange.add_body(std::move(body));
    }
    return Step::next();
  };
  std::string seen;
  first().response_data = [&](Probe&, Exchange&, buffer::Buffer& data, End) {
    seen += data.to_string();
    return Step::next();
  };
  start([](const std::string&, const std::string&) {
    return std::string("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
  });
  get();
  EXPECT_TRUE(receives("added"));
  EXPECT_EQ(seen, "added");
}

}  // namespace
}  // namespace sluice::test
