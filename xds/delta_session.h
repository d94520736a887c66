// DeltaSession: the incremental protocol on one stream.
#pragma once

#include <deque>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "xds/link.h"
#include "xds/session.h"

namespace sluice::xds {

// Answers and changes of names are requests of their own: every response is answered by its nonce, a change has none.
// The first request of a type on a stream says what is held. Owned by its control plane. Thread: main.
class DeltaSession final : public Session, private Link::Owner {
 public:
  DeltaSession(ControlPlane& plane, const Interest* only);

  void start() override { link_.open(); }
  void stop() override;
  void resumed(config::ResourceType) override { drain(); }

 private:
  // About this stream.
  struct State {
    bool asked = false;
    std::set<std::string> subscribe;
    std::set<std::string> unsubscribe;
  };
  struct Answer {
    config::ResourceType type;
    std::string nonce;
    std::string error;
    Unanswered waiting;
  };

  void interest_changed(TypeUsers& users, const InterestChange& change, Cause cause) override;
  void on_open() override;
  bool on_response(std::string_view message) override;
  void on_lost(std::string_view why) override;
  void on_may_send() override { drain(); }

  bool has_change(config::ResourceType type) const;
  std::optional<config::ResourceType> next_change() const;
  void drain();
  void send(const Answer& answer);
  void send_change(config::ResourceType type);

  PerType<State> states_;
  std::deque<Answer> answers_;
  Link link_;
};

}  // namespace sluice::xds
