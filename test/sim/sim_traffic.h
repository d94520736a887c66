// Traffic of a campaign: clients and origins that do everything HTTP/1 peers do, well and badly, and that check every
// byte they get. What an exchange is to be stands in its path, so that both sides know it:
//
//   /KIND/KEY/REQUEST_BYTES/RESPONSE_BYTES/CUT
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "test/sim/sim_peers.h"

namespace sluice::test {

// How the origin answers.
enum class Answer : char {
  kLength = 'l',  // with content-length
  kChunked = 'c',
  kUntilEnd = 'e',  // the end of the connection ends the body
  kInterim = 'i',   // 103 first
  kEarly = 'q',     // before the request is complete, whose rest is read late
  kReset = 'x',     // reset after CUT bytes of the response
  kFin = 'f',       // half a response of CUT bytes, then FIN
  kNever = 'n',
  kLate = 'd',   // the first half at once, the second after CUT milliseconds
  kBusy = 'b',   // 503 to the first who asks, with content-length to the next
  kMoved = 'm',  // the same with a 302 to where the request went
};

// Of which plans are drawn: those of a rough world, and those that a client who is patient gets a whole answer to.
inline constexpr std::string_view kAnyAnswer = "lllllccceiiqxxffnd";
inline constexpr std::string_view kSureAnswers = "lllcceeid";

// What one exchange is; in its path.
struct Plan {
  Answer answer = Answer::kLength;
  uint64_t key = 0;
  size_t request_bytes = 0;
  size_t response_bytes = 0;
  size_t cut = 0;

  static Plan random(SimRandom& random, std::string_view answers);
  std::string path() const;
  static std::optional<Plan> parse(std::string_view path);
  // Whether a client may see a complete 200.
  bool can_succeed() const { return answer != Answer::kReset && answer != Answer::kFin && answer != Answer::kNever; }
};

// The bodies of one key: bytes that show where they belong.
std::string body_of(uint64_t key, size_t bytes);

// A message as its pieces leave: mostly at once, now and then cut in its head or close to the ends of its chunks, where
// a reader must look twice. Thread: the simulation's.
class SimMessageText {
 public:
  SimMessageText(std::string head, std::string_view body) : bytes_(std::move(head)) { bytes_ += body; }
  static SimMessageText chunked(std::string head, std::string_view body, SimRandom& random);
  void send(SimTalker& from, SimRandom& random) const;

 private:
  std::string bytes_;
  std::vector<size_t> edges_;  // where a chunk's bytes end
};

// A message that comes in: its head, its body as it grows, its end.
class SimMessage {
 public:
  enum class State : uint8_t { kHead, kBody, kComplete };
  // Takes what it needs from the front of `bytes`. `has_body`: false for what never has one (1xx is skipped inside).
  void take(std::string& bytes);
  // The connection ended: a body that lasts until then is complete.
  void end();
  void begin_anew() { *this = SimMessage(); }

  State state() const { return state_; }
  const std::string& head() const { return head_; }
  const std::string& body() const { return body_; }
  std::string first_line() const { return head_.substr(0, head_.find("\r\n")); }
  int status() const;
  std::string header(std::string_view name) const;

 private:
  bool take_chunk(std::string& bytes);
  State state_ = State::kHead;
  std::string head_, body_;
  size_t wanted_ = 0;
  bool chunked_ = false, until_end_ = false;
};

// What went wrong in a run; the first is kept. Thread: the simulation's.
class Violations {
 public:
  explicit Violations(SimWorld& world) : world_(world) {}
  void expect(bool holds, std::string_view what);
  bool any() const { return !first_.empty(); }
  // With seed, step and the last of the trace.
  const std::string& first() const { return first_; }

 private:
  SimWorld& world_;
  std::string first_;
};

// What all origins together have seen. Thread: the simulation's.
class Ledger {
 public:
  explicit Ledger(Violations& violations) : violations(violations) {}

  Violations& violations;
  uint32_t most_tries = 1;  // that an origin may see

  // An origin sees the head of a request. Returns how many there were before.
  uint32_t begun(const Plan& plan);

 private:
  std::map<uint64_t, uint32_t> tries_;  // by key
};

// An origin for plans. Thread: the simulation's.
class TrafficOrigin {
 public:
  TrafficOrigin(SimMachine& machine, const net::Address& address, Ledger& ledger);
  ~TrafficOrigin();

  // From now on no connection is closed because it is idle.
  void behave() { impatient_ = false; }
  // From now on nobody may ask it.
  void retire() { retired_ = true; }

 private:
  class Connection;
  SimMachine& machine_;
  Ledger& ledger_;
  bool impatient_ = true;
  bool retired_ = false;
  std::unique_ptr<net::ListenSocket> socket_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::unique_ptr<net::Acceptor> acceptor_;
};

// One after the other, on one connection as long as it lasts; sometimes it stalls or leaves. Thread: the simulation's.
class TrafficClient {
 public:
  TrafficClient(SimMachine& machine, const net::Address& proxy, SimRandom random, Ledger& ledger);
  ~TrafficClient();

  // Begins the next exchange of a random plan, `left` times. `answers`: what plans are drawn from.
  void run(int left, std::string_view answers = kAnyAnswer);
  // From now on it neither stalls nor leaves, and every answer must be whole: nothing else is wrong either. The
  // connection that it has is kept.
  void behave() { well_behaved_ = true; }
  // A connection that ends at a request without a byte of its answer is no failure: it was to end anyway, and the
  // request goes out once more on a new one. That is what clients do whose server closes connections now and then.
  void try_again_on_fresh() { tries_again_ = true; }
  // Between two exchanges there is up to so much time.
  void slow_down(Duration pause) { pause_ = pause; }
  // Is told of each answer that is whole, with the time when its request left.
  void on_whole(std::function<void(const SimMessage&, MonotonicTime sent)> hook) { on_whole_ = std::move(hook); }
  void stop() { left_ = 0; }
  bool done() const { return left_ == 0 && !busy_; }
  uint64_t connections() const { return connections_; }
  void leave();

  // Outcomes so far; every begun exchange has exactly one.
  struct Outcomes {
    uint64_t begun = 0, whole = 0, error = 0, cut = 0, given_up = 0;
    uint64_t sum() const { return whole + error + cut + given_up; }
    void add(const Outcomes& other) {
      begun += other.begun;
      whole += other.whole;
      error += other.error;
      cut += other.cut;
      given_up += other.given_up;
    }
  };
  const Outcomes& outcomes() const { return outcomes_; }

 private:
  void next();
  void send_request();
  void on_bytes();
  void judge(bool complete);
  void finish(uint64_t Outcomes::*outcome);
  void misbehave();
  void later(Duration delay, void (TrafficClient::*what)());

  SimMachine& machine_;
  const net::Address proxy_;
  SimRandom random_;
  Ledger& ledger_;
  std::function<void(const SimMessage&, MonotonicTime)> on_whole_;
  std::string_view answers_;
  Duration pause_ = std::chrono::milliseconds(20);
  std::unique_ptr<SimCaller> connection_;
  uint64_t connections_ = 0;
  uint64_t asked_here_ = 0;  // requests on this connection
  SimMessage message_;
  Plan plan_;
  MonotonicTime sent_;
  Outcomes outcomes_;
  int left_ = 0;
  bool busy_ = false;
  bool well_behaved_ = false;
  bool tries_again_ = false;
  std::shared_ptr<TrafficClient*> self_;  // null inside once we are gone; for events under way
};

}  // namespace sluice::test
