#include "upstream/answer_counters.h"

#include "base/strings.h"

namespace sluice::upstream {

AnswerCounters::Split* AnswerCounters::alt_split(std::string_view name) {
  if (const auto found = alt_.find(name); found != alt_.end()) return found->second.get();
  if (alt_.size() == kMaxAltNames) return nullptr;
  std::string key(name);
  auto split = std::make_unique<Split>(cells_, cluster_, key + ".");
  return alt_.emplace(std::move(key), std::move(split)).first->second.get();
}

// Hosts are in few zones.
stats::ResponseCodes& AnswerCounters::codes_of(Split& split, const std::string& zone) {
  for (const auto& [name, codes] : split.zones) {
    if (name == &zone) return *codes;
  }
  std::string prefix = cat(split.prefix, "zone.", own_zone_, ".", zone, ".");
  auto codes = std::make_unique<stats::ResponseCodes>(cells_, cluster_, std::move(prefix));
  return *split.zones.emplace_back(&zone, std::move(codes)).second;
}

}  // namespace sluice::upstream
