#include "proxy/exchange.h"

#include <algorithm>
#include <memory>

#include "base/log.h"
#include "base/trace.h"
#include "model/route_apply.h"
#include "proxy/downstream_connection.h"
#include "proxy/exchange_trace.h"
#include "proxy/grpc_timeout.h"
#include "proxy/reason.h"
#include "proxy/request_preparation.h"
#include "proxy/response_preparation.h"

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

HttpStat class_stat(uint16_t status) {
  switch (status / 100) {
    case 1:
      return HttpStat::kDownstreamRq1xx;
    case 2:
      return HttpStat::kDownstreamRq2xx;
    case 3:
      return HttpStat::kDownstreamRq3xx;
    case 4:
      return HttpStat::kDownstreamRq4xx;
    default:
      return HttpStat::kDownstreamRq5xx;
  }
}

stats::ListenerHttpStat listener_class_stat(uint16_t status) {
  using stats::ListenerHttpStat;
  switch (status / 100) {
    case 1:
      return ListenerHttpStat::kDownstreamRq1xx;
    case 2:
      return ListenerHttpStat::kDownstreamRq2xx;
    case 3:
      return ListenerHttpStat::kDownstreamRq3xx;
    case 4:
      return ListenerHttpStat::kDownstreamRq4xx;
    default:
      return ListenerHttpStat::kDownstreamRq5xx;
  }
}

void count_answer(HttpServer& server, uint16_t status) {
  server.block().inc(HttpStat::kDownstreamRqCompleted);
  server.block().inc(class_stat(status));
  server.listener_block().inc(stats::ListenerHttpStat::kDownstreamRqCompleted);
  server.listener_block().inc(listener_class_stat(status));
}

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
      stream_(stream),
      arena_(connection.local().chunks),
      gate_([this](bool open) { connection_.on_stream_gate(*this, open); }),
      stream_idle_(connection.local().loop.timers(), [this] { on_stream_idle(); }),
      deadline_(connection.local().loop.timers(),
                [this] {
                  block().inc(HttpStat::kDownstreamRqTimeout);
                  (void)reply(reply_of(Reason::kRequestTimeout));
                }),
      max_duration_(connection.local().loop.timers(), [this] {
        block().inc(HttpStat::kDownstreamRqMaxDurationReached);
        if (response_begun_) {
          cut_response(facts_of(Reason::kMaxStreamDuration).details, {});
        } else {
          (void)reply(timeout_reply(Reason::kMaxStreamDuration, request_complete_));
        }
      }) {
  begin_facts();
  stable_random_ = connection_.local().random.next();
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
  event::Loop& loop = connection_.local().loop;
  facts_.start = loop.now();
  facts_.start_wall = loop.wall_now();
  facts_.connection_id = connection_.id();
  facts_.random = &connection_.local().random;
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
}

Exchange::~Exchange() { SLUICE_DCHECK(finished_); }

