// A proxy with the probe filters "first" and "second", its client, and the scripts of both probes. Thread: its test's.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/strings.h"
#include "test/sim/sim_probe.h"

namespace sluice::test {

inline std::string answer(std::string_view body) {
  return cat("HTTP/1.1 200 OK\r\ncontent-length: ", body.size(), "\r\n\r\n", body);
}

class ProbedProxyTest : public ::testing::Test {
 protected:
  ProbedProxyTest() { probe_scripts().clear(); }

  // `yaml` says where the probes stand.
  void start_with(const std::string& yaml, SimOrigin::Respond respond, uint64_t seed) {
    proxy = std::make_unique<SimProxy>(seed, yaml, std::move(respond), with_probes());
    ASSERT_EQ(proxy->error, "");
    client = proxy->connect();
  }
  void post(std::string_view body) {
    client->send(cat("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: ", body.size(), "\r\n\r\n", body));
  }
  void get() { client->send("GET / HTTP/1.1\r\nhost: a\r\n\r\n"); }
  bool receives(std::string_view text) {
    return proxy->world.run_until([&] { return client->received().find(text) != std::string::npos; },
                                  std::chrono::seconds(60));
  }
  Probe::Script& first() { return probe_scripts()["first"]; }
  Probe::Script& second() { return probe_scripts()["second"]; }

  std::unique_ptr<SimProxy> proxy;
  std::unique_ptr<SimTalker> client;
};

}  // namespace sluice::test
