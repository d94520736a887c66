// HealthChecker: asks every host of a cluster again and again, in one way, whether it is well.
//
//   unknown --first success--> healthy --unhealthy_threshold failures, or one hard one--> unhealthy
//      +--first failure--> unhealthy --healthy_threshold successes--> healthy
// https://www.envoyproxy.io/docs/envoy/v1.36.0/intro/arch_overview/upstream/health_checking
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "event/loop.h"
#include "model/health_plan.h"
#include "net/address.h"
#include "stats/names_cluster.h"
#include "upstream/cluster_shared.h"
#include "upstream/transport_sockets.h"
#include "upstream/worker_local.h"

namespace sluice::upstream {

class CheckPipe;
class HealthChecker;
class HealthCheckers;
class OutlierDetector;

// kPassive: an answer to somebody else said so.
enum class CheckFailure : uint8_t { kActive, kNetwork, kNetworkTimeout, kPassive };
// Whether one failure is enough, or unhealthy_threshold of them are needed.
enum class Severity : uint8_t { kHard, kCounts };
enum class Wellness : uint8_t { kHealthy, kDegraded };

// What one way of checking says of a host by now.
struct CheckVerdict {
  bool failing = false;
  bool degraded = false;
  bool timed_out = false;
  bool says_goodbye = false;  // x-envoy-immediate-health-check-fail

  void operator|=(const CheckVerdict& other) {
    failing |= other.failing;
    degraded |= other.degraded;
    timed_out |= other.timed_out;
    says_goodbye |= other.says_goodbye;
  }
};

// The checks of one host. A kind of check overrides the two hooks and says how each check ended, exactly once. Owned by
// its checker. Thread: main.
class CheckSession {
 public:
  CheckSession(HealthChecker& checker, std::shared_ptr<Host> host);
  virtual ~CheckSession() = default;
  CheckSession(const CheckSession&) = delete;
  CheckSession& operator=(const CheckSession&) = delete;

  void start();
  Host& host() { return *host_; }
  bool checked_once() const { return !first_; }
  const CheckVerdict& verdict() const { return verdict_; }
  // An answer of the host said that it goes (x-envoy-immediate-health-check-fail): one failure, the hard way; the next
  // check comes when it would have come.
  void says_goodbye();

 protected:
  virtual void begin_check() = 0;
  // It took too long.
  virtual void give_up_check() = 0;

  void passed(Wellness wellness);
  void failed(CheckFailure failure, Severity severity, uint16_t status = 0);
  bool checking() const { return timeout_.armed(); }
  // Where this host is asked.
  net::Address address() const;
  // The endpoint's name for checks; empty: none.
  const std::string& check_hostname() const;
  HealthChecker& checker() { return checker_; }
  const HealthChecker& checker() const { return checker_; }
  // With a failure that is about to be told: an answer to this check said that the host goes.
  void goes() { verdict_.says_goodbye = true; }
  // To where this host is asked, wrapped as its other connections are unless the check says else.
  void open(CheckPipe& pipe);
  // Null: plain.
  net::TransportSocket* transport_socket() const;

 private:
  enum class Change : uint8_t { kNone, kPending, kDone };
  void run();
  Change count_failure(CheckFailure failure, Severity severity, uint16_t status);
  void arm_next(Wellness wellness, bool healthy, Change change);
  void log(std::string_view event) const;

  HealthChecker& checker_;
  const std::shared_ptr<Host> host_;
  uint32_t good_ = 0;
  uint32_t bad_ = 0;
  bool first_ = true;
  CheckVerdict verdict_;
  event::Timer interval_;
  event::Timer timeout_;
};

// One entry of health_checks; owned by the cluster's HealthCheckers. Thread: main.
class HealthChecker {
 public:
  using Stat = stats::HealthCheckStat;

  HealthChecker(HealthCheckers& all, const model::HealthCheckPlan& plan, WorkerLocal& local);
  ~HealthChecker();
  HealthChecker(const HealthChecker&) = delete;
  HealthChecker& operator=(const HealthChecker&) = delete;

  // The hosts of the cluster changed.
  void follow_members();
  bool checked_all_once() const;
  // Of hosts that are not checked: nothing bad.
  CheckVerdict verdict_on(const Host& host) const;
  // See CheckSession. Of hosts that are not checked nothing is heard.
  void says_goodbye(Host& host);

  // verify_cluster.
  void count_verified_service() { stats_.inc(Stat::kVerifyCluster); }

  const model::HealthCheckPlan& plan() const { return plan_; }
  WorkerLocal& local() const { return local_; }
  ClusterShared& cluster() const { return cluster_; }

 private:
  friend class CheckSession;

  std::unique_ptr<CheckSession> make_session(std::shared_ptr<Host> host);
  void show_counts();
  void count_socket_match();
  // Whether the cluster has ever had traffic: one without is checked less often.
  bool has_traffic() const;

  HealthCheckers& all_;
  ClusterShared& cluster_;
  const model::HealthCheckPlan& plan_;
  WorkerLocal& local_;
  TransportSockets sockets_;
  stats::BlockId block_id_;
  stats::Block<stats::HealthCheckStat> stats_;
  stats::Single socket_matched_;  // transport_socket_match_criteria found one
  std::unordered_map<const Host*, std::unique_ptr<CheckSession>> sessions_;
};

}  // namespace sluice::upstream
