// What a gRPC health service answers, byte by byte.
#include "upstream/grpc_check.h"

#include <gtest/gtest.h>

namespace sluice::upstream {
namespace {

TEST(GrpcCheck, ReadsTheAnswerAsProtobufDoes) {
  using namespace std::string_view_literals;
  EXPECT_TRUE(says_serving("\x08\x01"sv));
  EXPECT_FALSE(says_serving("\x08\x02"sv));
  EXPECT_FALSE(says_serving(""sv));                    // UNKNOWN
  EXPECT_FALSE(says_serving("\x08\x01\x08\x02"sv));    // the last one counts
  EXPECT_TRUE(says_serving("\x12\x02xy\x08\x01"sv));   // a field of later times
  EXPECT_TRUE(says_serving("\x08\x81\x80\x00"sv));     // longer than needed
  EXPECT_FALSE(says_serving("\x08"sv));                // cut short
  EXPECT_FALSE(says_serving("\x12\x7fxy\x08\x01"sv));  // longer than there is
  EXPECT_FALSE(says_serving("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"sv));
  EXPECT_FALSE(says_serving("\x0b\x08\x01"sv));  // groups
}

}  // namespace
}  // namespace sluice::upstream
