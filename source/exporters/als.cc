#include "exporters/als.h"

#include <algorithm>

#include "exporters/wire.h"

namespace sluice::exporters {

namespace {

constexpr std::string_view kMethod = "/envoy.service.accesslog.v3.AccessLogService/StreamAccessLogs";
constexpr std::string_view kStatPrefix = "access_logs.grpc_access_log.";
constexpr Duration kLook = std::chrono::milliseconds(100);

// Of one access log. Thread: worker.
class AlsLogger final : public proxy::AccessLogger {
 public:
  AlsLogger(proxy::LogSinks::User stream, AlsKind kind, const AlsFields& fields)
      : stream_(std::move(stream)), kind_(kind), fields_(fields) {}

  void log(const format::Facts& facts) override {
    static_cast<AlsStream&>(*stream_).add([&](std::string& to) {
      if (kind_ == AlsKind::kHttp) {
        append_http_entry(to, facts, fields_);
      } else {
        append_tcp_entry(to, facts, fields_);
      }
    });
  }

 private:
  const proxy::LogSinks::User stream_;
  const AlsKind kind_;
  const AlsFields& fields_;
};

}  // namespace

AlsStream::AlsStream(std::shared_ptr<const AlsStreamPlan> plan, const proxy::ProxyLocal& proxy)
    : LogBatch(plan->batch, proxy, kStatPrefix),
      plan_(std::move(plan)),
      way_(plan_->collector, proxy),
      look_(proxy.local.loop.timers(), [this] { look(); }),
      retry_(proxy.local.loop.timers(), [this] { send_again(); }) {}

bool AlsStream::open() {
  const MonotonicTime now = proxy().local.loop.now();
  if (!way_.is_there() || (opened_ && now - *opened_ < plan_->batch.interval)) return false;
  connect();
  return true;
}

void AlsStream::connect() {
  stream_ = way_.call(kMethod, Duration::zero(), SIZE_MAX, *this);  // deliver() looks at what is queued
  introduced_ = false;
  opened_ = proxy().local.loop.now();
}

void AlsStream::send(std::string_view entries) {
  message_.clear();
  if (!introduced_) {
    wire::Nested identifier(message_, 1);
    wire::append_bytes(message_, 1, proxy().state.identity.node);
    wire::append_text(message_, 2, plan_->log_name);
  }
  introduced_ = true;
  wire::append_bytes(message_, plan_->kind == AlsKind::kHttp ? 2 : 3, entries);
  stream_->send(message_);
}

bool AlsStream::deliver(std::string_view entries, uint64_t count) {
  if (retry_.armed()) return false;  // they come behind those that wait for it
  if (stream_ == nullptr && !open()) return false;
  if (stream_->queued() >= kMaxQueued) return false;
  send(entries);
  unsure_ += count;
  if (plan_->retries.times > 0) kept_.append(entries);
  look();
  return true;
}

void AlsStream::look() {
  if (stream_ != nullptr && stream_->connected()) settle(0);
  if (unsure_ > 0 && stream_ != nullptr) look_.arm(kLook);
}

void AlsStream::settle(uint64_t lost_entries) {
  lost(lost_entries);
  unsure_ = 0;
  retried_ = 0;
  kept_.clear();
}

void AlsStream::on_grpc_end(uint32_t, std::string_view) {
  const bool arrived = stream_->connected();
  stream_.reset();
  if (arrived || unsure_ == 0 || retried_ == plan_->retries.times) return settle(arrived ? 0 : unsure_);
  const AlsRetries& retries = plan_->retries;
  const Duration wait = std::min(retries.longest, retries.base * (int64_t{1} << std::min(retried_, 20u)));
  retry_.arm(Duration(static_cast<int64_t>(proxy().local.random.below(static_cast<uint64_t>(wait.count()) + 1))));
  ++retried_;
}

void AlsStream::send_again() {
  if (!way_.is_there()) return settle(unsure_);
  connect();
  send(kept_);
  look();
}

std::unique_ptr<proxy::AccessLogger> AlsFactory::on_worker(proxy::LogSinks& sinks) const {
  auto stream = sinks.use(stream_->key, [&] { return std::make_unique<AlsStream>(stream_, sinks.proxy()); });
  return std::make_unique<AlsLogger>(std::move(stream), stream_->kind, fields_);
}

}  // namespace sluice::exporters
