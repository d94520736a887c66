#include "proxy/exchange.h"

#include <memory>
#include <utility>
#include <variant>

#include "base/trace.h"
#include "http/grpc.h"
#include "proxy/downstream_connection.h"
#include "proxy/exchange_trace.h"
#include "proxy/reason.h"
#include "proxy/request_preparation.h"

namespace sluice::proxy {

using stats::HttpStat;

namespace {

// Memory of ended exchanges, kept by the thread for the next ones.
struct FreeList {
  static constexpr uint32_t kMaxKept = 256;
  ~FreeList() {
    while (head != nullptr) {
      ::operator delete(std::exchange(head, *static_cast<void**>(head)));
    }
  }
  void* head = nullptr;
  uint32_t kept = 0;
};
thread_local FreeList free_exchanges;

}  // namespace

void* Exchange::operator new(size_t bytes) {
  if (free_exchanges.head != nullptr) {
    --free_exchanges.kept;
    return std::exchange(free_exchanges.head, *static_cast<void**>(free_exchanges.head));
  }
  return ::operator new(bytes);
}

void Exchange::operator delete(void* memory, size_t) {
  if (free_exchanges.kept == FreeList::kMaxKept) {
    ::operator delete(memory);
    return;
  }
  *static_cast<void**>(memory) = free_exchanges.head;
  free_exchanges.head = memory;
  ++free_exchanges.kept;
}

Exchange::Exchange(DownstreamConnection& connection, http::StreamId stream)
    : connection_(connection),
      local_(connection.local()),
      stream_(stream),
      arena_(local_.chunks),
      gate_([this](bool open) { connection_.on_stream_gate(*this, open); }),
      stream_idle_(local_.loop.timers(), [this] { on_stream_idle(); }),
      deadline_(local_.loop.timers(),
                [this] {
                  block().inc(HttpStat::kDownstreamRqTimeout);
                  (void)reply(reply_of(Reason::kRequestTimeout));
                }),
      max_duration_(local_.loop.timers(), [this] {
        block().inc(HttpStat::kDownstreamRqMaxDurationReached);
        if (response_begun_) {
          cut_response(facts_of(Reason::kMaxStreamDuration).details, {});
        } else {
          (void)reply(timeout_reply(Reason::kMaxStreamDuration, request_complete_));
        }
      }) {
  begin_facts();
  stable_random_ = local_.random.next();
  block().inc(HttpStat::kDownstreamRqTotal);
  if (connection_.has_streams()) {
    facts_.protocol = http::Protocol::kHttp2;
    facts_.has_protocol = true;
    block().inc(HttpStat::kDownstreamRqHttp2Total);
    idle_timeout_ = plan().stream_idle_timeout;  // also while its head comes in
    if (idle_timeout_.count() > 0) stream_idle_.arm(idle_timeout_);
  } else {
    block().inc(HttpStat::kDownstreamRqHttp1Total);
  }
  block().inc(HttpStat::kDownstreamRqActive);
}

void Exchange::begin_facts() {
  event::Loop& loop = local_.loop;
  facts_.start = loop.now();
  facts_.start_wall = loop.wall_now();
  facts_.connection_id = connection_.id();
  facts_.random = &local_.random;
  facts_.remote = &connection_.remote();
  facts_.direct_remote = &connection_.accepted().direct_remote();
  facts_.local = &connection_.local_address();
  facts_.direct_local = &connection_.accepted().direct_local();
  facts_.requested_server_name = connection_.accepted().server_name();
  if (const Found* found = connection_.accepted().known()) {
    facts_.filter_state = &found->filter_state;
  }
  facts_.downstream_tls = connection_.tls();
  facts_.filter_chain = connection_.server().listener().chain.name;
  const model::ListenerFrame& listener = connection_.server().listener().plan;
  facts_.listener = listener.name;
  facts_.listener_metadata = listener.metadata.get();
  facts_.live_bytes = this;
}

// A stream of HTTP/2 that has gone told the facts.
http::ByteMeter Exchange::downstream_bytes() const {
  const http::ByteMeter bytes = connection_.bytes_of(*this);
  return bytes.wire_received == 0 ? facts_.downstream_bytes : bytes;
}

http::ByteMeter Exchange::upstream_bytes() const {
  http::ByteMeter bytes = facts_.upstream_bytes;
  if (tries_ != nullptr && !finished_) bytes += tries_->bytes_under_way();
  return bytes;
}

Exchange::~Exchange() { SLUICE_DCHECK(finished_); }

const model::HttpPlan& Exchange::plan() const { return connection_.server().plan(); }
std::unique_ptr<FilterLocal>& Exchange::connection_local(const model::FilterConfig& key) {
  return connection_.filter_local(&key);
}
upstream::ClusterSet& Exchange::clusters() { return connection_.server().proxy().clusters; }
bool Exchange::health_failed() const { return connection_.server().proxy().state.drain.health_failed(); }
stats::Block<HttpStat>& Exchange::block() { return connection_.server().block(); }
RouteCounters& Exchange::route_counters() { return connection_.server().route_counters(); }
net::ReadGate& Exchange::request_gate() { return connection_.has_streams() ? gate_ : connection_.gate(); }
uint64_t Exchange::body_buffer_limit() const { return connection_.server().listener().plan.buffer_limit; }
size_t Exchange::response_room() const { return connection_.response_room(*this); }

const model::FilterOverride* Exchange::find_override(std::string_view filter_name) const {
  const model::FilterOverride* found = nullptr;
  for_each_override_level([&](const model::FilterOverrides& level) {
    for (const model::FilterOverride& one : level) {
      if (found == nullptr && one.filter_name == filter_name) {
        found = &one;
      }
    }
  });
  return found;
}

Metadata& Exchange::metadata() {
  if (metadata_ == nullptr) {
    facts_.metadata = metadata_ = arena_.create<Metadata>();
  }
  return *metadata_;
}

FilterState& Exchange::filter_state() {
  if (filter_state_ == nullptr) {
    const FilterState* of_connection = facts_.filter_state;
    facts_.filter_state = filter_state_ = arena_.create<FilterState>();
    filter_state_->set_parent(of_connection);
  }
  return *filter_state_;
}

bool Exchange::has_overrides() const {
  bool any = false;
  for_each_override_level([&](const model::FilterOverrides& level) { any |= !level.empty(); });
  return any;
}

void Exchange::arm_timers() {
  const model::HttpPlan& p = plan();
  idle_timeout_ = p.stream_idle_timeout;
  if (idle_timeout_.count() > 0) {
    stream_idle_.arm(idle_timeout_);
  }
  if (p.request_timeout.count() > 0 && !request_complete_) {
    deadline_.arm(p.request_timeout);
  }
  if (p.max_stream_duration.count() > 0) {
    max_duration_.arm(p.max_stream_duration);
  }
}

void Exchange::on_headers(http::RequestHeaders& headers, http::End end) {
  request_ = &headers;
  grpc_ = http::is_grpc(headers.fields);
  facts_.request = &headers;
  facts_.protocol = headers.protocol;
  facts_.has_protocol = true;
  if (end == http::End::kYes) {
    request_complete_ = true;
    facts_.request_end = local_.loop.now();
  }
  arm_timers();
  if (connection_.server().overloaded(&Overload::refuse_requests)) {
    block().inc(HttpStat::kDownstreamRqOverloadClose);
    refuse_for_overload();
    return;
  }
  trace::step("exchange: prepare request");
  Peer peer{connection_.remote(), connection_.local_address()};
  if (const net::TlsFacts* tls = facts_.downstream_tls; tls != nullptr) {
    peer.tls = true;
    peer.client_certificate = tls->peer_presented;
    peer.tls_facts = tls;
  }
  if (!plan().forward_proto.empty()) peer.local_restored = connection_.accepted().local_restored();
  peer.machine_ip = connection_.server().proxy().state.machine_ip;
  const Prepared prepared = prepare_request(plan(), headers, peer, facts_, local_.random);
  facts_.remote = prepared.client;
  internal_ = prepared.internal;
  upgrade_asked_ = !prepared.upgrade.empty();
  if (prepared.stat) {
    block().inc(*prepared.stat);
  }
  if (prepared.reply != nullptr) {
    (void)reply(*prepared.reply);
    return;
  }
  find_route(prepared.internal);
  begin_trace();
  if (plan().log_at_start) {
    log(format::LogType::kDownstreamStart);
  }
  if (plan().log_interval.count() > 0) {
    log_timer_ = arena_.create<event::Timer>(local_.loop.timers(), [this] {
      log(format::LogType::kDownstreamPeriodic);
      log_timer_->arm(plan().log_interval);
    });
    log_timer_->arm(plan().log_interval);
  }
  if (upgrade_refused()) {
    block().inc(HttpStat::kDownstreamRqWsOnNonWsRoute);
    if (connection_.has_streams()) connection_.close_after_response();
    (void)reply(reply_of(Reason::kUpgradeFailed));
    return;
  }
  if (upgrade_asked_) {
    block().inc(HttpStat::kDownstreamCxUpgradesTotal);
    block().inc(HttpStat::kDownstreamCxUpgradesActive);
  }
  enter_chain(headers, end);
}

void Exchange::begin_trace() {
  trace_ = nullptr;
  if (Tracing* tracing = connection_.server().tracing(); tracing != nullptr) {
    trace_ = arena_.create<ExchangeTrace>(*tracing, *this);
    trace_->decide();
  }
}

void Exchange::enter_chain(http::RequestHeaders& headers, http::End end) {
  trace::step("chain: request headers");
  chain_.build(*this, *this, plan().filters, connection_.server().filter_locals());
  chain_.request_headers(headers, end);
}

bool Exchange::upgrade_refused() const {
  if (!upgrade_asked_ || route_.route == nullptr) {
    return false;
  }
  const auto* forward = std::get_if<model::ForwardAction>(&route_.route->action);
  return !upgrade_allowed(wanted_upgrade(*request_),
                          forward == nullptr ? std::span<const model::Upgrade>() : std::span(forward->upgrades),
                          plan().upgrades);
}

// The request is complete before its filters see its end, as in Envoy: who answers there leaves no rest of it behind.
void Exchange::on_data(buffer::Buffer& data, http::End end) {
  touch();
  facts_.bytes_received += data.size();
  if (end == http::End::kYes) {
    note_request_end();
  }
  if (!answered_locally_ && !response_complete_) {
    chain_.request_data(data, end);
  }
  data.clear();
  if (end == http::End::kYes) {
    request_is_complete();
  }
}

void Exchange::on_trailers(http::HeaderMap& trailers) {
  touch();
  const http::JoinedNames& joined = plan().inline_headers->request_trailers;
  if (!joined.empty()) join_repeated(trailers, joined);
  facts_.request_trailers = &trailers;
  note_request_end();
  if (!answered_locally_ && !response_complete_) {
    chain_.request_trailers(trailers);
  }
  request_is_complete();
}

void Exchange::note_request_end() {
  request_complete_ = true;
  facts_.request_end = local_.loop.now();
  deadline_.cancel();
}

void Exchange::request_is_complete() {
  if (!request_complete_) {
    note_request_end();
  }
  if (on_request_complete_) {
    Function<void()> hook = std::move(on_request_complete_);
    hook();
  }
  if (response_complete_) {
    finish();
  }
}

void Exchange::when_request_complete(Function<void()> hook) {
  if (request_complete_) {
    hook();
  } else {
    on_request_complete_ = std::move(hook);
  }
}

void Exchange::refuse_for_overload() {
  LocalReply refusal = reply_of(Reason::kOverload);
  if (plan().append_local_overload) {
    auto* fields = arena_.create<http::HeaderMap>(arena_);
    fields->add(http::Token::kXEnvoyLocalOverloaded, "true");
    refusal.fields = fields;
  }
  (void)reply(refusal);
}

void Exchange::abort(std::string_view details, std::optional<format::Flag> flag) {
  if (finished_) {
    if (line_waits_) end();
    return;
  }
  facts_.details = details;
  if (flag) {
    facts_.flags.set(*flag);
  }
  finish();
}

void Exchange::refuse(const http::CodecError& error) {
  facts_.flags.set(format::Flag::kDownstreamProtocolError);
  facts_.has_protocol = true;
  (void)reply(codec_error_reply(error));
}

void Exchange::stop_request(bool stopped) {
  stopped ? request_gate().close(net::Pause::kFilter) : request_gate().open(net::Pause::kFilter);
}

void Exchange::request_too_large() {
  block().inc(HttpStat::kDownstreamRqTooLarge);
  (void)reply(reply_of(Reason::kRequestTooLarge));
}
void Exchange::filter_gave_up() { (void)reply(reply_of(Reason::kFilterGaveUp)); }

void Exchange::on_stream_idle() {
  block().inc(HttpStat::kDownstreamRqIdleTimeout);
  if (response_begun_) {
    cut_response(facts_of(Reason::kStreamIdleTimeout).details, format::Flag::kStreamIdleTimeout);
    return;
  }
  (void)reply(timeout_reply(Reason::kStreamIdleTimeout, request_complete_));
}

void Exchange::log(format::LogType type) {
  facts_.log_type = type;
  // The router names the cluster that it uses; of requests that it never sees the log tells where they would have gone.
  if (facts_.cluster.empty() && !target_named_ && route_.route != nullptr &&
      connection_.server().plan().access_logs != nullptr) {
    const auto* forward = std::get_if<model::ForwardAction>(&route_.route->action);
    const upstream::Cluster* cluster =
        forward == nullptr ? nullptr : clusters().find(forward->cluster_name(weighted_, *request_));
    if (cluster != nullptr) {
      facts_.cluster_raw = cluster->plan().name;
      facts_.cluster = cluster->plan().observable_name();
    }
  }
  if (connection_.server().logs_wire_bytes()) {
    facts_.downstream_bytes = downstream_bytes();
  }
  facts_.live_bytes = nullptr;  // a line tells what stands in the facts
  if (tries_ != nullptr && !finished_) {
    const http::ByteMeter over = facts_.upstream_bytes;
    facts_.upstream_bytes += tries_->bytes_under_way();
    connection_.server().log(facts_);
    facts_.upstream_bytes = over;
  } else {
    connection_.server().log(facts_);
  }
  facts_.live_bytes = this;
}

void Exchange::finish() {
  if (finished_) {
    return;
  }
  trace::step("exchange: finish");
  finished_ = true;
  stream_idle_.cancel();
  deadline_.cancel();
  max_duration_.cancel();
  if (log_timer_ != nullptr) {
    log_timer_->cancel();
  }
  facts_.end = local_.loop.now();
  if (on_abort_) {
    Function<void()> abort = std::move(on_abort_);
    abort();
  }
  on_response_full_ = nullptr;
  on_request_complete_ = nullptr;
  block().dec(HttpStat::kDownstreamRqActive);
  block().record(HttpStat::kDownstreamRqTime, static_cast<uint64_t>(to_ms(facts_.end - facts_.start)));
  if (chain_.built()) {
    chain_.complete(facts_);
    if (upgrade_asked_) {
      block().dec(HttpStat::kDownstreamCxUpgradesActive);
    }
  }
  if (trace_ != nullptr) trace_->end();
  line_waits_ = connection_.waits_for_frames(*this);
  if (!line_waits_) end();
}

void Exchange::end() {
  line_waits_ = false;
  log(format::LogType::kDownstreamEnd);
  connection_.exchange_finished(*this);
}

}  // namespace sluice::proxy
