#include "server/discovery/asked_names.h"

#include <algorithm>
#include <utility>

namespace sluice::server {
namespace {

// A client must not ask for everything, nor for what is not a plain name.
bool askable(std::string_view name) {
  return !name.empty() && name.size() <= AskedNames::kLongest && !name.starts_with("xdstp:") &&
         std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c < '\x7f' && c != '*'; });
}

}  // namespace

AskedNames::~AskedNames() {
  for (auto& [name, one] : names_) {
    for (model::Asker& asker : one.waiting) {
      asker.answer(model::Found::kNo);
    }
  }
}

AskedNames::Asked AskedNames::ask(std::string_view name) {
  if (const auto known = names_.find(name); known != names_.end()) {
    return known->second.answered ? Asked::kBefore : Asked::kAgain;
  }
  if (!askable(name) || !make_room()) {
    return Asked::kRefused;
  }
  const auto one = names_.try_emplace(std::string(name)).first;
  miss(one);
  return Asked::kFirst;
}

void AskedNames::wait(std::string_view name, model::Asker asker) {
  auto& waiting = names_.find(name)->second.waiting;
  std::erase_if(waiting, [](const model::Asker& each) { return each.gone(); });
  waiting.push_back(std::move(asker));
}

void AskedNames::answer(std::string_view name, model::Found found) {
  const auto known = names_.find(name);
  if (known == names_.end()) {
    return;
  }
  One& one = known->second;
  one.answered = true;
  if (found == model::Found::kYes && one.missing != 0) {
    missing_.erase(std::exchange(one.missing, 0));
  } else if (found == model::Found::kNo && one.missing == 0) {
    miss(known);
  }
  for (model::Asker& asker : std::exchange(one.waiting, {})) {
    asker.answer(found);
  }
}

void AskedNames::miss(Names::iterator one) {
  one->second.missing = ++last_;
  one->second.since = loop_.now();
  missing_.emplace(last_, one);
}

bool AskedNames::make_room() {
  for (size_t left = missing_.size(); left > 0 && missing_.size() >= kMost; --left) {
    const auto oldest = missing_.begin()->second;
    const One& one = oldest->second;
    if (loop_.now() < one.since + kKept) {
      break;
    }
    missing_.erase(missing_.begin());
    const auto waits = [](const model::Asker& asker) { return !asker.gone(); };
    if (std::any_of(one.waiting.begin(), one.waiting.end(), waits)) {
      miss(oldest);
    } else {
      names_.erase(oldest);
    }
  }
  return missing_.size() < kMost;
}

std::set<std::string, std::less<>> AskedNames::names() const {
  std::set<std::string, std::less<>> out;
  for (const auto& [name, one] : names_) {
    out.insert(name);
  }
  return out;
}

}  // namespace sluice::server
