// Tracers: what they read and write in headers, and spans on their way to collectors in the simulation.
#include <gtest/gtest.h>

#include "base/json.h"
#include "base/strings.h"
#include "exporters/opentelemetry.h"
#include "exporters/otlp.h"
#include "exporters/zipkin.h"
#include "test/upstream/call_world.h"
#include "test/upstream/sim_grpc_peer.h"

namespace sluice::exporters {
namespace {

using namespace std::chrono_literals;
using proxy::Traced;
using trace::Span;
using trace::SpanKind;

const net::Address kTraceCollector = *net::Address::from_ip("10.0.0.9", 9000);

struct TracerTest : testing::Test {
  explicit TracerTest(model::UpstreamProtocol protocol = model::UpstreamProtocol::kHttp1) : world(protocol) {
    clusters.add(world.shared, world.shared->hosts());
    state.machine_ip = "10.0.0.2";
    zipkin.collector.cluster = "plane";
    zipkin.collector.path = "/api/v2/spans";
    zipkin.service = "mesh";
  }
  ~TracerTest() override {
    tracer.reset();
    clusters.clear();
  }
  void use(ZipkinPlan plan) {
    factory = std::make_unique<ZipkinFactory>(std::move(plan));
    tracer = factory->on_worker(local);
  }
  void use(OpenTelemetryPlan plan) {
    factory = std::make_unique<OpenTelemetryFactory>(std::move(plan));
    tracer = factory->on_worker(local);
  }
  // The trace fields of the next hop, for a request with these.
  std::string pass(std::initializer_list<std::pair<const char*, const char*>> fields, Traced decision = Traced::kYes) {
    http::RequestHeaders& request = *arena.create<http::RequestHeaders>(arena);
    request.authority = "x.test";
    for (const auto& [name, value] : fields) request.fields.add_copy(name, value);
    Span span;
    std::string out;
    if (!tracer->begin(span, request, decision)) return "none";
    tracer->inject(span, request);
    for (const http::HeaderField& field : request.fields) append(out, field.name(), "=", field.value(), " ");
    return out;
  }
  void report(int count) {
    world.loop.post([this, count] {
      for (int i = 0; i < count; ++i) {
        Span span;
        span.kind = SpanKind::kServer;
        span.sampled = true;
        span.name = "x.test";
        span.context = {0, 7, 7, std::nullopt};
        span.start = WallTime{1'000'000};
        span.duration = 1500us;
        span.tag("http.url", "http://x.test/\"a\"");
        span.tag("component", "proxy");
        tracer->report(span);
      }
    });
    world.world.run_for(10ms);
  }
  uint64_t stat(std::string_view name) { return world.registry.value(cat("tracing.", name)).value_or(0); }

