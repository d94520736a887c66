// From a bootstrap to plans: clusters, listeners, connection managers, and what is refused.
#include <gtest/gtest.h>

#include "test/filters/bootstrap_support.h"

namespace sluice::filters {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(BootstrapCompiler, CompilesThePlainConfiguration) {
  const Compiled c{Pieces{}};
  ASSERT_TRUE(c.ok()) << c.errors();
  EXPECT_EQ(c.listener().name, "main");
  EXPECT_EQ(c.listener().stat_prefix, "127.0.0.1_80");
  EXPECT_EQ(c.listener().address.to_string(), "127.0.0.1:80");
  EXPECT_EQ(c.http().stat_prefix, "main");
  EXPECT_EQ(c.http().filters.size(), 1u);
  EXPECT_EQ(c.http().routes->name, "local");
  EXPECT_EQ(c.forward().cluster, "a");
  EXPECT_EQ(c.cluster().name, "a");
  ASSERT_EQ(c.cluster().assignment->localities.size(), 1u);
  EXPECT_EQ(c.cluster().assignment->localities[0].endpoints.at(0).address.to_string(), "127.0.0.1:81");
  EXPECT_FALSE(c.bootstrap().admin_address.has_value());
  EXPECT_NE(c.bootstrap().accepted, nullptr);
}

TEST(BootstrapCompiler, KeepsEnvoysDefaults) {
  const Compiled c{Pieces{}};
  ASSERT_TRUE(c.ok()) << c.errors();
  EXPECT_EQ(c.http().idle_timeout, std::chrono::hours(1));
  EXPECT_EQ(c.http().stream_idle_timeout, std::chrono::minutes(5));
  EXPECT_EQ(c.http().request_timeout, seconds(0));
  EXPECT_EQ(c.http().drain_timeout, seconds(5));
  EXPECT_EQ(c.http().delayed_close_timeout, seconds(1));
  EXPECT_EQ(c.http().codec.max_head_bytes, 60u * 1024);
  EXPECT_EQ(c.http().codec.max_fields, 100u);
  EXPECT_TRUE(c.http().generate_request_id);
  EXPECT_EQ(c.cluster().connect_timeout, seconds(5));
  EXPECT_EQ(c.cluster().idle_timeout, std::chrono::hours(1));
  EXPECT_EQ(c.cluster().codec.max_head_bytes, 80u * 1024);
  EXPECT_EQ((*c.cluster().breakers)[0].max_connections, 1024u);
  EXPECT_EQ((*c.cluster().breakers)[1].max_retries, 3u);
  EXPECT_EQ(c.bootstrap().stats_flush_interval, seconds(5));
}

TEST(BootstrapCompiler, TakesWhatTheConnectionManagerSays) {
  const Compiled c{Pieces{.hcm = ", codec_type: HTTP1, server_name: mine, server_header_transformation: PASS_THROUGH, "
                                 "via: v, use_remote_address: true, "
                                 "xff_num_trusted_hops: 2, skip_xff_append: true, internal_address_config: "
                                 "{cidr_ranges: [{address_prefix: 10.0.0.0, prefix_len: 8}]}, "
                                 "generate_request_id: false, normalize_path: true, merge_slashes: true, "
                                 "path_with_escaped_slashes_action: UNESCAPE_AND_REDIRECT, "
                                 "strip_any_host_port: true, stream_idle_timeout: 0s, request_headers_timeout: 0.25s, "
                                 "max_request_headers_kb: 1, "
                                 "common_http_protocol_options: {idle_timeout: 3s, max_headers_count: 7, "
                                 "headers_with_underscores_action: DROP_HEADER, max_requests_per_connection: 5}, "
                                 "http_protocol_options: {accept_http_10: true, default_host_for_http_10: old.test, "
                                 "enable_trailers: true, header_key_format: {proper_case_words: {}}}, "
                                 "scheme_header_transformation: {scheme_to_overwrite: https}, add_user_agent: true, "
                                 "upgrade_configs: [{upgrade_type: WebSocket}, {upgrade_type: other, enabled: false}]",
                          .bootstrap = "node: {id: node, cluster: c}\n"}};
  ASSERT_TRUE(c.ok()) << c.errors();
  const model::HttpPlan& p = c.http();
  EXPECT_EQ(p.codec_type, model::CodecType::kHttp1);
  EXPECT_EQ(p.server_name, "mine");
  EXPECT_EQ(p.server_header, model::ServerHeader::kPassThrough);
  EXPECT_EQ(p.via, "v");
  EXPECT_TRUE(p.use_remote_address);
  EXPECT_EQ(p.xff_num_trusted_hops, 2u);
  EXPECT_TRUE(p.skip_xff_append);
  ASSERT_EQ(p.internal_ranges.size(), 1u);
  EXPECT_TRUE(p.internal_ranges[0].contains(*net::Address::from_ip("10.1.2.3", 0)));
  EXPECT_FALSE(p.generate_request_id);
  EXPECT_TRUE(p.normalize_path);
  EXPECT_TRUE(p.merge_slashes);
  EXPECT_EQ(p.escaped_slashes, http::EscapedSlashes::kUnescapeAndRedirect);
  EXPECT_EQ(p.fragment, http::Fragment::kReject);
  EXPECT_TRUE(p.strip_any_host_port);
  EXPECT_EQ(p.stream_idle_timeout, seconds(0));
  EXPECT_EQ(p.request_headers_timeout, milliseconds(250));
  EXPECT_EQ(p.codec.max_head_bytes, 1024u);
  EXPECT_EQ(p.idle_timeout, seconds(3));
  EXPECT_EQ(p.codec.max_fields, 7u);
  EXPECT_EQ(p.codec.underscores, http::CodecOptions::Underscores::kDrop);
  EXPECT_EQ(p.max_requests_per_connection, 5u);
  EXPECT_TRUE(p.codec.accept_http_10);
  EXPECT_EQ(p.codec.default_host_for_http_10, "old.test");
  EXPECT_EQ(p.codec.default_host_for_http_10.data(), p.default_host.data());
  EXPECT_TRUE(p.codec.enable_trailers);
  EXPECT_EQ(p.codec.header_case, http::CodecOptions::Case::kProper);
  EXPECT_EQ(p.scheme_to_overwrite, "https");
  EXPECT_EQ(p.node_id, "node");
  EXPECT_EQ(p.node_cluster, "c");
  ASSERT_EQ(p.upgrades.size(), 2u);
  EXPECT_EQ(p.upgrades[0].type, "websocket");
  EXPECT_FALSE(p.upgrades[1].enabled);
}

TEST(BootstrapCompiler, TakesWhatAClusterSays) {
  const Compiled c{
      Pieces{.cluster = ", alt_stat_name: \"x:y\", connect_timeout: 0.5s, per_connection_buffer_limit_bytes: 7, "
                        "max_requests_per_connection: 9, "
                        "circuit_breakers: {thresholds: [{max_connections: 1, max_retries: 0}, {priority: HIGH, "
                        "max_requests: 2}, {max_connections: 5}]}, "
                        "typed_extension_protocol_options: {envoy.extensions.upstreams.http.v3.HttpProtocolOptions: "
                        "{\"@type\": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions, "
                        "common_http_protocol_options: {idle_timeout: 2s, max_headers_count: 3}, "
                        "explicit_http_config: {http_protocol_options: {enable_trailers: true}}}}"}};
  ASSERT_TRUE(c.ok()) << c.errors();
  const model::ClusterPlan& p = c.cluster();
  EXPECT_EQ(p.observable_name(), "x:y");
  EXPECT_EQ(p.stat_prefix(), "cluster.x_y.");
  EXPECT_EQ(p.connect_timeout, milliseconds(500));
  EXPECT_EQ(p.buffer_limit, 7u);
  EXPECT_EQ(p.max_requests_per_connection, 9u);
  EXPECT_EQ((*p.breakers)[0].max_connections, 1u);  // the first of a priority counts
  EXPECT_EQ((*p.breakers)[0].max_retries, 0u);
  EXPECT_EQ((*p.breakers)[0].max_requests, 1024u);
  EXPECT_EQ((*p.breakers)[1].max_requests, 2u);
  EXPECT_EQ(p.idle_timeout, seconds(2));
  EXPECT_EQ(p.codec.max_fields, 3u);
  EXPECT_TRUE(p.codec.enable_trailers);
}

TEST(BootstrapCompiler, NothingIsIgnoredInSilence) {
  EXPECT_TRUE(
      Compiled(Pieces{.hcm = ", codec_type: HTTP3"}).fails("codec_type", "not supported yet: codec_type HTTP3"));
  EXPECT_TRUE(Compiled(Pieces{.cluster = ", lrs_report_endpoint_metrics: [cpu]"})
                  .fails("lrs_report_endpoint_metrics", "not supported yet"));
  EXPECT_TRUE(
      Compiled(Pieces{.cluster = ", type: EDS"}).fails("eds_cluster_config", "an EDS cluster needs an eds_config"));
  EXPECT_TRUE(Compiled(Pieces{.listener = ", per_connection_buffer_high_watermark_timeout: 1s"})
                  .fails("per_connection_buffer_high_watermark_timeout", "not supported yet"));
  EXPECT_TRUE(Compiled(Pieces{.routes = "{match: {prefix: /}, route: {cluster_specifier_plugin: p}}"})
                  .fails("route.cluster_specifier_plugin", "not supported yet"));
  EXPECT_TRUE(Compiled(Pieces{.bootstrap = "header_prefix: x-other\n"}).fails("header_prefix", "not supported yet"));
}

TEST(BootstrapCompiler, AllErrorsAreTold) {
  const Compiled c{Pieces{.hcm = ", codec_type: HTTP3",
                          .routes = "{match: {prefix: /}, route: {cluster: nope}}",
                          .cluster = ", lrs_report_endpoint_metrics: [cpu]"}};
  EXPECT_FALSE(c.ok());
  EXPECT_NE(c.errors().find("codec_type"), std::string::npos);
  EXPECT_NE(c.errors().find("there is no cluster 'nope'"), std::string::npos);
  EXPECT_NE(c.errors().find("lrs_report_endpoint_metrics"), std::string::npos);
}

TEST(BootstrapCompiler, ClustersMustExistUnlessTheRoutesSayOtherwise) {
  const std::string routes = "{match: {prefix: /}, route: {cluster: nope}}";
  EXPECT_TRUE(Compiled(Pieces{.routes = routes}).fails("route.cluster", "there is no cluster 'nope'"));
  EXPECT_TRUE(Compiled(Pieces{.route_config = ", validate_clusters: false", .routes = routes}).ok());
  const Compiled weighted{Pieces{.routes = "{match: {prefix: /}, route: {weighted_clusters: {clusters: [{name: a, "
                                           "weight: 1}, {name: b, weight: 1}]}}}"}};
  EXPECT_TRUE(weighted.fails("clusters[1].name", "there is no cluster 'b'"));
}

TEST(BootstrapCompiler, NamesStandOnce) {
  EXPECT_TRUE(Compiled(Pieces{.cluster = "}\n  - {name: a"}).fails("clusters[1].name", "the cluster 'a' stands twice"));
  const Compiled domains{Pieces{.virtual_hosts = "{name: x, domains: [a.test]}, {name: z, domains: [b.test, A.TEST]}"}};
  EXPECT_TRUE(domains.fails("virtual_hosts[1].domains[1]", "the domain 'A.TEST' stands twice"));
  EXPECT_TRUE(Compiled(Pieces{.hcm = ", upgrade_configs: [{upgrade_type: websocket}, {upgrade_type: WebSocket}]"})
                  .fails("upgrade_type", "stands twice"));
}

TEST(BootstrapCompiler, FiltersAreFoundByType) {
  const std::string mutation =
      "typed_config: {\"@type\": type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3.HeaderMutation}";
  EXPECT_TRUE(Compiled(Pieces{.http_filters = "{name: what ever, " + mutation + "}, "}).ok());
  EXPECT_TRUE(Compiled(Pieces{.http_filters = "{name: envoy.filters.http.cors}, "})
                  .fails("http_filters[0]", "needs a typed_config"));
  EXPECT_TRUE(Compiled(Pieces{.http_filters = "{name: r, typed_config: {\"@type\": "
                                              "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}, "})
                  .fails("http_filters[0]", "is terminal and must be the last filter"));
  EXPECT_TRUE(
      Compiled(
          Pieces{.http_filters =
                     "{name: r, typed_config: {\"@type\": "
                     "type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3.HeaderMutationPerRoute}}, "})
          .fails("typed_config", "is for typed_per_filter_config"));
  EXPECT_TRUE(
      Compiled(
          Pieces{
              .http_filters =
                  "{name: r, typed_config: {\"@type\": type.googleapis.com/google.protobuf.StringValue, value: x}}, "})
          .fails("typed_config", "google.protobuf.StringValue is not an HTTP filter"));
}

TEST(BootstrapCompiler, PerRouteSettingsOfFilters) {
  const std::string type =
      "{\"@type\": type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3.HeaderMutationPerRoute}";
  const std::string wrapped = "{\"@type\": type.googleapis.com/envoy.config.route.v3.FilterConfig, ";
  const auto with = [](const std::string& config) {
    return Compiled{
        Pieces{.routes = "{match: {prefix: /}, route: {cluster: a}, typed_per_filter_config: {m: " + config + "}}"}};
  };
  const Compiled plain = with(type);
  ASSERT_TRUE(plain.ok()) << plain.errors();
  ASSERT_EQ(plain.route().overrides.size(), 1u);
  EXPECT_EQ(plain.route().overrides[0].filter_name, "m");
  EXPECT_NE(plain.route().overrides[0].config, nullptr);
  const Compiled off = with(wrapped + "disabled: true}");
  ASSERT_TRUE(off.ok()) << off.errors();
  EXPECT_TRUE(off.route().overrides[0].disabled);
  EXPECT_TRUE(with(wrapped + "config: " + type + "}").ok());
  EXPECT_TRUE(with(wrapped +
                   "is_optional: true, config: {\"@type\": type.googleapis.com/google.protobuf.StringValue, value: x}}")
                  .ok());
  EXPECT_FALSE(with("{\"@type\": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}").ok());
  EXPECT_FALSE(with(wrapped + "is_optional: true}").ok());
}

TEST(BootstrapCompiler, FilterChains) {
  const std::string listener =
      "static_resources:\n  listeners:\n  - {name: l, address: {socket_address: {address: 127.0.0.1, port_value: 0}}";
  EXPECT_FALSE(Compiled(listener + "}\n").ok());
  const Compiled empty(listener + ", filter_chains: [{}]}\n");
  ASSERT_TRUE(empty.ok()) << empty.errors();
  EXPECT_NE(empty.listener().chains.at(0)->terminal, nullptr);
  EXPECT_TRUE(Compiled(listener + ", default_filter_chain: {}}\n").ok());
  EXPECT_TRUE(
      Compiled(listener + ", filter_chains: [{}, {}]}\n").fails("filter_chains[1]", "the same filter_chain_match"));
  EXPECT_TRUE(Compiled(listener + ", filter_chains: [{filter_chain_match: {destination_port: 1}}, {}]}\n").ok());
  EXPECT_TRUE(Compiled(listener + ", filter_chains: [{filter_chain_match: {address_suffix: 1.1.1.0}}]}\n")
                  .fails("address_suffix", "not supported yet"));
  EXPECT_TRUE(Compiled(listener + ", filter_chains: [{filter_chain_match: {server_names: [\"a*.test\"]}}]}\n")
                  .fails("server_names[0]", "the whole first label"));
}

TEST(BootstrapCompiler, AdditionalAddressesHaveTheirOwnSockets) {
  const Compiled c{
      Pieces{.listener = ", tcp_keepalive: {keepalive_time: 5}, socket_options: [{level: 1, name: 9, int_value: 1}], "
                         "additional_addresses: [{address: {socket_address: {address: 127.0.0.1, port_value: 82}}}, "
                         "{address: {socket_address: {address: 127.0.0.1, port_value: 83}}, socket_options: {}, "
                         "tcp_keepalive: {keepalive_time: 7}}]"}};
  ASSERT_TRUE(c.ok()) << c.errors();
  ASSERT_NE(c.listener().socket.more, nullptr);
  ASSERT_EQ(c.listener().additional_addresses.size(), 2u);
  const model::AdditionalAddress& same = c.listener().additional_addresses[0];
  EXPECT_EQ(same.address.port(), 82);
  EXPECT_TRUE(same.socket.makes_same_socket(c.listener().socket));
  const model::AdditionalAddress& own = c.listener().additional_addresses[1];
  EXPECT_EQ(own.socket.more, nullptr) << "an empty list takes the place of the listener's";
  EXPECT_EQ(own.socket.keepalive->idle_s, 7u);
  EXPECT_FALSE(own.socket.makes_same_socket(c.listener().socket));
}

TEST(BootstrapCompiler, Watchdogs) {
  const Compiled plain{Pieces{}};
  ASSERT_TRUE(plain.ok()) << plain.errors();
  EXPECT_EQ(plain.bootstrap().watchdogs.workers.miss, milliseconds(200));
  EXPECT_EQ(plain.bootstrap().watchdogs.main_thread.kill, Duration::zero());
  const Compiled c{Pieces{.bootstrap = "watchdogs: {worker_watchdog: {miss_timeout: 0.5s, megamiss_timeout: 2s, "
                                       "kill_timeout: 60s, max_kill_timeout_jitter: 3s, multikill_timeout: 30s, "
                                       "multikill_threshold: {value: 40}}}\n"}};
  ASSERT_TRUE(c.ok()) << c.errors();
  const model::WatchdogPlan& workers = c.bootstrap().watchdogs.workers;
  EXPECT_EQ(workers.miss, milliseconds(500));
  EXPECT_EQ(workers.mega_miss, seconds(2));
  EXPECT_EQ(workers.kill, seconds(60));
  EXPECT_EQ(workers.kill_jitter, seconds(3));
  EXPECT_EQ(workers.multikill, seconds(30));
  EXPECT_EQ(workers.multikill_percent, 40);
  EXPECT_EQ(c.bootstrap().watchdogs.main_thread.miss, milliseconds(200)) << "of another kind of thread";
  const Compiled old{Pieces{.bootstrap = "watchdog: {miss_timeout: 1s}\n"}};
  ASSERT_TRUE(old.ok()) << old.errors();
  EXPECT_EQ(old.bootstrap().watchdogs.main_thread.miss, seconds(1));
  EXPECT_EQ(old.bootstrap().watchdogs.workers.miss, seconds(1));
  EXPECT_TRUE(Compiled{Pieces{.bootstrap = "watchdog: {kill_timeout: -1s}\n"}}.fails("kill_timeout", "negative"));
  EXPECT_TRUE(Compiled{Pieces{.bootstrap = "watchdogs: {main_thread_watchdog: {actions: [{event: MISS}]}}\n"}}.fails(
      "actions", "not supported yet"));
}

TEST(BootstrapCompiler, AnAddressBelongsToOneListener) {
  const auto two = [](int port) {
    const std::string one =
        cat(", address: {socket_address: {address: 127.0.0.1, port_value: ", port, "}}, filter_chains: [{}]}\n");
    return Compiled(cat("static_resources:\n  listeners:\n  - {name: a", one, "  - {name: b", one));
  };
  EXPECT_TRUE(two(1).fails("listeners[1].address", "127.0.0.1:1 is the address of the listener 'a' already (line 3)"));
  EXPECT_TRUE(two(0).ok());
}

TEST(BootstrapCompiler, Addresses) {
  const auto at = [](const std::string& address) {
    return Compiled("static_resources:\n  listeners:\n  - {name: l, address: " + address + ", filter_chains: [{}]}\n");
  };
  EXPECT_EQ(at("{pipe: {path: /tmp/s}}").listener().address.to_string(), "/tmp/s");
  EXPECT_TRUE(at("{socket_address: {address: localhost, port_value: 1}}")
                  .fails("socket_address.address", "names are for STRICT_DNS"));
  EXPECT_TRUE(
      at("{socket_address: {address: 127.0.0.1, port_value: 1, ipv4_compat: true}}").fails("ipv4_compat", "for IPv6"));
  EXPECT_TRUE(at("{socket_address: {address: \"::\", port_value: 1, ipv4_compat: true}}").ok());
  EXPECT_TRUE(at("{pipe: {path: \"@s\", mode: 511}}").fails("mode", "abstract"));
}

TEST(BootstrapCompiler, AdminNodeAndIntervals) {
  const Compiled c{
      Pieces{.bootstrap =
                 "admin: {address: {socket_address: {address: 127.0.0.1, port_value: 9}}, access_log_path: /dev/null}\n"
                 "node: {id: i, cluster: c, locality: {zone: z}}\nstats_flush_interval: 1.5s\n"}};
  ASSERT_TRUE(c.ok()) << c.errors();
  EXPECT_EQ(c.bootstrap().admin_address->port(), 9);
  ASSERT_NE(c.bootstrap().admin_access_logs, nullptr);
  EXPECT_EQ(c.bootstrap().admin_access_logs->logs.back().path, "/dev/null");
  EXPECT_EQ(c.bootstrap().node.zone, "z");
  EXPECT_EQ(c.bootstrap().stats_flush_interval, milliseconds(1500));
}

TEST(BootstrapCompiler, FlagsWinOverTheNode) {
  config::BootstrapOptions options;
  options.yaml = "node: {id: file, cluster: file}\n";
  options.service_node = "flag";
  const config::Extensions extensions = builtin();
  const auto outcome = config::compile_bootstrap(options, extensions, nullptr);
  ASSERT_TRUE(outcome.bootstrap.has_value()) << outcome.error_text();
  EXPECT_EQ(outcome.bootstrap->node.id, "flag");
  EXPECT_EQ(outcome.bootstrap->node.cluster, "file");
}

TEST(BootstrapCompiler, StaticRuntimeLayers) {
  const std::string layers =
      "layered_runtime: {layers: [{name: s, static_layer: {re2.max_program_size.error_level: 5000, "
      "envoy.reloadable_features.http_reject_path_with_fragment: false, share: {numerator: 7, denominator: MILLION}}}, "
      "{name: a, admin_layer: {}}]}\n";
  const std::string routes =
      "{match: {safe_regex: {regex: \"/a{1000}\"}, runtime_fraction: {default_value: {numerator: 1}, runtime_key: "
      "share}}, route: {cluster: a}}";
  const Compiled with{Pieces{.routes = routes, .bootstrap = layers}};
  ASSERT_TRUE(with.ok()) << with.errors();
  EXPECT_EQ(with.http().fragment, http::Fragment::kStrip);
  EXPECT_EQ(with.route().match.conditions->fraction->now().numerator, 7u);
  EXPECT_EQ(with.route().match.conditions->fraction->now().denominator, 1000000u);
  EXPECT_TRUE(Compiled(Pieces{.routes = routes}).fails("regex", "instructions"));
  EXPECT_TRUE(Compiled(Pieces{.bootstrap = "layered_runtime: {layers: [{name: s, static_layer: {k: [1]}}]}\n"})
                  .fails("static_layer", "'k'"));
  EXPECT_TRUE(Compiled(Pieces{.bootstrap = "layered_runtime: {layers: [{name: s, rtds_layer: {name: x}}]}\n"})
                  .fails("rtds_layer", "needs an rtds_config"));
}

TEST(BootstrapCompiler, TheLookOfTheApplicationLog) {
  const auto with = [](std::string_view format) {
    return Pieces{.bootstrap = cat("application_log_config: {log_format: {", format, "}}\n")};
  };
  EXPECT_FALSE(Compiled(Pieces{}).bootstrap().log_format.has_value());
  const Compiled text(with("text_format: \"%l %v\""));
  ASSERT_TRUE(text.ok()) << text.errors();
  EXPECT_EQ(text.bootstrap().log_format, "%l %v");
  const Compiled json(with("json_format: {m: \"%j\", a: [1, {b: \"%l\"}]}"));
  ASSERT_TRUE(json.ok()) << json.errors();
  EXPECT_EQ(json.bootstrap().log_format, R"({"a":[1,{"b":"%l"}],"m":"%j"})");
  EXPECT_TRUE(Compiled(with("text_format: \"%k\"")).fails("text_format", "unknown flag %k"));
  EXPECT_TRUE(Compiled(with("json_format: {m: \"%v\"}")).fails("json_format", "%v cannot be used"));
  EXPECT_TRUE(Compiled(with("json_format: {m: \"%_\"}")).fails("json_format", "%_ cannot be used"));
}

TEST(BootstrapCompiler, OnlyTheExtensionForInternalListeners) {
  const auto with = [](std::string_view type) {
    return Pieces{.bootstrap = cat("bootstrap_extensions: [{name: x, typed_config: {\"@type\": "
                                   "type.googleapis.com/envoy.extensions.",
                                   type, "}}]\n")};
  };
  const Compiled known(with("bootstrap.internal_listener.v3.InternalListener"));
  EXPECT_TRUE(known.ok()) << known.errors();
  EXPECT_TRUE(Compiled(with("compression.gzip.compressor.v3.Gzip")).fails("typed_config", "not supported yet"));
}

}  // namespace
}  // namespace sluice::filters
