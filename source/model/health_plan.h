// How it is found out which hosts of a cluster are well: outlier detection (by their answers), and active checks.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "event/files.h"
#include "match/range.h"
#include "match/string_matcher.h"
#include "model/header_rules.h"
#include "model/response_match.h"
#include "net/address.h"
#include "net/proxy_header.h"
#include "runtime/key.h"

namespace sluice::model {

// outlier_detection; Envoy's defaults. Immutable. Thread: any.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/intro/arch_overview/upstream/outlier
struct OutlierPlan {
  Duration interval = std::chrono::seconds(10);
  Duration base_ejection_time = std::chrono::seconds(30);
  Duration max_ejection_time = std::chrono::seconds(300);
  Duration max_ejection_jitter{0};
  uint32_t max_ejection_percent = 10;
  bool always_eject_one = false;
  bool split_local_origin = false;  // errors of the proxy's own (connecting, time-outs) are counted apart
  bool detect_degraded = false;     // an answer with x-envoy-degraded: its host is degraded for base_ejection_time
  bool uneject_by_check = true;     // successful_active_health_check_uneject_host
  uint32_t consecutive_5xx = 5, enforcing_5xx = 100;
  uint32_t consecutive_gateway = 5, enforcing_gateway = 0;
  uint32_t consecutive_local = 5, enforcing_local = 100;
  uint32_t success_rate_hosts = 5, success_rate_volume = 100, success_rate_stdev_factor = 1900;
  uint32_t enforcing_success_rate = 100, enforcing_local_success_rate = 100;
  uint32_t failure_percentage = 85, failure_percentage_hosts = 5, failure_percentage_volume = 50;
  uint32_t enforcing_failure_percentage = 0, enforcing_local_failure_percentage = 0;
  // HttpProtocolOptions.outlier_detection: which answers are errors, whatever their status is; null: those from 500 on.
  std::shared_ptr<const ResponseMatch> errors;
  std::shared_ptr<event::AppendFile> event_log;  // of the cluster manager; null: none
};

// What an endpoint says about its checks. Immutable. Thread: any.
struct EndpointCheck {
  bool off = false;                     // disable_active_health_check
  std::optional<net::Address> address;  // another one than its own
  uint16_t port = 0;                    // 0: that of the address
  std::string hostname;
};

// What is asked of a host to know whether it is well.
struct HttpCheck {
  std::string host;  // empty: the endpoint's hostname for checks, else the cluster's name
  std::string path;
  std::string method = "GET";
  std::string send;                  // a body
  std::vector<std::string> receive;  // texts that the body of the answer must have in this order
  uint32_t response_buffer = 1024;
  HeaderRules request_headers;
  std::vector<match::IntegerRange> expected;   // statuses; empty: 200
  std::vector<match::IntegerRange> retriable;  // that fail only after unhealthy_threshold of them
  bool http2 = false;
  // service_name_matcher: whose answer it is (x-envoy-upstream-healthchecked-cluster), when the fraction says so.
  std::optional<match::StringMatcher> service;
  runtime::Fraction verify_service{100, 100, {}, nullptr};
};
struct TcpCheck {
  std::optional<net::ProxyHeader> proxy;  // proxy_protocol_config: before what is sent
  std::string send;
  std::vector<std::string> receive;
};
struct GrpcCheck {
  std::string service, authority;
  HeaderRules initial_metadata;
};

// One of health_checks; Envoy's defaults. Exactly one of the kinds is set. Immutable. Thread: any.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/intro/arch_overview/upstream/health_checking
struct HealthCheckPlan {
  std::string name;               // of its stats; several checks of a cluster have different ones
  std::vector<std::string> alpn;  // tls_options: offered in place of the transport socket's; empty: those
  std::optional<uint16_t>
      socket_match;  // transport_socket_match_criteria: as EndpointPlan::socket_match, for all hosts
  std::optional<HttpCheck> http;
  std::optional<TcpCheck> tcp;
  std::optional<GrpcCheck> grpc;
  Duration timeout{0}, interval{0};
  Duration initial_jitter{0}, interval_jitter{0};
  uint32_t interval_jitter_percent = 0;
  uint32_t unhealthy_threshold = 1, healthy_threshold = 1;
  Duration no_traffic_interval = std::chrono::seconds(60);
  Duration no_traffic_healthy_interval = std::chrono::seconds(60);
  Duration unhealthy_interval{0}, unhealthy_edge_interval{0}, healthy_edge_interval{0};
  uint16_t alt_port = 0;
  bool reuse_connection = true;
  bool log_every_failure = false, log_every_success = false;
  std::vector<std::shared_ptr<event::AppendFile>> event_logs;  // of event_log_path and of event_logger
};

}  // namespace sluice::model
