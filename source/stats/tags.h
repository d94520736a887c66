// Tags: the parts of a stat's name that are values ("cluster.A.upstream_rq_200": cluster A, code 200). They leave the
// name and become labels.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/function.h"

namespace sluice::stats {

// A name without its values. `tags` are in the order of the rules that found them; names like "envoy.cluster_name".
struct Tagged {
  std::string name;
  std::vector<std::pair<std::string, std::string>> tags;
};

// One part that a rule found in the whole name: what to cut out, and the value in it.
struct TagMatch {
  size_t cut_at = 0;
  size_t cut = 0;  // bytes; 0: the rule does not apply
  std::string_view value;
};

// Finds a tag's value in the whole name of a stat, from which no other tag was cut yet.
struct TagRule {
  std::string tag;
  Function<TagMatch(std::string_view name)> find;
};

// Rules in their order. Thread: main.
class TagExtractor {
 public:
  // Envoy's defaults.
  TagExtractor();
  // Only these (stats_config with use_all_default_tags false).
  explicit TagExtractor(std::vector<TagRule> rules) : rules_(std::move(rules)) {}

  // Behind the others.
  void add(TagRule rule) { rules_.push_back(std::move(rule)); }
  Tagged extract(std::string_view name);

  // The default rules of a tag ("envoy.cluster_name"); empty when there is no default tag of that name.
  static std::vector<TagRule> default_rules(std::string_view tag);

 private:
  std::vector<TagRule> rules_;
};

}  // namespace sluice::stats
