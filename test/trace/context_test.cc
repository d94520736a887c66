// Trace contexts in headers: what is read, what is refused, what is written.
#include "trace/context.h"

#include <gtest/gtest.h>

#include "base/arena.h"

namespace sluice::trace {
namespace {

struct ContextTest : testing::Test {
  Owner owner{"test"};
  ChunkPool chunks{owner};
  Arena arena{chunks};
  http::HeaderMap fields{arena};
  Context context;
  bool sampled = false;
};

constexpr std::string_view kWide = "463ac35c9f6413ad48485a3953bb6124";
constexpr std::string_view kSpan = "a2fb4a1d1a96d312";

TEST_F(ContextTest, ReadsB3InManyFields) {
  EXPECT_EQ(read_b3(fields, context), Found::kNothing);
  fields.add("x-b3-traceid", kWide);
  EXPECT_EQ(read_b3(fields, context), Found::kNothing);
  fields.add("x-b3-spanid", kSpan);
  fields.add("x-b3-parentspanid", "0020000000000001");
  ASSERT_EQ(read_b3(fields, context), Found::kContext);
  EXPECT_EQ(trace_id_text(context, arena), kWide);
  EXPECT_EQ(span_id_text(context.span, arena), kSpan);
  EXPECT_EQ(context.parent, 0x0020000000000001u);
  EXPECT_EQ(b3_sampled(fields), std::nullopt);
  fields.set("x-b3-sampled", "0");
  EXPECT_EQ(b3_sampled(fields), false);
  fields.set("x-b3-sampled", "true");
  EXPECT_EQ(b3_sampled(fields), true);
}

TEST_F(ContextTest, ReadsB3InOneField) {
  const struct {
    std::string_view text;
    Found found;
    std::optional<bool> sampled;
  } cases[] = {
      {"1", Found::kNothing, true},
      {"d", Found::kNothing, true},
      {"0", Found::kNothing, false},
      {"463ac35c9f6413ad48485a3953bb6124-a2fb4a1d1a96d312", Found::kContext, std::nullopt},
      {"463ac35c9f6413ad48485a3953bb6124-a2fb4a1d1a96d312-1", Found::kContext, true},
      {"48485a3953bb6124-a2fb4a1d1a96d312-0", Found::kContext, false},
      {"48485a3953bb6124-a2fb4a1d1a96d312-d-0020000000000001", Found::kContext, true},
      {"48485a3953bb6124-a2fb4a1d1a96d312-x", Found::kBroken, std::nullopt},
      {"48485a3953bb6124-a2fb4a1d1a96d31", Found::kBroken, std::nullopt},
      {"48485a3953bb612z-a2fb4a1d1a96d312", Found::kBroken, std::nullopt},
      {"48485a3953bb6124-a2fb4a1d1a96d312-", Found::kBroken, std::nullopt},
      {"48485a3953bb6124-a2fb4a1d1a96d312-1-00200000000000", Found::kBroken, std::nullopt},
      {"", Found::kBroken, std::nullopt},
  };
  for (const auto& one : cases) {
    http::HeaderMap only(arena);
    only.add("b3", one.text);
    EXPECT_EQ(read_b3(only, context), one.found) << one.text;
    EXPECT_EQ(b3_sampled(only), one.sampled) << one.text;
  }
}

TEST_F(ContextTest, ReadsTraceparent) {
  const struct {
    std::string_view text;
    Found found;
    bool sampled;
  } cases[] = {
      {"00-463ac35c9f6413ad48485a3953bb6124-a2fb4a1d1a96d312-01", Found::kContext, true},
      {"00-463ac35c9f6413ad48485a3953bb6124-a2fb4a1d1a96d312-00", Found::kContext, false},
      {"cc-463ac35c9f6413ad48485a3953bb6124-a2fb4a1d1a96d312-03", Found::kContext, true},
      {"ff-463ac35c9f6413ad48485a3953bb6124-a2fb4a1d1a96d312-01", Found::kBroken, false},
      {"00-00000000000000000000000000000000-a2fb4a1d1a96d312-01", Found::kBroken, false},
      {"00-463ac35c9f6413ad48485a3953bb6124-0000000000000000-01", Found::kBroken, false},
      {"00-463ac35c9f6413ad48485a3953bb6124-a2fb4a1d1a96d312-0", Found::kBroken, false},
      {"00_463ac35c9f6413ad48485a3953bb6124-a2fb4a1d1a96d312-01", Found::kBroken, false},
      {"", Found::kBroken, false},
  };
  EXPECT_EQ(read_traceparent(fields, context, sampled), Found::kNothing);
  for (const auto& one : cases) {
    http::HeaderMap only(arena);
    only.add(http::Token::kTraceparent, one.text);
    sampled = false;
    EXPECT_EQ(read_traceparent(only, context, sampled), one.found) << one.text;
    EXPECT_EQ(sampled, one.sampled) << one.text;
  }
}

TEST_F(ContextTest, WritesInPlaceOfWhatStoodThere) {
  fields.add("x-b3-traceid", "old");
  fields.add("a", "b");
  context = {0x463ac35c9f6413ad, 0x48485a3953bb6124, 0xa2fb4a1d1a96d312, 1};
  write_b3(context, true, fields);
  write_traceparent(context, false, fields);
  std::string all;
  for (const http::HeaderField& field : fields) all.append(field.name()).append("=").append(field.value()).append(" ");
  EXPECT_EQ(all,
            "a=b x-b3-traceid=463ac35c9f6413ad48485a3953bb6124 x-b3-spanid=a2fb4a1d1a96d312 "
            "x-b3-parentspanid=0000000000000001 x-b3-sampled=1 "
            "traceparent=00-463ac35c9f6413ad48485a3953bb6124-a2fb4a1d1a96d312-00 ");
}

}  // namespace
}  // namespace sluice::trace
