#include "stats/printers.h"

#include "base/strings.h"
#include "stats/numbers.h"

namespace sluice::stats {
namespace {

bool accepts(PrintOptions& options, std::string_view name) { return !options.filter || options.filter(name); }

bool shows(const PrintOptions& options, Kind kind) {
  switch (options.shown) {
    case Shown::kAll: return true;
    case Shown::kCounters: return kind == Kind::kCounter;
    case Shown::kGauges: return kind == Kind::kGauge;
    case Shown::kHistograms: return kind == Kind::kHistogram;
    case Shown::kTexts: return false;
  }
  return false;
}

bool shows_texts(const PrintOptions& options) { return options.shown == Shown::kAll || options.shown == Shown::kTexts; }

// Values of the interval and of all time for each bound.
struct BucketCount {
  double bound;
  uint64_t interval;
  uint64_t cumulative;
};

std::vector<BucketCount> count_buckets(const Registry& registry, const StatView& view, Buckets buckets) {
  std::vector<BucketCount> out;
  uint64_t below_interval = 0;
  uint64_t below_cumulative = 0;
  for (const double bound : registry.bounds_of(view.name)) {
    const uint64_t interval = view.interval->count_upto(bound);
    const uint64_t cumulative = view.cumulative->count_upto(bound);
    if (buckets == Buckets::kDisjoint) {
      out.push_back({bound, interval - below_interval, cumulative - below_cumulative});
    } else {
      out.push_back({bound, interval, cumulative});
    }
    below_interval = interval;
    below_cumulative = cumulative;
  }
  return out;
}

// P0(interval,cumulative) P25(...) ...
void text_quantiles(std::string& to, const StatView& view) {
  const auto interval = view.interval->quantiles(kQuantiles);
  const auto cumulative = view.cumulative->quantiles(kQuantiles);
  for (size_t i = 0; i < kQuantiles.size(); ++i) {
    to += i == 0 ? "P" : " P";
    append_plain(to, 100 * kQuantiles[i]);
    to += '(';
    append_plain(to, interval[i]);
    to += ',';
    append_plain(to, cumulative[i]);
    to += ')';
  }
}

void text_bins(std::string& to, const Bins& bins) {
  bool first = true;
  for (const auto& [bin, count] : bins.counts()) {
    to += first ? "" : ", ";
    first = false;
    append_plain(to, bin_lower(bin));
    to += ',';
    append_plain(to, bin_width(bin));
    append(to, ":", count);
  }
}

void text_histogram(std::string& to, const Registry& registry, const StatView& view, Buckets buckets) {
  if (!view.used) {
    to += " No recorded values";
    return;
  }
  switch (buckets) {
    case Buckets::kQuantiles:
      to += ' ';
      text_quantiles(to, view);
      return;
    case Buckets::kDetailed:
      to += "\n  totals=";
      text_bins(to, *view.cumulative);
      to += "\n  intervals=";
      text_bins(to, *view.interval);
      to += "\n  summary=";
      text_quantiles(to, view);
      return;
    case Buckets::kCumulative:
    case Buckets::kDisjoint: break;
  }
  for (const BucketCount& bucket : count_buckets(registry, view, buckets)) {
    to += " B";
    append_g(to, bucket.bound);
    append(to, "(", bucket.interval, ",", bucket.cumulative, ")");
  }
}

void json_numbers(std::string& to, std::string_view name, std::span<const double> numbers) {
  append(to, "\"", name, "\":[");
  for (size_t i = 0; i < numbers.size(); ++i) {
    to += i == 0 ? "" : ",";
    append_json(to, numbers[i]);
  }
  to += ']';
}

void json_quantile_values(std::string& to, std::string_view name, const StatView& view) {
  const auto interval = view.interval->quantiles(kQuantiles);
  const auto cumulative = view.cumulative->quantiles(kQuantiles);
  append(to, "\"", name, "\":[");
  for (size_t i = 0; i < kQuantiles.size(); ++i) {
    to += i == 0 ? "{\"cumulative\":" : ",{\"cumulative\":";
    append_json(to, cumulative[i]);
    to += ",\"interval\":";
    append_json(to, interval[i]);
    to += '}';
  }
  to += ']';
}

void json_bins(std::string& to, std::string_view name, const Bins& bins) {
  append(to, "\"", name, "\":[");
  bool first = true;
  for (const auto& [bin, count] : bins.counts()) {
    to += first ? "{\"lower_bound\":" : ",{\"lower_bound\":";
    first = false;
    append_json(to, bin_lower(bin));
    to += ",\"width\":";
    append_json(to, bin_width(bin));
    append(to, ",\"count\":", count, "}");
  }
  to += ']';
}

// One element of the list of histograms.
void json_histogram(std::string& to, const Registry& registry, const StatView& view, Buckets buckets) {
  append(to, "{\"name\":", json_quote(view.name), ",");
  switch (buckets) {
    case Buckets::kQuantiles: json_quantile_values(to, "values", view); break;
    case Buckets::kDetailed:
      json_bins(to, "totals", *view.cumulative);
      to += ',';
      json_bins(to, "intervals", *view.interval);
      to += ',';
      json_quantile_values(to, "percentiles", view);
      break;
    case Buckets::kCumulative:
    case Buckets::kDisjoint: {
      to += "\"buckets\":[";
      bool first = true;
      for (const BucketCount& bucket : count_buckets(registry, view, buckets)) {
        to += first ? "{\"upper_bound\":" : ",{\"upper_bound\":";
        first = false;
        append_json(to, bucket.bound);
        append(to, ",\"interval\":", bucket.interval, ",\"cumulative\":", bucket.cumulative, "}");
      }
      to += ']';
    }
  }
  to += '}';
}

// The whole {"histograms":...} around `elements`.
std::string json_histograms(const std::string& elements, Buckets buckets) {
  if (buckets == Buckets::kCumulative || buckets == Buckets::kDisjoint) {
    return cat("{\"histograms\":[", elements, "]}");
  }
  std::vector<double> percents;
  for (const double quantile : kQuantiles) {
    percents.push_back(100 * quantile);
  }
  const bool detailed = buckets == Buckets::kDetailed;
  std::string out = "{\"histograms\":{";
  json_numbers(out, detailed ? "supported_percentiles" : "supported_quantiles", percents);
  append(out, ",\"", detailed ? "details" : "computed_quantiles", "\":[", elements, "]}}");
  return out;
}

// Calls show() for everything that the options let through.
void visit(const Registry& registry, PrintOptions& options, Function<void(const StatView&)> show) {
  Function<bool(std::string_view)> wanted = [&](std::string_view name) { return accepts(options, name); };
  registry.visit(wanted, [&](const StatView& view) {
    if (shows(options, view.kind) && (view.used || !options.used_only)) {
      show(view);
    }
  });
}

}  // namespace

std::string print_text(const Registry& registry, PrintOptions& options) {
  std::string out;
  if (shows_texts(options)) {
    for (const auto& [name, value] : registry.texts()) {
      if (accepts(options, name)) {
        append(out, name, ": \"", value, "\"\n");
      }
    }
  }
  std::string histograms;
  visit(registry, options, [&](const StatView& view) {
    if (view.kind == Kind::kHistogram) {
      append(histograms, view.name, ":");
      text_histogram(histograms, registry, view, options.buckets);
      histograms += '\n';
    } else {
      append(out, view.name, ": ", view.value, "\n");
    }
  });
  return out + histograms;
}

std::string print_json(const Registry& registry, PrintOptions& options) {
  std::string out = "{\"stats\":[";
  std::string histograms;
  bool first = true;
  const auto begin = [&] {
    out += first ? "" : ",";
    first = false;
  };
  if (shows_texts(options)) {
    for (const auto& [name, value] : registry.texts()) {
      if (accepts(options, name)) {
        begin();
        append(out, "{\"name\":", json_quote(name), ",\"value\":", json_quote(value), "}");
      }
    }
  }
  visit(registry, options, [&](const StatView& view) {
    if (view.kind == Kind::kHistogram) {
      histograms += histograms.empty() ? "" : ",";
      json_histogram(histograms, registry, view, options.buckets);
      return;
    }
    begin();
    append(out, "{\"name\":", json_quote(view.name), ",\"value\":", view.value, "}");
  });
  if (!histograms.empty()) {
    begin();
    out += json_histograms(histograms, options.buckets);
  }
  out += "]}";
  return out;
}

}  // namespace sluice::stats
