// History: what control planes sent lately and what became of it, for the admin page.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/function.h"
#include "base/time.h"
#include "config/subscription.h"
#include "event/loop.h"

namespace sluice::xds {

// One response. A plain value.
struct Push {
  uint64_t number = 0;  // counts from 1
  WallTime at;
  config::ResourceType type{};
  std::string version;
  std::string control_plane;         // as it calls itself
  std::vector<std::string> changed;  // names of what is new or another than before, at most History::kMostNames
  std::vector<std::string> removed;  // of what is gone, the same
  std::vector<std::string> lines;    // what is different, for people (change_text.h)
  size_t resources = 0;              // how many came, changed or not
  size_t changes = 0;
  size_t removals = 0;
  std::vector<std::string> drained;  // what had to go because of it, for people
  std::string refused;               // empty: it was taken
  std::optional<Duration> answered;  // from its arrival to its ACK or NACK; none: not yet, or the stream ended before
  // From its arrival until the last worker had what it changed, as far as that need not warm first; none: not yet, or
  // it changed nothing, or the workers did not run.
  std::optional<Duration> in_force;
};

// The last pushes of all control planes, oldest first. Owned by the server; outlives the control planes. Thread: main.
class History {
 public:
  static constexpr size_t kMost = 100;
  static constexpr size_t kMostNames = 100;
  static constexpr size_t kMostLines = 20;
  static constexpr size_t kMostText = 4096;  // bytes of `refused`

  // How to learn that every worker has what was published until now: a call of the argument, on main, or none.
  void on_published(Function<void(Function<void()>)> when_taken) { when_taken_ = std::move(when_taken); }

  // Returns its number.
  uint64_t add(Push push);
  // Nothing happens in these when it is forgotten already.
  void refuse(uint64_t number, std::string_view why);
  void answered(uint64_t number, Duration after);
  // It came in this turn of `loop`, main's, and its users have taken it.
  void published(uint64_t number, const event::Loop& loop);
  // "listener 'in': 1 filter chain, 2 connections"; at most kMostLines are kept.
  void drained(uint64_t number, std::string what);

  // The push that its users are looking at; 0: none, so what they do has another cause.
  uint64_t in_hand() const { return in_hand_; }
  void set_in_hand(uint64_t number) { in_hand_ = number; }

  const std::deque<Push>& pushes() const { return pushes_; }
  // For /xds/history: {"pushes": [...]}, the newest first.
  std::string to_json() const;

 private:
  Push* find(uint64_t number);

  Function<void(Function<void()>)> when_taken_;
  std::deque<Push> pushes_;
  uint64_t last_ = 0;
  uint64_t in_hand_ = 0;
};

}  // namespace sluice::xds
