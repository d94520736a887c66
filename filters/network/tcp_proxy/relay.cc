#include "filters/network/tcp_proxy/relay.h"

#include <algorithm>

#include "base/hash.h"
#include "base/strings.h"
#include "filters/network/tcp_proxy/tunnel.h"
#include "upstream/raw_connection.h"

namespace sluice::filters::tcp_proxy {

using format::Flag;
using stats::ClusterStat;
using upstream::ResetReason;

Relay::Relay(TcpServer& server, std::unique_ptr<net::Transport> transport, proxy::AcceptedPtr accepted)
    : ByteConnection(server, std::move(transport), std::move(accepted)),
      server_(server),
      early_(worker().slabs),
      stream_id_(worker().random.next() | 1),
      last_byte_(worker().loop.now()),
      idle_(worker().loop.timers(), [this] { on_idle(); }),
      max_duration_(worker().loop.timers(), [this] { on_max_duration(); }),
      wait_(worker().loop.timers(), [this] {
        if (state_ == State::kConnecting) {
          attempt();
        } else {
          log_periodically();
        }
      }) {}

void Relay::on_start() {
  server_.block().inc(TcpStat::kDownstreamCxTotal);
  if (plan().log_on_start) {
    log(format::LogType::kTcpConnectionStart);
  }
  if (plan().max_duration.count() > 0) {
    const auto most =
        static_cast<uint64_t>(static_cast<double>(plan().max_duration.count()) * plan().max_duration_jitter / 100);
    max_duration_.arm(plan().max_duration + Duration(worker().random.below(most + 1)));
  }
  if (!plan().max_early_data) {
    pause_client();
  }
  if (!plan().connect_on_data) {
    connect();
  }
}

std::string_view Relay::choose_cluster() {
  if (const proxy::Found* found = accepted().known()) {
    if (const FilterState::Object* chosen = found->filter_state.find("envoy.tcp_proxy.cluster")) {
      return chosen->text;
    }
  }
  const std::vector<ClusterChoice>& choices = plan().clusters;
  if (choices.size() > 1) {
    uint64_t at = worker().random.below(plan().total_weight);
    for (const ClusterChoice& choice : choices) {
      if (at < choice.weight) {
        match_ = choice.match.get();
        return choice.name;
      }
      at -= choice.weight;
    }
  }
  match_ = choices.front().match.get();
  return choices.front().name;
}

void Relay::connect() {
  state_ = State::kConnecting;
  cluster_ = server_.proxy().clusters.find(choose_cluster());
  if (cluster_ == nullptr) {
    server_.block().inc(TcpStat::kDownstreamCxNoRoute);
    refuse(Flag::kNoClusterFound);
    return;
  }
  attempt();
}

void Relay::attempt() {
  auto& block = cluster_->block();
  upstream::Breakers& breakers = cluster_->breakers();
  // A connection that waits for another one to end would wait as long as clients like to talk.
  if (breakers.in_use(upstream::Resource::kConnections, 0) >= breakers.limit(upstream::Resource::kConnections, 0)) {
    block.inc(ClusterStat::kUpstreamCxOverflow);
    refuse(Flag::kUpstreamOverflow);
    return;
  }
  if (attempts_ >= plan().max_connect_attempts) {
    block.inc(ClusterStat::kUpstreamCxConnectAttemptsExceeded);
    refuse(Flag::kUpstreamRetryLimitExceeded);
    return;
  }
  upstream::LbRequest request;
  request.attempt = attempts_;
  request.match = match_;
  if (plan().hash_source_ip) {
    request.hash = xxhash64(accepted().remote().ip_to_string());
  } else if (!plan().hash_filter_state.empty() && accepted().known() != nullptr) {
    if (const FilterState::Object* object = accepted().known()->filter_state.find(plan().hash_filter_state)) {
      request.hash = xxhash64(object->text);
    }
  }
  upstream::Chosen chosen;
  if (cluster_->plan().original_dst == nullptr) {
    chosen = cluster_->choose_host(request);
  } else {
    chosen = {cluster_.get(),
              cluster_->host_for({accepted().known() == nullptr ? nullptr : &accepted().known()->filter_state, nullptr,
                                  nullptr, accepted().local_restored() ? &accepted().local() : nullptr})};
  }
  if (chosen.host == nullptr) {
    block.inc(ClusterStat::kUpstreamCxNoneHealthy);
    refuse(Flag::kNoHealthyUpstream);
    return;
  }
  ++attempts_;
  if (host_ != nullptr) {
    if (earlier_ == nullptr) earlier_ = std::make_unique<Earlier>();
    earlier_->told.push_back({&host_->address(), host_->hostname()});
    earlier_->hosts.push_back(std::move(host_));
  }
  via_ = chosen.cluster;
  host_ = chosen.host->shared_from_this();
  connect_began_ = worker().loop.now();
  if (plan().tunnel != nullptr) {
    open_tunnel(chosen);
    return;
  }
  upstream_ = upstream::RawConnection::connect(*chosen.cluster, *chosen.host, worker(),
                                               {accepted().remote(), accepted().local()}, *this);
  if (upstream_ == nullptr) {
    retry();
  }
}

void Relay::open_tunnel(const upstream::Chosen& chosen) {
  format::Facts facts;
  fill(facts);
  // The pool may answer at once, with an idle connection or a refusal.
  upstream::ByteStream* tunnel =
      HttpTunnel::open(*plan().tunnel, *chosen.cluster, *chosen.host, worker(), facts, *this, accepted());
  if (tunnel != nullptr) {
    upstream_ = tunnel;
  }
}

// The number is Envoy's for the kind of failure.
void Relay::refuse(Flag flag) {
  accepted().flags.set(flag);
  close_reason_ = flag == Flag::kNoHealthyUpstream  ? "tcp_initializion_failure:1"
                  : flag == Flag::kUpstreamOverflow ? "tcp_initializion_failure:2"
                  : flag == Flag::kNoClusterFound   ? "tcp_initializion_failure:3"
                                                    : "tcp_initializion_failure:0";
  close(net::CloseHow::kFin);
}

void Relay::retry() {
  if (plan().backoff_base.count() <= 0 || attempts_ >= plan().max_connect_attempts) {
    attempt();
    return;
  }
  const Duration longest = plan().backoff_base * (int64_t{1} << std::min(attempts_ - 1, 20u));
  wait_.arm(Duration(worker().random.below(std::min(longest, plan().backoff_max).count() + 1)));
}

void Relay::on_failed(ResetReason reason, std::string_view details) {
  upstream_ = nullptr;
  if (reason == ResetReason::kConnectFailure || reason == ResetReason::kConnectTimeout) {
    accepted().flags.set(Flag::kUpstreamConnectionFailure);
    const bool late = reason == ResetReason::kConnectTimeout;
    via_->report(*host_, late ? upstream::Outcome::kTimeout : upstream::Outcome::kConnectFailed, late ? 504 : 503);
  }
  failure_ = details;
  std::replace(failure_.begin(), failure_.end(), ' ', '_');
  retry();
}

void Relay::on_connected() {
  state_ = State::kOpen;
  connected_ = worker().loop.now();
  via_->report(*host_, upstream::Outcome::kConnected, 200);
  upstream_local_ = upstream_->local_address();
  upstream_remote_ = upstream_->remote_address();
  upstream_id_ = upstream_->connection_id();
  const bool told = !server_.access_log().empty() || server_.listener().plan.access_logs != nullptr;
  if (const net::TlsFacts* tls = upstream_->tls(); tls != nullptr && told) {
    upstream_tls_ = tls->texts().shared_from_this();
  }
  if (!outbox().empty() && outbox().full()) {
    upstream_->want_read(false);
  }
  if (!early_.empty()) {
    upstream_->send(early_);
  }
  if (client_ended()) {
    upstream_->finish();
  }
  last_byte_ = connected_;
  if (plan().idle_timeout.count() > 0) {
    idle_.arm(plan().idle_timeout);
  }
  if (plan().log_on_connected) {
    log(format::LogType::kTcpUpstreamConnected);
  }
  if (plan().log_interval.count() > 0) {
    wait_.arm(plan().log_interval);
  }
  pause_client();
}

// Reads from the client when there is room for its bytes.
void Relay::pause_client() {
  bool read = false;
  if (state_ == State::kOpen) {
    read = !upstream_full_;
  } else if (state_ == State::kWaiting || state_ == State::kConnecting) {
    read = plan().max_early_data.has_value() && early_.size() < std::max(*plan().max_early_data, 1u);
  }
  if (read != reading_) {
    reading_ = read;
    read_on(read);
  }
}

void Relay::on_data(buffer::Buffer& data) {
  received_ += data.size();
  server_.block().add(TcpStat::kDownstreamCxRxBytesTotal, data.size());
  if (state_ == State::kOpen) {
    touch();
    upstream_sent_ += data.size();
    upstream_->send(data);
    if (plan().check_drain) close_if_draining();
    return;
  }
  if (early_.empty()) {
    server_.block().inc(TcpStat::kEarlyDataReceivedCountTotal);
  }
  early_.move_from(data);
  early_.own();
  upstream_sent_ = early_.size();
  pause_client();
  if (state_ == State::kWaiting) {
    connect();
  }
}

// What was said until now still arrives, on both sides.
void Relay::close_if_draining() {
  const proxy::ListenerFacts& listener = server_.listener();
  if (drained_ ||
      !server_.proxy().state.drain.tells(listener.plan, listener.drain_since, worker().loop.now(), worker().random)) {
    return;
  }
  server_.block().inc(TcpStat::kDownstreamCxDrainClose);
  drained_ = true;
  if (outbox().empty()) close(net::CloseHow::kFin);
}

void Relay::on_end() {
  if (state_ == State::kOpen) {
    upstream_->finish();
  } else if (state_ == State::kWaiting) {
    close(net::CloseHow::kFin);
  }
}

size_t Relay::room() const {
  // What comes before the upstream is kept: no more than was asked for, beyond what one read takes.
  return upstream_ != nullptr && state_ == State::kOpen ? upstream_->room() : 0;
}

void Relay::on_upstream_data(buffer::Buffer& data) {
  upstream_received_ += data.size();
  if (closed() || drained_) {
    data.clear();
    return;
  }
  touch();
  sent_ += data.size();
  send(data);
  if (plan().check_drain) close_if_draining();
}

void Relay::on_bytes_sent(size_t bytes) {
  wire_sent_ += bytes;
  server_.block().add(TcpStat::kDownstreamCxTxBytesTotal, bytes);
  touch();
  if (drained_ && outbox().empty()) close(net::CloseHow::kFin);
}

void Relay::on_outbox_full(bool full) {
  if (state_ == State::kOpen) {
    upstream_->want_read(!full);
  }
}

void Relay::on_upstream_full(bool full) {
  upstream_full_ = full;
  if (state_ == State::kOpen) {
    server_.block().inc(full ? TcpStat::kDownstreamFlowControlPausedReadingTotal
                             : TcpStat::kDownstreamFlowControlResumedReadingTotal);
    pause_client();
  }
}

void Relay::on_upstream_sent(size_t) {
  touch();
  check_flushed();
}

// A client that was reset says so to the upstream, and the other way round.
void Relay::on_lost() {
  upstream_ = nullptr;
  if (closed()) {  // nobody is left
    cut();
    return;
  }
  accepted().flags.set(Flag::kUpstreamRemoteReset);
  close(net::CloseHow::kReset);
}

bool Relay::on_closed(net::CloseHow how, format::Facts& facts) {
  wait_.cancel();
  max_duration_.cancel();
  const bool flush = state_ == State::kOpen && upstream_ != nullptr && how == net::CloseHow::kFin &&
                     (client_ended() || drained_) && !upstream_->sent_all();
  if (upstream_ != nullptr && !flush) {
    std::exchange(upstream_, nullptr)->close(how);
  }
  fill(facts);
  facts.client_reset = how == net::CloseHow::kReset && !accepted().flags.has(Flag::kUpstreamRemoteReset);
  facts.log_type = format::LogType::kTcpConnectionEnd;
  server_.access_log().log(facts);
  if (flush) {
    // Both sides have said all, but not all of it is on its way.
    state_ = State::kFlushing;
    server_.block().inc(TcpStat::kUpstreamFlushTotal);
    server_.block().inc(TcpStat::kUpstreamFlushActive);
    return false;
  }
  state_ = State::kClosed;
  idle_.cancel();
  return true;
}

void Relay::check_flushed() {
  if (state_ == State::kFlushing && upstream_->sent_all()) {
    cut();
  }
}

void Relay::cut() {
  if (state_ != State::kFlushing) {
    close(net::CloseHow::kFin);
    return;
  }
  state_ = State::kClosed;
  idle_.cancel();
  server_.block().dec(TcpStat::kUpstreamFlushActive);
  if (upstream_ != nullptr) {
    std::exchange(upstream_, nullptr)->close(net::CloseHow::kFin);
  }
  leave();
}

// The timer is armed seldom: it looks at the time of the last byte when it fires.
void Relay::touch() { last_byte_ = worker().loop.now(); }

void Relay::on_idle() {
  const Duration quiet = worker().loop.now() - last_byte_;
  if (quiet < plan().idle_timeout) {
    idle_.arm(plan().idle_timeout - quiet);
    return;
  }
  server_.block().inc(TcpStat::kIdleTimeout);
  close_reason_ = "tcp_session_idle_timeout";
  cut();
}

void Relay::on_max_duration() {
  server_.block().inc(TcpStat::kMaxDownstreamConnectionDuration);
  accepted().flags.set(Flag::kDurationTimeout);
  close_reason_ = "max_connection_duration_reached";
  close(net::CloseHow::kFin);
}

void Relay::fill(format::Facts& facts) const {
  describe(facts);
  facts.bytes_received = facts.downstream_bytes.wire_received = received_;
  facts.bytes_sent = sent_;
  facts.downstream_bytes.wire_sent = wire_sent_;
  facts.upstream_bytes.wire_sent = upstream_sent_;
  facts.upstream_bytes.wire_received = upstream_received_;
  facts.attempts = attempts_;
  facts.close_reason = close_reason_;
  if (earlier_ != nullptr) facts.attempted = earlier_->told;
  facts.upstream_failure = failure_;
  facts.upstream_connect_start = connect_began_;
  facts.upstream_connected = connected_;
  if (cluster_ != nullptr) {
    facts.cluster = cluster_->plan().observable_name();
    facts.cluster_raw = cluster_->plan().name;
  }
  if (host_ != nullptr) {
    facts.upstream_host = &host_->address();
    facts.upstream_hostname = host_->hostname();
    const bool elsewhere = upstream_remote_.kind() != net::AddressKind::kNone && upstream_remote_ != host_->address();
    facts.upstream_elsewhere = elsewhere ? &upstream_remote_ : nullptr;
  }
  facts.upstream_local = upstream_local_;
  facts.upstream_tls = upstream_tls_.get();
  facts.upstream_connection_id = upstream_id_;
  facts.stream_id = stream_id_;
}

void Relay::log(format::LogType type) {
  format::Facts facts;
  fill(facts);
  facts.log_type = type;
  server_.access_log().log(facts);
}

void Relay::log_periodically() {
  log(format::LogType::kTcpPeriodic);
  wait_.arm(plan().log_interval);
}

}  // namespace sluice::filters::tcp_proxy
