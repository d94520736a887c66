// What filters may do to the course of an exchange: pause, hold, collect, reply, add. Probe filters in a whole proxy.
#include <gtest/gtest.h>

#include "base/strings.h"
#include "test/sim/probed_proxy.h"

namespace sluice::test {
namespace {

using http::End;
using proxy::Exchange;
using proxy::Resumer;
using proxy::Step;

std::string echo(const std::string&, const std::string& body) { return answer(body); }

class FilterChainTest : public ProbedProxyTest {
 protected:
  void start(SimOrigin::Respond respond, uint64_t seed = 1) {
    start_with(with_two_probes(std::string(kPlainProxy)), std::move(respond), seed);
  }
};

TEST_F(FilterChainTest, APausedRequestWaitsWholeAndInOrder) {
  first().request_headers = [](Probe& probe, Exchange&, http::RequestHeaders&, End) {
    return probe.pause_for(std::chrono::seconds(2));
  };
  int seen_by_second = 0;
  second().request_headers = [&](Probe&, Exchange&, http::RequestHeaders&, End) {
    ++seen_by_second;
    return Step::next();
  };
  start(echo);
  const std::string body(300'000, 'b');
  const MonotonicTime began = proxy->world.now();
  post(body);
  proxy->world.run_for(std::chrono::seconds(1));
  EXPECT_EQ(seen_by_second, 0);
  EXPECT_EQ(proxy->origin.requests(), 0u);
  ASSERT_TRUE(receives(body));
  EXPECT_GE(to_ms(proxy->world.now() - began), 2000);
  EXPECT_EQ(seen_by_second, 1);
  EXPECT_EQ(proxy->origin.requests(), 1u);
}

TEST_F(FilterChainTest, ResumedInsideTheHookItNeverPaused) {
  first().request_headers = [](Probe& probe, Exchange&, http::RequestHeaders&, End) {
    Step step = Step::pause(*probe.resumer);
    probe.resumer->resume();
    return step;
  };
  start(echo);
  post("abc");
  EXPECT_TRUE(receives("\r\n\r\nabc"));
}

TEST_F(FilterChainTest, TwoFiltersPauseOneMessage) {
  first().request_data = [](Probe& probe, Exchange&, buffer::Buffer&, End) {
    return probe.pause_for(std::chrono::milliseconds(10));
  };
  second().request_headers = [](Probe& probe, Exchange&, http::RequestHeaders&, End) {
    return probe.pause_for(std::chrono::milliseconds(25));
  };
  second().request_data = first().request_data;
  start(echo);
  std::string body;
  for (int i = 0; i < 50'000; ++i) body += std::to_string(i);
  post(body);
  EXPECT_TRUE(receives(body));
}

TEST_F(FilterChainTest, TheClientGoesWhileItIsPaused) {
  Probe* paused = nullptr;
  first().request_headers = [&](Probe& probe, Exchange&, http::RequestHeaders&, End) {
    paused = &probe;
    return Step::pause(*probe.resumer);
  };
  start(echo);
  get();
  proxy->world.run_for(std::chrono::seconds(1));
  ASSERT_NE(paused, nullptr);
  std::unique_ptr<Resumer> kept = std::move(paused->resumer);
  EXPECT_TRUE(kept->waiting());
  client->close(net::CloseHow::kReset);
  proxy->world.run_for(std::chrono::seconds(1));
  EXPECT_EQ(first().completed, 1);
  EXPECT_FALSE(kept->waiting());
  kept->resume();  // nothing
  EXPECT_EQ(proxy->origin.requests(), 0u);
}

TEST_F(FilterChainTest, AForgottenExchangeIsAnswered) {
  first().request_headers = [](Probe& probe, Exchange& exchange, http::RequestHeaders&, End) {
    exchange.local().loop.post([&probe] { probe.resumer = nullptr; });
    return Step::pause(*probe.resumer);
  };
  start(echo);
  get();
  EXPECT_TRUE(receives("HTTP/1.1 500 Internal Server Error"));
}

TEST_F(FilterChainTest, HeldHeadersGoWithTheFirstDataThatPasses) {
  first().request_headers = [](Probe&, Exchange&, http::RequestHeaders&, End) { return Step::hold(); };
  int calls = 0;
  first().request_data = [&](Probe&, Exchange& exchange, buffer::Buffer& data, End) {
    ++calls;
    exchange.request()->fields.set_copy("x-first-letter", std::string_view(data.front().substr(0, 1)));
    return Step::next();
  };
  start([](const std::string& head, const std::string& body) {
    return answer(cat(head.find("x-first-letter: q") != std::string::npos ? "yes " : "no ", body.size()));
  });
  post("qwerty");
  EXPECT_TRUE(receives("yes 6"));
  EXPECT_GE(calls, 1);
}

TEST_F(FilterChainTest, ACollectedBodyIsSeenOnceAndWhole) {
  first().request_headers = [](Probe&, Exchange&, http::RequestHeaders&, End end) {
    return end == End::kYes ? Step::next() : Step::collect(1'000'000);
  };
  std::vector<size_t> sizes;
  first().request_data = [&](Probe&, Exchange&, buffer::Buffer& data, End end) {
    EXPECT_EQ(end, End::kYes);
    sizes.push_back(data.size());
    return Step::next();
  };
  start(echo);
  const std::string body(200'000, 'c');
  post(body);
  ASSERT_TRUE(receives(body));
  EXPECT_EQ(sizes, std::vector<size_t>{200'000});
}

TEST_F(FilterChainTest, OverTheLimitIs413) {
  first().request_headers = [](Probe&, Exchange&, http::RequestHeaders&, End) { return Step::collect(100); };
  start(echo);
  post(std::string(101, 'd'));
  EXPECT_TRUE(receives("HTTP/1.1 413 Payload Too Large"));
  EXPECT_TRUE(receives("connection: close\r\n"));
  EXPECT_EQ(proxy->origin.requests(), 0u);
}

TEST_F(FilterChainTest, AReplyAtTheEndOfTheBodyKeepsTheConnection) {
  first().request_headers = [](Probe&, Exchange&, http::RequestHeaders&, End) { return Step::collect(100); };
  first().request_data = [](Probe&, Exchange& exchange, buffer::Buffer&, End) {
    return exchange.reply({.status = 403, .body = "seen", .details = "seen"});
  };
  start(echo);
  post("abc");
  ASSERT_TRUE(receives("seen"));
  post("abc");
  EXPECT_TRUE(proxy->world.run_until([&] { return first().completed == 2; }));
  EXPECT_TRUE(client->received().starts_with("HTTP/1.1 403 Forbidden\r\n"));
  EXPECT_EQ(client->received().find("connection: close"), std::string::npos);
  EXPECT_FALSE(client->ended());
}

TEST_F(FilterChainTest, ResponsesPauseAndCollectToo) {
  second().response_headers = [](Probe& probe, Exchange&, http::ResponseHeaders&, End) {
    return probe.pause_for(std::chrono::milliseconds(100));
  };
  first().response_headers = [](Probe&, Exchange&, http::ResponseHeaders&, End) { return Step::collect(1'000'000); };
  std::vector<size_t> sizes;
  first().response_data = [&](Probe&, Exchange& exchange, buffer::Buffer& data, End) {
    sizes.push_back(data.size());
    exchange.response()->fields.set("x-size", "known");
    return Step::next();
  };
  start([](const std::string&, const std::string&) { return answer(std::string(300'000, 'e')); });
  get();
  ASSERT_TRUE(receives(std::string(300'000, 'e')));
  EXPECT_NE(client->received().find("x-size: known\r\n"), std::string::npos);
  EXPECT_EQ(sizes, std::vector<size_t>{300'000});
}

TEST_F(FilterChainTest, AResponseOverTheLimitIs500) {
  first().response_headers = [](Probe&, Exchange&, http::ResponseHeaders&, End end) {
    return end == End::kYes ? Step::next() : Step::collect(100);
  };
  start([](const std::string&, const std::string&) { return answer(std::string(101, 'f')); });
  get();
  ASSERT_TRUE(receives("HTTP/1.1 500 Internal Server Error"));
  EXPECT_EQ(client->received().find('f', client->received().find("\r\n\r\n")), std::string::npos);
  EXPECT_EQ(first().completed, 1);
}

TEST_F(FilterChainTest, ARequestGetsABody) {
  first().request_headers = [](Probe&, Exchange& exchange, http::RequestHeaders& headers, End end) {
    EXPECT_EQ(end, End::kYes);
    headers.fields.set("content-length", "5");
    buffer::Buffer body(exchange.local().slabs);
    body.append_copy("added");
    exchange.add_body(std::move(body));
    return Step::next();
  };
  std::string seen;
  second().request_data = [&](Probe&, Exchange&, buffer::Buffer& data, End) {
    seen += data.to_string();
    return Step::next();
  };
  start(echo);
  get();
  EXPECT_TRUE(receives("\r\n\r\nadded"));
  EXPECT_EQ(seen, "added");
}

TEST_F(FilterChainTest, ABodyIsAddedBehindPausedHeaders) {
  first().request_headers = [](Probe& probe, Exchange& exchange, http::RequestHeaders& headers, End) {
    headers.fields.set("content-length", "5");
    buffer::Buffer body(exchange.local().slabs);
    body.append_copy("added");
    exchange.add_body(std::move(body));
    return probe.pause_for(std::chrono::milliseconds(10));
  };
  start(echo);
  get();
  EXPECT_TRUE(receives("\r\n\r\nadded"));
}

TEST_F(FilterChainTest, TrailersAreAdded) {
  first().request_data = [](Probe&, Exchange& exchange, buffer::Buffer&, End end) {
    if (end == End::kYes) exchange.add_trailers().add("x-sum", "1");
    return Step::next();
  };
  int with_end = 0;
  second().request_data = [&](Probe&, Exchange&, buffer::Buffer&, End end) {
    with_end += end == End::kYes ? 1 : 0;
    return Step::next();
  };
  std::string sum;
  second().request_trailers = [&](Probe&, Exchange&, http::HeaderMap& trailers) {
    sum = trailers.get("x-sum");
    return Step::next();
  };
  start(echo);
  post("body");
  EXPECT_TRUE(receives("\r\n\r\nbody"));
  EXPECT_EQ(sum, "1");
  EXPECT_EQ(with_end, 0);
}

TEST_F(FilterChainTest, AReplyFromAPausedResponseTakesItsPlace) {
  first().response_headers = [](Probe& probe, Exchange& exchange, http::ResponseHeaders&, End) {
    exchange.local().loop.post([&exchange] {
      proxy::LocalReply reply;
      reply.status = 418;
      reply.body = "short and stout";
      (void)exchange.reply(reply);
    });
    return Step::pause(*probe.resumer);
  };
  start([](const std::string&, const std::string&) { return answer("tea"); });
  get();
  ASSERT_TRUE(receives("short and stout"));
  EXPECT_TRUE(client->received().starts_with("HTTP/1.1 418"));
  EXPECT_EQ(client->received().find("tea"), std::string::npos);
}

// Both filters do a random one of all they may do, in every hook; what arrives is whole and in order, on rough
// networks.
TEST_F(FilterChainTest, AnyMixtureKeepsTheBytes) {
  for (uint64_t seed = 1; seed <= 150; ++seed) {
    probe_scripts().clear();
    SimRandom random(seed);
    const auto any_headers = [&](Probe& probe, Exchange&, auto&, End end) {
      switch (random.below(end == End::kYes ? 2 : 4)) {
        case 0:
          return Step::next();
        case 1:
          return probe.pause_for(std::chrono::milliseconds(random.below(50)));
        case 2:
          return Step::hold();
        default:
          return Step::collect(1'000'000);
      }
    };
    const auto any_data = [&](Probe& probe, Exchange&, buffer::Buffer&, End) {
      switch (random.below(8)) {
        case 0:
          return probe.pause_for(std::chrono::milliseconds(random.below(50)));
        case 1:
          return Step::collect(1'000'000);
        default:
          return Step::next();
      }
    };
    for (Probe::Script* script : {&first(), &second()}) {
      script->request_headers = any_headers;
      script->response_headers = any_headers;
      script->request_data = any_data;
      script->response_data = any_data;
    }
    start(echo, seed);
    std::string body;
    for (uint64_t i = random.below(40'000); i > 0; --i) body += std::to_string(i);
    post(body);
    ASSERT_TRUE(receives(cat("\r\n\r\n", body))) << "seed " << seed << ": " << client->received().size();
    client->close();
    proxy->world.run_for(std::chrono::seconds(1));
    EXPECT_EQ(first().completed, 1) << "seed " << seed;
    ASSERT_TRUE(proxy->stop()) << "seed " << seed;
  }
}

}  // namespace
}  // namespace sluice::test
