#include "test/player/spoiled.h"

#include <algorithm>

#include "base/strings.h"
#include "test/player/spec.h"

namespace sluice::player {

namespace {

const Value* find(const Value& map, std::string_view key) {
  return map.as_map() == nullptr ? nullptr : map.as_map()->find(key);
}

bool says(const Value& map, std::string_view key, std::string_view text) {
  const Value* value = find(map, key);
  return value != nullptr && value->as_text() != nullptr && *value->as_text() == text;
}

// Of one message, and of the same one without the cut.
bool is_shortened(const Value& got, const Value& whole) {
  const Value* body = find(got, "body");
  const Value* all = find(whole, "body");
  const Value* status = find(got, "status");
  const Value* wanted = find(whole, "status");
  if (body == nullptr || all == nullptr || !says(got, "ended", "complete") || !says(whole, "ended", "complete")) {
    return false;
  }
  const bool same = status == nullptr ? wanted == nullptr : wanted != nullptr && *status == *wanted;
  const std::string part = shown_bytes(*body);
  const std::string rest = shown_bytes(*all);
  return same && !part.empty() && part.size() < rest.size() && rest.starts_with(part);
}

// Its framing cannot be read, where it could.
bool is_broken(const Value& got, const Value& whole) {
  return (says(got, "ended", "bad_chunk") && !says(whole, "ended", "bad_chunk")) ||
         (says(got, "ended", "bad_length") && !says(whole, "ended", "bad_length"));
}

// The first such message of a step, at its client or at an origin.
std::string spoiled_step(const Value& got, const Value& whole) {
  const Value* client = find(got, "client");
  const Value* before = find(whole, "client");
  if (client != nullptr && before != nullptr && is_shortened(*client, *before)) {
    return "a response that was cut looks whole to the client";
  }
  if (client != nullptr && before != nullptr && is_broken(*client, *before)) {
    return "a client cannot read its response";
  }
  const Value* seen = find(got, "origins");
  const Value* expected = find(whole, "origins");
  if (seen == nullptr || expected == nullptr || seen->as_list()->size() != expected->as_list()->size()) {
    return {};
  }
  for (size_t i = 0; i < seen->as_list()->size(); ++i) {
    if (is_shortened((*seen->as_list())[i], (*expected->as_list())[i])) {
      return "a request that was cut looks whole to an origin";
    }
    if (is_broken((*seen->as_list())[i], (*expected->as_list())[i])) {
      return "an origin cannot read its request";
    }
  }
  return {};
}

}  // namespace

std::string spoiled(const Value::Map& got, const Value::Map& whole) {
  const Value::List& steps = *got.find("steps")->as_list();
  const Value::List& before = *whole.find("steps")->as_list();
  for (size_t i = 0; i < std::min(steps.size(), before.size()); ++i) {
    if (std::string why = spoiled_step(steps[i], before[i]); !why.empty()) {
      return cat("step ", i + 1, ": ", why);
    }
  }
  return {};
}

}  // namespace sluice::player
