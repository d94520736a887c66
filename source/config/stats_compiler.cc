#include "config/stats_compiler.h"

#include <algorithm>
#include <memory>
#include <set>
#include <utility>

#include "base/strings.h"
#include "config/core_compiler.h"
#include "config/matcher_compiler.h"
#include "match/capture.h"

namespace sluice::config {
namespace {

namespace v3 = envoy::config::metrics::v3;
using stats::TagMatch;
using stats::TagRule;
using Matchers = std::vector<match::StringMatcher>;

bool any_matches(const Matchers& matchers, std::string_view name) {
  return std::any_of(matchers.begin(), matchers.end(), [name](const auto& matcher) { return matcher.matches(name); });
}

Matchers compile_list(const envoy::type::matcher::v3::ListStringMatcher& proto, CompileScope& scope) {
  Matchers out;
  for (const auto& pattern : proto.patterns()) {
    out.push_back(compile_string_matcher(pattern, scope));
  }
  return out;
}

Function<bool(std::string_view)> compile_matcher(const v3::StatsMatcher& proto, CompileScope& scope) {
  switch (proto.stats_matcher_case()) {
    case v3::StatsMatcher::kRejectAll:
      if (!proto.reject_all()) return {};
      return [](std::string_view) { return true; };
    case v3::StatsMatcher::kExclusionList:
      return [list = compile_list(proto.exclusion_list(), scope)](std::string_view name) {
        return any_matches(list, name);
      };
    case v3::StatsMatcher::kInclusionList:
      return [list = compile_list(proto.inclusion_list(), scope)](std::string_view name) {
        return !any_matches(list, name);
      };
    case v3::StatsMatcher::STATS_MATCHER_NOT_SET:
      break;  // validation told
  }
  return {};
}

// A pattern that begins with ^TOKEN\. is looked for behind that token only.
TagRule::Place place_of(std::string_view pattern) {
  if (!pattern.starts_with('^')) return TagRule::Place::kAnywhere;
  pattern.remove_prefix(1);
  const auto in_token = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  const auto end = std::find_if_not(pattern.begin(), pattern.end(), in_token);
  const std::string_view rest(end, pattern.end());
  return end != pattern.begin() && rest.starts_with("\\.") ? TagRule::Place::kBehindToken : TagRule::Place::kAnywhere;
}

// The first group is what leaves the name, the second one, inside of it, the value; with one group it is both.
TagMatch match_groups(const match::CapturePattern& pattern, std::string_view name) {
  match::CapturePattern::Groups found;
  if (!pattern.find(name, found) || found.count == 0) return {};
  const std::string_view cut = found.group[0];
  std::string_view value = found.count > 1 ? found.group[1] : cut;
  if (value.data() == nullptr) value = name.substr(0, 0);
  const size_t at = cut.data() == nullptr ? 0 : static_cast<size_t>(cut.data() - name.data());
  return {at, cut.size(), value};
}

void compile_tag(const v3::TagSpecifier& proto, std::vector<TagRule>& out, CompileScope& scope) {
  using T = v3::TagSpecifier;
  if (proto.has_fixed_value()) {
    out.push_back({proto.tag_name(), TagRule::Place::kAnywhere, [value = proto.fixed_value()](std::string_view) {
                     return TagMatch{0, 0, value};
                   }});
    return;
  }
  if (proto.tag_name().empty()) {
    scope.error(proto, T::kTagNameFieldNumber, "must not be empty");
    return;
  }
  if (proto.regex().empty()) {
    std::vector<TagRule> rules = stats::TagExtractor::default_rules(proto.tag_name());
    if (rules.empty()) {
      scope.error(proto, T::kTagNameFieldNumber,
                  cat("'", proto.tag_name(),
                      "' is no tag that is known by its name alone; give it a regex or a "
                      "fixed_value"));
    }
    std::move(rules.begin(), rules.end(), std::back_inserter(out));
    return;
  }
  Result<match::CapturePattern> pattern = match::CapturePattern::compile(proto.regex());
  if (!pattern) {
    scope.error(proto, T::kRegexFieldNumber, pattern.error());
    return;
  }
  out.push_back({proto.tag_name(), place_of(proto.regex()),
                 [pattern = std::move(*pattern)](std::string_view name) { return match_groups(pattern, name); }});
}

std::vector<TagRule> compile_tags(const v3::StatsConfig& proto, CompileScope& scope) {
  std::vector<TagRule> out;
  if (!proto.has_use_all_default_tags() || proto.use_all_default_tags().value()) {
    out = stats::TagExtractor::default_rules();
  }
  if (proto.allow_default_tag_overrides().value()) {
    std::set<std::string_view> own;
    for (const auto& tag : proto.stats_tags()) own.insert(tag.tag_name());
    std::erase_if(out, [&own](const TagRule& rule) { return own.count(rule.tag) != 0; });
  }
  for (const auto& tag : proto.stats_tags()) compile_tag(tag, out, scope);
  return out;
}

}  // namespace

stats::Settings compile_stats_config(const v3::StatsConfig& proto, CompileScope& scope) {
  stats::Settings out;
  if (proto.has_stats_matcher()) out.hidden = compile_matcher(proto.stats_matcher(), scope);
  out.tag_rules = compile_tags(proto, scope);
  for (const auto& setting : proto.histogram_bucket_settings()) {
    // `bins` is how much memory a histogram of Envoy's takes at its start.
    stats::BucketRule rule;
    rule.match = [matcher = compile_string_matcher(setting.match(), scope)](std::string_view name) {
      return matcher.matches(name);
    };
    rule.bounds.assign(setting.buckets().begin(), setting.buckets().end());
    std::sort(rule.bounds.begin(), rule.bounds.end());
    if (!rule.bounds.empty()) out.bucket_rules.push_back(std::move(rule));
  }
  return out;
}

std::vector<model::StatsSinkPlan> compile_stats_sinks(const google::protobuf::RepeatedPtrField<v3::StatsSink>& sinks,
                                                      CompileScope& scope) {
  using S = v3::StatsdSink;
  std::vector<model::StatsSinkPlan> out;
  for (const v3::StatsSink& sink : sinks) {
    const google::protobuf::Message* content = scope.unpack(sink.typed_config());
    if (content == nullptr) continue;
    if (content->GetDescriptor() != S::descriptor()) {
      scope.error(sink.typed_config(), cat("not supported yet: ", content->GetDescriptor()->full_name()));
      continue;
    }
    const auto& proto = static_cast<const S&>(*content);
    // scale_histogram_units_to_milliseconds is about histograms of microseconds: there are none here.
    scope.only(proto, {S::kAddressFieldNumber, S::kTcpClusterNameFieldNumber, S::kPrefixFieldNumber,
                       S::kScaleHistogramUnitsToMillisecondsFieldNumber});
    model::StatsSinkPlan& plan = out.emplace_back();
    if (proto.has_address()) {
      plan.address = compile_datagram_address(proto.address(), scope);
    } else {
      plan.cluster = proto.tcp_cluster_name();
      scope.require_cluster(proto, S::kTcpClusterNameFieldNumber, plan.cluster);
    }
    if (!proto.prefix().empty()) plan.prefix = proto.prefix();
  }
  return out;
}

}  // namespace sluice::config
