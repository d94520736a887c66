// Access logs over gRPC, access logs in OTLP and spans, on their way to a collector that dies, stalls and comes back
// under traffic. What does not arrive is counted; what a stalled collector is not told yet costs no more than the
// limits; and once it is well again everything new arrives.
#include <algorithm>
#include <map>
#include <set>

#include "base/strings.h"
#include "exporters/builtin.h"
#include "exporters/otlp_sender.h"
#include "test/sim/sim_grpc_server.h"
#include "test/sim/sim_stage.h"

namespace sluice::test {

using namespace std::chrono_literals;

namespace {

const net::Address kCollector = *net::Address::from_ip("10.0.0.31", 4317);
// The longest that anything waits for a collector: a timeout, and then an interval of flushes.
constexpr Duration kSettled = 20s;
constexpr size_t kBurst = 300;

const config::Extensions& with_exporters() {
  static const config::Extensions all = [] {
    config::Extensions out = filters::builtin();
    exporters::add_to(out);
    return out;
  }();
  return all;
}

std::string with_collector() {
  std::string yaml = stage_yaml();
  constexpr std::string_view kService = "grpc_service: {envoy_grpc: {cluster_name: collector}}";
  insert_behind(
      yaml, "          access_log:\n",
      cat("          - name: als\n            typed_config: {\"@type\": "
          "type.googleapis.com/envoy.extensions.access_loggers.grpc.v3.HttpGrpcAccessLogConfig, common_config: "
          "{log_name: sim, transport_api_version: V3, buffer_size_bytes: 1024, ",
          kService,
          "}}\n          - name: otlp\n            typed_config: {\"@type\": "
          "type.googleapis.com/envoy.extensions.access_loggers.open_telemetry.v3.OpenTelemetryAccessLogConfig, "
          "buffer_size_bytes: 1024, body: {string_value: \"%REQ(:PATH)%\"}, ",
          kService, "}\n"));
  insert_behind(yaml, "stat_prefix: main\n",
                cat("          tracing: {provider: {name: spans, typed_config: {\"@type\": "
                    "type.googleapis.com/envoy.config.trace.v3.OpenTelemetryConfig, ",
                    kService, "}}}\n"));
  return cat("layered_runtime: {layers: [{name: one, static_layer: {tracing.opentelemetry.min_flush_spans: 1}}]}", yaml,
             "  - name: collector\n    connect_timeout: 1s\n    per_connection_buffer_limit_bytes: 32768\n"
             "    typed_extension_protocol_options: {envoy.extensions.upstreams.http.v3.HttpProtocolOptions: "
             "{\"@type\": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions, "
             "explicit_http_config: {http2_protocol_options: {}}}}\n"
             "    load_assignment:\n      cluster_name: collector\n      endpoints:\n      - lb_endpoints:\n"
             "        - endpoint: {address: {socket_address: {address: 10.0.0.31, port_value: 4317}}}\n");
}

// It ends in "/l", say.
bool names_kind(std::string_view text) {
  return text.size() >= 2 && text[text.size() - 2] == '/' && text.back() >= 'a' && text.back() <= 'z';
}

// The keys of the paths in a text: /KIND/KEY/... or /direct/NUMBER/.
void find_keys(std::string_view text, std::set<std::string, std::less<>>& keys) {
  for (size_t at = text.find('/'); at != std::string_view::npos; at = text.find('/', at + 1)) {
    const size_t end = text.find('/', at + 1);
    if (end == std::string_view::npos) return;
    const std::string_view word = text.substr(at + 1, end - at - 1);
    if (!word.empty() && std::all_of(word.begin(), word.end(), [](char c) { return c >= '0' && c <= '9'; }) &&
        (text.substr(0, at).ends_with("direct") || names_kind(text.substr(0, at)))) {
      keys.emplace(word);
      at = end;
    }
  }
}

// What is told to the collector, by the kind of telling.
enum Kind : uint8_t { kAls, kOtlpLog, kSpans, kKinds };

// A stage with a collector. Thread: the simulation's.
class Collectors {
 public:
  Collectors(uint64_t seed, Trace trace)
      : stage_(seed, trace, with_collector(), 1, with_exporters(), {"origin", "collector"}),
        workers_(1 + seed % 3),
        random_(stage_.proxy.world.random().fork()),
        machine_(stage_.proxy.fabric, "10.0.0.31"),
        collector_(machine_, kCollector,
                   {.on_message = [this](const SimGrpcServer::CallPtr& call,
                                         std::string_view message) { find_keys(message, told_[kind_of(call->path)]); },
                    .on_end =
                        [](const SimGrpcServer::CallPtr& call) {
                          call->send("");
                          call->end("0");
                        }}) {
    collector_.start();
  }

  // Everything breaks, the collector too.
  void play() {
    change();
    stage_.play();
    over_ = true;
    stage_.proxy.fabric.faults() = SimFaults();
    be_well();
    stage_.proxy.world.run_for(kSettled);
    check(kOtlpLog, "logs_dropped of OTLP");
    check(kSpans, "spans_dropped and reports_failed");
  }

