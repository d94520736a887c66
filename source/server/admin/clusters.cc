// /clusters: what is known of each upstream endpoint.
#include <cstdio>

#include "base/strings.h"
#include "server/admin/json_writer.h"
#include "server/admin/page.h"

namespace sluice::server::admin {
namespace {

using model::HealthStatus;

bool fails_eds(HealthStatus health) { return health == HealthStatus::kUnhealthy || health == HealthStatus::kTimeout; }

std::string health_flags(const HostInfo& host) {
  std::string out;
  out += host.failed_active_check ? "/failed_active_hc" : "";
  out += host.failed_outlier_check ? "/failed_outlier_check" : "";
  out += fails_eds(host.eds_health) ? "/failed_eds_health" : "";
  out += host.degraded_by_check ? "/degraded_active_hc" : "";
  out += host.eds_health == HealthStatus::kDegraded ? "/degraded_eds_health" : "";
  out += host.pending_removal ? "/pending_dynamic_removal" : "";
  out += host.check_pending ? "/pending_active_hc" : "";
  out += host.says_goodbye ? "/excluded_via_immediate_hc_fail" : "";
  out += host.check_timed_out ? "/active_hc_timeout" : "";
  out += host.eds_health == HealthStatus::kDraining ? "/eds_status_draining" : "";
  out += host.degraded_by_answers ? "/degraded_outlier_detection" : "";
  return out.empty() ? "healthy" : out;
}

std::string rate_text(double rate) {
  char text[32];
  std::snprintf(text, sizeof(text), "%g", rate);
  return text;
}

void text_breakers(std::string& to, std::string_view cluster, std::string_view priority,
                   const model::BreakerLimits& limits) {
  const auto line = [&](std::string_view name, uint32_t value) {
    append(to, cluster, "::", priority, "_priority::", name, "::", value, "\n");
  };
  line("max_connections", limits.max_connections);
  line("max_pending_requests", limits.max_pending_requests);
  line("max_requests", limits.max_requests);
  line("max_retries", limits.max_retries);
}

void text_host(std::string& to, std::string_view cluster, const HostInfo& host) {
  const std::string start = cat(cluster, "::", host.address.to_string(), "::");
  const auto number = [&](std::string_view name, uint64_t value) { append(to, start, name, "::", value, "\n"); };
  const auto text = [&](std::string_view name, std::string_view value) { append(to, start, name, "::", value, "\n"); };
  number("cx_active", host.cx_active);
  number("cx_connect_fail", host.cx_connect_fail);
  number("cx_total", host.cx_total);
  number("rq_active", host.rq_active);
  number("rq_error", host.rq_error);
  number("rq_pending_active", host.rq_pending_active);
  number("rq_success", host.rq_success);
  number("rq_timeout", host.rq_timeout);
  number("rq_total", host.rq_total);
  text("hostname", host.hostname);
  text("health_flags", health_flags(host));
  number("weight", host.weight);
  text("region", host.region);
  text("zone", host.zone);
  text("sub_zone", host.sub_zone);
  text("canary", host.canary ? "true" : "false");
  number("priority", host.priority);
  text("success_rate", rate_text(host.success_rate));
  text("local_origin_success_rate", rate_text(host.local_success_rate));
}

// As protobuf prints them: what is zero has no value, and counters no type.
void json_stat(JsonWriter& json, std::string_view type, std::string_view name, uint64_t value) {
  json.begin_map();
  if (!type.empty()) {
    json.text("type", type);
  }
  if (value != 0) {
    json.number_text("value", value);
  }
  json.text("name", name);
  json.end_map();
}

void json_stats(JsonWriter& json, const HostInfo& host) {
  json.begin_list("stats");
  json_stat(json, "", "cx_connect_fail", host.cx_connect_fail);
  json_stat(json, "", "cx_total", host.cx_total);
  json_stat(json, "", "rq_error", host.rq_error);
  json_stat(json, "", "rq_success", host.rq_success);
  json_stat(json, "", "rq_timeout", host.rq_timeout);
  json_stat(json, "", "rq_total", host.rq_total);
  json_stat(json, "GAUGE", "cx_active", host.cx_active);
  json_stat(json, "GAUGE", "rq_active", host.rq_active);
  json_stat(json, "GAUGE", "rq_pending_active", host.rq_pending_active);
  json.end_list();
}

std::string_view eds_name(HealthStatus health) {
  switch (health) {
    case HealthStatus::kUnknown:
    case HealthStatus::kHealthy:
      return "HEALTHY";
    case HealthStatus::kUnhealthy:
      return "UNHEALTHY";
    case HealthStatus::kDraining:
      return "DRAINING";
    case HealthStatus::kTimeout:
      return "UNHEALTHY";
    case HealthStatus::kDegraded:
      return "DEGRADED";
  }
  return "";
}

void json_health(JsonWriter& json, const HostInfo& host) {
  json.begin_map("health_status");
  if (host.failed_active_check) {
    json.boolean("failed_active_health_check", true);
  }
  if (host.failed_outlier_check) {
    json.boolean("failed_outlier_check", true);
  }
  if (host.degraded_by_check) {
    json.boolean("failed_active_degraded_check", true);
  }
  if (host.pending_removal) {
    json.boolean("pending_dynamic_removal", true);
  }
  if (host.says_goodbye) {
    json.boolean("excluded_via_immediate_hc_fail", true);
  }
  if (host.check_timed_out) {
    json.boolean("active_hc_timeout", true);
  }
  if (host.degraded_by_answers) {
    json.boolean("failed_degraded_outlier_detection", true);
  }
  json.text("eds_health_status", eds_name(host.eds_health));
  json.end_map();
}

void json_locality(JsonWriter& json, const HostInfo& host) {
  json.begin_map("locality");
  for (const auto& [name, value] :
       {std::pair("region", &host.region), {"zone", &host.zone}, {"sub_zone", &host.sub_zone}}) {
    if (!value->empty()) {
      json.text(name, *value);
    }
  }
  json.end_map();
}

void json_host(JsonWriter& json, const HostInfo& host) {
  json.begin_map();
  json.begin_map("address");
  json.address(host.address);
  json.end_map();
  json_stats(json, host);
  json_health(json, host);
  json.number("weight", host.weight);
  if (!host.hostname.empty()) {
    json.text("hostname", host.hostname);
  }
  if (host.priority != 0) {
    json.number("priority", host.priority);
  }
  json_locality(json, host);
  json.end_map();
}

void json_breakers(JsonWriter& json, std::string_view priority, const model::BreakerLimits& limits) {
  json.begin_map();
  if (!priority.empty()) {
    json.text("priority", priority);
  }
  json.number("max_connections", limits.max_connections);
  json.number("max_pending_requests", limits.max_pending_requests);
  json.number("max_requests", limits.max_requests);
  json.number("max_retries", limits.max_retries);
  json.end_map();
}

void json_cluster(JsonWriter& json, const ClusterInfo& cluster) {
  json.begin_map();
  json.text("name", cluster.name);
  if (cluster.added_via_api) {
    json.boolean("added_via_api", true);
  }
  if (!cluster.hosts.empty()) {
    json.begin_list("host_statuses");
    for (const HostInfo& host : cluster.hosts) {
      json_host(json, host);
    }
    json.end_list();
  }
  json.begin_map("circuit_breakers");
  json.begin_list("thresholds");
  json_breakers(json, "", cluster.breakers[0]);
  json_breakers(json, "HIGH", cluster.breakers[1]);
  json.end_list();
  json.end_map();
  json.text("observability_name", cluster.observability_name);
  json.end_map();
}

void text_cluster(std::string& to, const ClusterInfo& cluster) {
  append(to, cluster.name, "::observability_name::", cluster.observability_name, "\n");
  text_breakers(to, cluster.name, "default", cluster.breakers[0]);
  text_breakers(to, cluster.name, "high", cluster.breakers[1]);
  append(to, cluster.name, "::added_via_api::", cluster.added_via_api ? "true" : "false", "\n");
  if (!cluster.eds_service_name.empty()) {
    append(to, cluster.name, "::eds_service_name::", cluster.eds_service_name, "\n");
  }
  for (const HostInfo& host : cluster.hosts) {
    text_host(to, cluster.name, host);
  }
}

}  // namespace

void clusters_page(const Request& request, AdminSource& source, Reply& reply) {
  Function<bool(std::string_view)> filter;
  if (const std::string_view pattern = request.get("filter"); !pattern.empty()) {
    auto compiled = name_filter(pattern);
    if (!compiled.ok()) {
      reply.fail(400, cat("Invalid re2 regex: ", compiled.error()));
      return;
    }
    filter = std::move(*compiled);
  }
  const bool as_json = request.get("format") == "json";
  JsonWriter json;
  json.begin_map();
  json.begin_list("cluster_statuses");
  for (const ClusterInfo& cluster : source.clusters()) {
    if (filter && !filter(cluster.name)) {
      continue;
    }
    if (as_json) {
      json_cluster(json, cluster);
    } else {
      text_cluster(reply.body, cluster);
    }
  }
  if (as_json) {
    json.end_list();
    json.end_map();
    reply.content_type = kJson;
    reply.body = json.take();
  }
}

}  // namespace sluice::server::admin
