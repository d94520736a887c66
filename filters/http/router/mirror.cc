#include "filters/http/router/mirror.h"

#include <algorithm>

#include "base/strings.h"
#include "http/path.h"
#include "net/machine_address.h"
#include "proxy/exchange.h"
#include "upstream/wishes.h"

namespace sluice::filters::router {

using http::Token;
using stats::ClusterStat;
using upstream::HostState;
using upstream::Outcome;
using upstream::ResetReason;

namespace {

void copy_fields(const http::HeaderMap& from, http::HeaderMap& to) {
  to.reserve(from.size());
  for (const http::HeaderField& field : from) {
    to.add_copy(field.name(), field.value());
  }
}

// "host-shadow", before the port.
std::string_view shadow_host(std::string_view authority, Arena& arena) {
  const http::HostPort parts = http::split_host(authority);
  if (parts.port.data() == nullptr) {
    return arena.copy(cat(authority, "-shadow"));
  }
  return arena.copy(cat(parts.host, "-shadow:", parts.port));
}

}  // namespace

Mirror::Mirror(upstream::WorkerLocal& local, upstream::Cluster& cluster, upstream::Pool& pool, Duration timeout)
    : local_(local),
      cluster_(cluster),
      pool_(pool),
      arena_(local.chunks),
      headers_(arena_.create<http::RequestHeaders>(arena_)),
      waiting_(local.slabs),
      timeout_(timeout),
      deadline_(local.loop.timers(), [this] {
        cluster_.block().inc(ClusterStat::kUpstreamRqTimeout);
        HostState::inc(pool_.host().state.rq_timeout);
        failed(Outcome::kTimeout, 504);
      }) {
  held_ = &cluster_;
  pin_.reset(&pool_);
}

Mirror::~Mirror() {
  if (stream_ != nullptr) {
    stream_->reset();
  }
}

void Mirror::start(uint8_t priority, http::End end) {
  headers_only_ = end == http::End::kYes;
  if (headers_only_) {
    request_ended();
  }
  pool_.request(*this, priority);
}

void Mirror::request_ended() {
  ended_ = true;
  request_end_ = local_.loop.now();
  IntrusiveNode<MirrorFeed>::unlink();
  if (timeout_.count() > 0) {
    deadline_.arm(timeout_);
  }
}

size_t Mirror::room() const {
  if (stream_ != nullptr) {
    return stream_->room();
  }
  const size_t limit = cluster_.plan().buffer_limit;
  return limit == 0 ? SIZE_MAX : limit - std::min(limit, waiting_.size());
}

void Mirror::send_data(const buffer::Buffer& data, http::End end) {
  if (over_) {
    return;
  }
  if (data.size() > room()) {
    cluster_.block().inc(ClusterStat::kRetryOrShadowAbandoned);
    cut();
    return;
  }
  if (end == http::End::kYes) {
    request_ended();
  }
  if (stream_ == nullptr) {
    waiting_.append_copy_of(data);
    return;
  }
  buffer::Buffer copy(local_.slabs);
  copy.append_copy_of(data);
  stream_->send_data(copy, end);
}

void Mirror::send_trailers(const http::HeaderMap& trailers) {
  if (over_) {
    return;
  }
  auto* copy = arena_.create<http::HeaderMap>(arena_);
  copy_fields(trailers, *copy);
  trailers_ = copy;
  request_ended();
  if (stream_ != nullptr) {
    stream_->send_trailers(*trailers_);
  }
}

void Mirror::on_stream(upstream::UpstreamStream& stream) {
  stream_ = &stream;
  cluster_.report(pool_.host(), Outcome::kConnected, 200);
  stream.send_headers(*headers_, headers_only_ ? http::End::kYes : http::End::kNo);
  if (headers_only_) {
    return;
  }
  const bool body_ends = ended_ && trailers_ == nullptr;
  if (!waiting_.empty() || body_ends) {
    stream.send_data(waiting_, body_ends ? http::End::kYes : http::End::kNo);
  }
  if (trailers_ != nullptr) {
    stream.send_trailers(*trailers_);
  }
}

void Mirror::on_no_stream(ResetReason reason, std::string_view) {
  if (reason == ResetReason::kOverflow) {
    cluster_.answers().count(503, {.internal = true});
    end();
    return;
  }
  failed(Outcome::kConnectFailed, 503);
}

void Mirror::on_response_headers(http::ResponseHeaders& headers, http::End end_of) {
  answered_ = true;
  cluster_.report(pool_.host(), Outcome::kAnswered, headers.status);
  cluster_.answers().count(headers.status, answer_of());
  HostState::inc(headers.status >= 500 ? pool_.host().state.rq_error : pool_.host().state.rq_success);
  if (end_of == http::End::kYes) answered_whole();
}

void Mirror::on_response_data(buffer::Buffer& data, http::End end_of) {
  data.clear();
  if (end_of == http::End::kYes) answered_whole();
}

void Mirror::answered_whole() {
  stream_ = nullptr;
  if (ended_) {
    cluster_.answers().record_time(static_cast<uint64_t>(to_ms(local_.loop.now() - request_end_)), answer_of());
  }
  end();
}

void Mirror::on_stream_reset(ResetReason, std::string_view) {
  stream_ = nullptr;
  failed(Outcome::kConnectFailed, 503);
}

upstream::AnswerOf Mirror::answer_of() const {
  return {.internal = true, .zone = cluster_.answers().zone_of(&pool_.host())};
}

void Mirror::failed(Outcome outcome, uint16_t status) {
  if (!answered_) {
    cluster_.report(pool_.host(), outcome, status);
    HostState::inc(pool_.host().state.rq_error);
    cluster_.answers().count(status, answer_of());
  }
  end();
}

void Mirror::cut() {
  if (!over_) {
    end();
  }
}

void Mirror::end() {
  over_ = true;
  deadline_.cancel();
  cancel();
  if (upstream::UpstreamStream* stream = std::exchange(stream_, nullptr)) {
    stream->reset();
  }
  IntrusiveNode<MirrorSet>::unlink();
  IntrusiveNode<MirrorFeed>::unlink();
  local_.loop.destroy_later(std::unique_ptr<event::Deferred>(this));
}

MirrorSet::~MirrorSet() {
  while (Mirror* mirror = mirrors_.front()) {
    mirror->cut();
  }
}

const std::string& MirrorSet::machine_ip() {
  if (machine_ip_.empty()) {
    machine_ip_ = net::machine_ip();
  }
  return machine_ip_;
}

Mirror* MirrorSet::begin(const model::MirrorPolicy& policy, proxy::Exchange& exchange, Duration timeout) {
  if (policy.fraction && !policy.fraction->includes(exchange.stable_random())) {
    return nullptr;
  }
  const http::RequestHeaders& request = *exchange.request();
  const std::string_view name =
      policy.cluster_header.empty() ? std::string_view(policy.cluster) : request.get(policy.cluster_header);
  upstream::Cluster* cluster = name.empty() ? nullptr : exchange.clusters().find(name);
  if (cluster == nullptr) {
    return nullptr;
  }
  upstream::LbRequest wanted;
  wanted.authority = request.authority;
  const upstream::Chosen chosen = cluster->choose_host(wanted);
  if (chosen.host == nullptr) {
    cluster->block().inc(ClusterStat::kUpstreamCxNoneHealthy);
    cluster->answers().count(503, {.internal = true});
    return nullptr;
  }
  auto* mirror = new Mirror(exchange.local(), *cluster,
                            upstream::pool_for(*chosen.cluster, *chosen.host, 0, *exchange.request()), timeout);
  mirrors_.push_back(*mirror);
  http::RequestHeaders& headers = mirror->headers();
  Arena& arena = headers.fields.arena();
  headers.method = arena.copy(request.method);
  headers.path = arena.copy(request.path);
  headers.scheme = arena.copy(request.scheme);
  headers.protocol = request.protocol;
  headers.authority = !policy.host.empty() ? std::string_view(policy.host)
                      : policy.keep_host   ? arena.copy(request.authority)
                                           : shadow_host(request.authority, arena);
  copy_fields(request.fields, headers.fields);
  policy.mutations.apply(headers.fields, exchange.facts());
  headers.fields.set(Token::kXEnvoyInternal, "true");
  headers.fields.append_value(Token::kXForwardedFor, machine_ip(), ",");
  return mirror;
}

}  // namespace sluice::filters::router
