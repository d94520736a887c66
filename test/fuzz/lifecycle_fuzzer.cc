// Exchanges and their filter chain under anything in any order: pieces of requests and answers, resets, half-closes,
// time that passes, filters that pause, hold, collect, add, reply and answer later or never, routes that are swapped.
// In the simulation, so an input is a whole run. What must hold: each filter that was made hears on_complete() once,
// before it goes; each exchange has its line in the log; when everybody has gone nothing is left.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "base/strings.h"
#include "config/compile_scope.h"
#include "proxy/exchange.h"
#include "proxy/filter.h"
#include "test/sim/sim_proxy.h"

namespace sluice::test {
namespace {

using namespace std::chrono_literals;
using http::End;
using proxy::Exchange;
using proxy::Step;

// Takes the input apart. Behind its end filters let pass what comes.
class Script {
 public:
  Script(const uint8_t* data, size_t size) : left_(reinterpret_cast<const char*>(data), size) {}
  bool done() const { return left_.empty(); }
  uint8_t byte() {
    if (left_.empty()) return 0xff;
    const auto out = static_cast<uint8_t>(left_.front());
    left_.remove_prefix(1);
    return out;
  }

 private:
  std::string_view left_;
};

class Puppet;
// Of the run; one at a time.
Script* script = nullptr;
std::vector<Puppet*> puppets;  // those that are alive

// A filter that does what the script says. Thread: the simulation's.
class Puppet final : public proxy::HttpFilter {
 public:
  explicit Puppet(Exchange& exchange) : exchange_(exchange) { puppets.push_back(this); }
  ~Puppet() {
    SLUICE_CHECK(completed_);
    std::erase(puppets, this);
  }

  Step on_request_headers(Exchange&, http::RequestHeaders&, End end) override { return headers(*request_, end); }
  Step on_request_data(Exchange&, buffer::Buffer&, End end) override { return data(*request_, end); }
  Step on_request_trailers(Exchange&, http::HeaderMap&) override { return trailers(*request_); }
  Step on_response_headers(Exchange&, http::ResponseHeaders&, End end) override { return headers(*response_, end); }
  Step on_response_data(Exchange&, buffer::Buffer&, End end) override { return data(*response_, end); }
  Step on_response_trailers(Exchange&, http::HeaderMap&) override { return trailers(*response_); }
  void on_complete(Exchange&, const format::Facts&) noexcept override {
    SLUICE_CHECK(!completed_);
    completed_ = true;
  }

  // What comes to it later, from outside of a hook.
  void act(uint8_t what) {
    switch (what % 6) {
      case 0:
        request_->resume();
        break;
      case 1:
        response_->resume();
        break;
      case 2:
        if (!completed_ && (request_->waiting() || response_->waiting())) (void)exchange_.reply(teapot());
        break;
      case 3:
        request_ = std::make_unique<proxy::Resumer>();  // nobody answers any more
        break;
      case 4:
        (void)request_->pass(what);
        break;
      default:
        response_ = std::make_unique<proxy::Resumer>();
        break;
    }
  }

 private:
  static proxy::LocalReply teapot() {
    proxy::LocalReply reply;
    reply.status = 418;
    reply.body = "short and stout";
    return reply;
  }
  Step pause(proxy::Resumer& resumer, bool resumed) {
    if (resumer.waiting()) return Step::next();
    Step step = Step::pause(resumer);
    if (resumed) resumer.resume();
    return step;
  }
  Step headers(proxy::Resumer& resumer, End end) {
    switch (script->byte() % 10) {
      case 0:
        return pause(resumer, false);
      case 1:
        return pause(resumer, true);
      case 2:
        return Step::hold();
      case 3:
        return Step::collect(script->byte() * 64u);
      case 4:
        return exchange_.reply(teapot());
      case 5:
        if (&resumer == request_.get()) exchange_.reroute();
        return Step::next();
      case 6:
        if (end == End::kYes) add_body();
        return Step::next();
      default:
        return Step::next();
    }
  }
  Step data(proxy::Resumer& resumer, End end) {
    switch (script->byte() % 10) {
      case 0:
        return pause(resumer, false);
      case 1:
        return pause(resumer, true);
      case 2:
        return Step::collect(script->byte() * 64u);
      case 3:
        return exchange_.reply(teapot());
      case 4:
        if (end == End::kYes) exchange_.add_trailers().add("x-added", "1");
        return Step::next();
      default:
        return Step::next();
    }
  }
  Step trailers(proxy::Resumer& resumer) {
    switch (script->byte() % 6) {
      case 0:
        return pause(resumer, false);
      case 1:
        return pause(resumer, true);
      case 2:
        return exchange_.reply(teapot());
      default:
        return Step::next();
    }
  }
  void add_body() {
    buffer::Buffer body(exchange_.local().slabs);
    body.append_copy("added");
    exchange_.add_body(std::move(body));
  }

