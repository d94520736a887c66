// OriginsTest: a proxy and three origins that answer with their address, for tests that ask where a request went.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/strings.h"
#include "test/sim/sim_proxy.h"

namespace sluice::test {

// Thread: the simulation's.
class OriginsTest : public testing::Test {
 protected:
  static constexpr const char* kIps[] = {"10.0.0.11", "10.0.0.12", "10.0.0.13"};  // all at port 9000

  // `stats`: what the names that stat() is asked for begin with.
  explicit OriginsTest(std::string_view stats = "cluster.origin.") : stats_(stats) {}
  void start(
      std::string_view yaml, const std::function<void(SimZone&)>& names = [](SimZone&) {}) {
    proxy_ = std::make_unique<SimProxy>(
        7, yaml, [](const std::string&, const std::string&) { return answer("10.0.0.9"); }, filters::builtin(), 1,
        names);
    ASSERT_EQ(proxy_->error, "");
    for (const char* ip : kIps) {
      machines_.push_back(std::make_unique<SimMachine>(proxy_->fabric, ip));
      origins_.push_back(
          std::make_unique<SimOrigin>(*machines_.back(), *net::Address::from_ip(ip, 9000),
                                      [ip](const std::string&, const std::string&) { return answer(ip); }));
    }
  }
  void TearDown() override {
    EXPECT_TRUE(proxy_->stop());
    origins_.clear();
    machines_.clear();
    proxy_.reset();
  }

  // A request on a connection of its own, under way.
  std::unique_ptr<SimTalker> ask(std::string_view host = "x") {
    auto talker = proxy_->connect();
    talker->send(cat("GET / HTTP/1.1\r\nhost: ", host, "\r\nconnection: close\r\n\r\n"));
    return talker;
  }
  // "STATUS BODY" of one, and took_.
  std::string get(std::string_view host = "x") {
    const MonotonicTime began = proxy_->world.now();
    const auto talker = ask(host);
    proxy_->world.run_until([&] { return talker->ended(); });
    took_ = proxy_->world.now() - began;
    return said(talker->received());
  }
  static std::string said(const std::string& all) {
    return all.size() < 12 ? "nothing" : cat(all.substr(9, 3), " ", all.substr(all.find("\r\n\r\n") + 4));
  }
  SimZone& zone() { return proxy_->platform.zone; }
  uint64_t stat(std::string_view name) { return proxy_->server->registry().value(cat(stats_, name)).value_or(0); }

  std::unique_ptr<SimProxy> proxy_;
  std::vector<std::unique_ptr<SimMachine>> machines_;
  std::vector<std::unique_ptr<SimOrigin>> origins_;
  Duration took_{0};

 private:
  static std::string answer(std::string_view who) {
    return cat("HTTP/1.1 200 OK\r\ncontent-length: ", who.size(), "\r\n\r\n", who);
  }

  const std::string stats_;
};

}  // namespace sluice::test
