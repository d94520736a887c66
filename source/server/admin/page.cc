#include "server/admin/page.h"

#include "base/percent.h"
#include "base/strings.h"
#include "match/regex.h"

namespace sluice::server::admin {
namespace {

constexpr Parameter kFormat[] = {{"format", "text or json"}};
constexpr Parameter kClusters[] = {{"filter", "regular expression (RE2) for the names"}, {"format", "text or json"}};
constexpr Parameter kStats[] = {
    {"usedonly", "only what was written since the start"},
    {"filter", "regular expression (RE2) for the names"},
    {"format", "text, json or prometheus"},
    {"type", "Counters, Gauges, Histograms, TextReadouts or All"},
    {"histogram_buckets", "cumulative, disjoint, detailed or summary"},
};
constexpr Parameter kPrometheus[] = {
    {"usedonly", "only what was written since the start"},
    {"filter", "regular expression (RE2) for the names"},
    {"histogram_buckets", "summary: quantiles in place of buckets"},
};
constexpr Parameter kDump[] = {
    {"resource", "one list of the dump, such as static_clusters"},
    {"mask", "a field mask, applied to each part of the dump or of the list"},
    {"name_regex", "only resources whose names match (RE2)"},
};
constexpr Parameter kDrain[] = {
    {"graceful", "tell the clients to go, and close the sockets after the drain time"},
    {"skip_exit", "tell the clients to go, and never close the sockets"},
    {"inboundonly", "only listeners whose traffic_direction is INBOUND"},
};
constexpr Parameter kLogging[] = {
    {"level", "for all loggers"},
    {"paths", "name1:level1,name2:level2,..."},
    {"<name>", "a level for one logger"},
};

using enum Effect;

constexpr Page kPages[] = {
    {"/", kShows, "Admin home page", {}, home_page},
    {"/certs", kShows, "print certs on machine", {}, certs_page},
    {"/clusters", kShows, "upstream cluster status", kClusters, clusters_page},
    {"/config_dump", kShows, "the configuration that is in use", kDump, config_dump_page},
    {"/contention", kShows, "not supported: lock contention", {}, profiler_page},
    {"/cpuprofiler", kChanges, "not supported: use perf or gdb", {}, profiler_page},
    {"/drain_listeners", kChanges, "drain listeners", kDrain, drain_listeners_page},
    {"/healthcheck/fail", kChanges, "cause the server to fail health checks", {}, health_fail_page},
    {"/healthcheck/ok", kChanges, "cause the server to pass health checks", {}, health_ok_page},
    {"/heapprofiler", kChanges, "not supported: use heaptrack or jemalloc's", {}, profiler_page},
    {"/help", kShows, "print out list of admin commands", {}, help_page},
    {"/hot_restart_version", kShows, "print the hot restart compatibility version", {}, hot_restart_version_page},
    {"/init_dump", kShows, "what the start still waits for", {}, init_dump_page},
    {"/listeners", kShows, "print listener info", kFormat, listeners_page},
    {"/logging", kChanges, "query/change logging levels", kLogging, logging_page},
    {"/memory", kShows, "memory of the process, and bytes by owner", {}, memory_page},
    {"/quitquitquit", kChanges, "exit the server", {}, quit_page},
    {"/ready", kShows, "print server state, return 200 if LIVE, otherwise return 503", {}, ready_page},
    {"/reopen_logs", kChanges, "reopen access logs", {}, reopen_logs_page},
    {"/reset_counters", kChanges, "reset all counters to zero", {}, reset_counters_page},
    {"/runtime", kShows, "print runtime values", {}, runtime_page},
    {"/runtime_modify",
     kChanges,
     "set runtime values in the admin layer: ?key=value, an empty value removes",
     {},
     runtime_modify_page},
    {"/server_info", kShows, "print server version/status information", {}, server_info_page},
    {"/stats", kShows, "print server stats", kStats, stats_page},
    {"/stats/prometheus", kShows, "print server stats in prometheus format", kPrometheus, prometheus_page},
    {"/stats/recentlookups", kShows, "Show recent stat-name lookups", {}, lookups_page},
    {"/stats/recentlookups/clear", kChanges, "clear list of stat-name lookups and counter", {}, lookups_page},
    {"/stats/recentlookups/disable", kChanges, "disable recording of reset stat-name lookup names", {}, lookups_page},
    {"/stats/recentlookups/enable", kChanges, "enable recording of reset stat-name lookup names", {}, lookups_page},
    {"/xds/history", kShows, "what control planes sent lately, and what became of it", {}, xds_history_page},
};

void add_fields(std::string_view text, Request& request) {
  if (text.empty()) {
    return;
  }
  for (const std::string_view field : split(text, '&')) {
    const size_t equals = field.find('=');
    const std::string_view value = equals == std::string_view::npos ? std::string_view() : field.substr(equals + 1);
    request.query.emplace_back(percent_decoded(field.substr(0, equals)), percent_decoded(value));
  }
}

}  // namespace

const std::string* Request::find(std::string_view name) const {
  for (const auto& [key, value] : query) {
    if (key == name) {
      return &value;
    }
  }
  return nullptr;
}

std::string_view Request::get(std::string_view name) const {
  const std::string* value = find(name);
  return value == nullptr ? std::string_view() : std::string_view(*value);
}

Request parse_request(std::string_view method, std::string_view target, std::string_view content_type,
                      std::string_view body) {
  Request out;
  out.method = method;
  const size_t mark = target.find('?');
  out.path = target.substr(0, mark);
  add_fields(mark == std::string_view::npos ? std::string_view() : target.substr(mark + 1), out);
  if (content_type.starts_with("application/x-www-form-urlencoded")) {
    add_fields(body, out);
  }
  return out;
}

Result<Function<bool(std::string_view)>> name_filter(std::string_view pattern) {
  // A filter of an operator may be as long as it likes: no limit on the program. As it stands first, for the error.
  if (const auto written = match::Regex::compile(pattern, UINT32_MAX); !written.ok()) {
    return Error{written.error().substr(written.error().find(": ") + 2)};
  }
  auto regex = match::Regex::compile(cat("(?s:.*)(?:", pattern, ")(?s:.*)"), UINT32_MAX);
  if (!regex.ok()) {
    return Error{regex.error()};
  }
  return Function<bool(std::string_view)>([regex = *regex](std::string_view name) { return regex.matches(name); });
}

std::span<const Page> pages() { return kPages; }

void answer(const Request& request, AdminSource& source, Reply& reply) {
  for (const Page& page : kPages) {
    if (page.path != request.path) {
      continue;
    }
    if (page.effect == kChanges && request.method != "POST") {
      reply.fail(405, cat("Method ", request.method, " not allowed, POST required."));
    } else {
      page.answer(request, source, reply);
    }
    return;
  }
  help_page(request, source, reply);
  reply.fail(404, cat("invalid path. ", reply.body));
}

}  // namespace sluice::server::admin
