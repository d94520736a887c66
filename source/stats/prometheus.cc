// The Prometheus text format: https://github.com/prometheus/docs, "exposition formats".
#include <algorithm>
#include <map>

#include "base/strings.h"
#include "stats/numbers.h"
#include "stats/printers.h"

namespace sluice::stats {
namespace {

bool is_name_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

std::string clean_name(std::string_view name) {
  std::string out(name);
  std::replace_if(
      out.begin(), out.end(), [](char c) { return !is_name_letter(c); }, '_');
  return out;
}

std::string family_name(std::string_view extracted) { return cat("envoy_", clean_name(extracted)); }

std::string escape_value(std::string_view value) {
  std::string out;
  for (const char c : value) {
    if (c == '\\' || c == '"') {
      out += '\\';
    }
    out += c == '\n' ? "\\n" : std::string(1, c);
  }
  return out;
}

// Without braces: a="1",b="2".
std::string label_text(const Tagged& tagged) {
  std::string out;
  for (const auto& [tag, value] : tagged.tags) {
    append(out, out.empty() ? "" : ",", clean_name(tag), "=\"", escape_value(value), "\"");
  }
  return out;
}

// The metrics of one name: lines that are ready, in the order in which they came.
using Families = std::map<std::string, std::string>;

void add_number(Families& families, const Tagged& tagged, uint64_t value) {
  const std::string name = family_name(tagged.name);
  append(families[name], name, "{", label_text(tagged), "} ", value, "\n");
}

void append_sum_and_count(std::string& to, const std::string& name, const std::string& labels, const Bins& bins) {
  append(to, name, "_sum{", labels, "} ");
  append_exact(to, bins.sum());
  append(to, "\n", name, "_count{", labels, "} ", bins.count(), "\n");
}

// le="..." with the other labels before it.
std::string with_label(const std::string& labels, std::string_view label, std::string_view value) {
  return cat(labels, labels.empty() ? "" : ",", label, "=\"", value, "\"");
}

void add_histogram(Families& families, const Registry& registry, const StatView& view, const Tagged& tagged) {
  const std::string name = family_name(tagged.name);
  const std::string labels = label_text(tagged);
  std::string& to = families[name];
  for (const double bound : registry.bounds_of(view.name)) {
    std::string text;
    append_exact(text, bound);
    append(to, name, "_bucket{", with_label(labels, "le", text), "} ", view.cumulative->count_upto(bound), "\n");
  }
  append(to, name, "_bucket{", with_label(labels, "le", "+Inf"), "} ", view.cumulative->count(), "\n");
  append_sum_and_count(to, name, labels, *view.cumulative);
}

void add_summary(Families& families, const StatView& view, const Tagged& tagged) {
  const std::string name = family_name(tagged.name);
  const std::string labels = label_text(tagged);
  std::string& to = families[name];
  const auto values = view.interval->quantiles(kQuantiles);
  for (size_t i = 0; i < kQuantiles.size(); ++i) {
    std::string quantile;
    append_plain(quantile, kQuantiles[i]);
    append(to, name, "{", with_label(labels, "quantile", quantile), "} ");
    append_plain(to, values[i]);
    to += '\n';
  }
  append_sum_and_count(to, name, labels, *view.interval);
}

void append_families(std::string& to, const Families& families, std::string_view type) {
  for (const auto& [name, lines] : families) {
    append(to, "# TYPE ", name, " ", type, "\n", lines);
  }
}

}  // namespace

std::string print_prometheus(const Registry& registry, TagExtractor& tags, PrintOptions& options,
                             PrometheusHistograms histograms) {
  Families counters;
  Families gauges;
  Families distributions;
  Function<bool(std::string_view)> wanted = [&](std::string_view name) {
    return !options.filter || options.filter(name);
  };
  registry.visit(wanted, [&](const StatView& view) {
    if (options.used_only && !view.used) {
      return;
    }
    const Tagged tagged =
        view.fixed == nullptr ? tags.extract(view.name) : Tagged{cat(view.fixed->name, view.rest), view.fixed->tags};
    if (view.kind != Kind::kHistogram) {
      add_number(view.kind == Kind::kCounter ? counters : gauges, tagged, view.value);
    } else if (histograms == PrometheusHistograms::kHistogram) {
      add_histogram(distributions, registry, view, tagged);
    } else {
      add_summary(distributions, view, tagged);
    }
  });
  std::string out;
  append_families(out, counters, "counter");
  append_families(out, gauges, "gauge");
  append_families(out, distributions, histograms == PrometheusHistograms::kSummary ? "summary" : "histogram");
  return out;
}

}  // namespace sluice::stats
