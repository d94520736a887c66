#include "proxy/access_log/access_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxy/access_log/filters.h"
#include "proxy/access_log/log_files.h"
#include "test/format/sample_facts.h"
#include "test/support/sim_files.h"

namespace sluice::proxy {
namespace {

using format::Flag;
using format::LogType;
using testing::ElementsAre;
using Op = Comparison::Op;

class AccessLogTest : public testing::Test, public format::SampleFacts {
 protected:
  void add(std::string path, std::string_view format, FilterPtr filter = nullptr) {
    auto file = files.open(path);
    ASSERT_TRUE(file.ok());
    set->logs.push_back({std::move(filter), *format::Formatter::parse(format), std::move(path), *file, nullptr, {}});
  }

  test::SimWorld world{1};
  test::SimLoop loop{world};
  test::SimFiles disk{loop};
  LogFiles files{disk};
  std::shared_ptr<model::AccessLogSet> set = std::make_shared<model::AccessLogSet>();
};

TEST_F(AccessLogTest, EveryLogGetsItsLine) {
  add("/a.log", "%REQ(:PATH)%\n");
  add("/b.log", "%RESPONSE_CODE%\n");
  AccessLog log(set, nullptr);
  log.log(facts);
  facts.response_code = 404;
  log.log(facts);
  files.flush();
  EXPECT_THAT(disk.lines("/a.log"), ElementsAre("/x?k=value&b=1", "/x?k=value&b=1"));
  EXPECT_THAT(disk.lines("/b.log"), ElementsAre("200", "404"));
}

TEST_F(AccessLogTest, FiltersDecideAlone) {
  add("/bad.log", "%RESPONSE_CODE%\n", std::make_shared<StatusCodeFilter>(Comparison{Op::kAtLeast, 500}));
  add("/all.log", "%RESPONSE_CODE%\n");
  AccessLog log(set, nullptr);
  log.log(facts);
  facts.response_code = 503;
  log.log(facts);
  files.flush();
  EXPECT_THAT(disk.lines("/bad.log"), ElementsAre("503"));
  EXPECT_THAT(disk.lines("/all.log"), ElementsAre("200", "503"));
}

TEST_F(AccessLogTest, WithoutAFileOrASetNothingIsWritten) {
  set->logs.push_back({nullptr, *format::Formatter::parse("x\n"), "/none.log", nullptr, nullptr, {}});
  AccessLog validated(set, nullptr);
  validated.log(facts);
  EXPECT_FALSE(validated.empty());
  AccessLog none(nullptr, nullptr);
  none.log(facts);
  EXPECT_TRUE(none.empty());
  EXPECT_EQ(disk.append_counts().appended, 0u);
}

TEST_F(AccessLogTest, OnePathIsOneFile) {
  auto first = files.open("/a.log");
  auto second = files.open("/a.log");
  EXPECT_EQ(first->get(), second->get());
  disk.fail("/broken.log", "no such directory");
  EXPECT_THAT(files.open("/broken.log").error(), testing::HasSubstr("no such directory"));
}

// access_log/reopen: lines go on in a new file under the old name, but only after the reopening.
TEST_F(AccessLogTest, Reopen) {
  add("/a.log", "%REQ(:PATH)%\n");
  AccessLog log(set, nullptr);
  log.log(facts);
  files.reopen();
  request.path = "/after";
  log.log(facts);
  files.flush();
  EXPECT_THAT(disk.lines("/a.log"), ElementsAre("/x?k=value&b=1", "/after"));
}

// ---- filters

class FiltersTest : public testing::Test, public format::SampleFacts {};

TEST_F(FiltersTest, Comparisons) {
  EXPECT_TRUE((Comparison{Op::kEqual, 5}.holds(5)));
  EXPECT_FALSE((Comparison{Op::kEqual, 5}.holds(6)));
  EXPECT_TRUE((Comparison{Op::kAtLeast, 5}.holds(5)));
  EXPECT_FALSE((Comparison{Op::kAtLeast, 5}.holds(4)));
  EXPECT_TRUE((Comparison{Op::kAtMost, 5}.holds(5)));
  EXPECT_FALSE((Comparison{Op::kAtMost, 5}.holds(6)));
  EXPECT_TRUE((Comparison{Op::kNotEqual, 5}.holds(4)));
  EXPECT_FALSE((Comparison{Op::kNotEqual, 5}.holds(5)));
}

TEST_F(FiltersTest, Duration) {
  EXPECT_TRUE(DurationFilter({Op::kAtLeast, 5}).passes(facts));
  EXPECT_FALSE(DurationFilter({Op::kAtLeast, 6}).passes(facts));
  facts.end = format::kUnset;
  EXPECT_FALSE(DurationFilter({Op::kAtMost, 6}).passes(facts));
}

TEST_F(FiltersTest, HealthChecksAndTraces) {
  EXPECT_TRUE(NotHealthCheckFilter().passes(facts));
  EXPECT_FALSE(TraceableFilter().passes(facts));
  facts.health_check = facts.traced = true;
  EXPECT_FALSE(NotHealthCheckFilter().passes(facts));
  EXPECT_TRUE(TraceableFilter().passes(facts));
}

TEST_F(FiltersTest, SharesFollowTheRequestId) {
  using Randomness = RuntimeFilter::Randomness;
  const RuntimeFilter half({50, 100, "key"}, Randomness::kOfRequestId);
  request.fields.set(http::Token::kXRequestId, "00000031-2222-4333-8444-555555555555");  // 0x31 is 49
  EXPECT_TRUE(half.passes(facts));
  request.fields.set(http::Token::kXRequestId, "00000032-2222-4333-8444-555555555555");
  EXPECT_FALSE(half.passes(facts));
  SeededRandom random(1);
  facts.random = &random;
  request.fields.set(http::Token::kXRequestId, "no uuid");
  int passed = 0;
  for (int i = 0; i < 1000; ++i) {
    passed += half.passes(facts) ? 1 : 0;
  }
  EXPECT_NEAR(passed, 500, 80);
  EXPECT_TRUE(RuntimeFilter({100, 100, "key"}, Randomness::kIndependent).passes(facts));
  EXPECT_FALSE(RuntimeFilter({0, 100, "key"}, Randomness::kIndependent).passes(facts));
}

TEST_F(FiltersTest, AndOr) {
  const FilterPtr yes = std::make_shared<StatusCodeFilter>(Comparison{Op::kEqual, 200});
  const FilterPtr no = std::make_shared<StatusCodeFilter>(Comparison{Op::kEqual, 404});
  EXPECT_TRUE(AndFilter({yes, yes}).passes(facts));
  EXPECT_FALSE(AndFilter({yes, no}).passes(facts));
  EXPECT_TRUE(OrFilter({no, yes}).passes(facts));
  EXPECT_FALSE(OrFilter({no, no}).passes(facts));
}

TEST_F(FiltersTest, Headers) {
  using http::HeaderMatcher;
  const HeaderFilter is_yes(HeaderMatcher("x-log", match::StringMatcher::exact("yes")));
  const HeaderFilter absent(HeaderMatcher("x-log", HeaderMatcher::Present(), HeaderMatcher::Invert::kYes));
  EXPECT_FALSE(is_yes.passes(facts));
  EXPECT_TRUE(absent.passes(facts));
  request.fields.add("x-log", "yes");
  EXPECT_TRUE(is_yes.passes(facts));
  EXPECT_FALSE(absent.passes(facts));
  facts.request = nullptr;
  EXPECT_FALSE(is_yes.passes(facts));
  EXPECT_TRUE(absent.passes(facts));
}

TEST_F(FiltersTest, Flags) {
  format::Flags some;
  some.set(Flag::kNoRouteFound);
  some.set(Flag::kUpstreamRequestTimeout);
  EXPECT_FALSE(ResponseFlagFilter({}).passes(facts));
  facts.flags.set(Flag::kUpstreamConnectionFailure);
  EXPECT_TRUE(ResponseFlagFilter({}).passes(facts));
  EXPECT_FALSE(ResponseFlagFilter(some).passes(facts));
  facts.flags.set(Flag::kNoRouteFound);
  EXPECT_TRUE(ResponseFlagFilter(some).passes(facts));
}

// access_log/filter_grpc_metadata: HTTP codes are mapped, also of plain requests.
TEST_F(FiltersTest, GrpcStatus) {
  const GrpcStatusFilter unavailable({14}, Listed::kPass);
  const GrpcStatusFilter not_ok({0}, Listed::kAreExcluded);
  EXPECT_FALSE(unavailable.passes(facts));
  EXPECT_TRUE(not_ok.passes(facts));
  facts.response_code = 503;
  EXPECT_TRUE(unavailable.passes(facts));
  response.fields.add(http::Token::kGrpcStatus, "0");
  EXPECT_FALSE(unavailable.passes(facts));
  EXPECT_FALSE(not_ok.passes(facts));
}

TEST_F(FiltersTest, LogTypes) {
  EXPECT_TRUE(LogTypeFilter({LogType::kDownstreamEnd}, Listed::kPass).passes(facts));
  EXPECT_FALSE(LogTypeFilter({LogType::kDownstreamEnd}, Listed::kAreExcluded).passes(facts));
  EXPECT_FALSE(LogTypeFilter({LogType::kDownstreamStart}, Listed::kPass).passes(facts));
}

}  // namespace
}  // namespace sluice::proxy
