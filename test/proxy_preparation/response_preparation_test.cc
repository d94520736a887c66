#include "proxy/response_preparation.h"

#include <gtest/gtest.h>

#include "http/date.h"
#include "test/proxy_preparation/message_bench.h"

namespace sluice::proxy {
namespace {

using test::Bench;
using test::Lines;

constexpr WallTime kNow{784'111'777'000'000};
constexpr const char* kDate = "Sun, 06 Nov 1994 08:49:37 GMT";

Lines prepared(const model::HttpPlan& plan, const Lines& sent, const Lines& request = {}, uint16_t status = 200) {
  Bench bench;
  http::ResponseHeaders* response = bench.response(status, sent);
  prepare_response(plan, bench.request("/", request), *response, kNow);
  return test::lines_of(response->fields);
}

TEST(PrepareResponse, AddsDateAndServer) {
  EXPECT_EQ(prepared({}, {{"x-a", "1"}}), (Lines{{"date", kDate}, {"server", "envoy"}, {"x-a", "1"}}));
}

TEST(PrepareResponse, KeepsTheDateOfTheUpstream) {
  EXPECT_EQ(prepared({}, {{"date", "today"}}), (Lines{{"date", "today"}, {"server", "envoy"}}));
}

TEST(PrepareResponse, ServerByTransformation) {
  const struct {
    model::ServerHeader mode;
    std::string without, with;  // what the client sees when the upstream sent none, sent "nginx"
  } table[] = {{model::ServerHeader::kOverwrite, "edge-1", "edge-1"},
               {model::ServerHeader::kAppendIfAbsent, "edge-1", "nginx"},
               {model::ServerHeader::kPassThrough, "", "nginx"}};
  for (const auto& row : table) {
    model::HttpPlan plan;
    plan.server_name = "edge-1";
    plan.server_header = row.mode;
    Bench bench;
    http::ResponseHeaders* none = bench.response(200);
    prepare_response(plan, nullptr, *none, kNow);
    EXPECT_EQ(none->fields.get(http::Token::kServer), row.without);
    http::ResponseHeaders* own = bench.response(200, {{"server", "nginx"}});
    prepare_response(plan, nullptr, *own, kNow);
    EXPECT_EQ(own->fields.get(http::Token::kServer), row.with);
  }
}

TEST(PrepareResponse, HopByHopFieldsGo) {
  EXPECT_EQ(prepared({}, {{"connection", "x-named"},
                          {"x-named", "v"},
                          {"keep-alive", "timeout=5"},
                          {"proxy-connection", "close"},
                          {"proxy-authenticate", "Basic"},
                          {"upgrade", "h2c"}}),
            (Lines{{"date", kDate}, {"proxy-authenticate", "Basic"}, {"server", "envoy"}}));
}

TEST(PrepareResponse, ASwitchOfProtocolKeepsItsFields) {
  EXPECT_EQ(prepared({}, {{"connection", "Upgrade"}, {"upgrade", "websocket"}}, {}, 101),
            (Lines{{"connection", "Upgrade"}, {"date", kDate}, {"server", "envoy"}, {"upgrade", "websocket"}}));
}

TEST(PrepareResponse, JoinsRepeatedFields) {
  EXPECT_EQ(prepared({}, {{"cache-control", "a"},
                          {"cache-control", "b"},
                          {"x-k", "a"},
                          {"x-k", "b"},
                          {"set-cookie", "a=1"},
                          {"set-cookie", "b=2"},
                          {"vary", "a"},
                          {"vary", ""},
                          {"vary", "b"}}),
            (Lines{{"cache-control", "a,b"},
                   {"date", kDate},
                   {"server", "envoy"},
                   {"set-cookie", "a=1"},
                   {"set-cookie", "b=2"},
                   {"vary", "a,b"},
                   {"x-k", "a"},
                   {"x-k", "b"}}));
  EXPECT_EQ(
      prepared({}, {{"age", "1"}, {"age", "2"}, {"pragma", "a"}, {"pragma", "b"}, {"accept", "a"}, {"accept", "b"}}),
      (Lines{{"accept", "a"},
             {"accept", "b"},
             {"age", "1,2"},
             {"date", kDate},
             {"pragma", "a"},
             {"pragma", "b"},
             {"server", "envoy"}}));
}

TEST(PrepareResponse, ViaIsAppended) {
  model::HttpPlan plan;
  plan.via = "edge";
  EXPECT_EQ(prepared(plan, {{"via", "up"}}), (Lines{{"date", kDate}, {"server", "envoy"}, {"via", "up, edge"}}));
}

TEST(PrepareResponse, RequestIdWhenAskedFor) {
  model::HttpPlan plan;
  const Lines plain{{"date", kDate}, {"server", "envoy"}};
  const Lines with_id{{"date", kDate}, {"server", "envoy"}, {"x-request-id", "mine"}};
  EXPECT_EQ(prepared(plan, {}, {{"x-request-id", "mine"}}), plain);
  EXPECT_EQ(prepared(plan, {}, {{"x-request-id", "mine"}, {"x-envoy-force-trace", "1"}}), with_id);
  plan.always_set_request_id_in_response = true;
  EXPECT_EQ(prepared(plan, {{"x-request-id", "theirs"}}, {{"x-request-id", "mine"}}), with_id);
  EXPECT_EQ(prepared(plan, {}), plain);
}

TEST(DateText, IsFormattedAnewWithTheSecond) {
  http::DateText date;
  EXPECT_EQ(date.at(kNow), kDate);
  EXPECT_EQ(date.at({kNow.us + 999'999}), kDate);
  EXPECT_EQ(date.at({kNow.us + 1'000'000}), "Sun, 06 Nov 1994 08:49:38 GMT");
  EXPECT_EQ(date.at({951'782'400'000'000}), "Tue, 29 Feb 2000 00:00:00 GMT");
  EXPECT_EQ(date.at({0}), "Thu, 01 Jan 1970 00:00:00 GMT");
}

}  // namespace
}  // namespace sluice::proxy
