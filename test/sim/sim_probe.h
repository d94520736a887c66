// Probe: a filter whose hooks a test gives, in a whole proxy.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "config/compile_scope.h"
#include "proxy/exchange.h"
#include "proxy/filter.h"
#include "test/sim/sim_proxy.h"

namespace sluice::test {

// A filter whose hooks are given by the test. Thread: the simulation's.
class Probe final : public proxy::HttpFilter {
 public:
  struct Script {
    std::function<proxy::Step(Probe&, proxy::Exchange&, http::RequestHeaders&, http::End)> request_headers;
    std::function<proxy::Step(Probe&, proxy::Exchange&, buffer::Buffer&, http::End)> request_data;
    std::function<proxy::Step(Probe&, proxy::Exchange&, http::ResponseHeaders&, http::End)> response_headers;
    std::function<proxy::Step(Probe&, proxy::Exchange&, buffer::Buffer&, http::End)> response_data;
    std::function<proxy::Step(Probe&, proxy::Exchange&, http::HeaderMap&)> request_trailers;
    int completed = 0;
  };
  Probe(Script& script, proxy::Exchange& exchange)
      : script(script),
        timer(exchange.local().loop.timers(), [this] { resumer->resume(); }),
        response_timer(exchange.local().loop.timers(), [this] { response_resumer->resume(); }) {}

  proxy::Step on_request_headers(proxy::Exchange& exchange, http::RequestHeaders& headers, http::End end) override {
    return script.request_headers ? script.request_headers(*this, exchange, headers, end) : proxy::Step::next();
  }
  proxy::Step on_request_data(proxy::Exchange& exchange, buffer::Buffer& data, http::End end) override {
    return script.request_data ? script.request_data(*this, exchange, data, end) : proxy::Step::next();
  }
  proxy::Step on_request_trailers(proxy::Exchange& exchange, http::HeaderMap& trailers) override {
    return script.request_trailers ? script.request_trailers(*this, exchange, trailers) : proxy::Step::next();
  }
  proxy::Step on_response_headers(proxy::Exchange& exchange, http::ResponseHeaders& headers, http::End end) override {
    return script.response_headers ? script.response_headers(*this, exchange, headers, end) : proxy::Step::next();
  }
  proxy::Step on_response_data(proxy::Exchange& exchange, buffer::Buffer& data, http::End end) override {
    return script.response_data ? script.response_data(*this, exchange, data, end) : proxy::Step::next();
  }
  void on_complete(proxy::Exchange&, const format::Facts&) noexcept override { ++script.completed; }

  proxy::Step pause_for(Duration time) {
    timer.arm(time);
    return proxy::Step::pause(*resumer);
  }
  // Beside a request that may still be paused.
  proxy::Step pause_response_for(Duration time) {
    response_timer.arm(time);
    return proxy::Step::pause(*response_resumer);
  }

  Script& script;
  std::unique_ptr<proxy::Resumer> resumer = std::make_unique<proxy::Resumer>();
  std::unique_ptr<proxy::Resumer> response_resumer = std::make_unique<proxy::Resumer>();
  event::Timer timer;
  event::Timer response_timer;
};

// By the name of the filter; of the world that runs.
inline std::map<std::string, Probe::Script, std::less<>>& probe_scripts() {
  static std::map<std::string, Probe::Script, std::less<>> scripts;
  return scripts;
}

class ProbeFactory final : public proxy::HttpFilterFactory {
 public:
  explicit ProbeFactory(Probe::Script& script) : script_(script) {}
  proxy::HttpFilter* create(proxy::Exchange& exchange, proxy::FilterLocal*) const override {
    return exchange.arena().create<Probe>(script_, exchange);
  }
  uint8_t hooks() const override { return proxy::hooks_of<Probe>(); }

 private:
  Probe::Script& script_;
};

// Under the type of a message without fields that is no filter of its own in this build.
inline config::Extensions with_probes() {
  config::Extensions extensions = filters::builtin();
  extensions.add(
      config::HttpFilterType{.type = "envoy.extensions.filters.http.grpc_http1_bridge.v3.Config",
                             .compile = [](const google::protobuf::Message&,
                                           config::CompileScope& scope) -> std::shared_ptr<const model::FilterConfig> {
                               return std::make_shared<ProbeFactory>(probe_scripts()[std::string(scope.filter_name)]);
                             },
                             .upstream = true});
  return extensions;
}

// "first" and "second", in front of the router of a proxy like kPlainProxy.
inline std::string with_two_probes(std::string yaml) {
  constexpr std::string_view kProbe = R"(          - name: NAME
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.grpc_http1_bridge.v3.Config
)";
  std::string both;
  for (const std::string_view name : {"first", "second"}) {
    std::string one(kProbe);
    both += one.replace(one.find("NAME"), 4, name);
  }
  const std::string_view list = "          http_filters:\n";
  return yaml.insert(yaml.find(list) + list.size(), both);
}

}  // namespace sluice::test
