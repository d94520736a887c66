// SotwSession: the state-of-the-world protocol on one stream.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "xds/link.h"
#include "xds/session.h"

namespace sluice::xds {

// A request says all there is to say about its type: version, nonce, names. So an answer, a change of names, or several
// of them that had to wait, are one request that is made when it is sent. Owned by its control plane. Thread: main.
class SotwSession final : public Session, private Link::Owner {
 public:
  SotwSession(ControlPlane& plane, const Interest* only);

  void start() override { link_.open(); }
  void stop() override;
  void resumed(config::ResourceType type) override;

 private:
  struct State {
    std::string version;  // of the last response that was taken, on whichever stream
    // The rest is about this stream.
    std::string nonce;
    std::string error;    // to be told with the next request
    bool wanted = false;  // a request waits for resume()
    bool named = false;   // names were sent: an empty list means none from now on
    // The names as a request has them, until they change: of ten thousand endpoints one changes and is answered with
    // all the names.
    std::optional<std::string> names;
    std::vector<Unanswered> unanswered;
  };

  void interest_changed(TypeUsers& users, const InterestChange& change, Cause cause) override;
  void on_open() override;
  bool on_response(std::string_view message) override;
  void on_lost(std::string_view why) override;
  void on_may_send() override { drain(); }

  State& state_of(config::ResourceType type) { return states_[index_of(type)]; }
  void want_request(config::ResourceType type);
  void want_answer(config::ResourceType type);
  void push(config::ResourceType type);
  void drain();
  const std::string& names_in(config::ResourceType type);
  void send(config::ResourceType type);

  PerType<State> states_;
  std::deque<config::ResourceType> queue_;  // one request each; waits for the rate limit only
  Link link_;
};

}  // namespace sluice::xds
