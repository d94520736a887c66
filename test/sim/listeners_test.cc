// Listeners that come, change and go under traffic.
#include "server/listeners.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "base/strings.h"
#include "test/sim/sim_proxy.h"

namespace sluice::test {
namespace {

using namespace std::chrono_literals;
using server::ListenerChange;
using server::ListenerSource;

constexpr Duration kDrain = 5s;

// A filter chain that answers with `text`; `from`: the one address that it serves, empty for all.
std::string chain(std::string_view name, std::string_view text, std::string_view from = {}) {
  const std::string match = from.empty() ? ""
                                         : cat(", filter_chain_match: {source_prefix_ranges: [{address_prefix: ", from,
                                               ", prefix_len: 32}]}");
  return cat(R"(
    - {name: )",
             name, match, R"(, filters: [{name: hcm, typed_config: {
        "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager,
        stat_prefix: main, route_config: {virtual_hosts: [{name: all, domains: ["*"], routes: [
          {match: {prefix: /slow}, route: {cluster: origin}},
          {match: {prefix: /}, direct_response: {status: 200, body: {inline_string: ")",
             text, R"("}}}]}]},
        http_filters: [{name: router, typed_config: {
          "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}]}}]})");
}

std::string listener(std::string_view name, uint16_t port, std::string_view chains, uint32_t buffer = 32768,
                     std::string_view address = "10.0.0.2") {
  return cat("  - name: ", name, "\n    address: {socket_address: {address: ", address, ", port_value: ", port,
             "}}\n    per_connection_buffer_limit_bytes: ", buffer, "\n    filter_chains:", chains, "\n");
}

std::string config(std::string_view listeners) {
  return cat("static_resources:\n", listeners.empty() ? "" : "  listeners:\n", listeners, R"(
  clusters:
  - name: origin
    load_assignment:
      cluster_name: origin
      endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 10.0.0.9, port_value: 9000}}}}]}]
)");
}

server::Options options() {
  server::Options out;
  out.drain_time = kDrain;
  out.drain_strategy = "immediate";
  return out;
}

// A client that sends one request after the other, and says what came of each. Thread: the simulation's.
class Client {
 public:
  Client(SimProxy& proxy, SimMachine& machine, uint16_t port)
      : proxy_(proxy), talker_(machine.connect(*net::Address::from_ip("10.0.0.2", port))) {}

  // The body of the answer; "refused", "ended" or "nothing" when there is none.
  std::string ask(std::string_view path = "/") {
    begin(path);
    proxy_.world.run_until([&] { return answered() || talker_->ended(); }, 2s);
    return result();
  }
  void begin(std::string_view path = "/") {
    from_ = talker_->received().size();
    talker_->send(cat("GET ", path, " HTTP/1.1\r\nhost: a\r\n\r\n"));
  }
  bool answered() const {
    const std::string_view got = std::string_view(talker_->received()).substr(from_);
    const size_t head = got.find("\r\n\r\n");
    const size_t length = got.find("content-length: ");
    return head != std::string_view::npos && length < head &&
           got.size() >= head + 4 + std::strtoul(got.data() + length + 16, nullptr, 10);
  }
  std::string result() const {
    if (!answered()) {
      return !talker_->ended() ? "nothing" : talker_->connected() ? "ended" : "refused";
    }
    const std::string_view got = std::string_view(talker_->received()).substr(from_);
    return std::string(got.substr(got.find("\r\n\r\n") + 4));
  }
  bool told_to_go() const { return talker_->received().find("connection: close", from_) != std::string::npos; }
  bool ended() const { return talker_->ended(); }
  bool connected() const { return talker_->connected(); }

 private:
  SimProxy& proxy_;
  std::unique_ptr<SimTalker> talker_;
  size_t from_ = 0;
};

class ListenersTest : public testing::Test {
 protected:
  explicit ListenersTest(std::string_view fixed = {}, uint64_t seed = 1, uint32_t workers = 2)
      : proxy_(
            seed, config(fixed), [](auto&, auto&) { return std::string(); }, filters::builtin(), workers,
            [](SimZone&) {}, options()),
        others_(proxy_.fabric, "10.0.0.3") {
    EXPECT_EQ(proxy_.error, "");
    proxy_.world.run_for(100ms);
  }
  ~ListenersTest() override { EXPECT_TRUE(proxy_.stop()); }

