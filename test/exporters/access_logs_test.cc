// Access logs on their way to collectors, in the simulation: what entries say, when they go, and what a collector costs
// that does not take them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/strings.h"
#include "envoy/service/accesslog/v3/als.pb.h"
#include "exporters/als.h"
#include "exporters/otlp_log.h"
#include "exporters/wire.h"
#include "test/format/sample_facts.h"
#include "test/upstream/call_world.h"
#include "test/upstream/sim_grpc_peer.h"

namespace sluice::exporters {
namespace {

using namespace std::chrono_literals;
using envoy::data::accesslog::v3::HTTPAccessLogEntry;
using envoy::service::accesslog::v3::StreamAccessLogsMessage;
using testing::ElementsAre;

const net::Address kCollector = *net::Address::from_ip("10.0.0.9", 9000);

// The messages of a stream; each has its length before it.
std::vector<StreamAccessLogsMessage> messages(std::string_view bytes) {
  std::vector<StreamAccessLogsMessage> out;
  while (bytes.size() >= 5) {
    size_t size = 0;
    for (int i = 1; i < 5; ++i) size = size << 8 | static_cast<uint8_t>(bytes[static_cast<size_t>(i)]);
    if (bytes.size() < 5 + size) break;
    EXPECT_TRUE(out.emplace_back().ParseFromArray(bytes.data() + 5, static_cast<int>(size)));
    bytes.remove_prefix(5 + size);
  }
  EXPECT_EQ(bytes.size(), 0u);
  return out;
}

HTTPAccessLogEntry http_entry(const format::Facts& facts, const AlsFields& fields = {}) {
  std::string bytes;
  append_http_entry(bytes, facts, fields);
  StreamAccessLogsMessage::HTTPAccessLogEntries list;
  EXPECT_TRUE(list.ParseFromString(bytes));
  EXPECT_EQ(list.log_entry_size(), 1);
  return list.log_entry(0);
}

TEST(Wire, NestedMessagesOfAllSizes) {
  for (const size_t size : {0u, 1u, 125u, 126u, 127u, 128u, 16383u, 16384u, 70000u}) {
    std::string bytes;
    {
      wire::Nested list(bytes, 1);
      wire::Nested entry(bytes, 3);
      wire::append_text(bytes, 5, std::string(size, 'a'));
    }
    StreamAccessLogsMessage::HTTPAccessLogEntries list;
    ASSERT_TRUE(list.ParseFromString(bytes)) << size;
    EXPECT_EQ(list.log_entry(0).request().path().size(), size);
  }
}

TEST(Wire, TextIsMadeUtf8) {
  const auto text = [](std::string_view from) {
    std::string bytes;
    wire::append_text(bytes, 1, from);
    return bytes.substr(2);
  };
  EXPECT_EQ(text("plain"), "plain");
  EXPECT_EQ(text("\xc3\xa4\xff\xe4"), "\xc3\xa4!!");
  EXPECT_EQ(text("\xc0\x80\xed\xa0\x80"), "!!!!!");
  EXPECT_EQ(text(""), "");
}

struct EntryTest : testing::Test, format::SampleFacts {};

TEST_F(EntryTest, FlagsHaveTheNumbersOfTheApi) {
  const auto* flags = envoy::data::accesslog::v3::ResponseFlags::descriptor();
  const auto set = [&](format::Flag flag) {
    facts.flags = {};
    facts.flags.set(flag);
    const HTTPAccessLogEntry entry = http_entry(facts);
    std::vector<const google::protobuf::FieldDescriptor*> fields;
    const auto& message = entry.common_properties().response_flags();
    message.GetReflection()->ListFields(message, &fields);
    EXPECT_LE(fields.size(), 1u);
    return fields.empty() ? std::string("none") : fields[0]->name();
  };
  EXPECT_EQ(flags->field_count(), 28);
  EXPECT_EQ(set(format::Flag::kFailedLocalHealthCheck), "failed_local_healthcheck");
  EXPECT_EQ(set(format::Flag::kNoRouteFound), "no_route_found");
  EXPECT_EQ(set(format::Flag::kRateLimited), "rate_limited");
  EXPECT_EQ(set(format::Flag::kUnauthorizedExternalService), "unauthorized_details");
  EXPECT_EQ(set(format::Flag::kRateLimitServiceError), "rate_limit_service_error");
  EXPECT_EQ(set(format::Flag::kDownstreamConnectionTermination), "downstream_connection_termination");
  EXPECT_EQ(set(format::Flag::kOverloadManager), "overload_manager");
  EXPECT_EQ(set(format::Flag::kDnsResolutionFailed), "dns_resolution_failure");
  EXPECT_EQ(set(format::Flag::kDropOverload), "none");
  EXPECT_EQ(set(format::Flag::kDownstreamRemoteReset), "downstream_remote_reset");
}

TEST_F(EntryTest, SaysWhatTheFactsKnow) {
  request.fields.add("x-a", "1");
  request.fields.add("x-a", "2");
  facts.response_trailers = &trailers;
  trailers.add("x-t", "end");
  Metadata metadata;
  metadata.set("space", "list", Value::List{Value(), Value::boolean(false), Value::number(1.5), Value("text")});
  facts.metadata = &metadata;
  FilterState state;
  state.set({"own", "envoy.string", "text"});
  state.set({"other", "envoy.network.ip", "10.0.0.1"});
  facts.filter_state = &state;
  AlsFields fields;
  fields.request_headers = {"x-a", ":path", "x-none"};
  fields.response_trailers = {"x-t"};
  fields.filter_state = {"own", "other", "none"};
  const HTTPAccessLogEntry entry = http_entry(facts, fields);
  const auto& common = entry.common_properties();
  EXPECT_EQ(common.downstream_remote_address().socket_address().address(), "127.0.0.1");
  EXPECT_EQ(common.upstream_remote_address().socket_address().port_value(), 8080u);
  EXPECT_EQ(common.start_time().seconds(), 1795389006);
  EXPECT_EQ(common.start_time().nanos(), 253067000);
  EXPECT_EQ(common.time_to_first_upstream_rx_byte().nanos(), 4'000'000);
  EXPECT_EQ(common.duration().nanos(), 5'000'000);
  EXPECT_EQ(common.access_log_type(), envoy::data::accesslog::v3::DownstreamEnd);
  EXPECT_FALSE(common.intermediate_log_entry());
  EXPECT_FALSE(common.has_tls_properties());
  const auto& values = common.metadata().filter_metadata().at("space").fields().at("list").list_value().values();
  ASSERT_EQ(values.size(), 4);
  EXPECT_EQ(values[0].kind_case(), google::protobuf::Value::kNullValue);
  EXPECT_EQ(values[1].kind_case(), google::protobuf::Value::kBoolValue);
  EXPECT_EQ(values[2].number_value(), 1.5);
  EXPECT_EQ(values[3].string_value(), "text");
  ASSERT_EQ(common.filter_state_objects().size(), 1u);
  EXPECT_EQ(common.filter_state_objects().at("own").value(), "\n\x04text");
  EXPECT_EQ(entry.protocol_version(), HTTPAccessLogEntry::HTTP11);
  EXPECT_EQ(entry.request().request_method(), envoy::config::core::v3::GET);
  EXPECT_EQ(entry.request().request_headers().size(), 2u);
  EXPECT_EQ(entry.request().request_headers().at("x-a"), "1,2");
  EXPECT_EQ(entry.request().request_headers().at(":path"), "/x?k=value&b=1");
  EXPECT_EQ(entry.response().response_code().value(), 200u);
  EXPECT_EQ(entry.response().response_trailers().at("x-t"), "end");
}

TEST_F(EntryTest, NothingIsKnownBeforeARequest) {
  const format::Facts nothing;
  const HTTPAccessLogEntry entry = http_entry(nothing);
  EXPECT_TRUE(entry.has_request());
  EXPECT_TRUE(entry.common_properties().intermediate_log_entry());
  EXPECT_FALSE(entry.common_properties().has_downstream_remote_address());
}

TEST_F(EntryTest, TlsByItsNumbers) {
  net::TlsTexts tls;
  tls.version = "TLSv1.3";
  tls.cipher = "TLS_AES_128_GCM_SHA256";
  const std::string uris[] = {"spiffe://a/b"};
  tls.peer_uris = uris;
  tls.peer_subject = "CN=x";
  facts.downstream_tls = &tls;
  facts.requested_server_name = "a.test";
  const HTTPAccessLogEntry entry = http_entry(facts);
  const auto& said = entry.common_properties().tls_properties();
  EXPECT_EQ(said.tls_version(), envoy::data::accesslog::v3::TLSProperties::TLSv1_3);
  EXPECT_EQ(said.tls_cipher_suite().value(), 0x1301u);
  EXPECT_EQ(said.tls_sni_hostname(), "a.test");
  EXPECT_EQ(said.peer_certificate_properties().subject_alt_name(0).uri(), "spiffe://a/b");
  tls.cipher = "something else";
  EXPECT_FALSE(http_entry(facts).common_properties().tls_properties().has_tls_cipher_suite());
}

// Loggers in a world with one collector. The worker's own part is made here.
struct SinkTest : testing::Test, format::SampleFacts {
  SinkTest() : world(model::UpstreamProtocol::kHttp2) {
    clusters.add(world.shared, world.shared->hosts());
    state.machine_ip = "10.0.0.2";
    state.identity = {"id", "front", "zone", "\n\x02id"};
    als.collector.cluster = "plane";
    als.collector.over = Collector::Over::kGrpc;
    als.log_name = "log";
    als.key = "http a";
  }
  ~SinkTest() override {
    loggers.clear();
    sinks.clear();
    clusters.clear();
  }
  proxy::AccessLogger& make(const AlsStreamPlan& plan, AlsFields fields = {}) {
    factories.push_back(std::make_unique<AlsFactory>(std::make_shared<AlsStreamPlan>(plan), std::move(fields)));
    return *loggers.emplace_back(factories.back()->on_worker(sinks));
  }
  proxy::AccessLogger& make(const OtlpLogPlan& plan, OtlpLogFields fields = {}) {
    factories.push_back(std::make_unique<OtlpLogFactory>(std::make_shared<OtlpLogPlan>(plan), std::move(fields)));
    return *loggers.emplace_back(factories.back()->on_worker(sinks));
  }
  void log(proxy::AccessLogger& logger, int count = 1) {
    world.loop.post([&logger, count, this] {
      for (int i = 0; i < count; ++i) logger.log(facts);
    });
    world.world.run_for(10ms);
  }
  uint64_t stat(std::string_view name) { return world.registry.value(cat("access_logs.", name)).value_or(0); }
  uint64_t dropped() { return stat("grpc_access_log.logs_dropped"); }

