#include "filters/http/router/retries.h"

#include <algorithm>

#include "base/strings.h"
#include "filters/http/router/timeouts.h"
#include "http/grpc.h"

namespace sluice::filters::router {

namespace on = model::retry_on;
using http::Token;
using stats::ClusterStat;
using upstream::ResetReason;
using upstream::Resource;

namespace {

const model::RetryPolicy kNoPolicy;

bool is_gateway_error(uint16_t status) { return status == 502 || status == 503 || status == 504; }

uint32_t bit_of_grpc_status(uint32_t status) {
  switch (status) {
    case 1:
      return on::kCancelled;
    case 4:
      return on::kDeadlineExceeded;
    case 8:
      return on::kResourceExhausted;
    case 13:
      return on::kInternal;
    case 14:
      return on::kUnavailable;
    default:
      return 0;
  }
}

// All labels of `wanted` under envoy.lb, of which there are some; any element of a list will do.
bool has_labels(const Metadata& host, const Metadata& wanted) {
  const Value* labels = wanted.find("envoy.lb");
  const Value* own = host.find("envoy.lb");
  if (labels == nullptr || labels->as_map()->empty() || own == nullptr) return false;
  return std::all_of(labels->as_map()->begin(), labels->as_map()->end(), [own](const Value::Member& label) {
    const Value* value = own->as_map()->find(label.key);
    if (value == nullptr || *value == label.value) return value != nullptr;
    const Value::List* list = value->as_list();
    return list != nullptr && std::find(list->begin(), list->end(), label.value) != list->end();
  });
}

bool may_be_retried(const model::RetryPolicy& policy, const http::RequestHeaders& request) {
  return policy.request_headers.empty() ||
         std::any_of(policy.request_headers.begin(), policy.request_headers.end(),
                     [&](const http::HeaderMatcher& matcher) { return matcher.matches(request); });
}

}  // namespace

Retries* Retries::create(const model::RetryPolicy* policy, const http::RequestHeaders& request,
                         upstream::Cluster& cluster, const proxy::RouteCharges& charges, uint8_t priority,
                         upstream::WorkerLocal& local, Function<void()> again) {
  const http::HeaderMap& fields = request.fields;
  uint32_t bits = policy == nullptr ? 0 : policy->on;
  if (fields.has(Token::kXEnvoyRetryOn)) bits |= model::parse_retry_on(fields.get(Token::kXEnvoyRetryOn)).bits;
  if (fields.has(Token::kXEnvoyRetryGrpcOn)) {
    bits |= model::parse_retry_grpc_on(fields.get(Token::kXEnvoyRetryGrpcOn)).bits;
  }
  if (bits == 0) return nullptr;
  const model::RetryPolicy& rules = policy == nullptr ? kNoPolicy : *policy;
  if (!may_be_retried(rules, request)) return nullptr;
  auto* retries = fields.arena().create<Retries>(rules, bits, cluster, charges, priority, local, std::move(again));
  retries->read_fields(request);
  return retries;
}

Retries::Retries(const model::RetryPolicy& policy, uint32_t bits, upstream::Cluster& cluster,
                 const proxy::RouteCharges& charges, uint8_t priority, upstream::WorkerLocal& local,
                 Function<void()> again)
    : policy_(policy),
      on_(bits),
      cluster_(cluster),
      charges_(charges),
      priority_(priority),
      local_(local),
      left_(policy.num_retries),
      timer_(local.loop.timers(), std::move(again)) {
  tried_.every = policy.previous_priorities;
}

void Retries::read_fields(const http::RequestHeaders& request) {
  const http::HeaderMap& fields = request.fields;
  // Beyond 32 bits it begins anew, as in Envoy.
  if (const auto max = number_of_field(fields.get(Token::kXEnvoyMaxRetries))) left_ = static_cast<uint32_t>(*max);
  if (fields.has(Token::kXEnvoyRetriableStatusCodes)) {
    for (const std::string_view code : split(fields.get(Token::kXEnvoyRetriableStatusCodes), ',')) {
      if (const auto number = parse_number<uint32_t>(trim(code))) status_codes_.push_back(*number);
    }
  }
  if (fields.has(Token::kXEnvoyRetriableHeaderNames)) {
    for (const std::string_view name : split(fields.get(Token::kXEnvoyRetriableHeaderNames), ',')) {
      if (!trim(name).empty()) field_names_.push_back(fields.arena().copy(to_lower(trim(name))));
    }
  }
}

Retries::Verdict Retries::on_headers(const http::ResponseHeaders& headers) {
  const bool wanted = would_retry(headers);
  if (wanted && !policy_.reset_headers.empty()) reset_interval_ = asked_for(headers);
  return decide(wanted);
}

Retries::Verdict Retries::on_reset(ResetReason reason, Sent sent) { return decide(would_retry(reason, sent)); }

bool Retries::would_retry(const http::ResponseHeaders& headers) const {
  const uint16_t status = headers.status;
  // It came from a proxy that limits rates: to ask it again would make things worse, unless somebody wants just that.
  if (headers.fields.has(Token::kXEnvoyRateLimited)) return (on_ & on::kEnvoyRateLimited) != 0;
  if ((on_ & on::k5xx) != 0 && status >= 500 && status < 600) return true;
  if ((on_ & on::kGatewayError) != 0 && is_gateway_error(status)) return true;
  if ((on_ & on::kRetriable4xx) != 0 && status == 409) return true;
  if ((on_ & on::kStatusCodes) != 0) {
    const auto has = [status](const std::vector<uint32_t>& codes) {
      return std::find(codes.begin(), codes.end(), status) != codes.end();
    };
    if (has(policy_.status_codes) || has(status_codes_)) return true;
  }
  if ((on_ & on::kHeaders) != 0 && has_retriable_field(headers)) return true;
  return (on_ & on::kGrpc) != 0 &&
         (on_ & bit_of_grpc_status(http::grpc_status_in(headers.fields).value_or(http::kGrpcOk))) != 0;
}

bool Retries::has_retriable_field(const http::ResponseHeaders& headers) const {
  return std::any_of(policy_.response_headers.begin(), policy_.response_headers.end(),
                     [&](const http::HeaderMatcher& matcher) { return matcher.matches(headers); }) ||
         std::any_of(field_names_.begin(), field_names_.end(),
                     [&](std::string_view name) { return headers.get(name).data() != nullptr; });
}

bool Retries::would_retry(ResetReason reason, Sent sent) const {
  // Another host would not help, and the cluster has enough to do.
  if (reason == ResetReason::kOverflow) return false;
  if ((on_ & (on::kReset | on::k5xx | on::kGatewayError)) != 0) return true;
  if ((on_ & on::kResetBeforeRequest) != 0 && sent == Sent::kNo) return true;
  if ((on_ & on::kRefusedStream) != 0 && reason == ResetReason::kRemoteRefused) return true;
  return (on_ & on::kConnectFailure) != 0 &&
         (reason == ResetReason::kConnectFailure || reason == ResetReason::kConnectTimeout);
}

void Retries::count(ClusterStat cluster, proxy::RouteStat route) {
  cluster_.block().inc(cluster);
  charges_.inc(route);
}

Retries::Verdict Retries::decide(bool wanted) {
  using proxy::RouteStat;
  if (wanted && left_ == 0) {  // a hedged one that is under way may still do well
    count(ClusterStat::kUpstreamRqRetryLimitExceeded, RouteStat::kRetryLimitExceeded);
    return Verdict::kLimitExceeded;
  }
  if (held_ && !wanted) count(ClusterStat::kUpstreamRqRetrySuccess, RouteStat::kRetrySuccess);
  end();
  if (!wanted) return Verdict::kNo;
  --left_;
  if (!cluster_.breakers().try_take(Resource::kRetries, priority_)) {
    count(ClusterStat::kUpstreamRqRetryOverflow, RouteStat::kRetryOverflow);
    return Verdict::kOverflow;
  }
  held_ = true;
  count(ClusterStat::kUpstreamRqRetry, RouteStat::kRetry);
  arm();
  return Verdict::kYes;
}

// Fully jittered: retry N waits up to (2^N - 1) times the base, so that those who failed together do not come back
// together. A time that the upstream asked for is a lower bound.
void Retries::arm() {
  ++made_;
  Duration most{0};
  Duration least{0};
  if (reset_interval_) {
    least = *std::exchange(reset_interval_, std::nullopt);
    most = least / 2;
    cluster_.block().inc(ClusterStat::kUpstreamRqRetryBackoffRatelimited);
  } else {
    const int64_t factor = (int64_t{1} << std::min(made_, 30u)) - 1;
    most =
        policy_.base_interval > policy_.max_interval / factor ? policy_.max_interval : policy_.base_interval * factor;
    cluster_.block().inc(ClusterStat::kUpstreamRqRetryBackoffExponential);
  }
  const auto spread = static_cast<uint64_t>(std::max<int64_t>(most.count(), 1));
  timer_.arm(least + Duration(static_cast<int64_t>(local_.random.next() % spread)));
}

// The first field that says a time in bounds.
std::optional<Duration> Retries::asked_for(const http::ResponseHeaders& headers) const {
  for (const model::ResetHeader& header : policy_.reset_headers) {
    const auto number = parse_number<uint64_t>(headers.get(header.name));
    if (!number) continue;
    uint64_t seconds = *number;
    if (header.timestamp) {
      const auto now = static_cast<uint64_t>(local_.loop.wall_now().us / 1'000'000);
      if (seconds <= now) continue;
      seconds -= now;
    }
    const auto max =
        static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(policy_.max_reset_interval).count());
    if (seconds > 0 && seconds <= max) return std::chrono::seconds(seconds);
  }
  return std::nullopt;
}

void Retries::end() {
  timer_.cancel();
  if (std::exchange(held_, false)) cluster_.breakers().give_back(Resource::kRetries, priority_);
}

void Retries::note_tried(upstream::Host& host) {
  if (tried_.hosts.size() < kMaxTried) tried_.hosts.push_back(&host);
}

bool Retries::avoids(const upstream::Host& host) const {
  if (policy_.avoid_canary_hosts && host.canary.load(std::memory_order_relaxed)) return true;
  if (!policy_.avoid_metadata.empty() && host.has_metadata.load(std::memory_order_relaxed)) {
    const MetadataPtr metadata = host.metadata.load();
    const auto has_all = [&](const MetadataPtr& labels) { return has_labels(*metadata, *labels); };
    if (metadata != nullptr && std::any_of(policy_.avoid_metadata.begin(), policy_.avoid_metadata.end(), has_all)) {
      return true;
    }
  }
  return policy_.avoid_previous_hosts &&
         std::find(tried_.hosts.begin(), tried_.hosts.end(), &host) != tried_.hosts.end();
}

}  // namespace sluice::filters::router
