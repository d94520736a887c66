#include "model/subset_plan.h"

#include <algorithm>

namespace sluice::model {

LbMatchPtr make_match(std::vector<std::pair<std::string, std::string>> labels) {
  if (labels.empty()) return nullptr;
  std::sort(labels.begin(), labels.end());
  auto out = std::make_shared<LbMatch>();
  for (const auto& [key, value] : labels) {
    append_id(out->id, key);
    append_id(out->id, value);
    append_id(out->keys, key);
  }
  out->labels = std::move(labels);
  return out;
}

}  // namespace sluice::model
