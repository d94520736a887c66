// Pages, against what Envoy 1.40 answered (the recorded cases admin/*).
#include "server/admin/page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/log.h"
#include "config/accepted_config.h"
#include "config/document.h"
#include "config/message_tree.h"
#include "fake_source.h"
#include "stats/names_cluster.h"

namespace sluice::server::admin {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

class PagesTest : public testing::Test {
 protected:
  PagesTest() {
    for (int i = 0; i < static_cast<int>(log::Component::kCount); ++i) {
      levels_.push_back(log::level_of(static_cast<log::Component>(i)));
    }
  }
  ~PagesTest() override {
    for (int i = 0; i < static_cast<int>(log::Component::kCount); ++i) {
      log::set_level(static_cast<log::Component>(i), levels_[static_cast<size_t>(i)]);
    }
  }

  Reply get(std::string_view target, std::string_view method = "GET") {
    Reply reply;
    answer(parse_request(method, target, "", ""), source, reply);
    return reply;
  }
  Reply post(std::string_view target) { return get(target, "POST"); }

  static net::Address address(std::string_view ip, uint16_t port) { return *net::Address::from_ip(ip, port); }

  FakeSource source;

 private:
  std::vector<log::Level> levels_;
};

TEST_F(PagesTest, ReadySaysTheState) {
  EXPECT_EQ(get("/ready").body, "LIVE\n");
  EXPECT_EQ(get("/ready").status, 200);
  EXPECT_EQ(get("/ready").content_type, "text/plain; charset=UTF-8");
  source.now = ServerState::kPreInitializing;
  EXPECT_EQ(get("/ready").body, "PRE_INITIALIZING\n");
  EXPECT_EQ(get("/ready").status, 503);
  EXPECT_EQ(get("/ready", "PUT").body, "PRE_INITIALIZING\n");
}

TEST_F(PagesTest, WhatChangesSomethingMustBePosted) {
  for (const char* path : {"/quitquitquit", "/healthcheck/fail", "/healthcheck/ok", "/reset_counters", "/reopen_logs",
                           "/drain_listeners", "/logging", "/runtime_modify?a=b"}) {
    const Reply reply = get(path);
    EXPECT_EQ(reply.status, 405) << path;
    EXPECT_EQ(reply.body, "Method GET not allowed, POST required.") << path;
  }
  EXPECT_EQ(get("/healthcheck/fail", "DELETE").body, "Method DELETE not allowed, POST required.");
  EXPECT_THAT(source.done, IsEmpty());
}

TEST_F(PagesTest, Actions) {
  EXPECT_EQ(post("/healthcheck/fail").body, "OK\n");
  EXPECT_EQ(get("/ready").body, "DRAINING\n");
  EXPECT_EQ(post("/healthcheck/ok").body, "OK\n");
  EXPECT_EQ(post("/drain_listeners?graceful&inboundonly").body, "OK\n");
  EXPECT_EQ(post("/drain_listeners?skip_exit").body, "OK\n");
  EXPECT_EQ(post("/reopen_logs").body, "OK\n");
  Reply quit = post("/quitquitquit");
  EXPECT_EQ(quit.body, "OK\n");
  EXPECT_THAT(source.done, ElementsAre("fail", "pass", "drain graceful inbound", "drain skip_exit", "reopen"));
  quit.afterwards();
  EXPECT_EQ(source.done.back(), "quit");
}

TEST_F(PagesTest, UnknownPathsListThePages) {
  const Reply reply = get("/nope");
  EXPECT_EQ(reply.status, 404);
  EXPECT_THAT(reply.body, StartsWith("invalid path. admin commands are:\n"));
  for (const char* line :
       {"  /quitquitquit (POST): exit the server\n",
        "  /ready: print server state, return 200 if LIVE, otherwise return 503\n", "  /stats: print server stats\n",
        "  /stats/prometheus: print server stats in prometheus format\n"}) {
    EXPECT_THAT(reply.body, HasSubstr(line));
  }
  EXPECT_EQ(get("/readyx").status, 404);
  EXPECT_THAT(get("/help").body, StartsWith("admin commands are:\n"));
  EXPECT_EQ(get("/").content_type, "text/html; charset=UTF-8");
}

TEST_F(PagesTest, Listeners) {
  source.all_listeners = {{"named", address("127.0.0.1", 10000)}, {"virtual", address("10.0.0.1", 80)}};
  EXPECT_EQ(get("/listeners").body, "named::127.0.0.1:10000\nvirtual::10.0.0.1:80\n");
  const Reply json = get("/listeners?format=json");
  EXPECT_EQ(json.content_type, "application/json");
  EXPECT_EQ(
      json.body,
      "{\n \"listener_statuses\": [\n  {\n   \"name\": \"named\",\n   \"local_address\": {\n    \"socket_address\": {\n"
      "     \"address\": \"127.0.0.1\",\n     \"port_value\": 10000\n    }\n   }\n  },\n  {\n   \"name\": "
      "\"virtual\",\n"
      "   \"local_address\": {\n    \"socket_address\": {\n     \"address\": \"10.0.0.1\",\n     \"port_value\": 80\n"
      "    }\n   }\n  }\n ]\n}\n");
}

// admin/clusters_text.
TEST_F(PagesTest, ClustersAsText) {
  ClusterInfo cluster;
  cluster.name = cluster.observability_name = "a";
  cluster.breakers[0] = {7, 8, 9, 2};
  cluster.breakers[1].max_connections = 3;
  HostInfo host;
  host.address = address("127.0.0.1", 9000);
  host.hostname = "h.test";
  host.cx_active = host.cx_total = 1;
  host.rq_error = host.rq_success = 1;
  host.rq_total = 2;
  host.weight = 3;
  host.region = "r1";
  host.canary = true;
  HostInfo other;
  other.address = address("127.0.0.1", 1);
  other.priority = 1;
  other.eds_health = model::HealthStatus::kUnhealthy;
  cluster.hosts = {host, other};
  source.all_clusters = {cluster};
  const std::string body = get("/clusters").body;
  EXPECT_THAT(body, StartsWith("a::observability_name::a\na::default_priority::max_connections::7\n"
                               "a::default_priority::max_pending_requests::8\na::default_priority::max_requests::9\n"
                               "a::default_priority::max_retries::2\na::high_priority::max_connections::3\n"
                               "a::high_priority::max_pending_requests::1024\na::high_priority::max_requests::1024\n"
                               "a::high_priority::max_retries::3\na::added_via_api::false\n"
                               "a::127.0.0.1:9000::cx_active::1\na::127.0.0.1:9000::cx_connect_fail::0\n"));
  EXPECT_THAT(body, HasSubstr("a::127.0.0.1:9000::hostname::h.test\na::127.0.0.1:9000::health_flags::healthy\n"
                              "a::127.0.0.1:9000::weight::3\na::127.0.0.1:9000::region::r1\n"));
  EXPECT_THAT(body, HasSubstr("a::127.0.0.1:1::health_flags::/failed_eds_health\n"));
  EXPECT_THAT(body,
              testing::EndsWith("a::127.0.0.1:1::canary::false\na::127.0.0.1:1::priority::1\n"
                                "a::127.0.0.1:1::success_rate::-1\na::127.0.0.1:1::local_origin_success_rate::-1\n"));
  EXPECT_EQ(get("/clusters?filter=^b$").body, "");
  EXPECT_EQ(get("/clusters?filter=(").status, 400);
}

// admin/clusters_json: what is zero or false is left out.
TEST_F(PagesTest, ClustersAsJson) {
  ClusterInfo cluster;
  cluster.name = cluster.observability_name = "a";
  HostInfo host;
  host.address = address("127.0.0.1", 1);
  host.cx_total = 1;
  host.cx_active = 1;
  host.priority = 1;
  host.weight = 3;
  host.zone = "z1";
  host.eds_health = model::HealthStatus::kDraining;
  cluster.hosts = {host};
  source.all_clusters = {cluster};
  const std::string body = get("/clusters?format=json").body;
  EXPECT_THAT(body, HasSubstr("    {\n       \"name\": \"cx_connect_fail\"\n      },\n"));
  EXPECT_THAT(body, HasSubstr("    {\n       \"value\": \"1\",\n       \"name\": \"cx_total\"\n      },\n"));
  EXPECT_THAT(
      body,
      HasSubstr("    {\n       \"type\": \"GAUGE\",\n       \"value\": \"1\",\n       \"name\": \"cx_active\"\n"));
  EXPECT_THAT(
      body, HasSubstr("\"health_status\": {\n      \"eds_health_status\": \"DRAINING\"\n     },\n     \"weight\": 3,\n"
                      "     \"priority\": 1,\n     \"locality\": {\n      \"zone\": \"z1\"\n     }\n"));
  EXPECT_THAT(body, HasSubstr("\"priority\": \"HIGH\",\n      \"max_connections\": 1024,"));
  EXPECT_THAT(body, Not(HasSubstr("hostname")));
}

TEST_F(PagesTest, ServerInfo) {
  source.command_line.service_node = "sn";
  source.command_line.drain_time = std::chrono::seconds(33);
  source.command_line.drain_strategy = "immediate";
  source.command_line.file_flush_interval = std::chrono::milliseconds(20);
  source.command_line.log_level = log::Level::kWarning;
  source.command_line.disable_hot_restart = true;
  const std::string body = get("/server_info").body;
  for (const char* part :
       {" \"state\": \"LIVE\",\n", "\"uptime_current_epoch\": \"7s\"", " \"hot_restart_version\": \"disabled\",\n",
        "  \"service_node\": \"sn\"", "  \"drain_time\": \"33s\"", "  \"file_flush_interval\": \"0.020s\"",
        "  \"drain_strategy\": \"Immediate\"", "  \"log_level\": \"warning\"", "  \"parent_shutdown_time\": \"900s\"",
        "\"locality\": {\n   \"region\": \"\",\n   \"zone\": \"sz\",\n   \"sub_zone\": \"\"\n  }"}) {
    EXPECT_THAT(body, HasSubstr(part));
  }
  EXPECT_EQ(get("/hot_restart_version").body, "disabled");
}

// admin/logging.
TEST_F(PagesTest, Logging) {
  EXPECT_THAT(post("/logging?level=error").body, HasSubstr("  admin: error\n"));
  EXPECT_THAT(post("/logging?http=info").body, HasSubstr("  http: info\n"));
  const std::string several = post("/logging?paths=admin:critical,filter:off").body;
  EXPECT_THAT(several, StartsWith("active loggers:\n  admin: critical\n"));
  EXPECT_THAT(several, HasSubstr("  filter: off\n"));
  for (const char* wrong : {"/logging?level=loud", "/logging?http=warn"}) {
    EXPECT_THAT(post(wrong).body, StartsWith("error: unknown logger level\n\nusage: /logging?<name>=<level>")) << wrong;
    EXPECT_EQ(post(wrong).status, 400);
  }
  EXPECT_THAT(post("/logging?paths=rbac:debug,http:warning").body, HasSubstr("  http: warning\n"));
  EXPECT_THAT(post("/logging?nosuch=info").body, StartsWith("error: unknown logger name\n"));
  EXPECT_THAT(post("/logging?a=info&b=info").body, StartsWith("error: invalid number of parameters\n"));
  EXPECT_THAT(post("/logging?paths=x").body, StartsWith("error: empty logger name or empty logger level\n"));
  // Nothing changes when a part is wrong.
  EXPECT_EQ(post("/logging?paths=admin:info,http:loud").status, 400);
  EXPECT_THAT(post("/logging").body, HasSubstr("  admin: critical\n"));
}

TEST_F(PagesTest, StatsPages) {
  stats::WorkerCells cells(source.stats);
  const auto id = source.stats.add_block<stats::ClusterStat>("cluster.a.");
  cells.block<stats::ClusterStat>(id).inc(stats::ClusterStat::kUpstreamRqTotal);
  const std::string filter = "filter=^cluster.a.upstream_rq_(total|active)$";
  EXPECT_EQ(get("/stats?" + filter).body, "cluster.a.upstream_rq_active: 0\ncluster.a.upstream_rq_total: 1\n");
  EXPECT_EQ(get("/stats?usedonly&" + filter).body, "cluster.a.upstream_rq_total: 1\n");
  EXPECT_EQ(get("/stats?type=Gauges&" + filter).body, "cluster.a.upstream_rq_active: 0\n");
  EXPECT_EQ(get("/stats?filter=rq_per_cx").body, "cluster.a.upstream_rq_per_cx: No recorded values\n");
  EXPECT_EQ(get("/stats?format=json&" + filter).content_type, "application/json");
  const std::string families = get("/stats/prometheus?" + filter).body;
  EXPECT_THAT(families, HasSubstr("envoy_cluster_upstream_rq_total{envoy_cluster_name=\"a\"} 1\n"));
  EXPECT_EQ(get("/stats?format=prometheus&" + filter).body, families);
  EXPECT_GT(source.refreshed, 5);
  EXPECT_EQ(post("/reset_counters").body, "OK\n");
  EXPECT_EQ(get("/stats?usedonly&" + filter).body, "cluster.a.upstream_rq_total: 0\n");
}

TEST_F(PagesTest, StatsRefusals) {
  EXPECT_EQ(get("/stats?histogram_buckets=bogus").body,
            "usage: /stats?histogram_buckets=(cumulative|disjoint|detailed|summary|prometheusnative)\n");
  EXPECT_EQ(get("/stats?histogram_buckets=bogus").status, 400);
  EXPECT_EQ(get("/stats?format=bogus").status, 400);
  EXPECT_EQ(get("/stats?type=bogus").body, "invalid &type= param");
  EXPECT_THAT(get("/stats?filter=(").body, StartsWith("Invalid re2 regex: "));
  EXPECT_EQ(get("/stats/recentlookups").status, 501);
}

// admin/runtime.
TEST_F(PagesTest, Runtime) {
  source.layers = {{"base", "over", "adm"}, {{"a.num", {"5", "6", ""}}, {"a.text", {"words", "", ""}}}};
  EXPECT_EQ(get("/runtime").body,
            "{\n \"layers\": [\n  \"base\",\n  \"over\",\n  \"adm\"\n ],\n \"entries\": {\n  \"a.num\": {\n   "
            "\"layer_values\": [\n"
            "    \"5\",\n    \"6\",\n    \"\"\n   ],\n   \"final_value\": \"6\"\n  },\n  \"a.text\": {\n   "
            "\"layer_values\": [\n"
            "    \"words\",\n    \"\",\n    \"\"\n   ],\n   \"final_value\": \"words\"\n  }\n }\n}\n");
  EXPECT_EQ(post("/runtime_modify").status, 400);
  EXPECT_EQ(post("/runtime_modify?a=b").status, 503);
  EXPECT_EQ(post("/runtime_modify?a=b").body, "No admin layer specified");
}

TEST_F(PagesTest, EmptyLists) {
  EXPECT_EQ(get("/runtime").body, "{\n \"layers\": [],\n \"entries\": {}\n}\n");
  EXPECT_EQ(get("/certs").body, "{\n \"certificates\": []\n}\n");
  EXPECT_EQ(get("/config_dump").body, "{}\n");
}

TEST_F(PagesTest, MemoryByOwner) {
  Owner owner("test owner");
  owner.charge(12345);
  const std::string body = get("/memory").body;
  EXPECT_THAT(body, HasSubstr("\"test owner\": \"12345\""));
  EXPECT_THAT(body, testing::ContainsRegex("\"total_physical_bytes\": \"[1-9]"));
  owner.release(12345);
}

TEST_F(PagesTest, QueriesAreDecoded) {
  const Request request = parse_request("GET", "/stats?filter=a%2Eb%7C&usedonly&x=1=2", "", "");
  EXPECT_EQ(request.path, "/stats");
  EXPECT_EQ(request.get("filter"), "a.b|");
  EXPECT_TRUE(request.has("usedonly"));
  EXPECT_EQ(request.get("x"), "1=2");
  EXPECT_EQ(parse_request("POST", "/x", "text/plain", "a=1").query.size(), 0u);
  EXPECT_EQ(parse_request("POST", "/x", "application/x-www-form-urlencoded", "a=1&b=2").get("b"), "2");
}

class ConfigDumpTest : public PagesTest {
 protected:
  ConfigDumpTest() {
    config::BootstrapSource from;
    from.yaml = R"(
static_resources:
  clusters: [{name: one, connect_timeout: 1s}, {name: two}]
  secrets: [{name: key, tls_certificate: {private_key: {inline_string: "very secret"}, certificate_chain: {filename: /c.pem}}}]
  listeners:
  - name: l
    address: {socket_address: {address: 127.0.0.1, port_value: 80}}
    filter_chains:
    - filters:
      - name: hcm
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: s
          route_config: {name: routes, virtual_hosts: [{name: v, domains: ["*"]}]}
)";
    auto config = std::make_shared<config::AcceptedConfig>();
    const std::unique_ptr<config::Document> document = config::load_bootstrap(from);
    EXPECT_TRUE(document->findings.ok()) << document->findings.errors().front().to_string();
    config->bootstrap = config::bytes_of(document->bootstrap);
    source.accepted = config;
  }
};