  test::CallWorld world;
  upstream::ClusterSet clusters{world.local};
  proxy::ServerState state;
  proxy::ProxyLocal local{world.local, clusters, state};
  proxy::LogSinks sinks{local};
  AlsStreamPlan als;
  std::vector<std::unique_ptr<proxy::AccessLoggerFactory>> factories;
  std::vector<std::unique_ptr<proxy::AccessLogger>> loggers;
};

struct AlsTest : SinkTest {
  size_t entries(const test::SimGrpcPeer::Request& request) {
    size_t out = 0;
    for (const auto& message : messages(request.body)) {
      out += static_cast<size_t>(message.http_logs().log_entry_size() + message.tcp_logs().log_entry_size());
    }
    return out;
  }
};

TEST_F(AlsTest, SaysOnceWhoWeAreAndBatches) {
  test::SimGrpcPeer collector(world.peers, kCollector);
  als.collector.fields = {{"x-token", "t"}};
  als.collector.authority = "als.test";
  proxy::AccessLogger& logger = make(als);
  log(logger, 3);
  world.world.run_for(900ms);
  EXPECT_TRUE(collector.requests.empty());  // they wait for more
  world.world.run_for(200ms);
  ASSERT_EQ(collector.requests.size(), 1u);
  const test::SimGrpcPeer::Request& stream = *collector.requests[0];
  EXPECT_EQ(stream.path, "/envoy.service.accesslog.v3.AccessLogService/StreamAccessLogs");
  EXPECT_EQ(stream.authority, "als.test");
  EXPECT_EQ(stream.get("x-token"), "t");
  EXPECT_EQ(stream.get("grpc-timeout"), "<none>");
  log(logger);
  world.world.run_for(1100ms);
  log(logger, 500);  // far above the size of a batch
  EXPECT_EQ(collector.requests.size(), 1u);
  const auto all = messages(stream.body);
  ASSERT_GT(all.size(), 3u);
  EXPECT_EQ(all[0].identifier().log_name(), "log");
  EXPECT_EQ(all[0].identifier().node().id(), "id");
  EXPECT_EQ(all[0].http_logs().log_entry_size(), 3);
  EXPECT_EQ(all[1].http_logs().log_entry_size(), 1);
  for (size_t i = 1; i < all.size(); ++i) {
    EXPECT_FALSE(all[i].has_identifier());
    if (i > 1) {
      EXPECT_GE(all[i].ByteSizeLong(), 16384u);
      EXPECT_LT(all[i].ByteSizeLong(), 17000u);
    }
  }
  EXPECT_EQ(stat("grpc_access_log.logs_written"), 504u);
  EXPECT_EQ(dropped(), 0u);
  world.world.run_for(2s);
  EXPECT_EQ(entries(stream), 504u);
  EXPECT_FALSE(stream.ended);
}

TEST_F(AlsTest, WithoutABufferEachGoesAtOnce) {
  test::SimGrpcPeer collector(world.peers, kCollector);
  als.batch.size_bytes = 0;
  als.kind = AlsKind::kTcp;
  log(make(als), 3);
  world.world.run_for(10ms);
  ASSERT_EQ(collector.requests.size(), 1u);
  const auto all = messages(collector.requests[0]->body);
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[2].tcp_logs().log_entry(0).connection_properties().sent_bytes(), 2u);
}

TEST_F(AlsTest, LoggersWithOneConfigurationShareAStream) {
  test::SimGrpcPeer collector(world.peers, kCollector);
  AlsFields fields;
  fields.response_headers = {":status"};
  proxy::AccessLogger& first = make(als);
  proxy::AccessLogger& second = make(als, fields);
  als.key = "http b";
  als.log_name = "other";
  proxy::AccessLogger& third = make(als);
  log(first);
  log(second);
  log(third);
  world.world.run_for(1100ms);
  ASSERT_EQ(collector.requests.size(), 2u);
  const auto both = messages(collector.requests[0]->body);
  ASSERT_EQ(both.size(), 1u);
  ASSERT_EQ(both[0].http_logs().log_entry_size(), 2);
  EXPECT_TRUE(both[0].http_logs().log_entry(0).response().response_headers().empty());
  EXPECT_EQ(both[0].http_logs().log_entry(1).response().response_headers().at(":status"), "200");
  EXPECT_EQ(messages(collector.requests[1]->body)[0].identifier().log_name(), "other");
}

TEST_F(AlsTest, TheLastEntriesOfAListenerArrive) {
  test::SimGrpcPeer collector(world.peers, kCollector);
  log(make(als), 2);
  world.loop.post([this] { loggers.clear(); });
  world.world.run_for(100ms);
  ASSERT_EQ(collector.requests.size(), 1u);
  EXPECT_EQ(entries(*collector.requests[0]), 2u);
  EXPECT_FALSE(collector.requests[0]->reset);
  world.world.run_for(6s);
  EXPECT_TRUE(collector.requests[0]->reset);  // nobody came back
  log(make(als), 1);
  world.world.run_for(1100ms);
  ASSERT_EQ(collector.requests.size(), 2u);
  EXPECT_EQ(entries(*collector.requests[1]), 1u);
}

TEST_F(AlsTest, ADeadCollectorCostsCounters) {
  world.fabric.set_reach(kCollector, test::SimReach::kBlackHole);
  proxy::AccessLogger& logger = make(als);
  log(logger, 20'000);
  EXPECT_GT(dropped(), 10'000u);
  EXPECT_EQ(stat("grpc_access_log.logs_written") + dropped(), 20'000u);
  EXPECT_LT(world.slab_owner.bytes(), 3 << 20);
  world.world.run_for(30s);
  EXPECT_EQ(dropped(), 20'000u);                    // what was on its way did not arrive, either
  EXPECT_LE(world.stat("upstream_cx_total"), 31u);  // one stream in a flush interval, no more
  log(logger, 1000);
  EXPECT_LT(world.slab_owner.bytes(), 3 << 20);
}

TEST_F(AlsTest, AStreamThatEndedIsOpenedAgain) {
  auto collector = std::make_unique<test::SimGrpcPeer>(world.peers, kCollector);
  proxy::AccessLogger& logger = make(als);
  log(logger);
  world.world.run_for(1100ms);
  collector->stop();
  log(logger, 2);
  world.world.run_for(1100ms);  // refused
  collector->start();
  world.world.run_for(1s);
  log(logger, 3);
  world.world.run_for(2200ms);
  ASSERT_EQ(collector->requests.size(), 2u);
  const auto again = messages(collector->requests[1]->body);
  ASSERT_FALSE(again.empty());
  EXPECT_EQ(again[0].identifier().log_name(), "log");  // said again
  EXPECT_EQ(entries(*collector->requests[1]), 3u);
}

TEST_F(AlsTest, WhatFoundNoConnectionIsSentAgainWhereThePolicySaysSo) {
  auto collector = std::make_unique<test::SimGrpcPeer>(world.peers, kCollector);
  collector->stop();
  als.retries = {.times = 20, .base = 100ms, .longest = 400ms};
  proxy::AccessLogger& logger = make(als);
  log(logger, 2);
  world.world.run_for(2s);  // refused again and again
  log(logger, 3);           // they wait behind the others
  EXPECT_EQ(dropped(), 0u);
  collector->start();
  world.world.run_for(4s);
  ASSERT_FALSE(collector->requests.empty());
  EXPECT_EQ(entries(*collector->requests[0]), 5u);
  EXPECT_EQ(messages(collector->requests[0]->body)[0].identifier().log_name(), "log");
  EXPECT_EQ(messages(collector->requests[0]->body)[0].http_logs().log_entry_size(), 2);
  EXPECT_EQ(collector->requests.size(), 1u);
  // A stream that has had its connection is not sent again.
  collector->stop();
  world.world.run_for(1s);
  collector->start();
  log(logger, 1);
  world.world.run_for(3s);
  ASSERT_EQ(collector->requests.size(), 2u);
  EXPECT_EQ(entries(*collector->requests[1]), 1u);
  EXPECT_EQ(dropped(), 0u);
}

TEST_F(AlsTest, RetriesHaveAnEnd) {
  als.retries = {.times = 3, .base = 10ms, .longest = 20ms};
  proxy::AccessLogger& logger = make(als);
  log(logger, 2);
  world.world.run_for(2s);
  EXPECT_EQ(dropped(), 2u);
  EXPECT_EQ(world.stat("upstream_cx_total"), 4u);
}

TEST_F(AlsTest, WithoutItsClusterEntriesWaitAndAreDropped) {
  als.collector.cluster = "nobody";
  als.batch.size_bytes = 1000;
  log(make(als), 100);
  world.world.run_for(5s);
  EXPECT_GT(dropped(), 80u);
}

struct OtlpLogTest : SinkTest {
  OtlpLogTest() {
    plan.collector.cluster = "plane";
    plan.collector.over = Collector::Over::kGrpc;
    plan.log_name = "log";
    plan.key = "otlp a";
  }
  static OtlpTemplate text(std::string_view format) {
    OtlpTemplate out;
    out.kind = OtlpTemplate::Kind::kText;
    out.text = *format::Formatter::parse(format);
    return out;
  }
  OtlpLogPlan plan;
};

TEST_F(OtlpLogTest, EachBatchIsARequest) {
  test::SimGrpcPeer collector(world.peers, kCollector);
  plan.stat_prefix = "mine.";
  OtlpLogFields fields;
  fields.body = text("%REQ(:METHOD)% %RESPONSE_CODE%");
  fields.attributes.emplace_back("code", text("%RESPONSE_CODE%"));
  facts.trace_id = "a2fb4a1d1a96d312";
  proxy::AccessLogger& logger = make(plan, fields);
  log(logger, 2);
  world.world.run_for(1100ms);
  log(logger);
  world.world.run_for(1100ms);
  ASSERT_EQ(collector.requests.size(), 2u);
  const test::SimGrpcPeer::Request& request = *collector.requests[0];
  EXPECT_EQ(request.path, "/opentelemetry.proto.collector.logs.v1.LogsService/Export");
  EXPECT_TRUE(request.ended);
  for (const std::string_view piece :
       {std::string_view("\n\x09zone_name\x12\x06\n\x04zone"), std::string_view("\n\x09node_name\x12\x04\n\x02id"),
        std::string_view("\x2a\x09\n\x07GET 200"),
        std::string_view("\n\x04"
                         "code\x12\x05\n\x03"
                         "200"),
        std::string_view("\x4a\x10\0\0\0\0\0\0\0\0\xa2\xfb\x4a\x1d\x1a\x96\xd3\x12", 18)}) {
    EXPECT_NE(request.body.find(piece), std::string::npos) << piece;
  }
  EXPECT_EQ(stat("open_telemetry_access_log.mine.logs_written"), 3u);
}

TEST_F(OtlpLogTest, ADeadCollectorCostsCounters) {
  world.fabric.set_reach(kCollector, test::SimReach::kBlackHole);
  OtlpLogFields fields;
  fields.body = text("%REQ(:METHOD)% %RESPONSE_CODE%");
  proxy::AccessLogger& logger = make(plan, fields);
  log(logger, 50'000);
  EXPECT_GT(stat("open_telemetry_access_log.logs_dropped"), 10'000u);
  EXPECT_LT(world.slab_owner.bytes(), 3 << 20);
  world.world.run_for(20s);
}

}  // namespace
}  // namespace sluice::exporters
