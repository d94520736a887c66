#include "upstream/health_checker.h"

#include <algorithm>

#include "base/strings.h"
#include "upstream/check_pipe.h"
#include "upstream/grpc_check.h"
#include "upstream/health_checkers.h"
#include "upstream/http_check.h"
#include "upstream/tcp_check.h"
#include "upstream/timestamp.h"

namespace sluice::upstream {

namespace {

constexpr std::string_view kFailureNames[] = {"ACTIVE", "NETWORK", "NETWORK_TIMEOUT", "PASSIVE"};

net::Address with_port(const net::Address& address, uint16_t port) {
  return port == 0 || !address.is_ip() ? address : address.with_port(port);
}

std::string json_address(const net::Address& address) {
  if (!address.is_ip()) return cat("{\"pipe\":{\"path\":", json_quote(address.to_string()), ",\"mode\":0}}");
  return cat("{\"socket_address\":{\"protocol\":\"TCP\",\"address\":", json_quote(address.ip_to_string()),
             ",\"port_value\":", address.port(),
             ",\"resolver_name\":\"\",\"ipv4_compat\":false,\"network_namespace_filepath\":\"\"}}");
}

}  // namespace

CheckSession::CheckSession(HealthChecker& checker, std::shared_ptr<Host> host)
    : checker_(checker),
      host_(std::move(host)),
      interval_(checker.local().loop.timers(), [this] { run(); }),
      timeout_(checker.local().loop.timers(), [this] {
        give_up_check();
        failed(CheckFailure::kNetworkTimeout, Severity::kCounts);
      }) {
  verdict_.failing = (host_->failing.load(std::memory_order_relaxed) & kActiveCheck) != 0;
}

void CheckSession::start() {
  const Duration jitter = checker_.plan().initial_jitter;
  interval_.arm(jitter.count() == 0 ? Duration(0)
                                    : Duration(static_cast<int64_t>(checker_.local().random.next() %
                                                                    static_cast<uint64_t>(jitter.count()))));
}

void CheckSession::run() {
  checker_.stats_.inc(HealthChecker::Stat::kAttempt);
  timeout_.arm(checker_.plan().timeout);
  begin_check();
}

net::Address CheckSession::address() const {
  const model::EndpointCheck* own = host_->plan->extra->check.get();
  const net::Address& base = own != nullptr && own->address ? *own->address : host_->address();
  const uint16_t port = own != nullptr && own->port != 0 ? own->port : 0;
  return with_port(base, port != 0 ? port : checker_.plan().alt_port);
}

const std::string& CheckSession::check_hostname() const {
  static const std::string none;
  const model::EndpointCheck* own = host_->plan->extra->check.get();
  return own == nullptr ? none : own->hostname;
}

net::TransportSocket* CheckSession::transport_socket() const {
  const std::optional<uint16_t>& match = checker_.plan().socket_match;
  return match ? checker_.sockets_.of(*match) : checker_.sockets_.of(*host_);
}

void CheckSession::open(CheckPipe& pipe) {
  net::TransportWishes wishes;
  wishes.host_name = host_->hostname();
  wishes.alpn = checker_.plan().alpn;
  if (checker_.plan().socket_match) checker_.count_socket_match();
  pipe.open(address(), *checker_.cluster_.plan->connect, transport_socket(), wishes);
}

void CheckSession::passed(Wellness wellness) {
  timeout_.cancel();
  bad_ = 0;
  Change change = Change::kNone;
  if (verdict_.failing) {
    // The first answer of all is believed: a start would take too long otherwise.
    if (first_ || ++good_ >= checker_.plan().healthy_threshold) {
      good_ = 0;
      verdict_.failing = verdict_.says_goodbye = false;
      change = Change::kDone;
      log(cat("\"add_healthy_event\":{\"first_check\":", first_ ? "true" : "false", "}"));
    } else {
      change = Change::kPending;
    }
  }
  if (change != Change::kDone && checker_.plan().log_every_success) log("\"successful_health_check_event\":{}");
  const bool degraded = wellness == Wellness::kDegraded;
  const bool flips = degraded != verdict_.degraded;
  if (flips) {
    verdict_.degraded = degraded;
    log(degraded ? "\"degraded_healthy_host\":{}" : "\"no_longer_degraded_host\":{}");
  }
  checker_.stats_.inc(HealthChecker::Stat::kSuccess);
  first_ = false;
  host_->check_pending = false;
  verdict_.timed_out = false;
  if (change == Change::kDone || flips) checker_.show_counts();
  checker_.all_.settle(*host_);
  checker_.all_.passed(*host_);
  checker_.all_.check_first_round();
  arm_next(wellness, true, change);
}

void CheckSession::failed(CheckFailure failure, Severity severity, uint16_t status) {
  timeout_.cancel();
  const Change change = count_failure(failure, severity, status);
  checker_.all_.check_first_round();
  arm_next(Wellness::kHealthy, false, change);
}

void CheckSession::says_goodbye() {
  verdict_.says_goodbye = true;
  count_failure(CheckFailure::kPassive, Severity::kHard, 0);
  checker_.all_.check_first_round();
}

CheckSession::Change CheckSession::count_failure(CheckFailure failure, Severity severity, uint16_t status) {
  good_ = 0;
  Change change = Change::kNone;
  const std::string what = cat("{\"failure_type\":\"", kFailureNames[static_cast<size_t>(failure)], "\",");
  if (!verdict_.failing) {
    if (severity == Severity::kHard || ++bad_ >= checker_.plan().unhealthy_threshold) {
      bad_ = 0;
      verdict_.failing = true;
      change = Change::kDone;
      log(cat("\"eject_unhealthy_event\":", what, "\"http_status_code\":", status, "}"));
    } else {
      change = Change::kPending;
    }
  }
  if (first_ || checker_.plan().log_every_failure) {
    log(cat("\"health_check_failure_event\":", what, "\"first_check\":", first_ ? "true" : "false",
            ",\"http_status_code\":", status, "}"));
  }
  checker_.stats_.inc(HealthChecker::Stat::kFailure);
  if (failure == CheckFailure::kPassive) {
    checker_.stats_.inc(HealthChecker::Stat::kPassiveFailure);
  } else if (failure != CheckFailure::kActive) {
    checker_.stats_.inc(HealthChecker::Stat::kNetworkFailure);
  }
  first_ = false;
  host_->check_pending = false;
  verdict_.timed_out = failure == CheckFailure::kNetworkTimeout;
  if (change == Change::kDone) checker_.show_counts();
  checker_.all_.settle(*host_);
  return change;
}

// While a change is under way the edge intervals count; a cluster that nobody uses is asked seldom.
void CheckSession::arm_next(Wellness, bool healthy, Change change) {
  const model::HealthCheckPlan& plan = checker_.plan();
  Duration base{0};
  if (!checker_.has_traffic()) {
    base = healthy ? plan.no_traffic_healthy_interval : plan.no_traffic_interval;
  } else if (healthy) {
    base = change == Change::kPending ? plan.healthy_edge_interval : plan.interval;
  } else {
    base = change == Change::kPending ? plan.unhealthy_edge_interval : plan.unhealthy_interval;
  }
  const auto up_to = [this](Duration most) {
    return most.count() <= 0
               ? Duration(0)
               : Duration(static_cast<int64_t>(checker_.local().random.next() % static_cast<uint64_t>(most.count())));
  };
  interval_.arm(base + up_to(base * plan.interval_jitter_percent / 100) + up_to(plan.interval_jitter));
}

void CheckSession::log(std::string_view event) const {
  const model::HealthCheckPlan& plan = checker_.plan();
  if (plan.event_logs.empty()) return;
  const model::Locality& locality = host_->place->locality;
  const std::string line =
      cat("{\"health_checker_type\":\"",
          plan.http  ? "HTTP"
          : plan.tcp ? "TCP"
                     : "GRPC",
          "\",\"host\":", json_address(host_->address()),
          ",\"cluster_name\":", json_quote(checker_.cluster_.plan->name), ",", event, ",\"timestamp\":\"",
          timestamp_text(checker_.local_.loop.wall_now()), "\",\"locality\":{\"region\":", json_quote(locality.region),
          ",\"zone\":", json_quote(locality.zone), ",\"sub_zone\":", json_quote(locality.sub_zone), "}}\n");
  for (const auto& log : plan.event_logs) (void)log->append(line);
}

HealthChecker::HealthChecker(HealthCheckers& all, const model::HealthCheckPlan& plan, WorkerLocal& local)
    : all_(all),
      cluster_(all.cluster()),
      plan_(plan),
      local_(local),
      sockets_(*cluster_.plan, local),
      block_id_(cluster_.registry.add_block<stats::HealthCheckStat>(
          cat(cluster_.plan->stat_prefix(), "health_check.", plan.name.empty() ? "" : cat("name.", plan.name, ".")))),
      stats_(local.cells.block<stats::HealthCheckStat>(block_id_)) {
  if (plan.socket_match && *plan.socket_match != 0) {
    const model::SocketMatch& match = (*cluster_.plan->socket_matches)[*plan.socket_match - 1u];
    socket_matched_ = local.cells.counter(cat(match.name, ".total_match_count"), cluster_.stats);
  }
}

HealthChecker::~HealthChecker() {
  sessions_.clear();
  cluster_.registry.release_block(block_id_);
}

void HealthChecker::follow_members() {
  std::unordered_map<const Host*, std::unique_ptr<CheckSession>> before;
  before.swap(sessions_);
  for (const std::shared_ptr<Host>& host : cluster_.hosts()->hosts) {
    if (host->plan->extra->check != nullptr && host->plan->extra->check->off) continue;
    const auto found = before.find(host.get());
    if (found != before.end()) {
      sessions_.emplace(host.get(), std::move(found->second));
      before.erase(found);
      continue;
    }
    std::unique_ptr<CheckSession>& session = sessions_[host.get()] = make_session(host);
    session->start();
  }
  show_counts();
}

std::unique_ptr<CheckSession> HealthChecker::make_session(std::shared_ptr<Host> host) {
  if (plan_.tcp) return std::make_unique<TcpCheckSession>(*this, std::move(host));
  if (plan_.grpc) return std::make_unique<GrpcCheckSession>(*this, std::move(host));
  return std::make_unique<HttpCheckSession>(*this, std::move(host));
}

void HealthChecker::says_goodbye(Host& host) {
  if (const auto session = sessions_.find(&host); session != sessions_.end()) session->second->says_goodbye();
}

void HealthChecker::count_socket_match() {
  if (*plan_.socket_match == 0) {
    cluster_.main_block().inc(stats::ClusterMemberStat::kDefaultTotalMatchCount);
  } else {
    socket_matched_.inc();
  }
}

CheckVerdict HealthChecker::verdict_on(const Host& host) const {
  const auto session = sessions_.find(&host);
  return session == sessions_.end() ? CheckVerdict() : session->second->verdict();
}

void HealthChecker::show_counts() {
  uint64_t healthy = 0;
  uint64_t degraded = 0;
  for (const auto& [host, session] : sessions_) {
    const CheckVerdict& verdict = session->verdict();
    healthy += verdict.failing ? 0 : 1;
    degraded += !verdict.failing && verdict.degraded ? 1 : 0;
  }
  stats_.set(Stat::kHealthy, healthy);
  stats_.set(Stat::kDegraded, degraded);
}

bool HealthChecker::checked_all_once() const {
  return std::all_of(sessions_.begin(), sessions_.end(), [](const auto& one) { return one.second->checked_once(); });
}

bool HealthChecker::has_traffic() const {
  const auto& hosts = cluster_.hosts()->hosts;
  return std::any_of(hosts.begin(), hosts.end(),
                     [](const auto& host) { return host->state.cx_total.load(std::memory_order_relaxed) != 0; });
}

}  // namespace sluice::upstream
