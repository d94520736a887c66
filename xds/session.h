// Session: the users of one stream (or poll), by type. What is said on it is up to SotwSession, DeltaSession and
// RestSession.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "event/loop.h"
#include "xds/control_plane.h"
#include "xds/type_users.h"

namespace sluice::xds {

// One for a control plane, or one for each subscription of it. Owned by its control plane. Thread: main.
class Session : public event::Deferred {
 public:
  ~Session() override;

  virtual void start() = 0;
  // For good: no user is left.
  virtual void stop() = 0;
  // Nothing holds this type back any more.
  virtual void resumed(config::ResourceType type) = 0;

  void add(Watch& watch);
  void ask(Watch& watch, std::set<std::string, std::less<>> names);
  void remove(Watch& watch);
  void time_out(Watch& watch);

  bool paused(config::ResourceType type) const;
  // Whether a subscription like this one can share the session; never, when it is for all types.
  bool serves(const Interest& interest) const;

 protected:
  enum class Cause { kSubscribed, kAsked, kEnded };

  // `only`: what it is for; null: for all types.
  Session(ControlPlane& plane, const Interest* only);

  virtual void interest_changed(TypeUsers& users, const InterestChange& change, Cause cause) = 0;

  // Null when nobody ever asked for the type.
  TypeUsers* users_of(config::ResourceType type) const { return users_[index_of(type)].get(); }
  // The types in the order of their first subscription, which is the order of first requests on a stream.
  const std::vector<config::ResourceType>& order() const { return order_; }

  // Checks, delivers, remembers when it was taken, and notes it in the history. Returns the text of the NACK, or
  // nothing.
  std::string hand_out(TypeUsers& users, Arrival& arrival);
  // A response that was refused before; `problem` is the text.
  void refuse(TypeUsers& users, const Arrival& arrival, const std::string& problem);
  void fail_all(std::string_view why);

  // While one of these lives, nothing is sent about its type. Thread: main.
  class Hold {
   public:
    Hold(Session& session, config::ResourceType type) : session_(session), type_(type) {
      ++session.held_back_[index_of(type)];
    }
    ~Hold();
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;

   private:
    Session& session_;
    const config::ResourceType type_;
  };

  // What waits for its answer, for the history.
  struct Unanswered {
    uint64_t push;
    MonotonicTime since;
  };
  Unanswered last_push() const { return {last_push_, loop().now()}; }
  void note_answer(const Unanswered& waiting);

  event::Loop& loop() const { return plane_.loop_; }
  Random& random() const { return plane_.random_; }
  AdsTransport& transport() const { return plane_.transport_; }
  const Options& options() const { return plane_.options_; }
  Numbers& numbers() const { return plane_.numbers_; }
  const std::optional<Interest>& only() const { return only_; }
  // Path of its stream.
  std::string path() const;

 private:
  void expired(TypeUsers& users, std::vector<std::string> names);
  void note(const TypeUsers& users, const Arrival& arrival, const std::string& refused);

  ControlPlane& plane_;
  const std::optional<Interest> only_;
  PerType<std::unique_ptr<TypeUsers>> users_;
  PerType<uint32_t> held_back_{};
  std::vector<config::ResourceType> order_;
  size_t watches_ = 0;
  uint64_t last_push_ = 0;
};

}  // namespace sluice::xds
