// The last good configuration on disk: what is written, what a start with the control plane away gets of it, and when
// it makes way.
#include "server/discovery/last_good.h"

#include <gtest/gtest.h>

#include "test/support/sim_files.h"
#include "test/support/sim_loop.h"
#include "test/support/sim_world.h"

namespace sluice::server {
namespace {

using namespace std::chrono_literals;
using config::ResourceType;
using config::ResourceUpdate;
using xds::Interest;

constexpr const char* kPath = "/last_good";

config::Resource resource(std::string name, std::string body) {
  config::Resource out;
  out.name = std::move(name);
  out.version = "v1";
  out.type_url = "type.googleapis.com/x";
  out.body = std::move(body);
  return out;
}

// What a user heard.
class User final : public config::ResourceUser {
 public:
  std::string on_resources(const ResourceUpdate& update) override {
    heard += update.complete ? "whole" : "part";
    for (const config::Resource& one : update.resources) heard += " " + one.name + "=" + one.body;
    for (const std::string& name : update.removed) heard += " -" + name;
    heard += ";";
    return answer;
  }
  void on_rejected(std::string_view) override { heard += "rejected;"; }
  void on_failure(std::string_view) override { heard += "failure;"; }
  void on_timeout() override { heard += "timeout;"; }
  std::string answer, heard;
};

// In place of a control plane: what it would tell is told by hand.
class AskedOnce final : public config::Subscription {
 public:
  void ask(std::set<std::string, std::less<>>) override {}
};

class LastGoodTest : public testing::Test {
 protected:
  std::unique_ptr<LastGood> process() { return std::make_unique<LastGood>(files_, loop_, kPath, registry_, cells_); }
  // `wire` becomes what the control plane speaks to.
  std::unique_ptr<config::Subscription> follow(LastGood& last_good, Interest interest, User& user,
                                               config::ResourceUser*& wire) {
    return last_good.keep(std::move(interest), user, [&wire](Interest, config::ResourceUser& who) {
      wire = &who;
      return std::make_unique<AskedOnce>();
    });
  }
  static Interest everything(ResourceType type = ResourceType::kCluster) {
    Interest out;
    out.type = type;
    out.scope = Interest::Scope::kEverything;
    return out;
  }
  static Interest one(ResourceType type, std::string name) {
    Interest out;
    out.type = type;
    out.names.insert(std::move(name));
    return out;
  }
  static ResourceUpdate update(bool complete, std::vector<config::Resource> resources,
                               std::vector<std::string> removed = {}) {
    ResourceUpdate out;
    out.complete = complete;
    out.resources = std::move(resources);
    out.removed = std::move(removed);
    return out;
  }
  uint64_t stat(std::string_view name) { return registry_.value("last_good." + std::string(name)).value_or(999); }