  Exchange& exchange_;
  std::unique_ptr<proxy::Resumer> request_ = std::make_unique<proxy::Resumer>();
  std::unique_ptr<proxy::Resumer> response_ = std::make_unique<proxy::Resumer>();
  bool completed_ = false;
};

class PuppetFactory final : public proxy::HttpFilterFactory {
 public:
  proxy::HttpFilter* create(Exchange& exchange, proxy::FilterLocal*) const override {
    return exchange.arena().create<Puppet>(exchange);
  }
  uint8_t hooks() const override { return proxy::hooks_of<Puppet>(); }
};

// Under the type of a message without fields that is no filter of its own in this build.
const config::Extensions& extensions() {
  static const config::Extensions all = [] {
    config::Extensions out = filters::builtin();
    out.add(config::HttpFilterType{.type = "envoy.extensions.filters.http.grpc_http1_bridge.v3.Config",
                                   .compile = [](const google::protobuf::Message&,
                                                 config::CompileScope&) -> std::shared_ptr<const model::FilterConfig> {
                                     return std::make_shared<PuppetFactory>();
                                   }});
    return out;
  }();
  return all;
}

std::string yaml() {
  std::string out = cat("node: {id: proxy, cluster: fuzz}\n", kPlainProxy);
  const auto behind = [&out](std::string_view what, std::string_view text) {
    const size_t at = out.find(what);
    SLUICE_CHECK(at != std::string::npos);
    out.insert(at + what.size(), text);
  };
  constexpr std::string_view kPuppet =
      "            typed_config: {\"@type\": "
      "type.googleapis.com/envoy.extensions.filters.http.grpc_http1_bridge.v3.Config}\n";
  behind("          http_filters:\n", cat("          - name: first\n", kPuppet, "          - name: second\n", kPuppet));
  behind("stat_prefix: main\n",
         "          stream_idle_timeout: 2s\n          request_timeout: 3s\n          http_protocol_options: "
         "{enable_trailers: true}\n");
  behind("- name: main\n", "    per_connection_buffer_limit_bytes: 1024\n");
  behind("connect_timeout: 1s\n", "    per_connection_buffer_limit_bytes: 1024\n");
  const size_t from = out.find("          route_config:");
  out.replace(from, out.find("          http_filters:") - from,
              "          rds: {route_config_name: table, config_source: {resource_api_version: V3, path_config_source: "
              "{path: /routes.yaml}}}\n");
  return out;
}

std::string routes(uint8_t kind) {
  static constexpr std::string_view kActions[] = {
      "route: {cluster: origin}",
      "route: {cluster: origin, timeout: 1s, retry_policy: {retry_on: \"5xx,reset\", num_retries: 2}}",
      "direct_response: {status: 200, body: {inline_string: direct}}",
      "route: {cluster: nowhere}",
      "redirect: {path_redirect: /there}",
      "route: {cluster: origin, internal_redirect_policy: {max_internal_redirects: 2}}",
  };
  return cat(
      "resources:\n- {\"@type\": type.googleapis.com/envoy.config.route.v3.RouteConfiguration, name: table, "
      "virtual_hosts: [{name: all, domains: [\"*\"], routes: [{match: {prefix: /}, ",
      kActions[kind % std::size(kActions)], "}]}]}\n");
}

constexpr std::string_view kRequests[] = {
    "GET / HTTP/1.1\r\nhost: a\r\n\r\n",
    "POST /a HTTP/1.1\r\nhost: a\r\ncontent-length: 12\r\n\r\nhello, world",
    "POST /b HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n3\r\n, w\r\n0\r\nx-trailer: "
    "1\r\n\r\n",
    "GET / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\n\r\n",
};
constexpr std::string_view kAnswers[] = {
    "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello",
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nx-trailer: 1\r\n\r\n",
    "HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n",
    "HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 200 OK\r\n\r\nuntil the end",
    "HTTP/1.1 302 Found\r\nlocation: http://a/next\r\ncontent-length: 0\r\n\r\n",
    "HTTP/1.1 204 No Content\r\n\r\n",
};

// One end of a connection and what it still has to say. Thread: the simulation's.
struct Speaker {
  std::unique_ptr<SimTalker> talker;
  std::string text;

