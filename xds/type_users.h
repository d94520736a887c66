// TypeUsers: everybody who wants resources of one type from one session, and which of these are held.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/function.h"
#include "event/loop.h"
#include "xds/arrival.h"
#include "xds/watch.h"

namespace sluice::xds {

// What a user's coming, going or asking changes in what must be asked of the control plane. A plain value.
struct InterestChange {
  std::vector<std::string> added;    // nobody wanted it before
  std::vector<std::string> removed;  // nobody wants it any more
  bool wildcard = false;             // TypeUsers::wildcard() is another now

  bool empty() const { return added.empty() && removed.empty() && !wildcard; }
};

// Knows nothing of protocols. Users may come and go inside every call that reaches them. Owned by its session. Thread:
// main.
class TypeUsers {
 public:
  // Names of refused resources that are remembered; a control plane could go on making them up.
  static constexpr size_t kMostDoubted = 10'000;

  // A resource that was taken. A plain value.
  struct Held {
    std::string version;
    std::shared_ptr<const config::Resource> resource;
    int64_t expires = 0;  // 0: never
  };
  using Names = std::map<std::string, std::vector<Watch*>, std::less<>>;
  using NameSet = std::set<std::string, std::less<>>;
  using HeldByName = std::map<std::string, Held, std::less<>>;

  // `on_expired`: the ttl of these names is over, and they are not held any more.
  TypeUsers(event::Loop& loop, config::ResourceType type, Function<void(std::vector<std::string>)> on_expired);

  InterestChange add(Watch& watch);
  InterestChange ask(Watch& watch, NameSet names);
  InterestChange remove(Watch& watch);

  config::ResourceType type() const { return type_; }
  bool empty() const { return watches_.empty(); }
  // Somebody wants more than what is named.
  bool wildcard() const { return !unnamed_.empty(); }
  const Names& names() const { return names_; }
  const HeldByName& held() const { return held_; }
  const Held* find_held(std::string_view name) const;
  bool wants(std::string_view name) const { return wildcard() || names_.find(name) != names_.end(); }

  // The first broken rule among resources that users of names would see. Empty: none.
  std::string problem_in(const Arrival& arrival) const;
  // What is new in it beside what is held.
  void compare(const Arrival& arrival, Push& push) const;
  // What became of a delivery. A plain value.
  struct Delivered {
    std::string refused;  // all texts joined; empty: all was taken
    NameSet kept;         // everybody who wants one of these refused what came, and has what is held
  };
  // Gives everybody what is theirs.
  Delivered deliver(const Arrival& arrival);
  // Remembers what was delivered and taken; the bodies move.
  void take(Arrival& arrival);
  // It was delivered and refused: some of it is in force perhaps, so what is held of its names is not known, but for
  // those that were `kept`.
  void doubt(const Arrival& arrival, const NameSet& kept = {});
  const NameSet& doubted() const { return doubted_; }

  void reject(std::string_view why);
  void fail(std::string_view why);
  // initial_fetch_timeout of one of its users is over.
  void time_out(Watch& watch);
  // The session ends before its users do.
  void leave_all();

 private:
  using Parts = std::map<uint64_t, config::ResourceUpdate>;

  Parts divide(const Arrival& arrival) const;
  void add_name(const std::string& name, Watch& watch, InterestChange& change);
  void drop_name(const std::string& name, Watch& watch, InterestChange& change);
  // What nobody wants is not held.
  void drop_held(const std::string& name);
  void doubt(const std::string& name);
  void set_expiry(const std::string& name, Held& held, Duration ttl);
  void arm_expiry();
  void expire();
  // Users that came when what they want was held already.
  void note_fresh(const Watch& watch);
  void hand_over();
  std::optional<config::ResourceUpdate> known_to(const Watch& watch, const NameSet& names);
  Watch* find(uint64_t number);

  event::Loop& loop_;
  const config::ResourceType type_;
  Function<void(std::vector<std::string>)> on_expired_;
  std::map<uint64_t, Watch*> watches_;
  std::map<uint64_t, Watch*> unnamed_;  // of them, those of other scopes than kNames
  Names names_;
  HeldByName held_;
  NameSet doubted_;                  // held or not, in whatever version
  std::string version_;              // of the last response that was taken
  bool answered_ = false;            // there was one
  bool state_of_the_world_ = false;  // and it was
  std::set<std::pair<int64_t, std::string>> expiries_;
  event::Timer expiry_;
  std::map<uint64_t, std::optional<NameSet>> fresh_;  // and what names are new to it; none: all that it wants
  event::Timer handing_over_;
  uint64_t last_number_ = 0;
};

}  // namespace sluice::xds
