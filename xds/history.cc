#include "xds/history.h"

#include <algorithm>
#include <utility>

#include "base/strings.h"
#include "xds/resource_types.h"

namespace sluice::xds {
namespace {

void append_names(std::string& out, std::string_view key, const std::vector<std::string>& names) {
  append(out, ",\"", key, "\":[");
  for (size_t i = 0; i < names.size(); ++i) {
    append(out, i == 0 ? "" : ",", json_quote(names[i]));
  }
  out += ']';
}

}  // namespace

uint64_t History::add(Push push) {
  push.number = ++last_;
  push.refused.resize(std::min(push.refused.size(), kMostText));
  pushes_.push_back(std::move(push));
  if (pushes_.size() > kMost) {
    pushes_.pop_front();
  }
  return last_;
}

Push* History::find(uint64_t number) {
  if (pushes_.empty() || number < pushes_.front().number || number > last_) {
    return nullptr;
  }
  return &pushes_[number - pushes_.front().number];
}

void History::refuse(uint64_t number, std::string_view why) {
  if (Push* const push = find(number); push != nullptr) {
    push->refused = why.substr(0, kMostText);
  }
}

void History::answered(uint64_t number, Duration after) {
  if (Push* const push = find(number); push != nullptr) {
    push->answered = after;
  }
}

void History::published(uint64_t number, const event::Loop& loop) {
  const Push* const push = find(number);
  if (push == nullptr || push->changes + push->removals == 0 || !when_taken_) {
    return;
  }
  when_taken_([this, number, &loop, came = loop.now()] {
    if (Push* const taken = find(number); taken != nullptr) {
      taken->in_force = loop.now() - came;
    }
  });
}

void History::drained(uint64_t number, std::string what) {
  if (Push* const push = find(number); push != nullptr && push->drained.size() < kMostLines) {
    push->drained.push_back(std::move(what));
  }
}

std::string History::to_json() const {
  std::string out = "{\"pushes\":[";
  for (auto push = pushes_.rbegin(); push != pushes_.rend(); ++push) {
    append(out, push == pushes_.rbegin() ? "" : ",", "\n{\"number\":", push->number, ",\"at_ms\":", push->at.us / 1000,
           ",\"type\":\"", names_of(push->type).acronym, "\",\"version\":", json_quote(push->version),
           ",\"control_plane\":", json_quote(push->control_plane), ",\"resources\":", push->resources,
           ",\"changes\":", push->changes, ",\"removals\":", push->removals);
    append_names(out, "changed", push->changed);
    append_names(out, "removed", push->removed);
    append_names(out, "differences", push->lines);
    append_names(out, "drained", push->drained);
    append(out, ",\"verdict\":\"", push->refused.empty() ? "accepted" : "rejected",
           "\",\"why\":", json_quote(push->refused));
    if (push->answered) {
      append(out, ",\"answered_after_ms\":", to_ms(*push->answered));
    }
    if (push->in_force) {
      append(out, ",\"in_force_after_us\":", push->in_force->count() / 1000);
    }
    out += '}';
  }
  return out + "\n]}\n";
}

}  // namespace sluice::xds
