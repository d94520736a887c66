// What a session remembers of its resources, and that it forgets.
#include "xds/type_users.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "test/xds/rig/rig.h"

namespace sluice::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// A response of the state of the world with these clusters.
xds::Arrival state_of(const std::vector<std::string>& names) {
  xds::Arrival out;
  out.type = ResourceType::kCluster;
  out.version = "1";
  out.complete = true;
  for (const std::string& name : names) {
    out.resources.emplace_back().resource.name = name;
  }
  return out;
}

TEST(TypeUsers, NamesThatWereRefusedAreForgottenWithTheStateOfTheWorldThatHadThem) {
  SimWorld world(1);
  SimLoop loop(world);
  NotingUser user;
  xds::Watch watch(loop.timers(), Rig::everything(ResourceType::kCluster), user);
  xds::TypeUsers users(loop, ResourceType::kCluster, [](std::vector<std::string>) {});
  users.add(watch);
  for (int i = 0; i < 1000; ++i) {
    users.doubt(state_of({"bad", "m" + std::to_string(i)}));
  }
  EXPECT_THAT(users.doubted(), ElementsAre("bad", "m999"));
  xds::Arrival good = state_of({"a"});
  users.take(good);
  EXPECT_THAT(users.doubted(), IsEmpty());
}

}  // namespace
}  // namespace sluice::test
