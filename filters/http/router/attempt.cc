#include "filters/http/router/attempt.h"

#include <utility>

#include "filters/http/router/raw_stream.h"
#include "filters/http/router/router_options.h"
#include "filters/http/router/upstream_filters.h"
#include "proxy/exchange_trace.h"
#include "upstream/cluster.h"

namespace sluice::filters::router {

using stats::SizeStat;
using upstream::ResetReason;

namespace {
// While there is no stream, this much of a body is taken before the client has to wait.
constexpr size_t kMaxWaiting = 32 * 1024;

constexpr size_t kStatusBytes = 10;   // ":status" and its three digits
constexpr size_t kPseudoHeaders = 4;  // of a request

size_t bytes_of(const http::HeaderMap& fields) {
  size_t sum = 0;
  for (const http::HeaderField& field : fields) {
    sum += field.name().size() + field.value().size();
  }
  return sum;
}

size_t bytes_of(const http::RequestHeaders& headers) {
  constexpr std::string_view kNames = ":method:path:scheme:authority";
  return kNames.size() + headers.method.size() + headers.path.size() + headers.scheme.size() +
         headers.authority.size() + bytes_of(headers.fields);
}
}  // namespace

Attempt::Timers::Timers(event::Loop& loop, Attempt& attempt)
    : whole(loop.timers(), [&attempt] { attempt.owner_.on_try_timeout(attempt); }),
      idle(loop.timers(), [&attempt] { attempt.owner_.on_try_idle(attempt); }) {}

Attempt::Attempt(AttemptOwner& owner, proxy::Exchange& exchange, const RouterOptions& options, const Timeouts& timeouts,
                 upstream::Pool& pool, UpstreamLocals& filters)
    : owner_(owner),
      exchange_(exchange),
      options_(options),
      timeouts_(timeouts),
      pool_(pool),
      locals_(filters),
      waiting_(exchange.local().slabs) {
  pin_.reset(&pool);
}

void Attempt::start(uint8_t priority, http::End end) {
  priority_ = priority;
  began_ = exchange_.local().loop.now();
  if (format::Facts& facts = exchange_.facts(); facts.attempts > 1) {  // what the former try had found
    facts.upstream_connected = format::kUnset;
    facts.upstream_local = {};
    facts.upstream_elsewhere = nullptr;
    facts.has_upstream_protocol = false;
  }
  claim_facts();
  begin_span();
  log_again();
  if (pool_.cluster().plan().http_filters == nullptr && options_.upstream_filters == nullptr) {
    ask_for_stream(end);
  } else {
    pass_filters(end);
  }
}

void Attempt::pass_filters(http::End end) {
  const model::ClusterPlan& plan = pool_.cluster().plan();
  const UpstreamFiltersPtr& filters = plan.http_filters != nullptr ? plan.http_filters : options_.upstream_filters;
  const upstream::ClusterShared* owner = plan.http_filters != nullptr ? pool_.cluster().shared().get() : nullptr;
  exchange_.name_try_filters(*filters);
  filters_ = exchange_.arena().create<UpstreamFilters>(*this, exchange_, filters, locals_.of(filters, owner));
  filters_->request_headers(*exchange_.request(), end);
  if (!over_ && exchange_.request_complete()) {
    arm_timers();
  }
}

void Attempt::ask_for_stream(http::End end) {
  asked_ = true;
  end_ = end;
  headers_only_ = end == http::End::kYes;
  pool_.request(*this, priority_);
}

void Attempt::start_raw(upstream::Cluster& cluster) {
  began_ = exchange_.local().loop.now();
  claim_facts();
  begin_span();
  log_again();
  const format::Facts& facts = exchange_.facts();
  raw_ = exchange_.arena().create<RawStream>(cluster, pool_.host(), exchange_.local(),
                                             static_cast<upstream::PoolRequest&>(*this),
                                             upstream::RawConnection::Client{*facts.direct_remote, *facts.local});
  raw_->start();
}

void Attempt::begin_span() {
  if (proxy::ExchangeTrace* trace = exchange_.trace(); trace != nullptr) {
    span_ = trace->begin_try(*exchange_.request(), options_.start_child_span);
  }
}

void Attempt::claim_facts() {
  format::Facts& facts = exchange_.facts();
  facts.upstream_host = &pool_.host().address();
  facts.upstream_hostname = pool_.host().hostname();
  facts.upstream_metadata = exchange_.keep_upstream_metadata(pool_.host());
  if (stream_ != nullptr) {
    facts.upstream_connection_id = stream_->connection_id();
    facts.upstream_local = stream_->local_address();
    facts.upstream_elsewhere = elsewhere_;
    facts.upstream_protocol = stream_->protocol();
    facts.has_upstream_protocol = true;
  }
}

void Attempt::report(upstream::Outcome outcome, uint16_t status) {
  pool_.cluster().report(pool_.host(), outcome, status);
}

void Attempt::says_goodbye() { pool_.cluster().says_goodbye(pool_.host()); }

void Attempt::says_degraded() { pool_.cluster().says_degraded(pool_.host()); }

bool Attempt::take_load_report(const http::HeaderMap& fields) {
  return pool_.cluster().take_load_report(pool_.host(), fields);
}

void Attempt::arm_timers() {
  const bool waits_for_filter = filters_ != nullptr && !asked_;
  if ((stream_ == nullptr && !waits_for_filter) || timers_ != nullptr ||
      (timeouts_.per_try.count() == 0 && timeouts_.per_try_idle.count() == 0)) {
    return;
  }
  timers_ = exchange_.arena().create<Timers>(exchange_.local().loop, *this);
  if (timeouts_.per_try.count() > 0) {
    timers_->whole.arm(timeouts_.per_try);
  }
  touch();
}

void Attempt::touch() {
  if (timers_ != nullptr && timeouts_.per_try_idle.count() > 0) {
    timers_->idle.arm(timeouts_.per_try_idle);
  }
}

void Attempt::log_again() {
  if (options_.log_interval.count() == 0) {
    return;
  }
  if (log_interval_ == nullptr) {
    log_interval_ = exchange_.arena().create<event::Timer>(exchange_.local().loop.timers(), [this] {
      log_again();
      owner_.on_log_interval(*this);
    });
  }
  log_interval_->arm(options_.log_interval);
}

void Attempt::limit_life(Duration limit) {
  life_ = exchange_.arena().create<event::Timer>(exchange_.local().loop.timers(),
                                                 [this] { owner_.on_try_too_long(*this); });
  life_->arm(limit);
}

// track_cluster_stats: bytes of names and values, pseudo headers with them.
void Attempt::record_response_sizes(const http::ResponseHeaders& headers) {
  if (auto& sizes = pool_.cluster().sizes()) {
    sizes.record(SizeStat::kUpstreamRsHeadersSize, kStatusBytes + bytes_of(headers.fields));
    sizes.record(SizeStat::kUpstreamRsHeadersCount, 1 + headers.fields.size());
  }
}

void Attempt::record_totals() {
  if (auto& sizes = pool_.cluster().sizes(); sizes && sent_) {
    sizes.record(SizeStat::kUpstreamRqBodySize, body_sent_);
    sizes.record(SizeStat::kUpstreamRsBodySize, body_received_);
  }
  if (auto& budgets = pool_.cluster().budgets()) {
    budgets.record(stats::BudgetStat::kUpstreamRqTimeoutBudgetPerTryPercentUsed,
                   percent_of(exchange_.local().loop.now() - began_, timeouts_.per_try));
  }
}

void Attempt::is_over() {
  record_totals();
  waiting_.clear();
  over_ = true;
  if (stream_ != nullptr) {
    bytes_ = stream_->bytes();
    stream_ = nullptr;
  }
  exchange_.facts().upstream_bytes += bytes_;
  owner_.on_over(*this);
  if (timers_ != nullptr) {
    timers_->whole.cancel();
    timers_->idle.cancel();
    timers_ = nullptr;
  }
  if (log_interval_ != nullptr) {
    log_interval_->cancel();
  }
  if (life_ != nullptr) {
    life_->cancel();
  }
  if (span_ != nullptr) {
    exchange_.trace()->end_try(*std::exchange(span_, nullptr), pool_.host(),
                               response_ == nullptr ? 0 : response_->status);
  }
  if (filters_ != nullptr) {
    filters_->end();
  }
}

void Attempt::leave_stream() {
  claim_facts();
  heard_all_ = true;
  bytes_ = stream_->bytes();
  stream_ = nullptr;
}

void Attempt::on_stream(upstream::UpstreamStream& stream) {
  stream_ = &stream;
  sent_ = true;
  if (pool_.host().has_others.load(std::memory_order_relaxed) && stream.remote_address() != pool_.host().address()) {
    elsewhere_ = exchange_.arena().create<net::Address>(stream.remote_address());
  }
  claim_facts();
  format::Facts& facts = exchange_.facts();
  exchange_.keep_upstream_tls(stream.tls());
  facts.upstream_tx_start = exchange_.local().loop.now();
  facts.pool_wait = facts.upstream_tx_start - began_;
  const upstream::ConnectTimes connected = stream.connect_times();
  facts.upstream_connect_start = connected.begin;
  facts.upstream_connected = connected.end;
  if (const Duration limit = pool_.cluster().plan().max_stream_duration; limit.count() > 0) {
    limit_life(limit);
  }
  owner_.on_stream(*this);
  const http::End headers_end = headers_only_ ? http::End::kYes : http::End::kNo;
  put_headers(*exchange_.request(), headers_end);
  // Other streams of a shared connection may have filled it before this one began.
  if (exchange_.response_stopped()) {
    stream.response_gate().close(net::Pause::kPeerFull);
  }
  if (headers_only_) {
    sent_all();
    arm_timers();
    return;
  }
  const bool body_ends = end_ == http::End::kYes && waiting_trailers_ == nullptr;
  if (!waiting_.empty() || body_ends) {
    stream.send_data(waiting_, body_ends ? http::End::kYes : http::End::kNo);
  }
  if (waiting_trailers_ != nullptr) {
    stream.send_trailers(*waiting_trailers_);
  }
  if (end_ == http::End::kYes) {
    sent_all();
  }
  if (end_ == http::End::kNo && stream.full()) {
    exchange_.request_gate().close(net::Pause::kPeerFull);
  }
  exchange_.request_gate().open(net::Pause::kConnecting);
  if (exchange_.request_complete()) {
    arm_timers();
  }
}

void Attempt::on_no_stream(ResetReason reason, std::string_view details) {
  reset_reason_ = reason;
  is_over();
  if (reason == ResetReason::kOverflow) {  // no host was asked
    exchange_.facts().upstream_host = nullptr;
    exchange_.facts().upstream_hostname = {};
  }
  exchange_.request_gate().open(net::Pause::kConnecting);
  owner_.on_failed(*this, reason, details);
}

void Attempt::send_data(buffer::Buffer& data, http::End end) {
  if (over_) {
    return;
  }
  if (filters_ != nullptr) {
    touch();
    filters_->request_data(data, end);
  } else {
    put_data(data, end);
  }
}

void Attempt::send_trailers(http::HeaderMap& trailers) {
  if (over_) {
    return;
  }
  if (filters_ != nullptr) {
    filters_->request_trailers(trailers);
  } else {
    put_trailers(trailers);
  }
}

void Attempt::put_headers(const http::RequestHeaders& headers, http::End end) {
  if (auto& sizes = pool_.cluster().sizes()) {
    sizes.record(SizeStat::kUpstreamRqHeadersSize, bytes_of(headers));
    sizes.record(SizeStat::kUpstreamRqHeadersCount, kPseudoHeaders + headers.fields.size());
  }
  stream_->send_headers(headers, end);
}

void Attempt::put_data(buffer::Buffer& data, http::End end) {
  body_sent_ += data.size();
  if (stream_ != nullptr) {
    touch();
    stream_->send_data(data, end);
    if (end == http::End::kYes) {
      sent_all();
    }
    return;
  }
  waiting_.move_from(data);
  waiting_.own();
  end_ = end;
  if (waiting_.size() >= kMaxWaiting) {
    exchange_.request_gate().close(net::Pause::kConnecting);
  }
}

void Attempt::put_trailers(http::HeaderMap& trailers) {
  if (stream_ != nullptr) {
    stream_->send_trailers(trailers);
    sent_all();
    return;
  }
  waiting_trailers_ = &trailers;
  end_ = http::End::kYes;
}

void Attempt::sent_all() { exchange_.facts().upstream_tx_end = exchange_.local().loop.now(); }

void Attempt::reset() {
  if (over_) {
    return;
  }
  upstream::UpstreamStream* stream = stream_;
  if (span_ != nullptr && span_->sampled) span_->tag("canceled", "true");
  is_over();
  cancel();
  if (raw_ != nullptr) {
    raw_->reset();
  } else if (stream != nullptr) {
    stream->reset();
  }
  // Nobody else would: what stopped the client was this try.
  exchange_.request_gate().open(net::Pause::kConnecting);
  exchange_.request_gate().open(net::Pause::kPeerFull);
}

void Attempt::pause_response(bool pause) {
  if (stream_ == nullptr) {
    return;
  }
  if (pause) {
    stream_->response_gate().close(net::Pause::kPeerFull);
  } else {
    stream_->response_gate().open(net::Pause::kPeerFull);
  }
}

void Attempt::stop_stream(bool stopped) {
  if (stream_ == nullptr) {
    return;
  }
  net::ReadGate& gate = stream_->response_gate();
  stopped ? gate.close(net::Pause::kFilter) : gate.open(net::Pause::kFilter);
}

size_t Attempt::request_room() const {
  if (stream_ != nullptr) {
    return stream_->room();
  }
  return waiting_.size() >= kMaxWaiting ? 0 : kMaxWaiting - waiting_.size();
}

// Without proxy_100_continue no interim response passes; with it the first one does.
void Attempt::on_interim(http::ResponseHeaders& headers) {
  owner_.on_interim(*this, headers);
  if (exchange_.plan().codec.proxy_100_continue && !interim_seen_) {
    interim_seen_ = true;
    exchange_.respond_interim(headers);
  }
}

void Attempt::on_response_headers(http::ResponseHeaders& headers, http::End end) {
  if (filters_ == nullptr) {
    take_headers(headers, end);
    return;
  }
  touch();
  if (end == http::End::kYes) {
    leave_stream();
  }
  filters_->response_headers(headers, end);
}

void Attempt::on_response_data(buffer::Buffer& data, http::End end) {
  if (filters_ == nullptr) {
    take_data(data, end);
    return;
  }
  touch();
  if (end == http::End::kYes) {
    leave_stream();
  }
  filters_->response_data(data, end);
}

void Attempt::on_response_trailers(http::HeaderMap& trailers) {
  if (filters_ == nullptr) {
    take_trailers(trailers);
    return;
  }
  leave_stream();
  filters_->response_trailers(trailers);
}

void Attempt::take_headers(http::ResponseHeaders& headers, http::End end) {
  answered_ = true;
  response_ = &headers;
  record_response_sizes(headers);
  if (exchange_.facts().attempts > 1) {  // another try may have claimed them since this one has its stream
    claim_facts();
  }
  touch();
  if (timers_ != nullptr) {
    timers_->whole.cancel();
  }
  if (end == http::End::kYes) {
    is_over();
  }
  owner_.on_headers(*this, headers, end);
}

void Attempt::take_data(buffer::Buffer& data, http::End end) {
  touch();
  body_received_ += data.size();
  if (end == http::End::kYes) {
    is_over();
  }
  owner_.on_data(*this, data, end);
}

void Attempt::take_trailers(http::HeaderMap& trailers) {
  is_over();
  owner_.on_trailers(*this, trailers);
}

void Attempt::on_stream_reset(ResetReason reason, std::string_view details) {
  unread_ = headers_only_ && !interim_seen_ && reason == ResetReason::kConnectionTermination && stream_->unread();
  reset_reason_ = reason;
  is_over();
  owner_.on_failed(*this, reason, details);
}

void Attempt::on_request_full(bool full) {
  if (full) {
    exchange_.request_gate().close(net::Pause::kPeerFull);
  } else {
    exchange_.request_gate().open(net::Pause::kPeerFull);
  }
}

}  // namespace sluice::filters::router
