// Access logs for a gRPC Access Log Service: entries of HTTP requests, or of connections, in a stream.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/api-v3/service/accesslog/v3/als.proto
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "exporters/als_entry.h"
#include "exporters/collector.h"
#include "exporters/grpc_way.h"
#include "exporters/log_batch.h"

namespace sluice::exporters {

enum class AlsKind : uint8_t { kHttp, kTcp };

// A stream that found no connection is opened again so often, each time later, and what was in it is sent again
// (grpc_stream_retry_policy). A plain value.
struct AlsRetries {
  uint32_t times = 0;
  Duration base = std::chrono::seconds(1);
  Duration longest = std::chrono::seconds(10);
};

// What loggers share that have it in common (common_config): one stream of each worker. Immutable. Thread: any.
struct AlsStreamPlan {
  AlsKind kind = AlsKind::kHttp;
  Collector collector;
  std::string log_name;
  BatchPlan batch;
  AlsRetries retries;
  std::string key;  // of the sink: all of the above as text
};

// The stream of a worker: open from the first batch on, and opened again by a later batch when it has ended, at most
// once in a flush interval, but for its retries. Entries that the collector does not take wait in the stream up to
// kMaxQueued, then in the batch; what is in a stream that breaks is lost, and counted if it never had a connection.
// Owned by the LogSinks. Thread: worker.
class AlsStream final : public LogBatch, private upstream::GrpcUser {
 public:
  static constexpr size_t kMaxQueued = 1u << 20;

  AlsStream(std::shared_ptr<const AlsStreamPlan> plan, const proxy::ProxyLocal& proxy);

 private:
  bool deliver(std::string_view entries, uint64_t count) override;
  void look();
  bool open();
  void connect();
  void send(std::string_view entries);
  // Those that were in a stream without a connection.
  void send_again();
  void settle(uint64_t lost_entries);
  // GrpcUser
  void on_grpc_message(std::string_view) override {}
  void on_grpc_end(uint32_t status, std::string_view message) override;

  const std::shared_ptr<const AlsStreamPlan> plan_;
  GrpcWay way_;
  upstream::GrpcCallPtr stream_;
  bool introduced_ = false;  // the stream knows who we are
  std::optional<MonotonicTime> opened_;
  uint64_t unsure_ = 0;   // entries in a stream that has no connection yet
  event::Timer look_;     // whether it has one
  std::string kept_;      // those entries, while they may be sent again
  uint32_t retried_ = 0;  // how often they were
  event::Timer retry_;
  std::string message_;  // kept for its memory
};

// Immutable, shared by all workers. Thread: any.
class AlsFactory final : public proxy::AccessLoggerFactory {
 public:
  AlsFactory(std::shared_ptr<const AlsStreamPlan> stream, AlsFields fields)
      : stream_(std::move(stream)), fields_(std::move(fields)) {}
  std::unique_ptr<proxy::AccessLogger> on_worker(proxy::LogSinks& sinks) const override;

 private:
  const std::shared_ptr<const AlsStreamPlan> stream_;
  const AlsFields fields_;
};

}  // namespace sluice::exporters
