// Settings: what stats_config says, compiled.
#pragma once

#include <string_view>
#include <vector>

#include "base/function.h"
#include "stats/registry.h"
#include "stats/tags.h"

namespace sluice::stats {

// Handed to the registry and the printers at the start. Thread: main.
struct Settings {
  Function<bool(std::string_view name)> hidden;  // empty: every stat exists
  std::vector<BucketRule> bucket_rules;
  std::vector<TagRule> tag_rules = TagExtractor::default_rules();
};

}  // namespace sluice::stats
