#include "filters/http/fault/fault.h"

#include <algorithm>

#include "base/strings.h"
#include "proxy/exchange.h"

namespace sluice::filters::fault {
namespace {

using http::End;
using proxy::Exchange;
using proxy::Step;

// The response goes out in slices, one for each of these.
constexpr Duration kSlice = std::chrono::nanoseconds(std::chrono::seconds(1)) / 16;

// Thread: its worker's.
class FaultLocal final : public proxy::FilterLocal {
 public:
  explicit FaultLocal(const proxy::FilterPlace& place)
      : registry_(place.local.registry),
        cells_(place.local.cells),
        id_(registry_.add_block<FaultStat>(cat(place.stat_prefix, "fault."))),
        block(cells_.block<FaultStat>(id_)) {}
  ~FaultLocal() override { registry_.release_block(id_); }

  // A counter of one caller is rare enough to be looked up.
  void count(FaultStat stat, std::string_view name, std::string_view caller) {
    block.inc(stat);
    if (!caller.empty()) {
      cells_.counter(cat(caller, ".", name), id_).inc();
    }
  }

 private:
  stats::Registry& registry_;
  stats::WorkerCells& cells_;
  stats::BlockId id_;

 public:
  stats::Block<FaultStat> block;
};

// A number in a header of the request.
std::optional<uint64_t> number(const http::HeaderMap& fields, std::string_view name) {
  const std::string_view text = fields.get(name);
  return text.empty() ? std::nullopt : parse_number<uint64_t>(text);
}

// `header` may lower the share, not raise it.
bool is_hit(Exchange& exchange, const model::Fraction& fraction, std::string_view header) {
  runtime::Share share = fraction.now();
  if (!header.empty()) {
    if (const auto lower = number(exchange.request()->fields, header)) {
      share.numerator = static_cast<uint32_t>(std::min<uint64_t>(share.numerator, *lower));
    }
  }
  return share.numerator > 0 && share.includes(exchange.local().random.next());
}

// Lives in the exchange's arena. Thread: its exchange's.
class Fault final : public proxy::HttpFilter {
 public:
  Fault(const FaultFactory& factory, FaultLocal& local, Exchange& exchange)
      : factory_(factory),
        local_(local),
        exchange_(exchange),
        delay_(exchange.local().loop.timers(), [this] { on_delay_over(); }),
        slice_(exchange.local().loop.timers(), [this] { on_slice(); }) {}

  Step on_request_headers(Exchange&, http::RequestHeaders& headers, End) override {
    settings_ = &factory_.settings(exchange_);
    if (!concerns(headers)) {
      return Step::next();
    }
    if (settings_->caller_stats) {
      caller_ = headers.fields.get("x-envoy-downstream-service-cluster");
    }
    set_response_rate();
    if (const Duration delay = choose_delay(); delay > Duration::zero()) {
      local_.count(FaultStat::kDelaysInjected, "delays_injected", caller_);
      exchange_.facts().flags.set(format::Flag::kDelayInjected);
      leave_metadata();
      delay_.arm(delay);
      return Step::pause(request_);
    }
    return abort() ? Step::taken() : Step::next();
  }

  Step on_response_data(Exchange&, buffer::Buffer& data, End) override {
    if (bytes_per_slice_ == 0 || data.empty() || exchange_.answered_locally()) {
      return Step::next();
    }
    if (!slice_.armed()) {
      slice_.arm(kSlice);
    }
    return Step::pause(response_);
  }

  void on_complete(Exchange&, const format::Facts&) noexcept override {
    delay_.cancel();
    slice_.cancel();
    if (active_) {
      factory_.active().fetch_sub(1, std::memory_order_relaxed);
      local_.block.dec(FaultStat::kActiveFaults);
    }
  }

 private:
  void leave_metadata() {
    Value::Map& space = exchange_.metadata().space("envoy.filters.http.fault");
    for (const Value::Member& member : settings_->metadata) space.set(member.key, member.value);
  }

  bool concerns(const http::RequestHeaders& headers) {
    const Settings& s = *settings_;
    if (!s.upstream_cluster.empty()) {
      const model::Route* const route = exchange_.route().route;
      const auto* forward = route == nullptr ? nullptr : std::get_if<model::ForwardAction>(&route->action);
      if (forward == nullptr || forward->cluster_name(exchange_.weighted(), headers) != s.upstream_cluster) {
        return false;
      }
    }
    if (!s.downstream_nodes.empty() &&
        std::find(s.downstream_nodes.begin(), s.downstream_nodes.end(),
                  headers.fields.get("x-envoy-downstream-service-node")) == s.downstream_nodes.end()) {
      return false;
    }
    return std::all_of(s.headers.begin(), s.headers.end(),
                       [&](const http::HeaderMatcher& matcher) { return matcher.matches(headers); });
  }

