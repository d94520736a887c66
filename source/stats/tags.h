// Tags: the parts of a stat's name that are values ("cluster.A.upstream_rq_200": cluster A, code 200). They leave the
// name and become labels.
#pragma once

#include <cstdint>
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

// Of a block of stats whose values cannot be found in their names: what `name` the labels leave of its prefix, and the
// labels.
using FixedTags = Tagged;

// One part that a rule found in the whole name: what to cut out (0 bytes: nothing), and the value.
struct TagMatch {
  size_t cut_at = 0;
  size_t cut = 0;
  std::string_view value;  // without data: the rule does not apply
};

// Finds a tag's value in the whole name of a stat, from which no other tag was cut yet.
struct TagRule {
  // Rules that need a certain first token come behind those that look anywhere, as in Envoy.
  enum class Place : uint8_t { kAnywhere, kBehindToken };
  std::string tag;
  Place place = Place::kAnywhere;
  Function<TagMatch(std::string_view name)> find;
};

// Rules in their order; of several rules for one tag the first one that applies counts. Thread: main.
class TagExtractor {
 public:
  // Envoy's defaults.
  TagExtractor() : TagExtractor(default_rules()) {}
  explicit TagExtractor(std::vector<TagRule> rules);

  Tagged extract(std::string_view name);

  static std::vector<TagRule> default_rules();
  // Those of one tag ("envoy.cluster_name"); empty when there is no default tag of that name.
  static std::vector<TagRule> default_rules(std::string_view tag);

 private:
  std::vector<TagRule> rules_;
};

}  // namespace sluice::stats
