#include "upstream/answer_counters.h"

namespace sluice::upstream {

AnswerCounters::Split* AnswerCounters::alt_split(std::string_view name) {
  if (const auto found = alt_.find(name); found != alt_.end()) return found->second.get();
  if (alt_.size() == kMaxAltNames) return nullptr;
  std::string key(name);
  auto split = std::make_unique<Split>(cells_, cluster_, key + ".");
  return alt_.emplace(std::move(key), std::move(split)).first->second.get();
}

}  // namespace sluice::upstream
