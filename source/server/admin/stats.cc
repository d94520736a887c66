// /stats and /stats/prometheus.
#include <optional>

#include "base/strings.h"
#include "server/admin/page.h"
#include "stats/printers.h"

namespace sluice::server::admin {
namespace {

using stats::Buckets;
using stats::PrometheusHistograms;
using stats::Shown;

constexpr std::string_view kBucketsUsage =
    "usage: /stats?histogram_buckets=(cumulative|disjoint|detailed|summary|prometheusnative)\n";

std::optional<Shown> shown_of(std::string_view text) {
  return text.empty() || text == "All" ? std::optional(Shown::kAll)
         : text == "Counters"          ? std::optional(Shown::kCounters)
         : text == "Gauges"            ? std::optional(Shown::kGauges)
         : text == "Histograms"        ? std::optional(Shown::kHistograms)
         : text == "TextReadouts"      ? std::optional(Shown::kTexts)
                                       : std::nullopt;
}

std::optional<Buckets> buckets_of(std::string_view text) {
  return text.empty() || text == "none" || text == "summary" ? std::optional(Buckets::kQuantiles)
         : text == "cumulative"                              ? std::optional(Buckets::kCumulative)
         : text == "disjoint"                                ? std::optional(Buckets::kDisjoint)
         : text == "detailed"                                ? std::optional(Buckets::kDetailed)
                                                             : std::nullopt;
}

// What all formats have in common. Empty, and a reply, after an error.
std::optional<stats::PrintOptions> options_of(const Request& request, Reply& reply) {
  stats::PrintOptions out;
  out.used_only = request.has("usedonly");
  if (const std::string* pattern = request.find("filter"); pattern != nullptr && !pattern->empty()) {
    auto filter = name_filter(*pattern);
    if (!filter.ok()) {
      reply.fail(400, cat("Invalid re2 regex: ", filter.error()));
      return std::nullopt;
    }
    out.filter = std::move(*filter);
  }
  // No stat is hidden here.
  if (const std::string_view hidden = request.get("hidden"); hidden == "only") {
    out.filter = [](std::string_view) { return false; };
  } else if (!hidden.empty() && hidden != "include" && hidden != "exclude") {
    reply.fail(400, "usage: /stats?hidden=(include|only|exclude)\n\n");
    return std::nullopt;
  }
  const auto shown = shown_of(request.get("type"));
  if (!shown) {
    reply.fail(400, "invalid &type= param");
    return std::nullopt;
  }
  out.shown = *shown;
  return out;
}

}  // namespace

void prometheus_page(const Request& request, AdminSource& source, Reply& reply) {
  const std::string_view histograms = request.get("histogram_buckets");
  if (!histograms.empty() && histograms != "cumulative" && histograms != "summary") {
    reply.fail(400, "usage: /stats/prometheus?histogram_buckets=(cumulative|summary)\n");
    return;
  }
  auto options = options_of(request, reply);
  if (!options) {
    return;
  }
  source.refresh_stats();
  reply.body =
      print_prometheus(source.registry(), source.tags(), *options,
                       histograms == "summary" ? PrometheusHistograms::kSummary : PrometheusHistograms::kHistogram);
}

void stats_page(const Request& request, AdminSource& source, Reply& reply) {
  const std::string_view format = request.get("format");
  if (format == "prometheus") {
    prometheus_page(request, source, reply);
    return;
  }
  if (!format.empty() && format != "json" && format != "text") {
    reply.fail(400, "usage: /stats?format=(json|prometheus|text)\n\n");
    return;
  }
  auto options = options_of(request, reply);
  if (!options) {
    return;
  }
  const auto buckets = buckets_of(request.get("histogram_buckets"));
  if (!buckets) {
    reply.fail(400, std::string(kBucketsUsage));
    return;
  }
  options->buckets = *buckets;
  source.refresh_stats();
  if (format == "json") {
    reply.content_type = kJson;
    reply.body = print_json(source.registry(), *options);
  } else {
    reply.body = print_text(source.registry(), *options);
  }
}

void lookups_page(const Request&, AdminSource&, Reply& reply) {
  reply.fail(501, "not supported: stats are found by number here, there are no look-ups by name to show\n");
}

void profiler_page(const Request& request, AdminSource&, Reply& reply) {
  reply.fail(501, cat("not supported: ", request.path, "; use perf, gdb or heaptrack on the process\n"));
}

}  // namespace sluice::server::admin