  server::Listeners& listeners() { return proxy_.server->all_listeners(); }
  model::ListenerPlanPtr plan(const std::string& yaml) {
    config::BootstrapOptions source;
    const std::string text = config(yaml);
    source.yaml = text;
    config::CompileOutcome outcome = config::compile_bootstrap(source, filters::builtin(), &proxy_.platform.files());
    EXPECT_TRUE(outcome.bootstrap) << outcome.error_text();
    compiled_.push_back(std::move(*outcome.bootstrap));
    return compiled_.back().listeners.at(0);
  }
  ListenerChange update(const std::string& yaml) {
    Result<ListenerChange> change = listeners().add_or_update(plan(yaml), ListenerSource::kDynamic);
    EXPECT_TRUE(change) << change.error();
    return change ? *change : ListenerChange::kNone;
  }
  // The same, warm at once; the workers have it when this returns.
  ListenerChange serve(const std::string& yaml, std::string_view name = "main") {
    const ListenerChange change = update(yaml);
    listeners().ready(name);
    proxy_.world.run_for(50ms);
    return change;
  }
  Client connect(uint16_t port = 8080) { return {proxy_, proxy_.clients, port}; }
  Client connect_other(uint16_t port = 8080) { return {proxy_, others_, port}; }
  uint64_t stat(std::string_view name) {
    return proxy_.server->registry().value(cat("listener_manager.", name)).value_or(999'999);
  }

  std::vector<config::CompiledBootstrap> compiled_;
  SimProxy proxy_;
  SimMachine others_;
};

TEST_F(ListenersTest, AListenerServesOnceItIsReady) {
  EXPECT_EQ(connect().ask(), "refused");
  EXPECT_EQ(update(listener("main", 8080, chain("a", "one"))), ListenerChange::kAdded);
  EXPECT_EQ(stat("total_listeners_warming"), 1u);
  EXPECT_EQ(stat("total_listeners_active"), 0u);
  EXPECT_EQ(connect().ask(), "refused");  // bound, but not listening
  listeners().ready("main");
  proxy_.world.run_for(50ms);
  EXPECT_EQ(connect().ask(), "one");
  EXPECT_EQ(stat("total_listeners_warming"), 0u);
  EXPECT_EQ(stat("total_listeners_active"), 1u);
  EXPECT_EQ(stat("listener_added"), 1u);
  EXPECT_EQ(stat("listener_create_success"), 2u);
}

TEST_F(ListenersTest, TheSameIsNoUpdate) {
  serve(listener("main", 8080, chain("a", "one")));
  EXPECT_EQ(update(listener("main", 8080, chain("a", "one"))), ListenerChange::kNone);
  EXPECT_EQ(stat("listener_modified"), 0u);
  EXPECT_EQ(update(listener("main", 8080, chain("a", "two"))), ListenerChange::kModified);
  EXPECT_EQ(update(listener("main", 8080, chain("a", "two"))), ListenerChange::kNone);
  EXPECT_EQ(connect().ask(), "one");  // the update is warming
}

TEST_F(ListenersTest, InPlaceOnlyConnectionsOfChangedChainsDrain) {
  serve(listener("main", 8080, chain("mine", "one", "10.0.0.1") + chain("rest", "rest")));
  Client changed = connect();
  Client other = connect_other();
  EXPECT_EQ(changed.ask(), "one");
  EXPECT_EQ(other.ask(), "rest");
  serve(listener("main", 8080, chain("mine", "two", "10.0.0.1") + chain("rest", "rest")));
  EXPECT_EQ(stat("listener_in_place_updated"), 1u);
  EXPECT_EQ(stat("listener_modified"), 1u);
  EXPECT_EQ(stat("total_filter_chains_draining"), 1u);
  EXPECT_EQ(stat("total_listeners_draining"), 0u);
  EXPECT_EQ(connect().ask(), "two");
  EXPECT_EQ(changed.ask(), "one");
  EXPECT_TRUE(changed.told_to_go());
  EXPECT_EQ(other.ask(), "rest");
  EXPECT_FALSE(other.told_to_go());
  proxy_.world.run_for(kDrain);
  EXPECT_TRUE(changed.ended());
  EXPECT_EQ(other.ask(), "rest");
  EXPECT_FALSE(other.told_to_go());
  EXPECT_EQ(stat("total_filter_chains_draining"), 0u);
  EXPECT_EQ(proxy_.server->registry().value("listener.10.0.0.2_8080.downstream_cx_total"), 3u);
}

TEST_F(ListenersTest, AChainThatIsGoneIsCutAfterTheDrainTime) {
  serve(listener("main", 8080, chain("mine", "one", "10.0.0.1") + chain("rest", "rest")));
  Client idle = connect();
  EXPECT_EQ(idle.ask(), "one");
  serve(listener("main", 8080, chain("rest", "rest")));
  proxy_.world.run_for(kDrain - 1s);
  EXPECT_FALSE(idle.ended());
  EXPECT_EQ(connect().ask(), "rest");
  proxy_.world.run_for(2s);
  EXPECT_TRUE(idle.ended());
}

TEST_F(ListenersTest, OtherwiseAllOfTheOldListenerDrain) {
  serve(listener("main", 8080, chain("a", "one")));
  Client idle = connect();
  Client used = connect();
  EXPECT_EQ(idle.ask(), "one");
  EXPECT_EQ(used.ask(), "one");
  update(listener("main", 8080, chain("a", "one"), 65536));
  EXPECT_EQ(used.ask(), "one");
  EXPECT_FALSE(used.told_to_go());  // it is warming
  listeners().ready("main");
  proxy_.world.run_for(50ms);
  EXPECT_EQ(stat("listener_in_place_updated"), 0u);
  EXPECT_EQ(stat("total_listeners_draining"), 1u);
  EXPECT_EQ(used.ask(), "one");
  EXPECT_TRUE(used.told_to_go());
  Client fresh = connect();
  EXPECT_EQ(fresh.ask(), "one");
  EXPECT_FALSE(fresh.told_to_go());
  proxy_.world.run_for(kDrain);
  EXPECT_TRUE(idle.ended());
  EXPECT_FALSE(fresh.ended());
  EXPECT_EQ(stat("total_listeners_draining"), 0u);
  EXPECT_EQ(stat("total_listeners_active"), 1u);
  EXPECT_EQ(proxy_.server->registry().value("listener.10.0.0.2_8080.downstream_cx_total"), 3u);
  EXPECT_EQ(proxy_.server->registry().value("listener.10.0.0.2_8080.downstream_cx_active"), 1u);
}

TEST_F(ListenersTest, AnotherAddress) {
  serve(listener("main", 8080, chain("a", "one")));
  Client old = connect();
  EXPECT_EQ(old.ask(), "one");
  update(listener("main", 8081, chain("a", "two")));
  EXPECT_EQ(connect().ask(), "one");
  listeners().ready("main");
  proxy_.world.run_for(50ms);
  EXPECT_EQ(connect(8081).ask(), "two");
  EXPECT_EQ(connect().ask(), "refused");
  EXPECT_EQ(old.ask(), "one");
  EXPECT_TRUE(old.told_to_go());
}

TEST_F(ListenersTest, RemovalDrains) {
  serve(listener("main", 8080, chain("a", "one")));
  Client idle = connect();
  EXPECT_EQ(idle.ask(), "one");
  EXPECT_TRUE(listeners().remove("main"));
  EXPECT_FALSE(listeners().remove("main"));
  proxy_.world.run_for(50ms);
  EXPECT_EQ(connect().ask(), "refused");
  EXPECT_EQ(stat("listener_removed"), 1u);
  EXPECT_EQ(stat("total_listeners_active"), 0u);
  EXPECT_EQ(stat("total_listeners_draining"), 1u);
  EXPECT_EQ(listeners().plans().at(0).draining.size(), 1u);
  EXPECT_FALSE(idle.ended());
  proxy_.world.run_for(kDrain);
  EXPECT_TRUE(idle.ended());
  EXPECT_EQ(stat("total_listeners_draining"), 0u);
  EXPECT_TRUE(listeners().plans().empty());
  EXPECT_EQ(proxy_.server->registry().value("listener.10.0.0.2_8080.downstream_cx_active"), std::nullopt);
}

TEST_F(ListenersTest, WhoWaitsInTheQueueOfARemovedListenerIsServed) {
  serve(listener("main", 8080, chain("a", "one")));
  Client waiting = connect();
  proxy_.world.run_until([&] { return waiting.connected(); }, 1s);
  listeners().remove("main");
  EXPECT_EQ(waiting.ask(), "one");
  EXPECT_TRUE(waiting.told_to_go());
}

TEST_F(ListenersTest, AnUpdateReplacesOneThatIsWarming) {
  serve(listener("main", 8080, chain("a", "one")));
  update(listener("main", 8081, chain("a", "two")));
  EXPECT_EQ(update(listener("main", 8082, chain("a", "three"))), ListenerChange::kModified);
  EXPECT_EQ(connect(8081).ask(), "refused");
  EXPECT_EQ(stat("total_listeners_warming"), 1u);
  EXPECT_EQ(connect().ask(), "one");
  listeners().ready("main");
  EXPECT_EQ(connect(8082).ask(), "three");
  EXPECT_EQ(stat("listener_modified"), 2u);
}

TEST_F(ListenersTest, TheActiveOneAgainDropsTheOneThatIsWarming) {
  serve(listener("main", 8080, chain("a", "one")));
  update(listener("main", 8081, chain("a", "two")));
  EXPECT_EQ(update(listener("main", 8080, chain("a", "one"))), ListenerChange::kRestored);
  EXPECT_EQ(listeners().warming("main"), nullptr);
  EXPECT_EQ(connect().ask(), "one");
  EXPECT_EQ(connect(8081).ask(), "refused");
  EXPECT_EQ(stat("total_listeners_warming"), 0u);
  EXPECT_EQ(stat("listener_modified"), 2u);
}

TEST_F(ListenersTest, WarmingListenersDoNotTouchOthers) {
  serve(listener("main", 8080, chain("a", "one")));
  update(listener("slow", 8081, chain("a", "slow")));
  serve(listener("third", 8082, chain("a", "third")), "third");
  EXPECT_EQ(connect().ask(), "one");
  EXPECT_EQ(connect(8082).ask(), "third");
  EXPECT_EQ(connect(8081).ask(), "refused");
  EXPECT_TRUE(listeners().remove("slow"));
  EXPECT_EQ(connect(8081).ask(), "refused");
  EXPECT_EQ(stat("listener_removed"), 1u);
  EXPECT_EQ(stat("total_listeners_draining"), 0u);
}

TEST_F(ListenersTest, ARenamedListenerTakesTheSocketOver) {
  serve(listener("l1", 8080, chain("a", "one")), "l1");
  Client old = connect();
  EXPECT_EQ(old.ask(), "one");
  listeners().remove("l1");
  update(listener("l2", 8080, chain("a", "two")));
  Client waiting = connect();
  waiting.begin();
  proxy_.world.run_for(300ms);
  EXPECT_EQ(waiting.result(), "nothing");
  listeners().ready("l2");
  proxy_.world.run_for(50ms);
  EXPECT_EQ(waiting.result(), "two");
  EXPECT_EQ(old.ask(), "one");
  EXPECT_TRUE(old.told_to_go());
  listeners().remove("l2");
  proxy_.world.run_for(10ms);
  serve(listener("l3", 8080, chain("a", "three")), "l3");
  EXPECT_EQ(connect().ask(), "three");
}

TEST_F(ListenersTest, AnErrorLeavesWhatIsThere) {
  serve(listener("main", 8080, chain("a", "one")));
  const auto error = [&](const std::string& yaml) {
    Result<ListenerChange> change = listeners().add_or_update(plan(yaml), ListenerSource::kDynamic);
    return change ? std::string() : change.error();
  };
  EXPECT_EQ(error(listener("thief", 8080, chain("a", "thief"))),
            "error adding listener: 'thief' has duplicate address '10.0.0.2:8080' as existing listener");
  EXPECT_NE(error(listener("main", 8080, chain("a", "far"), 32768, "10.9.9.9")).find("cannot bind 10.9.9.9:8080"),
            std::string::npos);
  EXPECT_EQ(stat("listener_create_failure"), 1u);
  EXPECT_EQ(stat("listener_modified"), 0u);
  EXPECT_EQ(connect().ask(), "one");
  EXPECT_EQ(listeners().plans().size(), 1u);
}

TEST_F(ListenersTest, NothingComesAfterADrain) {
  serve(listener("main", 8080, chain("a", "one")));
  update(listener("slow", 8081, chain("a", "slow")));
  proxy_.server->drain_listeners({});
  proxy_.world.run_for(50ms);
  EXPECT_EQ(connect().ask(), "refused");
  EXPECT_EQ(connect(8081).ask(), "refused");
  EXPECT_EQ(stat("listener_stopped"), 1u);
  EXPECT_EQ(update(listener("late", 8082, chain("a", "late"))), ListenerChange::kNone);
  EXPECT_EQ(update(listener("main", 8083, chain("a", "late"))), ListenerChange::kNone);
  EXPECT_EQ(stat("listener_added"), 2u);
  EXPECT_TRUE(listeners().remove("main"));
}

TEST_F(ListenersTest, TheProcessEndsWhileOneDrains) {
  serve(listener("main", 8080, chain("a", "one")));
  Client idle = connect();
  EXPECT_EQ(idle.ask(), "one");
  serve(listener("main", 8080, chain("a", "one"), 65536));
  EXPECT_TRUE(proxy_.stop());
  proxy_.world.run_for(100ms);
  EXPECT_TRUE(idle.ended());
}

class FixedListenersTest : public ListenersTest {
 protected:
  FixedListenersTest() : ListenersTest(listener("fixed", 8080, chain("a", "fixed"))) {}
};

TEST_F(FixedListenersTest, AListenerOfTheBootstrapStays) {
  EXPECT_EQ(update(listener("fixed", 8081, chain("a", "two"))), ListenerChange::kNone);
  EXPECT_FALSE(listeners().remove("fixed"));
  EXPECT_EQ(connect().ask(), "fixed");
  EXPECT_EQ(connect(8081).ask(), "refused");
}

class BalanceTest : public ListenersTest {
 protected:
  BalanceTest() : ListenersTest({}, 3, 3) {}
  std::vector<uint64_t> active() {
    std::vector<uint64_t> out;
    for (int worker = 0; worker < 3; ++worker) {
      const std::string name = cat("listener.10.0.0.2_8080.worker_", worker, ".downstream_cx_active");
      out.push_back(proxy_.server->registry().value(name).value_or(999));
    }
    return out;
  }
};

TEST_F(BalanceTest, ExactlyAsManyOnEachWorker) {
  std::string yaml = listener("main", 8080, chain("a", "one"));
  yaml += "    connection_balance_config: {exact_balance: {}}\n";
  serve(yaml);
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 12; ++i) {
    clients.push_back(std::make_unique<Client>(proxy_, proxy_.clients, 8080));
    EXPECT_EQ(clients.back()->ask(), "one");
  }
  EXPECT_EQ(active(), (std::vector<uint64_t>{4, 4, 4}));
  clients.resize(6);
  proxy_.world.run_for(1s);
  for (int i = 0; i < 9; ++i) {
    clients.push_back(std::make_unique<Client>(proxy_, others_, 8080));
    EXPECT_EQ(clients.back()->ask(), "one");
  }
  EXPECT_EQ(active(), (std::vector<uint64_t>{5, 5, 5}));
}