  // Nothing breaks but the collector, in one way: what is lost is counted by all of them.
  void go_without() {
    const std::map<Kind, uint64_t> lost = all_lost();
    const std::map<Kind, uint64_t> counted = all_counted();
    const uint64_t way = random_.below(3);
    stage_.proxy.world.trace("collector", way, 0);
    if (way == 0) collector_.read(false);
    if (way == 1) collector_.stop();
    burst();
    stage_.recover();
    be_well();
    stage_.proxy.world.run_for(kSettled);
    for (const Kind kind : {kAls, kOtlpLog, kSpans}) {
      const uint64_t more = lost_of(kind) - lost.at(kind);
      const uint64_t said = counted_of(kind) - counted.at(kind);
      stage_.violations.expect(more <= said, cat(more, " of kind ", int{kind}, " were lost, ", said, " counted"));
      // Each span is a report here, of which no more than kMaxOpen are under way.
      stage_.violations.expect(way != 2 || said == 0 || kind == kSpans,
                               cat(said, " of kind ", int{kind}, " lost by a collector that is well"));
    }
  }

  // It is well again.
  void recover() {
    const std::map<Kind, uint64_t> lost = all_lost();
    stage_.recover();
    stage_.proxy.world.run_for(kSettled);
    stage_.violations.expect(all_lost() == lost, "what is new does not come to a collector that is well again");
  }

  Played end() {
    collector_.stop();  // the streams of access logs end
    return stage_.end();
  }

 private:
  static Kind kind_of(std::string_view path) {
    return path.ends_with("StreamAccessLogs") ? kAls : path.ends_with("LogsService/Export") ? kOtlpLog : kSpans;
  }

  void change() {
    if (over_) return;
    be_well();
    switch (random_.below(5)) {
      case 0:
        collector_.stop();
        break;
      case 1:
        collector_.read(false);
        break;
      case 2:
        stage_.proxy.fabric.set_reach(kCollector, SimReach::kBlackHole);
        stage_.proxy.fabric.reset_connections_to(kCollector);
        break;
      default:
        break;
    }
    stage_.proxy.world.after(random_.between(Duration(200ms), Duration(4s)), [this] { change(); });
  }
  void be_well() {
    stage_.proxy.fabric.set_reach(kCollector, SimReach::kOpen);
    collector_.read(true);
    if (!collector_.running()) collector_.start();
  }

  // More at once than may be open.
  void burst() {
    const auto talker = stage_.proxy.connect();
    for (size_t i = 0; i < kBurst; ++i) {
      talker->send(cat("GET /direct/", ++number_, "/ HTTP/1.1\r\nhost: x.test\r\n\r\n"));
    }
    size_t answers = 0, from = 0;
    const bool done = stage_.proxy.world.run_until(
        [&] {
          for (size_t at; (at = talker->received().find("hello", from)) != std::string::npos; from = at + 5) ++answers;
          stage_.violations.expect(stat("cluster.collector.upstream_rq_active") <= workers_ * most_open(),
                                   "more calls are open than may be");
          return answers == kBurst;
        },
        30s);
    stage_.violations.expect(done, "a collector that is away holds requests up");
  }
  // Of a worker: spans, logs of OTLP, and the stream.
  static constexpr uint64_t most_open() { return 2 * exporters::OtlpSender::kMaxOpen + 1; }

  // ---- what was lost, as the file of the access log and the counters have it

  uint64_t lost_of(Kind kind) {
    std::set<std::string, std::less<>> logged;
    for (const std::string& line : stage_.proxy.platform.files().lines("/log")) {
      find_keys(cat(line.substr(0, line.find(' ')), "/"), logged);
    }
    return static_cast<uint64_t>(std::count_if(logged.begin(), logged.end(),
                                               [&](const std::string& key) { return !told_[kind].contains(key); }));
  }
  uint64_t counted_of(Kind kind) {
    switch (kind) {
      case kAls:
        return stat("access_logs.grpc_access_log.logs_dropped");
      case kOtlpLog:
        return stat("access_logs.open_telemetry_access_log.logs_dropped");
      default:  // a span is a report here
        return stat("tracing.opentelemetry.spans_dropped") + stat("tracing.opentelemetry.reports_failed");
    }
  }
  std::map<Kind, uint64_t> all_lost() {
    return {{kAls, lost_of(kAls)}, {kOtlpLog, lost_of(kOtlpLog)}, {kSpans, lost_of(kSpans)}};
  }
  std::map<Kind, uint64_t> all_counted() {
    return {{kAls, counted_of(kAls)}, {kOtlpLog, counted_of(kOtlpLog)}, {kSpans, counted_of(kSpans)}};
  }
  void check(Kind kind, std::string_view counter) {
    const uint64_t lost = lost_of(kind), said = counted_of(kind);
    stage_.violations.expect(lost <= said, cat(lost, " were lost, ", counter, " say ", said));
  }
  uint64_t stat(std::string_view name) { return stage_.proxy.server->registry().value(name).value_or(0); }

  Stage stage_;
  const uint64_t workers_;
  SimRandom random_;
  SimMachine machine_;
  std::set<std::string, std::less<>> told_[kKinds];
  SimGrpcServer collector_;
  uint64_t number_ = 0;
  bool over_ = false;
};

}  // namespace

Played play_collectors(uint64_t seed, Trace trace) {
  Collectors collectors(seed, trace);
  collectors.play();
  collectors.go_without();
  collectors.recover();
  return collectors.end();
}

}  // namespace sluice::test
