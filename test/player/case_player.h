// CasePlayer: plays one behaviour case in virtual time, as the runner does live (test/conformance/behaviour/runner.py):
// the same steps, waits and limits. What it saw goes back to the runner, which compares.
#pragma once

#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "test/player/case_proxy.h"
#include "test/player/clients.h"
#include "test/player/origin.h"

namespace sluice::player {

// Plays once. Thread: the simulation's.
class CasePlayer {
 public:
  CasePlayer(const Spec& spec, uint64_t seed);
  ~CasePlayer();

  // {"steps": [...]}, and "failed" with a reason when the proxy died or the player cannot do what a step asks for.
  Value::Map play();
  // Before play(): a connection is cut; at the end it is checked that the proxy keeps nothing of anybody.
  void cut(const Cut& cut) { stage_.passed.cut = cut; }
  void check_quiet() { checks_quiet_ = true; }
  // Before play(), too: filter chains have probes. They outlive us.
  void probe(Hooks& hooks) { proxy_.probe(hooks); }
  // After it.
  const std::vector<Passed::Bytes>& passed() const { return stage_.passed.wires; }
  // Prints each line of the world's trace.
  void print_trace() { world_.print_trace(); }

 private:
  struct Admin {
    Value::Map shown;
    std::string text;
  };
  // A step that others do not wait for.
  struct Started {
    bool done = false;
    Value::Map result;
  };

  bool start();
  Task<void> play_steps();
  // What the origins saw in this step, once they are quiet.
  Task<Value::List> collect(Spec step);
  void close_all();
  // Everybody is gone: what the proxy still counts as under way fails the case.
  Task<void> expect_quiet();
  void fail(std::string why);

  // --- steps (case_steps.cc)
  Task<Value::Map> step(Spec step);
  Task<Value::Map> act(Spec step);
  Started& begin(Spec step);
  Task<void> carry_out(Spec step, Started& started);
  Task<Value::Map> talk(Spec step);
  Task<Value::Map> parallel(Spec spec);
  Task<Value::Map> join(Spec name);
  Task<Value::Map> admin(Spec spec);
  Task<Value::Map> stats(Spec spec);
  Task<Value::Map> log(Spec spec);
  Task<Value::Map> repeat(Spec spec);
  Task<Value::Map> wait_for(Spec spec);
  Task<Value::Map> signal(Spec spec);
  Task<Value::Map> origin(Spec spec);
  Task<Value::Map> write(Spec spec);
  Value::Map close(Spec spec);

  // A connection to a port; null, and why, when there is none.
  Task<std::shared_ptr<Wire>> connect(Spec step, std::string& why);
  struct Question {
    std::string_view path, method = "GET", body = {};
    Duration limit = std::chrono::seconds(5);
  };
  Task<Admin> ask_admin(Question question);
  Task<std::string> stats_text();

  const Spec spec_;
  test::SimWorld world_;
  test::SimFabric fabric_;
  test::SimMachine peers_;
  Stage stage_;
  CaseProxy proxy_;
  const Letters letters_;
  std::vector<std::unique_ptr<Origin>> origins_;
  std::vector<std::shared_ptr<Client>> clients_;  // all there were: their tasks may wait for them
  std::map<std::string, std::shared_ptr<Client>> conns_;
  std::deque<Started> begun_;
  std::map<std::string, Started*> started_;
  std::map<std::string, size_t> log_at_;
  Value::List steps_;
  std::string failed_;
  bool exit_expected_ = false;
  bool finished_ = false;
  bool checks_quiet_ = false;
};

}  // namespace sluice::player
