#include "stats/printers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "stats/names_cluster.h"
#include "stats/names_http.h"
#include "stats/names_listener.h"
#include "stats/names_server.h"
#include "stats/numbers.h"
#include "stats/response_codes.h"

namespace sluice::stats {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;
using Tags = std::vector<std::pair<std::string, std::string>>;

// ---- tags; names and labels as recorded in admin/prometheus, stats/prometheus_tags, stats/prefixes

struct TagCase {
  const char* stat;
  const char* name;
  Tags tags;
};

TEST(Tags, AsRecorded) {
  TagExtractor extractor;
  for (const TagCase& c : std::vector<TagCase>{
           {"cluster.a.upstream_rq_200",
            "cluster.upstream_rq",
            {{"envoy.response_code", "200"}, {"envoy.cluster_name", "a"}}},
           {"cluster.a.upstream_rq_2xx",
            "cluster.upstream_rq_xx",
            {{"envoy.response_code_class", "2"}, {"envoy.cluster_name", "a"}}},
           {"cluster.a.external.upstream_rq_200",
            "cluster.external.upstream_rq",
            {{"envoy.response_code", "200"}, {"envoy.cluster_name", "a"}}},
           {"cluster.outbound|80|v1|svc.ns_x.upstream_rq_total",
            "cluster.ns_x.upstream_rq_total",
            {{"envoy.cluster_name", "outbound|80|v1|svc"}}},
           {"cluster.a.circuit_breakers.high.cx_open",
            "cluster.circuit_breakers.high.cx_open",
            {{"envoy.cluster_name", "a"}}},
           {"http.main.downstream_rq_2xx",
            "http.downstream_rq_xx",
            {{"envoy.response_code_class", "2"}, {"envoy.http_conn_manager_prefix", "main"}}},
           {"http.my_http.x.downstream_rq_total",
            "http.x.downstream_rq_total",
            {{"envoy.http_conn_manager_prefix", "my_http"}}},
           {"http.main.rbac.rules_.allowed",
            "http.rbac.allowed",
            {{"envoy.rbac_http_prefix", "rules_"}, {"envoy.http_conn_manager_prefix", "main"}}},
           {"http.main.rbac.shadow_allowed", "http.rbac.shadow_allowed", {{"envoy.http_conn_manager_prefix", "main"}}},
           {"http.main.rds.dyn.route.config_reload",
            "http.rds.config_reload",
            {{"envoy.rds_route_config", "dyn.route"}, {"envoy.http_conn_manager_prefix", "main"}}},
           {"lim.it.http_local_rate_limit.enabled", "lim.it.http_local_rate_limit.enabled", {}},
           {"limit.http_local_rate_limit.enabled",
            "http_local_rate_limit.enabled",
            {{"envoy.local_http_ratelimit_prefix", "limit"}}},
           {"vhost.v.h.route.r.x.upstream_rq_200",
            "vhost.h.route.r.x.upstream_rq",
            {{"envoy.response_code", "200"}, {"envoy.virtual_host", "v"}}},
           {"vhost.vh.route.errs.upstream_rq_total",
            "vhost.route.upstream_rq_total",
            {{"envoy.virtual_host", "vh"}, {"envoy.route", "errs"}}},
           {"vhost.vh.vcluster.users.upstream_rq_200",
            "vhost.vcluster.upstream_rq",
            {{"envoy.response_code", "200"}, {"envoy.virtual_cluster", "users"}, {"envoy.virtual_host", "vh"}}},
           {"listener.127.0.0.1_80.http.main.downstream_rq_2xx",
            "listener.http.downstream_rq_xx",
            {{"envoy.response_code_class", "2"},
             {"envoy.http_conn_manager_prefix", "main"},
             {"envoy.listener_address", "127.0.0.1_80"}}},
           {"listener.127.0.0.1_80.ssl.versions.TLSv1.2",
            "listener.ssl.versions",
            {{"envoy.ssl_version", "TLSv1.2"}, {"envoy.listener_address", "127.0.0.1_80"}}},
           {"listener.127.0.0.1_80.worker_0.downstream_cx_total",
            "listener.worker.downstream_cx_total",
            {{"envoy.worker_id", "0"}, {"envoy.listener_address", "127.0.0.1_80"}}},
           {"listener.front.door.worker_0.downstream_cx_total",
            "listener.door.worker_0.downstream_cx_total",
            {{"envoy.listener_address", "front"}}},
           {"listener.[__1]_80.downstream_cx_total",
            "listener.downstream_cx_total",
            {{"envoy.listener_address", "[__1]_80"}}},
           {"listener.admin.http.admin.downstream_rq_completed",
            "listener.admin.http.downstream_rq_completed",
            {{"envoy.http_conn_manager_prefix", "admin"}}},
           {"server.worker_12.watchdog_miss", "server.worker.watchdog_miss", {{"envoy.worker_id", "12"}}},
           {"tcp.tt.downstream_cx_total", "tcp.downstream_cx_total", {{"envoy.tcp_prefix", "tt"}}},
           {"server.live", "server.live", {}}}) {
    const Tagged tagged = extractor.extract(c.stat);
    EXPECT_EQ(tagged.name, c.name) << c.stat;
    EXPECT_EQ(tagged.tags, c.tags) << c.stat;
  }
}

// stats/no_default_tags: a tag by its name alone, and one with a rule of its own.
TEST(Tags, OnlyWhatIsConfigured) {
  std::vector<TagRule> rules = TagExtractor::default_rules("envoy.response_code_class");
  rules.push_back({"cluster_name", TagRule::Place::kBehindToken, [](std::string_view name) {
                     return name.starts_with("cluster.a.") ? TagMatch{8, 2, "a"} : TagMatch{};
                   }});
  TagExtractor extractor(std::move(rules));
  const Tagged tagged = extractor.extract("cluster.a.upstream_rq_2xx");
  EXPECT_EQ(tagged.name, "cluster.upstream_rq_xx");
  EXPECT_THAT(tagged.tags, ElementsAre(Pair("envoy.response_code_class", "2"), Pair("cluster_name", "a")));
  EXPECT_EQ(extractor.extract("http.main.downstream_rq_200").name, "http.main.downstream_rq_200");
  EXPECT_TRUE(TagExtractor::default_rules("envoy.no_such_tag").empty());
}

// ---- pages

class Printers : public testing::Test {
 protected:
  static PrintOptions only(std::vector<std::string> names) {
    PrintOptions out;
    out.filter = [names = std::move(names)](std::string_view name) {
      return std::find(names.begin(), names.end(), name) != names.end();
    };
    return out;
  }
  std::string prometheus(PrintOptions options, PrometheusHistograms histograms = PrometheusHistograms::kHistogram) {
    return print_prometheus(registry_, tags_, options, histograms);
  }
  std::string text(PrintOptions options) { return print_text(registry_, options); }
  std::string json(PrintOptions options) { return print_json(registry_, options); }