  // All faults of one exchange are one active fault.
  bool activate() {
    if (active_) {
      return true;
    }
    if (factory_.active().fetch_add(1, std::memory_order_relaxed) >= settings_->max_active) {
      factory_.active().fetch_sub(1, std::memory_order_relaxed);
      local_.block.inc(FaultStat::kFaultsOverflow);
      return false;
    }
    local_.block.inc(FaultStat::kActiveFaults);
    return active_ = true;
  }

  void set_response_rate() {
    if (!settings_->response_rate) {
      return;
    }
    const Settings::ResponseRate& rate = *settings_->response_rate;
    const bool by_header = !rate.kib_per_second;
    if (!is_hit(exchange_, rate.share, by_header ? "x-envoy-fault-throughput-response-percentage" : "")) {
      return;
    }
    const uint64_t kib = by_header
                             ? number(exchange_.request()->fields, "x-envoy-fault-throughput-response").value_or(0)
                             : *rate.kib_per_second;
    if (kib > 0 && activate()) {
      local_.block.inc(FaultStat::kResponseRlInjected);
      bytes_per_slice_ = std::min<uint64_t>(kib, UINT32_MAX) * 1024 / 16;
    }
  }

  Duration choose_delay() {
    if (!settings_->delay) {
      return Duration::zero();
    }
    const Settings::Delay& delay = *settings_->delay;
    const bool by_header = !delay.fixed;
    if (!is_hit(exchange_, delay.share, by_header ? "x-envoy-fault-delay-request-percentage" : "")) {
      return Duration::zero();
    }
    const Duration length =
        by_header ? std::chrono::milliseconds(std::min<uint64_t>(
                        number(exchange_.request()->fields, "x-envoy-fault-delay-request").value_or(0), UINT32_MAX))
                  : *delay.fixed;
    return length > Duration::zero() && activate() ? length : Duration::zero();
  }

  void on_delay_over() {
    if (!abort()) {
      request_.resume();
    }
  }

  // True: it was answered.
  bool abort() {
    if (!settings_->abort) {
      return false;
    }
    const Settings::Abort& abort = *settings_->abort;
    constexpr uint64_t kNone = UINT64_MAX;
    uint64_t http = abort.http_status ? *abort.http_status : kNone;
    uint64_t grpc = abort.grpc_status ? *abort.grpc_status : kNone;
    const bool by_header = http == kNone && grpc == kNone;
    if (!is_hit(exchange_, abort.share, by_header ? "x-envoy-fault-abort-request-percentage" : "")) {
      return false;
    }
    if (by_header) {
      const http::HeaderMap& fields = exchange_.request()->fields;
      http = number(fields, "x-envoy-fault-abort-request").value_or(kNone);
      if (http < 200 || http > 599) {
        http = kNone;
        grpc = number(fields, "x-envoy-fault-abort-grpc-request").value_or(kNone);
      }
    }
    if ((http == kNone && grpc == kNone) || !activate()) {
      return false;
    }
    local_.count(FaultStat::kAbortsInjected, "aborts_injected", caller_);
    leave_metadata();
    proxy::LocalReply reply;
    reply.status = static_cast<uint16_t>(http == kNone ? 200 : http);
    if (grpc != kNone) {
      reply.grpc_status = static_cast<uint8_t>(std::min<uint64_t>(grpc, UINT8_MAX));
    }
    reply.body = abort.body.empty() ? std::string_view("fault filter abort") : abort.body;
    reply.details = "fault_filter_abort";
    reply.flag = format::Flag::kFaultInjected;
    (void)exchange_.reply(reply);
    return true;
  }

  void on_slice() {
    slice_.arm(kSlice);
    if (response_.pass(bytes_per_slice_) == 0) {
      if (!response_.waiting()) {
        slice_.cancel();  // nothing came in a whole slice: the next bytes begin a new one
      }
      response_.resume();
    }
  }

  const FaultFactory& factory_;
  FaultLocal& local_;
  Exchange& exchange_;
  const Settings* settings_ = nullptr;
  event::Timer delay_, slice_;
  proxy::Resumer request_, response_;
  std::string_view caller_;
  uint64_t bytes_per_slice_ = 0;
  bool active_ = false;
};

}  // namespace

std::unique_ptr<proxy::FilterLocal> FaultFactory::on_worker(const proxy::FilterPlace& place) const {
  return std::make_unique<FaultLocal>(place);
}

proxy::HttpFilter* FaultFactory::create(Exchange& exchange, proxy::FilterLocal* local) const {
  return exchange.arena().create<Fault>(*this, static_cast<FaultLocal&>(*local), exchange);
}

uint8_t FaultFactory::hooks() const { return proxy::hooks_of<Fault>(); }

const Settings& FaultFactory::settings(const Exchange& exchange) const {
  const auto* const route = exchange.settings_for<RouteSettings>(name_);
  return route == nullptr ? settings_ : route->settings;
}

}  // namespace sluice::filters::fault