  void say(size_t most) {
    const size_t size = std::min(most, text.size());
    talker->send(std::string_view(text).substr(0, size));
    text.erase(0, size);
  }
};

// The origin side: whoever connects. Thread: the simulation's.
class Origin {
 public:
  explicit Origin(SimMachine& machine)
      : socket_(std::move(*machine.network.bind(*net::Address::from_ip("10.0.0.8", 9000), {}, 1))) {
    acceptor_ = machine.network.accept(*socket_, 0, [this, &machine](std::unique_ptr<net::Transport> transport) {
      speakers.push_back(
          {std::make_unique<SimTalker>(machine.loop, machine.network, machine.slabs, std::move(transport)), {}});
    });
  }
  std::vector<Speaker> speakers;

 private:
  std::unique_ptr<net::ListenSocket> socket_;
  std::unique_ptr<net::Acceptor> acceptor_;
};

Speaker* pick(std::vector<Speaker>& from, uint8_t which) {
  return from.empty() ? nullptr : &from[from.size() - 1 - which % from.size()];
}

void run(Script& input) {
  script = &input;
  std::string text = yaml();
  text.replace(text.rfind("10.0.0.9"), 8, "10.0.0.8");
  const uint8_t seed = input.byte();
  SimProxy proxy(
      1 + seed, text, nullptr, extensions(), 1, [](SimZone&) {}, {},
      [&input](SimFiles& files) { files.write("/routes.yaml", routes(input.byte())); });
  SLUICE_CHECK(proxy.error.empty());
  proxy.world.run_for(100ms);
  SimMachine machine(proxy.fabric, "10.0.0.8");
  Origin origin(machine);
  std::vector<Speaker> clients;
  for (int left = 300; left > 0 && !input.done(); --left) {
    const uint8_t what = input.byte();
    const uint8_t more = input.byte();
    Speaker* client = pick(clients, more >> 6);
    Speaker* server = pick(origin.speakers, more >> 6);
    switch (what % 14) {
      case 0:
        clients.push_back({proxy.connect(), {}});
        break;
      case 1:
        if (client != nullptr) client->text += kRequests[more % std::size(kRequests)];
        break;
      case 2:
      case 3:
        if (client != nullptr) client->say(what % 14 == 2 ? more % 64 : 1000);
        break;
      case 4:
        if (client != nullptr) client->talker->close(more % 2 == 0 ? net::CloseHow::kFin : net::CloseHow::kReset);
        break;
      case 5:
        if (server != nullptr) server->text += kAnswers[more % std::size(kAnswers)];
        break;
      case 6:
      case 7:
        if (server != nullptr) server->say(what % 14 == 6 ? more % 64 : 1000);
        break;
      case 8:
        if (server != nullptr) server->talker->close(more % 2 == 0 ? net::CloseHow::kFin : net::CloseHow::kReset);
        break;
      case 9:
        proxy.world.run_for(Duration(1ms) * (more % 64));
        break;
      case 10:
        proxy.world.run_for(Duration(100ms) * (more % 64));
        break;
      case 11:
      case 12:
        if (!puppets.empty()) puppets[(more >> 4) % puppets.size()]->act(more % 16);
        break;
      default:
        proxy.platform.files().write("/routes.yaml", routes(more));
        break;
    }
    proxy.world.run_for(Duration(100us));
  }
  for (Speaker& client : clients) client.talker->close(net::CloseHow::kReset);
  proxy.world.run_for(10s);
  // A client whose FIN nobody reads, for its request is paused: whoever answers late answers now.
  for (int rounds = 0; rounds < 8 && !puppets.empty(); ++rounds) {
    for (const uint8_t what : {0, 1}) {
      const std::vector<Puppet*> now = puppets;
      for (Puppet* puppet : now) puppet->act(what);
    }
    proxy.world.run_for(3s);
  }
  for (Speaker& server : origin.speakers) server.talker->close();
  proxy.world.run_for(1s);
  const auto stat = [&](std::string_view name) { return proxy.server->registry().value(name).value_or(0); };
  SLUICE_CHECK(puppets.empty());
  SLUICE_CHECK(stat("http.main.downstream_rq_active") == 0);
  SLUICE_CHECK(stat("http.main.downstream_cx_active") == 0);
  SLUICE_CHECK(stat("cluster.origin.upstream_rq_active") == 0);
  SLUICE_CHECK(stat("cluster.origin.upstream_rq_pending_active") == 0);
  SLUICE_CHECK(stat("cluster.origin.upstream_cx_active") == 0);
  SLUICE_CHECK(proxy.platform.files().lines("/log").size() == stat("http.main.downstream_rq_total"));
  SLUICE_CHECK(proxy.stop());
}

}  // namespace
}  // namespace sluice::test

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  sluice::test::Script input(data, size);
  sluice::test::run(input);
  return 0;
}