  // As cluster a after two connections of two requests (admin/histogram_text).
  void two_connections() {
    auto block = cells_.block<ClusterStat>(cluster_);
    block.record(ClusterStat::kUpstreamRqPerCx, 2);
    block.record(ClusterStat::kUpstreamRqPerCx, 2);
    registry_.flush();
    registry_.flush();
  }
  static std::vector<BucketRule> rules() {
    std::vector<BucketRule> out;
    out.push_back({[](std::string_view name) { return name.ends_with("upstream_rq_per_cx"); }, {1, 2, 5.5}});
    return out;
  }

  Registry registry_{{}, rules()};
  WorkerCells cells_{registry_};
  TagExtractor tags_;
  BlockId cluster_ = registry_.add_block<ClusterStat>("cluster.a.");
};

TEST_F(Printers, PrometheusFamilies) {
  auto block = cells_.block<ClusterStat>(cluster_);
  block.add(ClusterStat::kUpstreamRqTotal, 2);
  block.inc(ClusterStat::kUpstreamRqActive);
  block.dec(ClusterStat::kUpstreamRqActive);
  ResponseCodes codes(cells_, cluster_);
  codes.inc(200);
  codes.inc(200);
  const std::vector<std::string> names = {"cluster.a.upstream_rq_total", "cluster.a.upstream_rq_2xx",
                                          "cluster.a.upstream_rq_200", "cluster.a.upstream_rq_active",
                                          "cluster.a.upstream_rq_timeout"};
  const std::string used =
      "# TYPE envoy_cluster_upstream_rq "
      "counter\nenvoy_cluster_upstream_rq{envoy_response_code=\"200\",envoy_cluster_name=\"a\"} 2\n";
  const std::string unused =
      "# TYPE envoy_cluster_upstream_rq_timeout counter\nenvoy_cluster_upstream_rq_timeout{envoy_cluster_name=\"a\"} "
      "0\n";
  const std::string rest =
      "# TYPE envoy_cluster_upstream_rq_total counter\nenvoy_cluster_upstream_rq_total{envoy_cluster_name=\"a\"} 2\n"
      "# TYPE envoy_cluster_upstream_rq_xx counter\n"
      "envoy_cluster_upstream_rq_xx{envoy_response_code_class=\"2\",envoy_cluster_name=\"a\"} 2\n"
      "# TYPE envoy_cluster_upstream_rq_active gauge\nenvoy_cluster_upstream_rq_active{envoy_cluster_name=\"a\"} 0\n";
  EXPECT_EQ(prometheus(only(names)), used + unused + rest);
  PrintOptions used_only = only(names);
  used_only.used_only = true;
  EXPECT_EQ(prometheus(std::move(used_only)), used + rest);
}

TEST_F(Printers, PrometheusWithoutLabels) {
  const BlockId server = registry_.add_block<ServerStat>("server.");
  cells_.block<ServerStat>(server).set(ServerStat::kLive, 1);
  EXPECT_EQ(prometheus(only({"server.live"})), "# TYPE envoy_server_live gauge\nenvoy_server_live{} 1\n");
}

TEST_F(Printers, PrometheusHistogram) {
  two_connections();
  const std::string buckets =
      "# TYPE envoy_cluster_upstream_rq_per_cx histogram\n"
      "envoy_cluster_upstream_rq_per_cx_bucket{envoy_cluster_name=\"a\",le=\"1\"} 0\n"
      "envoy_cluster_upstream_rq_per_cx_bucket{envoy_cluster_name=\"a\",le=\"2\"} 2\n"
      "envoy_cluster_upstream_rq_per_cx_bucket{envoy_cluster_name=\"a\",le=\"5.5\"} 2\n"
      "envoy_cluster_upstream_rq_per_cx_bucket{envoy_cluster_name=\"a\",le=\"+Inf\"} 2\n"
      "envoy_cluster_upstream_rq_per_cx_sum{envoy_cluster_name=\"a\"} ";
  const std::string shown = prometheus(only({"cluster.a.upstream_rq_per_cx"}));
  EXPECT_EQ(shown.substr(0, buckets.size()), buckets);
  EXPECT_THAT(shown, HasSubstr("\nenvoy_cluster_upstream_rq_per_cx_count{envoy_cluster_name=\"a\"} 2\n"));
  EXPECT_NEAR(std::stod(shown.substr(buckets.size())), 2 * 2 * 2.0 * 2.1 / 4.1, 1e-9);
  // The interval since the last flush is empty.
  const std::string summary = prometheus(only({"cluster.a.upstream_rq_per_cx"}), PrometheusHistograms::kSummary);
  EXPECT_THAT(summary,
              testing::StartsWith("# TYPE envoy_cluster_upstream_rq_per_cx summary\n"
                                  "envoy_cluster_upstream_rq_per_cx{envoy_cluster_name=\"a\",quantile=\"0\"} nan\n"));
  EXPECT_THAT(summary, testing::EndsWith("envoy_cluster_upstream_rq_per_cx_sum{envoy_cluster_name=\"a\"} 0\n"
                                         "envoy_cluster_upstream_rq_per_cx_count{envoy_cluster_name=\"a\"} 0\n"));
}

TEST_F(Printers, PrometheusLeavesOutUnusedHistograms) {
  PrintOptions options = only({"cluster.a.upstream_rq_per_cx"});
  options.used_only = true;
  EXPECT_EQ(prometheus(std::move(options)), "");
}

TEST_F(Printers, PrometheusEscapesLabels) {
  const BlockId odd = registry_.add_block<BreakerRemainingStat>("cluster.q\"b\\s\nn.");
  cells_.block<BreakerRemainingStat>(odd).set(BreakerRemainingStat::kRemainingRq, 1);
  EXPECT_THAT(prometheus(only({"cluster.q\"b\\s\nn.remaining_rq"})),
              HasSubstr("{envoy_cluster_name=\"q\\\"b\\\\s\\nn\"} 1"));
}

TEST_F(Printers, TextOfHistograms) {
  EXPECT_EQ(text(only({"cluster.a.upstream_rq_per_cx"})), "cluster.a.upstream_rq_per_cx: No recorded values\n");
  two_connections();
  PrintOptions cumulative = only({"cluster.a.upstream_rq_per_cx"});
  cumulative.buckets = Buckets::kCumulative;
  EXPECT_EQ(text(std::move(cumulative)), "cluster.a.upstream_rq_per_cx: B1(0,0) B2(0,2) B5.5(0,2)\n");
  PrintOptions disjoint = only({"cluster.a.upstream_rq_per_cx"});
  disjoint.buckets = Buckets::kDisjoint;
  EXPECT_EQ(text(std::move(disjoint)), "cluster.a.upstream_rq_per_cx: B1(0,0) B2(0,2) B5.5(0,0)\n");
  PrintOptions detailed = only({"cluster.a.upstream_rq_per_cx"});
  detailed.buckets = Buckets::kDetailed;
  EXPECT_THAT(
      text(std::move(detailed)),
      testing::StartsWith("cluster.a.upstream_rq_per_cx:\n  totals=2,0.1:2\n  intervals=\n  summary=P0(nan,2.0"));
}

TEST_F(Printers, TextInOrder) {
  registry_.set_text("control_plane.identifier", "x\"y");
  const BlockId listener = registry_.add_block<ListenerWorkerStat>("listener.l.worker_0.");
  cells_.block<ListenerWorkerStat>(listener).inc(ListenerWorkerStat::kDownstreamCxTotal);
  EXPECT_EQ(
      text(only({"control_plane.identifier", "listener.l.worker_0.downstream_cx_total", "cluster.a.upstream_rq_total",
                 "cluster.a.upstream_cx_connect_ms"})),
      "control_plane.identifier: \"x\"y\"\ncluster.a.upstream_rq_total: 0\nlistener.l.worker_0.downstream_cx_total: 1\n"
      "cluster.a.upstream_cx_connect_ms: No recorded values\n");
}

TEST_F(Printers, JsonAsRecorded) {
  cells_.block<ClusterStat>(cluster_).inc(ClusterStat::kUpstreamRqTotal);
  EXPECT_EQ(
      json(only({"cluster.a.upstream_rq_total", "cluster.a.upstream_rq_active"})),
      R"({"stats":[{"name":"cluster.a.upstream_rq_active","value":0},{"name":"cluster.a.upstream_rq_total","value":1}]})");
  EXPECT_EQ(json(only({})), R"({"stats":[]})");
  two_connections();
  PrintOptions cumulative = only({"cluster.a.upstream_rq_per_cx"});
  cumulative.buckets = Buckets::kCumulative;
  EXPECT_EQ(json(std::move(cumulative)),
            R"({"stats":[{"histograms":[{"name":"cluster.a.upstream_rq_per_cx","buckets":[)"
            R"({"upper_bound":1,"interval":0,"cumulative":0},{"upper_bound":2,"interval":0,"cumulative":2},)"
            R"({"upper_bound":5.5,"interval":0,"cumulative":2}]}]}]})");
  EXPECT_THAT(json(only({"cluster.a.upstream_rq_per_cx"})),
              testing::StartsWith(
                  R"({"stats":[{"histograms":{"supported_quantiles":[0,25,50,75,90,95,99,99.5,99.9,100],)"
                  R"("computed_quantiles":[{"name":"cluster.a.upstream_rq_per_cx","values":[{"cumulative":2.0)"));
}

TEST_F(Printers, KindsCanBeChosen) {
  PrintOptions gauges;
  gauges.shown = Shown::kGauges;
  const std::string shown = text(std::move(gauges));
  EXPECT_THAT(shown, HasSubstr("upstream_cx_active"));
  EXPECT_THAT(shown, Not(HasSubstr("upstream_cx_total")));
  EXPECT_THAT(shown, Not(HasSubstr("No recorded values")));
}

TEST(Numbers, AsEnvoyWritesThem) {
  const auto in = [](void (*append)(std::string&, double), double number) {
    std::string out;
    append(out, number);
    return out;
  };
  EXPECT_EQ(in(append_plain, 101.66666666666667), "101.66666666666667");
  EXPECT_EQ(in(append_plain, 300000), "300000");
  EXPECT_EQ(in(append_json, 300000), "3e+05");
  EXPECT_EQ(in(append_json, 1800000), "1800000");
  EXPECT_EQ(in(append_g, 1800000), "1.8e+06");
  EXPECT_EQ(in(append_g, 0.5), "0.5");
  EXPECT_EQ(in(append_exact, 23.489361702127659725647390587255), "23.489361702127659725647390587255");
  EXPECT_EQ(in(append_exact, 3600000), "3600000");
}

}  // namespace
}  // namespace sluice::stats