TEST_F(ConfigDumpTest, AllParts) {
  const std::string body = get("/config_dump").body;
  for (const char* part :
       {"\"@type\": \"type.googleapis.com/envoy.admin.v3.BootstrapConfigDump\"", "envoy.admin.v3.ClustersConfigDump",
        "\"static_clusters\": [", "envoy.admin.v3.ListenersConfigDump", "envoy.admin.v3.RoutesConfigDump",
        "\"static_route_configs\": [", "\"last_updated\": \"2026-01-01T00:00:00Z\"", "\"connect_timeout\": \"1s\""}) {
    EXPECT_THAT(body, HasSubstr(part));
  }
  EXPECT_THAT(body, Not(HasSubstr("very secret")));
  EXPECT_THAT(body, HasSubstr("\"inline_string\": \"[redacted]\""));
  EXPECT_THAT(body, HasSubstr("\"filename\": \"/c.pem\""));
}

TEST_F(ConfigDumpTest, OneList) {
  const std::string body = get("/config_dump?resource=static_clusters").body;
  EXPECT_THAT(body, HasSubstr("envoy.admin.v3.ClustersConfigDump.StaticCluster"));
  EXPECT_THAT(body, Not(HasSubstr("BootstrapConfigDump")));
  EXPECT_EQ(get("/config_dump?resource=dynamic_route_configs").body, "{}\n");
  EXPECT_EQ(get("/config_dump?resource=x").status, 404);
  EXPECT_EQ(get("/config_dump?resource=x").body, "x not found in config dump");
  EXPECT_EQ(get("/config_dump?resource=bootstrap").status, 400);
}

TEST_F(ConfigDumpTest, ByName) {
  const std::string body = get("/config_dump?resource=static_clusters&name_regex=^tw").body;
  EXPECT_THAT(body, HasSubstr("\"name\": \"two\""));
  EXPECT_THAT(body, Not(HasSubstr("\"name\": \"one\"")));
  EXPECT_EQ(get("/config_dump?name_regex=(").status, 400);
}

TEST_F(ConfigDumpTest, Masked) {
  const std::string body = get("/config_dump?mask=bootstrap.static_resources.clusters").body;
  EXPECT_THAT(body, HasSubstr("\"name\": \"two\""));
  EXPECT_THAT(body, Not(HasSubstr("\"admin\"")));
  EXPECT_THAT(body, Not(HasSubstr("ListenersConfigDump")));
  EXPECT_EQ(get("/config_dump?mask=(").status, 400);
}

}  // namespace
}  // namespace sluice::server::admin
