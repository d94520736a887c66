#include "format/formatter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <utility>

#include "base/random.h"
#include "base/strings.h"
#include "test/format/sample_facts.h"

namespace sluice::format {
namespace {

class FormatterTest : public testing::Test, public SampleFacts {
 protected:
  std::string line(std::string_view format, ParseOptions options = {}) {
    auto formatter = Formatter::parse(format, options);
    return formatter.ok() ? formatter->format(facts) : formatter.error();
  }
  static std::string error(std::string_view format) {
    auto formatter = Formatter::parse(format);
    return formatter.ok() ? "accepted" : formatter.error();
  }
};

TEST_F(FormatterTest, TheDefaultFormat) {
  request.fields.add(http::Token::kUserAgent, "curl/8");
  response.fields.add(http::Token::kXEnvoyUpstreamServiceTime, "3");
  EXPECT_EQ(line(kDefaultFormat),
            "[2026-11-22T23:10:06.253Z] \"GET /x?k=value&b=1 HTTP/1.1\" 200 - 0 2 5 3 \"-\" \"curl/8\" \"-\" "
            "\"example.test\" \"10.1.2.3:8080\"\n");
}

// access_log/request_operators, first line.
TEST_F(FormatterTest, RequestOperatorsAsRecorded) {
  request.fields.add(http::Token::kUserAgent, "curl/8.0");
  request.fields.add("x-a", "alpha");
  EXPECT_EQ(line("m=%REQ(:METHOD)% p=%REQ(:PATH)% op=%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% a=%REQ(:AUTHORITY)% "
                 "s=%REQ(:SCHEME)% ua=%REQ(user-agent):4% alt=%REQ(x-a?x-b)% alt3=%REQ(x-a?x-b):2% "
                 "none=%REQ(x-none)% none2=%REQ(x-n?x-m):3% multi=%REQ(x-multi)% zero=%REQ(x-a):0% path=%PATH% "
                 "pq=%PATH(NQ)% po=%PATH(NQ:ORIG)% wq=%PATH(WQ:PATH)% oop=%PATH(WQ:ORIG_OR_PATH):5% "
                 "q=%QUERY_PARAM(k)% q3=%QUERY_PARAM(k):2% qn=%QUERY_PARAM(zz)% pct=100%%"),
            "m=GET p=/x?k=value&b=1 op=/x?k=value&b=1 a=example.test s=http ua=curl alt=alpha alt3=al none=- none2=- "
            "multi=- zero= path=/x?k=value&b=1 pq=/x po=- wq=/x?k=value&b=1 oop=/x?k= q=value q3=va qn=- pct=100%");
}

// The second one: rewritten, alternative, repeated header, escapes in the query.
TEST_F(FormatterTest, RequestOperatorsOfARewrittenPath) {
  request.path = "/new/y?k=a%20b";
  request.fields.add(http::Token::kXEnvoyOriginalPath, "/rw/y?k=a%20b");
  request.fields.add("x-b", "beta");
  request.fields.add("x-multi", "one");
  request.fields.add("x-multi", "two");
  EXPECT_EQ(line("p=%REQ(:PATH)% op=%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% alt=%REQ(x-a?x-b)% alt3=%REQ(x-a?x-b):2% "
                 "multi=%REQ(x-multi)% zero=%REQ(x-a):0% path=%PATH% pq=%PATH(NQ)% po=%PATH(NQ:ORIG)% "
                 "wq=%PATH(WQ:PATH)% oop=%PATH(WQ:ORIG_OR_PATH):5% q=%QUERY_PARAM(k)% q3=%QUERY_PARAM(k):2%"),
            "p=/new/y?k=a%20b op=/rw/y?k=a%20b alt=beta alt3=be multi=one zero=- path=/rw/y?k=a%20b pq=/rw/y "
            "po=/rw/y wq=/new/y?k=a%20b oop=/rw/y q=a b q3=a ");
}

TEST_F(FormatterTest, EmptyIsNotUnset) {
  request.path = "/x?k=";
  request.fields.add("x-a", "");
  EXPECT_EQ(line("%REQ(x-a)%|%REQ(x-a?x-b)%|%QUERY_PARAM(k)%|%LOCAL_REPLY_BODY%|%CUSTOM_FLAGS%"), "||||");
}

TEST_F(FormatterTest, QueryParamsAreDecodedWhereThatIsPossible) {
  request.path = "/p?a%62=1&p=x%zz%4&z";
  EXPECT_EQ(line("%QUERY_PARAM(ab)% %QUERY_PARAM(p)% [%QUERY_PARAM(z)%]"), "1 x%zz%4 []");
}

TEST_F(FormatterTest, WithoutQueryNeedsItsExtension) {
  request.fields.add("x-a", "/a?b?c");
  EXPECT_EQ(line("%REQ_WITHOUT_QUERY(:PATH)% %REQ_WITHOUT_QUERY(x-a?:PATH):4% %REQ_WITHOUT_QUERY(x-none)%",
                 {.req_without_query = true}),
            "/x /a -");
  EXPECT_THAT(error("%REQ_WITHOUT_QUERY(:PATH)%"), testing::HasSubstr("REQ_WITHOUT_QUERY needs its formatter"));
}

TEST_F(FormatterTest, ResponseOperators) {
  response.status = 418;
  facts.response_code = 418;
  response.fields.add("x-up", "local");
  trailers.add("x-tr", "trailing");
  facts.response_trailers = &trailers;
  EXPECT_EQ(line("%RESPONSE_CODE% %RESP(x-up)% %RESP(x-none?x-up):3% %TRAILER(x-tr):5% %TRAILER(x)% %RESP(:STATUS)%"),
            "418 local loc trail - 418");
}

TEST_F(FormatterTest, DetailsHaveNoBlanks) {
  facts.details = "upstream_reset_before_response_started{remote connection failure|delayed connect error}";
  facts.upstream_failure = "delayed connect error: Connection refused";
  facts.flags.set(Flag::kUpstreamConnectionFailure);
  facts.flags.set(Flag::kUpstreamRetryLimitExceeded);
  EXPECT_EQ(line("%RESPONSE_CODE_DETAILS% %UPSTREAM_TRANSPORT_FAILURE_REASON% %RESPONSE_FLAGS% %RESPONSE_FLAGS_LONG%"),
            "upstream_reset_before_response_started{remote_connection_failure|delayed_connect_error} "
            "delayed_connect_error:_Connection_refused UF,URX "
            "UpstreamConnectionFailure,UpstreamRetryLimitExceeded");
  EXPECT_EQ(line("%RESPONSE_CODE_DETAILS(ALLOW_WHITESPACES)%"), facts.details);
}

TEST_F(FormatterTest, Durations) {
  EXPECT_EQ(line("%DURATION% %REQUEST_DURATION% %REQUEST_TX_DURATION% %RESPONSE_DURATION% %RESPONSE_TX_DURATION% "
                 "%UPSTREAM_CONNECTION_POOL_READY_DURATION% %COMMON_DURATION(DS_RX_BEG:DS_RX_END:ms)% "
                 "%COMMON_DURATION(US_CX_BEG:US_CX_END:us)% %COMMON_DURATION(DS_RX_BEG:DS_TX_END:ns)% "
                 "%COMMON_DURATION(US_HS_END:DS_TX_BEG:ms)% %COMMON_DURATION(DS_TX_END:DS_RX_BEG:ms)% "
                 "%COMMON_DURATION(DS_RX_BEG:mine)%"),
            "5 1 2 4 1 - 1 1000 5000000 - - -");
}

TEST_F(FormatterTest, APointThatNeverCameIsADash) {
  facts.upstream_tx_end = facts.upstream_rx_start = kUnset;
  EXPECT_EQ(line("%REQUEST_TX_DURATION% %RESPONSE_DURATION% %RESPONSE_TX_DURATION%"), "- - -");
}

TEST_F(FormatterTest, StartTimeFormats) {
  EXPECT_EQ(
      line("%START_TIME% %START_TIME()% [%START_TIME(%Y/%m/%dT%H:%M:%S%z)%] %START_TIME(%s.%3f)% %START_TIME(%f)% "
           "%START_TIME(%s%9f)% %EMIT_TIME(%Y)%"),
      "2026-11-22T23:10:06.253Z 2026-11-22T23:10:06.253Z [2026/11/22T23:10:06+0000] 1795389006.253 253067000 "
      "1795389006253067000 2026");
}

// What Envoy 1.40 wrote for that moment.
TEST_F(FormatterTest, StartTimeConversions) {
  EXPECT_EQ(
      line("%START_TIME(%Ez|%z|%Z|%Q|%e|%j|%t|%u|%y|%C|%G|%g|%V|%U|%W|%w|%I|%k|%l|%p|%P|%R|%T|%D|%F|%x|%X|%c|%r|%h|%b|%"
           "B|"
           "%a|%A)%"),
      "+00:00|+0000|UTC|%Q|22|326|\t|7|26|20|2026|26|47|47|46|0|11|23|11|PM|pm|23:10|23:10:06|11/22/26|2026-11-22|"
      "11/22/26|23:10:06|Sun Nov 22 23:10:06 2026|11:10:06 PM|Nov|Nov|November|Sun|Sunday");
  EXPECT_EQ(line("%START_TIME(%1f|%2f|%3f|%4f|%5f|%6f|%7f|%8f|%9f|%E3f|%E3S|%E*S|%E*f|%ET|%E4Y|%1s|%S)%"),
            "2|25|253|2530|25306|253067|2530670|25306700|253067000|253|06.253|06.253067|253067|T|2026|1795389006|06");
}

TEST_F(FormatterTest, Addresses) {
  facts.upstream_local = net::Address::from_ip("::1", 7).value();
  EXPECT_EQ(line("%DOWNSTREAM_REMOTE_ADDRESS% %DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT% "
                 "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT(16)% %DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT(64)% "
                 "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT(0)% %DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT(X)% "
                 "%DOWNSTREAM_LOCAL_PORT% %UPSTREAM_LOCAL_ADDRESS% %UPSTREAM_HOST% %UPSTREAM_HOST_NAME% "
                 "%UPSTREAM_HOST_NAME_WITHOUT_PORT% %DOWNSTREAM_DIRECT_LOCAL_ADDRESS%"),
            "127.0.0.1:40000 127.0.0.1 127.0.0.0/16 127.0.0.1/32 0.0.0.0/0 127.0.0.1 10000 [::1]:7 10.1.2.3:8080 "
            "10.1.2.3:8080 10.1.2.3 127.0.0.1:10000");
  facts.upstream_host = nullptr;
  facts.upstream_local = {};
  EXPECT_EQ(line("%UPSTREAM_HOST% %UPSTREAM_LOCAL_ADDRESS% %UPSTREAM_REMOTE_PORT%"), "- - -");
}

TEST_F(FormatterTest, TlsFactsOfEachSide) {
  net::TlsTexts tls;
  tls.version = "TLSv1.3";
  tls.peer_uri_san = "spiffe://x";
  tls.peer_valid_from = {1'000'000};
  EXPECT_EQ(line("%DOWNSTREAM_TLS_VERSION% %DOWNSTREAM_PEER_URI_SAN%"), "- -");
  facts.downstream_tls = &tls;
  EXPECT_EQ(line("%DOWNSTREAM_TLS_VERSION% %DOWNSTREAM_PEER_URI_SAN% %DOWNSTREAM_PEER_DNS_SAN% %UPSTREAM_TLS_VERSION% "
                 "%DOWNSTREAM_PEER_CERT_V_START(%s)% %DOWNSTREAM_PEER_CERT_V_END%"),
            "TLSv1.3 spiffe://x - - 1 -");
}

TEST_F(FormatterTest, AConnectionWithoutRequestsKeepsItsStreamId) {
  facts.request = nullptr;
  facts.stream_id = 42;
  const std::string id = line("%STREAM_ID%");
  EXPECT_THAT(id, testing::MatchesRegex("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"));
  EXPECT_EQ(line("%STREAM_ID%"), id);
  facts.stream_id = 43;
  EXPECT_NE(line("%STREAM_ID%"), id);
  facts.stream_id = 0;  // no connection of a client
  EXPECT_EQ(line("%STREAM_ID%"), "-");
}

TEST_F(FormatterTest, BytesOnTheWireAreAskedFor) {
  const auto tells = [](std::string_view format) { return Formatter::parse(format)->tells_wire_bytes(); };
  EXPECT_TRUE(tells("%PROTOCOL% %DOWNSTREAM_WIRE_BYTES_SENT%"));
  EXPECT_TRUE(tells("%DOWNSTREAM_DECOMPRESSED_HEADER_BYTES_RECEIVED%"));
  EXPECT_FALSE(tells("%BYTES_SENT% %UPSTREAM_WIRE_BYTES_SENT% %DOWNSTREAM_LOCAL_PORT%"));
}

TEST_F(FormatterTest, Ids) {
  setenv("SLUICE_FORMAT_TEST", "zone-one", 1);
  request.fields.add(http::Token::kXRequestId, "not-a-uuid");
  EXPECT_EQ(line("%STREAM_ID% %ENVIRONMENT(SLUICE_FORMAT_TEST)% %ENVIRONMENT(SLUICE_FORMAT_TEST):4% "
                 "%ENVIRONMENT(SLUICE_NO_SUCH)% %ACCESS_LOG_TYPE% %TRACE_ID% %UNIQUE_ID%"),
            "not-a-uuid zone-one zone - DownstreamEnd - -");
  SeededRandom random(1);
  facts.random = &random;
  const std::string first = line("%UNIQUE_ID%");
  EXPECT_THAT(first, testing::MatchesRegex("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"));
  EXPECT_NE(first, line("%UNIQUE_ID%"));
}

struct GrpcCase {
  uint16_t code;
  const char* sent;
  const char* shown;
};
// access_log/grpc_status.
TEST_F(FormatterTest, GrpcStatusAsRecorded) {
  const std::string_view format =
      "%GRPC_STATUS% %GRPC_STATUS(SNAKE_STRING)% %GRPC_STATUS(NUMBER)% %GRPC_STATUS_NUMBER%";
  EXPECT_EQ(line(format), "- - - -");
  request.fields.add(http::Token::kContentType, "application/grpc");
  for (const GrpcCase& c :
       {GrpcCase{200, "0", "OK OK 0 0"}, GrpcCase{200, "4", "DeadlineExceeded DEADLINE_EXCEEDED 4 4"},
        GrpcCase{200, "99", "99 99 99 99"}, GrpcCase{200, "no", "-1 -1 -1 -1"},
        GrpcCase{200, "+4", "DeadlineExceeded DEADLINE_EXCEEDED 4 4"}, GrpcCase{200, nullptr, "Unknown UNKNOWN 2 2"},
        GrpcCase{503, nullptr, "Unavailable UNAVAILABLE 14 14"}}) {
    http::HeaderMap fields(arena);
    if (c.sent != nullptr) {
      fields.add(http::Token::kGrpcStatus, c.sent);
    }
    facts.response_trailers = &fields;
    facts.response_code = c.code;
    EXPECT_EQ(line(format), c.shown);
  }
}

TEST_F(FormatterTest, OmittedValuesLeaveNothing) {
  EXPECT_EQ(line("%RESPONSE_CODE% [%REQ(x-none)%] [%RESPONSE_FLAGS%]", {.unset = ParseOptions::Unset::kNothing}),
            "200 [] [-]");
}

TEST_F(FormatterTest, NothingIsKnownOfAnExchangeThatNeverBegan) {
  facts = Facts();
  EXPECT_EQ(line(kDefaultFormat), "[1970-01-01T00:00:00.000Z] \"- - -\" 0 - 0 0 - - \"-\" \"-\" \"-\" \"-\" \"-\"\n");
}

// accept_access_log: what Envoy refuses.
TEST_F(FormatterTest, RefusedFormats) {
  for (const char* format : {"%PROTOCOL",
                             "%",
                             "100% %PROTOCOL%",
                             "%protocol%",
                             "%PROTOCOL %",
                             "%REQ%",
                             "%REQ()%",
                             "%REQ(x):-1%",
                             "%REQ(x?y?z)%",
                             "%REQ(x\ny)%",
                             "%REQ(a b)%",
                             "%REQ(x):%",
                             "%REQ(x):99999999999999999999%",
                             "%START_TIME(%Y%",
                             "%START_TIME(%Y\n)%",
                             "%START_TIME(%n)%",
                             "%START_TIME:3%",
                             "%COMMON_DURATION%",
                             "%COMMON_DURATION(DS_RX_BEG:DS_TX_END:s)%",
                             "%GRPC_STATUS(lower)%",
                             "%PATH(NOPE)%",
                             "%PATH(WQ:NOPE)%",
                             "%QUERY_PARAM%",
                             "%PROTOCOL(x)%",
                             "%UNKNOWN%",
                             "%HOSTNAME:3%",
                             "%REQ(x))%"}) {
    EXPECT_NE(error(format), "accepted") << format;
  }
}

TEST_F(FormatterTest, AcceptedFormats) {
  for (const char* format :
       {"%%", "%REQ(?y)%", "%REQ(x?)%", "%START_TIME(()%", "%START_TIME(%10f)%", "%START_TIME(%%)%",
        "%COMMON_DURATION(DS_RX_BEG:nope)%", "%PATH(:PATH)%", "%RESPONSE_CODE()%", "%RESPONSE_CODE_DETAILS(NOPE)%",
        "%REQ(x):0%", "%REQUESTED_SERVER_NAME(SNI_FIRST:ORIG)%", ""}) {
    EXPECT_EQ(error(format), "accepted") << format;
  }
}

TEST_F(FormatterTest, TheFirstThatHasAValue) {
  request.fields.add("x-b", "beta");
  request.fields.add("x-empty", "");
  constexpr std::string_view kRest = R"({"command":"REQ","param":"x-b","max_length":3},"PROTOCOL"]})";
  EXPECT_EQ(line(cat(R"(%COALESCE({"operators":[{"command":"REQ","param":"x-a"},)", kRest, ")%")), "bet");
  EXPECT_EQ(line(cat(R"(%COALESCE({"operators":[{"command":"REQ","param":"x-a"},)", kRest, "):2%")), "be");
  EXPECT_EQ(line(cat(R"(%COALESCE({"operators":[{"command":"REQ","param":"x-empty"},)", kRest, ")%")), "");
  EXPECT_EQ(line(R"(%COALESCE({"operators":[{"command":"REQ","param":"x-a"}]})%)"), "-");
  EXPECT_EQ(error(R"(%COALESCE({"operators":["PROTOCOL","NOPE"]})%)"), "COALESCE, operator 1: unknown operator NOPE");
}

TEST_F(FormatterTest, TheHostsThatWereTried) {
  const net::Address first = net::Address::from_ip("10.0.0.1", 81).value();
  const UpstreamHost earlier[] = {{&first, "one.test:81"}};
  constexpr std::string_view kAll =
      "%UPSTREAM_HOSTS_ATTEMPTED% %UPSTREAM_HOSTS_ATTEMPTED_WITHOUT_PORT% %UPSTREAM_HOST_NAMES_ATTEMPTED% "
      "%UPSTREAM_HOST_NAMES_ATTEMPTED_WITHOUT_PORT%";
  const MonotonicTime connected = std::exchange(facts.upstream_connected, kUnset);
  EXPECT_EQ(line(kAll), "- - - -");  // of a request without a connection nobody is told
  facts.upstream_connected = connected;
  facts.upstream_connection_id = 7;
  EXPECT_EQ(line(kAll), "10.1.2.3:8080 10.1.2.3 10.1.2.3:8080 10.1.2.3");
  EXPECT_EQ(line("%UPSTREAM_CONNECTION_IDS_ATTEMPTED%"), "7");
  facts.request = nullptr;  // a connection
  facts.attempted = earlier;
  EXPECT_EQ(line(kAll), "10.0.0.1:81,10.1.2.3:8080 10.0.0.1,10.1.2.3 one.test:81,10.1.2.3:8080 one.test,10.1.2.3");
}

TEST_F(FormatterTest, ErrorsSayWhat) {
  EXPECT_EQ(error("a %CEL(x)%"), "not supported yet: CEL");
  EXPECT_EQ(error("%NOPE%"), "unknown operator NOPE");
  EXPECT_EQ(error("%REQ%"), "operator REQ needs an argument in brackets");
  EXPECT_THAT(error("ab %x"), testing::HasSubstr("position 3"));
}

TEST_F(FormatterTest, ConstantText) {
  const auto text = Formatter::parse("a %% b");
  EXPECT_EQ(text->constant(), "a % b");
  const auto empty = Formatter::parse("");
  EXPECT_NE(empty->constant().data(), nullptr);
  EXPECT_EQ(empty->constant(), "");
  EXPECT_EQ(Formatter::parse("%PROTOCOL%")->constant().data(), nullptr);
}

TEST_F(FormatterTest, AppendsBehindWhatIsThere) {
  std::string to = "before ";
  Formatter::parse("%PROTOCOL%")->append(to, facts);
  EXPECT_EQ(to, "before HTTP/1.1");
}

}  // namespace
}  // namespace sluice::format