  test::CallWorld world;
  Owner owner{"test"};
  ChunkPool chunks{owner};
  Arena arena{chunks};
  upstream::ClusterSet clusters{world.local};
  proxy::ServerState state;
  proxy::ProxyLocal local{world.local, clusters, state};
  ZipkinPlan zipkin;
  std::unique_ptr<proxy::TracerFactory> factory;
  std::unique_ptr<proxy::Tracer> tracer;
};

using ZipkinTest = TracerTest;

constexpr const char* kTrace = "463ac35c9f6413ad48485a3953bb6124";
constexpr const char* kSpan = "a2fb4a1d1a96d312";
constexpr const char* kParent = "00-463ac35c9f6413ad48485a3953bb6124-a2fb4a1d1a96d312-01";

TEST_F(ZipkinTest, ContinuesAndBeginsTraces) {
  use(zipkin);
  EXPECT_EQ(pass({{"x-b3-traceid", kTrace}, {"x-b3-spanid", kSpan}, {"x-b3-sampled", "0"}}),
            "x-b3-traceid=463ac35c9f6413ad48485a3953bb6124 x-b3-spanid=a2fb4a1d1a96d312 x-b3-sampled=0 ");
  EXPECT_EQ(pass({{"x-b3-traceid", "no"}, {"x-b3-spanid", kSpan}}), "none");
  const std::string fresh = pass({{"traceparent", kParent}}, Traced::kNo);
  EXPECT_EQ(fresh.size(),
            cat("traceparent=", kParent, " x-b3-traceid=", kSpan, " x-b3-spanid=", kSpan, " x-b3-sampled=0 ").size());
  EXPECT_EQ(fresh.find(kTrace), fresh.rfind(kTrace));  // W3C is not read
  zipkin.w3c_too = true;
  use(zipkin);
  EXPECT_EQ(pass({{"traceparent", kParent}}, Traced::kNo),
            cat("x-b3-traceid=", kTrace, " x-b3-spanid=", kSpan, " x-b3-sampled=1 traceparent=", kParent, " "));
  zipkin.shared_span_context = false;
  use(zipkin);
  EXPECT_NE(pass({{"traceparent", kParent}}).find(cat(" x-b3-parentspanid=", kSpan, " ")), std::string::npos);
}

TEST_F(ZipkinTest, SendsBatchesAndTheRestInTime) {
  std::vector<std::string> bodies;
  test::SimOrigin collector(world.peers, kTraceCollector, [&](const std::string& head, const std::string&) {
    bodies.push_back(head);
    return std::string("HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
  });
  use(zipkin);
  report(5);
  EXPECT_EQ(stat("zipkin.spans_sent"), 5u);
  EXPECT_EQ(stat("zipkin.reports_sent"), 1u);
  ASSERT_FALSE(bodies.empty());  // this origin takes chunks for requests
  EXPECT_EQ(bodies[0],
            "POST /api/v2/spans HTTP/1.1\r\nhost: plane\r\ncontent-type: application/json\r\nx-envoy-internal: "
            "true\r\nx-forwarded-for: 10.0.0.2\r\nx-envoy-expected-rq-timeout-ms: 5000\r\ntransfer-encoding: "
            "chunked\r\n\r\n");
  report(2);
  EXPECT_EQ(stat("zipkin.spans_sent"), 5u);
  world.world.run_for(5s);
  EXPECT_EQ(stat("zipkin.spans_sent"), 7u);
  EXPECT_EQ(stat("zipkin.timer_flushed"), 1u);
}

TEST_F(ZipkinTest, AServiceHasFieldsAndATimeOfItsOwn) {
  std::string head;
  test::SimOrigin collector(world.peers, kTraceCollector, [&](const std::string& came, const std::string&) {
    if (head.empty()) head = came;
    return std::string("HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
  });
  zipkin.collector = {"plane", "collector.test", "/spans", {{"x-key", "secret"}}, 7s, Collector::Over::kHttp};
  use(zipkin);
  report(5);
  EXPECT_TRUE(head.starts_with("POST /spans HTTP/1.1\r\nhost: collector.test\r\n")) << head;
  EXPECT_NE(head.find("\r\nx-key: secret\r\n"), std::string::npos) << head;
  EXPECT_NE(head.find("x-envoy-expected-rq-timeout-ms: 7000"), std::string::npos) << head;
}

TEST_F(ZipkinTest, ADeadCollectorCostsCounters) {
  world.fabric.set_reach(kTraceCollector, test::SimReach::kBlackHole);
  use(zipkin);
  report(1000);
  EXPECT_EQ(stat("zipkin.reports_dropped"), 200 - ZipkinTracer::kMaxReports);
  EXPECT_LT(world.slab_owner.bytes(), 4 << 20);
  world.world.run_for(20s);
  EXPECT_EQ(stat("zipkin.spans_sent"), 1000u);
  EXPECT_EQ(stat("zipkin.reports_failed"), ZipkinTracer::kMaxReports);
  report(3);
  tracer.reset();  // with spans that wait, and none of its calls left
  zipkin.collector.cluster = "nobody";
  use(zipkin);
  report(5);
  EXPECT_EQ(stat("zipkin.reports_skipped_no_cluster"), 1u);
}

TEST_F(ZipkinTest, WritesJson) {
  Span span;
  span.kind = SpanKind::kClient;
  span.name = "router a \"egress\"";
  span.context = {1, 2, 3, 4};
  span.start = WallTime{1'000'000};
  span.duration = 1500us;
  span.tag("b", "2");
  span.tag("a", "\x01");
  std::string text;
  append_zipkin_span(text, span, "{}", true);
  EXPECT_EQ(text,
            "{\"annotations\":[{\"timestamp\":1001500,\"value\":\"cr\"}],\"duration\":1500,\"id\":\"0000000000000003\","
            "\"kind\":\"CLIENT\",\"localEndpoint\":{},\"name\":\"router a \\\"egress\\\"\",\"parentId\":"
            "\"0000000000000004\",\"tags\":{\"a\":\"\\u0001\",\"b\":\"2\"},\"timestamp\":1000000,\"traceId\":"
            "\"00000000000000010000000000000002\"}");
  EXPECT_TRUE(parse_json(text).has_value());
}

struct OpenTelemetryTest : TracerTest {
  OpenTelemetryTest() : TracerTest(model::UpstreamProtocol::kHttp2) {
    plan.collector.cluster = "plane";
    plan.collector.fields = {{"x-token", "t"}};
    plan.collector.over = Collector::Over::kGrpc;
    append_otlp_resource(plan.resource, "service.name", "front");
  }
  OpenTelemetryPlan plan;
};

TEST_F(OpenTelemetryTest, ContinuesAndBeginsTraces) {
  use(plan);
  const std::string next = pass({{"traceparent", kParent}});
  EXPECT_TRUE(next.starts_with(cat("traceparent=00-", kTrace, "-"))) << next;
  EXPECT_TRUE(next.ends_with("-01 tracestate= "));
  EXPECT_EQ(next.find(kSpan), std::string::npos);  // a span of our own
  EXPECT_TRUE(pass({{"traceparent", kParent}}, Traced::kNo).ends_with("-00 tracestate= "));
  EXPECT_EQ(pass({{"traceparent", "00-x"}}), "none");
  EXPECT_TRUE(pass({}).ends_with("-01 tracestate= "));
}

TEST_F(OpenTelemetryTest, SpeaksGrpcAndHttp) {
  test::SimGrpcPeer collector(world.peers, kTraceCollector);
  use(plan);
  report(5);
  world.world.run_for(100ms);
  ASSERT_EQ(collector.requests.size(), 1u);
  const test::SimGrpcPeer::Request& grpc = *collector.requests[0];
  EXPECT_EQ(grpc.path, "/opentelemetry.proto.collector.trace.v1.TraceService/Export");
  EXPECT_EQ(grpc.get("content-type"), "application/grpc");
  EXPECT_EQ(grpc.get("x-token"), "t");
  EXPECT_NE(grpc.body.find("service.name\x12\x07\n\x05"
                           "front"),
            std::string::npos);
  EXPECT_NE(grpc.body.find("http.url\x12\x13\n\x11"
                           "http://x.test/\"a\""),
            std::string::npos);
  EXPECT_EQ(stat("opentelemetry.spans_sent"), 5u);
  EXPECT_EQ(stat("opentelemetry.reports_failed"), 1u);  // this peer says no status
  plan.collector.over = Collector::Over::kHttp;
  plan.collector.path = "/v1/traces";
  plan.collector.authority = "otel.test";
  use(plan);
  report(5);
  world.world.run_for(100ms);
  ASSERT_EQ(collector.requests.size(), 2u);
  EXPECT_EQ(collector.requests[1]->path, "/v1/traces");
  EXPECT_EQ(collector.requests[1]->authority, "otel.test");
  EXPECT_EQ(collector.requests[1]->get("content-type"), "application/x-protobuf");
  EXPECT_EQ(grpc.body.substr(5), collector.requests[1]->body);
  EXPECT_EQ(stat("opentelemetry.reports_failed"), 1u);
}

TEST_F(OpenTelemetryTest, ADeadCollectorCostsCounters) {
  world.fabric.set_reach(kTraceCollector, test::SimReach::kBlackHole);
  use(plan);
  report(1000);
  EXPECT_EQ(stat("opentelemetry.spans_dropped"), 1000 - 5 * OtlpSender::kMaxOpen);
  world.world.run_for(20s);
  EXPECT_EQ(stat("opentelemetry.reports_failed"), OtlpSender::kMaxOpen);
}

}  // namespace
}  // namespace sluice::exporters
