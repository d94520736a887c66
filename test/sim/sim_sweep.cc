#include "test/sim/sim_sweep.h"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <fstream>
#include <map>
#include <vector>

#include "base/check.h"
#include "base/strings.h"

namespace sluice::test {
namespace {

// Thread: the simulation's.
class Sweeper {
 public:
  Sweeper(std::span<const Campaign> campaigns, const Sweep& wanted)
      : campaigns_(campaigns), wanted_(wanted), counts_(campaigns.size()), next_{0, wanted.first_seed} {}

  Swept play() {
    const auto end = std::chrono::steady_clock::now() + wanted_.time;
    while (std::chrono::steady_clock::now() < end) {
      if (running_.size() < wanted_.processes) {
        begin();
      } else {
        finish_one();
      }
    }
    while (!running_.empty()) {
      finish_one();
    }
    Swept all;
    for (size_t i = 0; i < campaigns_.size(); ++i) {
      const Count& count = counts_[i];
      std::printf("%-12s %llu seeds from %llu, %llu failed\n", std::string(campaigns_[i].name).c_str(),
                  static_cast<unsigned long long>(count.passed + count.failed),
                  static_cast<unsigned long long>(wanted_.first_seed), static_cast<unsigned long long>(count.failed));
      all.passed += count.passed;
      all.failed += count.failed;
    }
    all.last_seed = next_.campaign > 0 ? next_.seed : next_.seed - 1;
    return all;
  }

 private:
  struct Run {
    size_t campaign;
    uint64_t seed;
  };
  struct Count {
    uint64_t passed = 0, failed = 0;
  };

  void begin() {
    const Run run = next_;
    next_ = run.campaign + 1 < campaigns_.size() ? Run{run.campaign + 1, run.seed} : Run{0, run.seed + 1};
    std::fflush(nullptr);  // what is not written yet would be written twice
    const pid_t child = fork();
    SLUICE_CHECK(child >= 0);
    if (child == 0) {
      for (const int number : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGTERM}) {
        std::signal(number, SIG_DFL);
      }
      alarm(static_cast<unsigned>(wanted_.limit.count()));
      const std::string seen = campaigns_[run.campaign].play(run.seed, Trace::kKept).violation;
      if (!seen.empty()) {
        note(run, seen.substr(0, seen.find('\n')));
      }
      std::fflush(nullptr);
      _exit(seen.empty() ? 0 : 1);
    }
    running_.emplace(child, run);
  }

  void finish_one() {
    int status = 0;
    const pid_t child = waitpid(-1, &status, 0);
    const auto found = running_.find(child);
    SLUICE_CHECK(found != running_.end());
    const Run run = found->second;
    running_.erase(found);
    if (WIFSIGNALED(status)) {
      const bool hung = WTERMSIG(status) == SIGALRM;
      note(run, hung ? "does not end" : cat("was ended by signal ", WTERMSIG(status)));
    }
    ++(status == 0 ? counts_[run.campaign].passed : counts_[run.campaign].failed);
  }

  void note(const Run& run, const std::string& what) const {
    const std::string line = cat(campaigns_[run.campaign].name, " ", run.seed, " ", what, "\n");
    std::printf("FAIL %s", line.c_str());
    if (!wanted_.failures.empty()) {
      std::ofstream(wanted_.failures, std::ios::app) << line;
    }
  }

  const std::span<const Campaign> campaigns_;
  const Sweep& wanted_;
  std::vector<Count> counts_;
  Run next_;
  std::map<pid_t, Run> running_;
};

}  // namespace

Swept sweep(std::span<const Campaign> campaigns, const Sweep& wanted) { return Sweeper(campaigns, wanted).play(); }

}  // namespace sluice::test
