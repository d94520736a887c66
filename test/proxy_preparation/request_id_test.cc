#include "proxy/request_id.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace sluice::proxy {
namespace {

TEST(Uuid, IsVersion4AndItsOwn) {
  SeededRandom random(1);
  std::set<std::string> seen;
  std::set<char> variants;
  for (int i = 0; i < 1000; ++i) {
    std::string id(kUuidSize, '?');
    write_uuid4(random, id.data());
    EXPECT_EQ(id.find_first_not_of("0123456789abcdef-"), std::string::npos) << id;
    EXPECT_EQ(id[8], '-');
    EXPECT_EQ(id[13], '-');
    EXPECT_EQ(id[14], '4');
    EXPECT_EQ(id[18], '-');
    EXPECT_EQ(id[23], '-');
    EXPECT_EQ(std::count(id.begin(), id.end(), '-'), 4);
    variants.insert(id[19]);
    EXPECT_TRUE(seen.insert(id).second);
  }
  EXPECT_EQ(variants, (std::set<char>{'8', '9', 'a', 'b'}));
}

TEST(Uuid, EveryDigitIsRandom) {
  SeededRandom random(2);
  std::set<char> at[kUuidSize];
  for (int i = 0; i < 1000; ++i) {
    char id[kUuidSize];
    write_uuid4(random, id);
    for (size_t k = 0; k < kUuidSize; ++k) at[k].insert(id[k]);
  }
  for (size_t k = 0; k < kUuidSize; ++k) {
    const bool fixed = k == 8 || k == 13 || k == 14 || k == 18 || k == 23;
    EXPECT_EQ(at[k].size(), fixed ? 1u : k == 19 ? 4u : 16u) << k;
  }
}

TEST(TraceReason, StandsInTheVersion) {
  EXPECT_EQ(trace_reason("11111111-2222-4333-8444-555555555555"), TraceReason::kNone);
  EXPECT_EQ(trace_reason("11111111-2222-9333-8444-555555555555"), TraceReason::kSampled);
  EXPECT_EQ(trace_reason("11111111-2222-a333-8444-555555555555"), TraceReason::kForced);
  EXPECT_EQ(trace_reason("11111111-2222-b333-8444-555555555555"), TraceReason::kClient);
  EXPECT_EQ(trace_reason("11111111-2222-93338-444-555555555555"), TraceReason::kNone);
  EXPECT_EQ(trace_reason("any-text"), TraceReason::kNone);
}

}  // namespace
}  // namespace sluice::proxy
