// Watch: one subscription, as a session knows it.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>

#include "config/subscription.h"
#include "event/timer_wheel.h"
#include "xds/control_plane.h"

namespace sluice::xds {

// Owned by its user. Thread: main.
class Watch final : public config::Subscription {
 public:
  Watch(event::TimerWheel& timers, Interest wanted, config::ResourceUser& whose)
      : interest(std::move(wanted)), user(whose), timeout(timers, [this] { time_out(); }) {}
  // Both leave the session.
  ~Watch() override;
  void ask(std::set<std::string, std::less<>> names) override;

  bool named() const { return interest.scope == Interest::Scope::kNames; }
  // Whether it wants a resource of this name that nobody asked for by name.
  bool covers(const config::Resource& resource) const;
  bool covers(std::string_view name) const;

  Interest interest;
  config::ResourceUser& user;
  Session* session = nullptr;  // null when that is gone
  uint64_t number = 0;         // in the order of subscribe()
  bool answered = false;       // something came for it
  event::Timer timeout;

 private:
  void time_out();
};

}  // namespace sluice::xds
