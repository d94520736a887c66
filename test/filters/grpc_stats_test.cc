#include "filters/http/grpc_stats/grpc_stats.h"

#include <gtest/gtest.h>

#include <string>

namespace sluice::filters::grpc_stats {
namespace {

std::string message(size_t bytes) {
  std::string out(5, '\0');
  for (int i = 0; i < 4; ++i) out[4 - i] = static_cast<char>(bytes >> (8 * i));
  return out + std::string(bytes, '\1');
}

TEST(MessageCounter, MessagesCountWhenTheyBegin) {
  MessageCounter counter;
  EXPECT_EQ(counter.count(message(3) + message(0) + message(300)), 3u);
  EXPECT_EQ(counter.count(message(70000).substr(0, 1)), 1u);
  EXPECT_EQ(counter.count(message(70000).substr(1)), 0u);
  EXPECT_EQ(counter.count({}), 0u);
  EXPECT_EQ(counter.total(), 4u);
}

TEST(MessageCounter, AnyCutGivesTheSame) {
  const std::string text = message(2) + message(0) + message(258) + message(1);
  for (size_t cut = 1; cut < 12; ++cut) {
    MessageCounter counter;
    uint64_t sum = 0;
    for (size_t at = 0; at < text.size(); at += cut) sum += counter.count(std::string_view(text).substr(at, cut));
    EXPECT_EQ(sum, 4u) << cut;
  }
}

}  // namespace
}  // namespace sluice::filters::grpc_stats