// Updates of all kinds by seed, under clients that obey: nobody is refused, cut or left without an answer.
class Storm : public ListenersTest {
 public:
  explicit Storm(uint64_t seed) : ListenersTest({}, seed, 1 + seed % 3), random_(proxy_.world.random().fork()) {}
  void TestBody() override {
    serve(text_of("main", 8080));
    for (int i = 0; i < 8; ++i) {
      visitors_.emplace_back();
    }
    for (int step = 0; step < 120 && !HasFailure(); ++step) {
      visit();
      if (random_.below(3) == 0) {
        change();
      }
      proxy_.world.run_for(std::chrono::milliseconds(random_.below(300)));
    }
    visitors_.clear();
    for (const auto& [name, port] : std::map(extras_)) listeners().remove(name);
    proxy_.world.run_for(kDrain + 2s);
    EXPECT_EQ(stat("total_listeners_draining"), 0u);
    EXPECT_EQ(stat("total_filter_chains_draining"), 0u);
    EXPECT_EQ(proxy_.server->registry().value("listener.10.0.0.2_8080.downstream_cx_active"), 0u);
    EXPECT_EQ(proxy_.server->registry().value("http.main.downstream_cx_active"), 0u);
    EXPECT_GT(answers_, 100u);
    EXPECT_EQ(listeners().plans().size(), 1u);
    listeners().remove("main");
    proxy_.world.run_for(kDrain + 1s);
    EXPECT_EQ(proxy_.server->registry().value("listener.10.0.0.2_8080.downstream_cx_total"), std::nullopt);
    EXPECT_EQ(proxy_.server->registry().value("http.main.downstream_cx_total"), std::nullopt);
  }