  test::SimWorld world_{1};
  test::SimLoop loop_{world_};
  test::SimFiles files_{loop_};
  stats::Registry registry_;
  stats::WorkerCells cells_{registry_};
};

TEST_F(LastGoodTest, WhatWasTakenServesTheNextProcess) {
  config::ResourceUser* wire = nullptr;
  {
    auto first = process();
    User user;
    auto all = follow(*first, everything(), user, wire);
    EXPECT_EQ(wire->on_resources(update(true, {resource("a", "1"), resource("b", "1")})), "");
    EXPECT_EQ(wire->on_resources(update(true, {resource("a", "2")})), "");
    user.answer = "bad";
    EXPECT_EQ(wire->on_resources(update(true, {resource("a", "3")})), "bad");
    world_.run_for(6s);
    EXPECT_EQ(stat("written"), 1u);
    EXPECT_EQ(first->stale(), 0u);
  }
  auto second = process();
  EXPECT_EQ(stat("resources"), 1u);
  User user;
  auto all = follow(*second, everything(), user, wire);
  wire->on_failure("gone");
  wire->on_failure("gone");
  EXPECT_EQ(user.heard, "failure;whole a=2;failure;");
  EXPECT_EQ(second->stale(), 1u);
  EXPECT_EQ(stat("stale"), 1u);
  // A delta says what there is now.
  user.heard.clear();
  wire->on_resources(update(false, {resource("c", "1")}));
  EXPECT_EQ(user.heard, "whole c=1;");
  EXPECT_EQ(second->stale(), 0u);
  wire->on_resources(update(false, {resource("d", "1")}, {"c"}));
  EXPECT_EQ(user.heard, "whole c=1;part d=1 -c;");
  second->freeze();
  EXPECT_NE(files_.read(kPath)->find("d"), std::string::npos);
}

TEST_F(LastGoodTest, SubscriptionsThatComeLaterNeedNotFailFirst) {
  config::ResourceUser* wire = nullptr;
  {
    auto first = process();
    User user;
    auto endpoints = follow(*first, one(ResourceType::kEndpoints, "e"), user, wire);
    wire->on_resources(update(false, {resource("e", "1")}));
    auto all = follow(*first, everything(), user, wire);
    wire->on_resources(update(true, {resource("a", "1")}));
    first->freeze();
  }
  auto second = process();
  User clusters, endpoints, unknown;
  auto all = follow(*second, everything(), clusters, wire);
  wire->on_timeout();
  EXPECT_EQ(clusters.heard, "whole a=1;");
  wire->on_failure("gone");
  auto known = follow(*second, one(ResourceType::kEndpoints, "e"), endpoints, wire);
  auto other = follow(*second, one(ResourceType::kEndpoints, "x"), unknown, wire);
  EXPECT_EQ(endpoints.heard, "");  // not inside subscribe()
  world_.run_for(1ms);
  EXPECT_EQ(endpoints.heard, "part e=1;");
  wire->on_timeout();
  EXPECT_EQ(unknown.heard, "timeout;");
  EXPECT_EQ(second->stale(), 2u);
}

TEST_F(LastGoodTest, WhatNobodyFollowsAnyMoreIsNotKept) {
  config::ResourceUser* wire = nullptr;
  auto process_ = process();
  User user;
  auto first = follow(*process_, one(ResourceType::kRoutes, "r"), user, wire);
  auto second = follow(*process_, one(ResourceType::kRoutes, "r"), user, wire);
  wire->on_resources(update(false, {resource("r", "1")}));
  first.reset();
  EXPECT_EQ(stat("resources"), 1u);
  second.reset();
  EXPECT_EQ(stat("resources"), 0u);
}

TEST_F(LastGoodTest, SecretsAreNeverWritten) {
  config::ResourceUser* wire = nullptr;
  auto first = process();
  User user;
  auto secret = follow(*first, one(ResourceType::kSecret, "s"), user, wire);
  EXPECT_EQ(wire, &user);
}

TEST_F(LastGoodTest, ADamagedFileIsNotUsed) {
  std::map<std::pair<ResourceType, std::string>, config::Resource> in, out;
  in[{ResourceType::kRoutes, "r"}] = resource("r", std::string(300, 'x'));
  in[{ResourceType::kCluster, "c"}] = resource("c", "");
  const std::string text = write_resources(in);
  ASSERT_TRUE(read_resources(text, out));
  EXPECT_EQ(out.size(), 2u);
  EXPECT_EQ((out[{ResourceType::kRoutes, "r"}].body), std::string(300, 'x'));
  for (size_t cut = 0; cut < text.size(); ++cut) {
    EXPECT_FALSE(read_resources(text.substr(0, cut), out));
    std::string wrong = text;
    wrong[cut] ^= 1;
    EXPECT_FALSE(read_resources(wrong, out));
  }
  files_.write(kPath, text.substr(1));
  auto last_good = process();
  EXPECT_EQ(stat("resources"), 0u);
}

TEST_F(LastGoodTest, ADiskThatFailsCostsACounter) {
  config::ResourceUser* wire = nullptr;
  auto last_good = process();
  User user;
  auto all = follow(*last_good, everything(), user, wire);
  files_.fail(kPath, "No space left on device");
  EXPECT_EQ(wire->on_resources(update(true, {resource("a", "1")})), "");
  world_.run_for(6s);
  EXPECT_EQ(stat("write_failed"), 1u);
}

}  // namespace
}  // namespace sluice::server