const model::HttpPlan& Exchange::plan() const { return connection_.server().plan(); }
std::unique_ptr<FilterLocal>& Exchange::connection_local(const model::FilterConfig& key) {
  return connection_.filter_local(&key);
}
upstream::WorkerLocal& Exchange::local() { return connection_.local(); }
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
  grpc_ = is_grpc(headers);
  facts_.request = &headers;
  facts_.protocol = headers.protocol;
  facts_.has_protocol = true;
  if (end == http::End::kYes) {
    request_complete_ = true;
    facts_.request_end = local().loop.now();
  }
  arm_timers();
  if (connection_.server().overloaded(&Overload::refuse_requests)) {
    block().inc(HttpStat::kDownstreamRqOverloadClose);
    (void)reply(reply_of(Reason::kOverload));
    return;
  }
  trace::step("exchange: prepare request");
  Peer peer{connection_.remote(), connection_.local_address()};
  if (const net::TlsFacts* tls = facts_.downstream_tls; tls != nullptr) {
    peer.tls = true;
    peer.client_certificate = tls->peer_presented;
    peer.tls_facts = tls;
  }
  peer.machine_ip = connection_.server().proxy().state.machine_ip;
  const Prepared prepared = prepare_request(plan(), headers, peer, facts_, local().random);
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
    log_timer_ = arena_.create<event::Timer>(local().loop.timers(), [this] {
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

bool Exchange::was_redirected(const model::Route* from, const model::Route* to) const {
  const Redirect* hop = redirected_;
  while (hop != nullptr && (hop->from != from || hop->to != to)) {
    hop = hop->next;
  }
  return hop != nullptr;
}

void Exchange::note_redirect(const model::Route* target) {
  ++redirects_;
  redirected_ = arena_.create<Redirect>(Redirect{route_.route, target, redirected_});
}

void Exchange::begin_again(buffer::Buffer& body, http::HeaderMap* trailers) {
  facts_.details = facts_of(Reason::kInternalRedirect).details;
  facts_.end = local().loop.now();
  on_abort_ = nullptr;
  on_response_full_ = nullptr;
  request_room_ = nullptr;
  upstream_bytes_ = nullptr;
  chain_.complete(facts_);
  if (trace_ != nullptr) trace_->end();
  log(format::LogType::kDownstreamEnd);
  std::destroy_at(&chain_);
  std::construct_at(&chain_);
  // What filters left was for the request as it was.
  metadata_ = nullptr;
  filter_state_ = nullptr;
  const net::Address* client = facts_.remote;
  const format::Facts old = std::exchange(facts_, format::Facts());
  begin_facts();
  facts_.start = local().loop.now();
  facts_.remote = client;
  facts_.request = request_;
  facts_.request_trailers = trailers;
  facts_.protocol = old.protocol;
  facts_.has_protocol = old.has_protocol;
  facts_.bytes_received = old.bytes_received;
  facts_.listener_metadata = old.listener_metadata;
  if (filter_state_ != nullptr) {
    facts_.filter_state = filter_state_;
  }
  metadata_ = nullptr;  // that of filters is of one pass
  target_named_ = false;
  facts_.request_end = facts_.start;
  response_ = nullptr;
  block().inc(HttpStat::kDownstreamRqTotal);
  find_route(internal_);
  begin_trace();
  enter_chain(*request_, body.empty() && trailers == nullptr ? http::End::kYes : http::End::kNo);
  if (!body.empty() && !answered_locally_ && !finished_) {
    chain_.request_data(body, trailers == nullptr ? http::End::kYes : http::End::kNo);
  }
  if (trailers != nullptr && !answered_locally_ && !finished_) {
    chain_.request_trailers(*trailers);
  }
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

void Exchange::on_data(buffer::Buffer& data, http::End end) {
  touch();
  facts_.bytes_received += data.size();
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
  facts_.request_trailers = &trailers;
  if (!answered_locally_ && !response_complete_) {
    chain_.request_trailers(trailers);
  }
  request_is_complete();
}

void Exchange::request_is_complete() {
  if (request_complete_) {
    return;
  }
  request_complete_ = true;
  facts_.request_end = local().loop.now();
  deadline_.cancel();
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

Step Exchange::reply(const LocalReply& given) {
  LocalReply reply = given;
  if (finished_) {
    return Step::taken();
  }
  if (reply.flag) {
    facts_.flags.set(*reply.flag);
  }
  facts_.details = reply.details;
  if (response_begun_) {
    cut_response(reply.details, {});
    return Step::taken();
  }
  answered_locally_ = true;
  // A bad request leaves doubt about what follows it on an HTTP/1 connection.
  if (reply.status == 400 && !connection_.has_streams() && !plan().codec.stream_error_on_invalid_message) {
    connection_.close_after_response();
  }
  if (on_abort_) {
    Function<void()> abort = std::move(on_abort_);
    abort();
  }
  http::ResponseHeaders* const headers = begin_local_reply(arena_, reply);
  if (route_.route != nullptr) {
    facts_.response = headers;  // rules may ask for its location
    model::finalize_response(route_, weighted_, *headers, facts_);
    const http::HeaderField* type = reply.fields == nullptr ? nullptr : reply.fields->find(http::Token::kContentType);
    if (type != nullptr)
      headers->fields.set(http::Token::kContentType, type->value());  // the body's, whatever rules say
  }
  if (plan().local_reply) {
    map_local_reply(*plan().local_reply, reply, *headers, facts_, arena_);
  }
  const BuiltReply built =
      finish_local_reply(arena_, reply, *headers, request_, grpc_ ? ReplyForm::kGrpc : ReplyForm::kText);
  // Instead of a response that a filter has seen: as Envoy, past the filters.
  const bool replaces = response_ != nullptr;
  if (replaces) {
    chain_.drop_response();
  }
  const http::End end = built.body.empty() ? http::End::kYes : http::End::kNo;
  if (replaces) {
    response_ = built.headers;
    facts_.response = built.headers;
    response_headers_passed(*built.headers, end);
  } else {
    respond_headers(*built.headers, end);
  }
  if (end == http::End::kNo && !finished_ && response_ == built.headers) {
    buffer::Buffer body(local().slabs);
    body.append_borrowed(built.body);
    replaces ? response_data_passed(body, http::End::kYes) : respond_data(body, http::End::kYes);
  }
  return Step::taken();
}

void Exchange::respond_interim(http::ResponseHeaders& headers) {
  touch();
  count_answer(connection_.server(), headers.status);
  connection_.send_interim(*this, headers);
}

void Exchange::respond_headers(http::ResponseHeaders& headers, http::End end) {
  touch();
  response_ = &headers;
  facts_.response = &headers;
  trace::step("chain: response headers");
  chain_.built() ? chain_.response_headers(headers, end) : response_headers_passed(headers, end);
}

void Exchange::response_headers_passed(http::ResponseHeaders& headers, http::End end) {
  response_begun_ = true;
  facts_.response_code = headers.status;
  facts_.response_start = local().loop.now();
  count_answer(connection_.server(), headers.status);
  prepare_response(plan(), request_, headers, local().loop.wall_now());
  if (trace_ != nullptr) trace_->on_response(headers);
  connection_.send_headers(*this, headers, end);
  if (upgrade_asked_ && plan().log_at_tunnel &&
      (headers.status == 101 || (request_->method == "CONNECT" && headers.status / 100 == 2))) {
    log(format::LogType::kDownstreamTunnelSuccessfullyEstablished);
  }
  if (end == http::End::kYes) {
    response_is_complete();
  }
}

void Exchange::respond_data(buffer::Buffer& data, http::End end) {
  touch();
  chain_.built() ? chain_.response_data(data, end) : response_data_passed(data, end);
}

void Exchange::response_data_passed(buffer::Buffer& data, http::End end) {
  facts_.bytes_sent += data.size();
  connection_.send_data(*this, data, end);
  if (end == http::End::kYes) {
    response_is_complete();
  }
}

void Exchange::respond_trailers(http::HeaderMap& trailers) {
  touch();
  facts_.response_trailers = &trailers;
  chain_.built() ? chain_.response_trailers(trailers) : response_trailers_passed(trailers);
}

void Exchange::response_trailers_passed(http::HeaderMap& trailers) {
  facts_.response_trailers = &trailers;
  connection_.send_trailers(*this, trailers);
  response_is_complete();
}

void Exchange::response_is_complete() {
  if (finished_) {
    return;
  }
  response_complete_ = true;
  on_abort_ = nullptr;
  if (request_complete_) {
    finish();
    return;
  }
  // The rest of the request would be of no use to anybody: the exchange ends here, and with HTTP/1 its connection.
  block().inc(HttpStat::kDownstreamRqResponseBeforeRqComplete);
  if (!connection_.has_streams()) connection_.close_after_response();
  finish();
}

void Exchange::cut_response(std::string_view details, std::optional<format::Flag> flag) {
  if (finished_) {
    return;
  }
  facts_.details = details;
  if (flag) {
    facts_.flags.set(*flag);
  }
  block().inc(HttpStat::kDownstreamRqTxReset);
  block().inc(HttpStat::kDownstreamRqRxReset);  // as Envoy, which hears its own reset
  DownstreamConnection& connection = connection_;
  finish();
  connection.cut();
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

void Exchange::on_downstream_full(bool full) { set_response_stop(kClientFull, full); }
void Exchange::on_stream_full(bool full) { set_response_stop(kStreamFull, full); }

void Exchange::set_response_stop(ResponseStop reason, bool stopped) {
  const uint8_t before = response_stops_;
  response_stops_ = static_cast<uint8_t>(stopped ? before | reason : before & ~reason);
  if ((before == 0) != (response_stops_ == 0) && on_response_full_ && !finished_) {
    on_response_full_(response_stops_ != 0);
  }
}

void Exchange::stop_response(bool stopped) { set_response_stop(kFilterPaused, stopped); }

void Exchange::stop_request(bool stopped) {
  stopped ? request_gate().close(net::Pause::kFilter) : request_gate().open(net::Pause::kFilter);
}

void Exchange::request_too_large() {
  block().inc(HttpStat::kDownstreamRqTooLarge);
  (void)reply(reply_of(Reason::kRequestTooLarge));
}
void Exchange::response_too_large() { (void)reply(reply_of(Reason::kResponseTooLarge)); }
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
    const http::ByteMeter bytes = connection_.bytes_of(*this);
    if (bytes.wire_received != 0) facts_.downstream_bytes = bytes;  // else its stream has gone, and told
  }
  if (upstream_bytes_ && !finished_) {
    const http::ByteMeter over = facts_.upstream_bytes;
    facts_.upstream_bytes += upstream_bytes_();
    connection_.server().log(facts_);
    facts_.upstream_bytes = over;
    return;
  }
  connection_.server().log(facts_);
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
  facts_.end = local().loop.now();
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