 private:
  // Some of few: the same content comes back now and then.
  std::string text_of(std::string_view name, uint16_t port) {
    const std::string chains =
        cat(chain("mine", cat("v", random_.below(3)), "10.0.0.1"), chain("rest", cat("r", random_.below(2))));
    return listener(name, port, chains, 32768 << random_.below(2));
  }
  void change() {
    switch (random_.below(6)) {
      case 0: {  // one more beside it, or one less
        const std::string name = cat("extra", random_.below(3));
        if (extras_.contains(name)) {
          extras_.erase(name);
          listeners().remove(name);
        } else {
          const auto port = static_cast<uint16_t>(9000 + random_.below(40));
          Result<ListenerChange> added = listeners().add_or_update(plan(text_of(name, port)), ListenerSource::kDynamic);
          if (added) extras_[name] = port;
        }
        break;
      }
      case 1:
        for (const auto& [name, port] : extras_) listeners().ready(name);
        break;
      case 2:
      case 3:
        update(text_of("main", 8080));
        break;
      default:
        if (listeners().warming("main") != nullptr) listeners().ready("main");
        break;
    }
  }
  struct Visitor {
    std::unique_ptr<Client> client;
    bool asked = false;
  };
  void visit() {
    for (Visitor& visitor : visitors_) {
      if (visitor.asked && !visitor.client->answered()) {
        ASSERT_EQ(visitor.client->result(), "nothing");
        continue;
      }
      if (visitor.asked) {
        ++answers_;
        const std::string body = visitor.client->result();
        ASSERT_TRUE(body.size() == 2 && (body[0] == 'v' || body[0] == 'r')) << body;
        visitor.asked = false;
        if (visitor.client->told_to_go() || random_.below(4) == 0) visitor.client.reset();
      }
      if (visitor.client == nullptr) {
        visitor.client = std::make_unique<Client>(proxy_, random_.below(2) == 0 ? proxy_.clients : others_, 8080);
      }
      ASSERT_FALSE(visitor.client->ended());
      visitor.client->begin();
      visitor.asked = true;
    }
  }

  SimRandom random_;
  std::map<std::string, uint16_t> extras_;
  std::vector<Visitor> visitors_;
  uint64_t answers_ = 0;
};

TEST(ListenersStorm, Seeds) {
  if (const char* one = std::getenv("SLUICE_SEED")) {
    Storm(std::strtoull(one, nullptr, 10)).TestBody();
    return;
  }
  for (uint64_t seed = 1; seed <= 25 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(cat("seed ", seed));
    Storm(seed).TestBody();
  }
}

}  // namespace
}  // namespace sluice::test
