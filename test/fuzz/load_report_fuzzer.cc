// What a host reports of its load, in each form. Properties: a report in text has no number that is negative or not
// finite; padding of base64 makes no difference; what is chosen among metrics is never below 0, and no NaN.
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/arena.h"
#include "base/base64.h"
#include "base/check.h"
#include "base/owner.h"
#include "base/strings.h"
#include "upstream/load_report.h"

namespace {

using sluice::cat;
using sluice::upstream::LoadReport;

std::optional<LoadReport> read(std::string_view name, std::string_view value) {
  sluice::Owner owner("fuzz");
  sluice::ChunkPool chunks(owner);
  sluice::Arena arena(chunks);
  sluice::http::HeaderMap fields(arena);
  fields.add(name, value);
  const auto report = sluice::upstream::read_load_report(fields);
  if (report) {
    for (const char* metric : {"cpu_utilization", "eps", "named_metrics.*", "utilization.*", "utilization.a"}) {
      SLUICE_CHECK(report->greatest({metric}) >= 0);
    }
  }
  return report;
}

bool sound(double value) { return std::isfinite(value) && value >= 0; }

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  if (const auto report = read("endpoint-load-metrics", cat("TEXT ", input))) {
    SLUICE_CHECK(sound(report->cpu_utilization) && sound(report->rps_fractional) && sound(report->eps));
    for (const auto& metrics : {report->utilization, report->named_metrics}) {
      for (const auto& [name, value] : metrics) SLUICE_CHECK(!name.empty() && sound(value));
    }
  }
  (void)read("endpoint-load-metrics", cat("JSON ", input));
  (void)read("endpoint-load-metrics", cat("BIN ", input));

  std::string text = sluice::encode_base64(input);
  const auto padded = read("endpoint-load-metrics-bin", text);
  while (text.ends_with('=')) text.pop_back();
  const auto bare = read("endpoint-load-metrics-bin", text);
  SLUICE_CHECK(padded.has_value() == bare.has_value());
  if (padded) SLUICE_CHECK(padded->utilization.size() == bare->utilization.size());
  return 0;
}
