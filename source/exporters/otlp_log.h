// Access logs for OpenTelemetry's collectors: log records in OTLP, over HTTP or gRPC.
// https://opentelemetry.io/docs/specs/otel/logs/data-model/
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "exporters/collector.h"
#include "exporters/log_batch.h"
#include "exporters/otlp_sender.h"
#include "format/formatter.h"
#include "model/custom_tag.h"

namespace sluice::exporters {

// An AnyValue of the configuration: a text with command operators, or texts in lists and maps. Immutable. Thread: any.
struct OtlpTemplate {
  enum class Kind : uint8_t { kNone, kText, kList, kMap };
  Kind kind = Kind::kNone;
  std::optional<format::Formatter> text;
  std::vector<OtlpTemplate> items;
  std::vector<std::pair<std::string, OtlpTemplate>> members;
};

// What loggers share that have it in common. Immutable. Thread: any.
struct OtlpLogPlan {
  Collector collector;
  std::string log_name;
  bool names_us = true;  // in the resource: log_name, and zone_name, cluster_name and node_name of the node
  std::string resource;  // the configuration's attributes, as members of a serialized Resource
  std::string stat_prefix;
  BatchPlan batch;
  std::string key;  // of the sink: all of the above as text
};

// What the records of one access log say. Immutable. Thread: any.
struct OtlpLogFields {
  OtlpTemplate body;
  std::vector<std::pair<std::string, OtlpTemplate>> attributes;
  std::vector<std::string> filter_state;  // names of objects
  std::vector<model::CustomTag> tags;
};

// Records on their way to a collector, each batch a request of its own. Owned by the LogSinks. Thread: worker.
class OtlpLog final : public LogBatch {
 public:
  OtlpLog(std::shared_ptr<const OtlpLogPlan> plan, const proxy::ProxyLocal& proxy);

 private:
  bool deliver(std::string_view entries, uint64_t count) override;

  const std::shared_ptr<const OtlpLogPlan> plan_;
  std::string resource_;
  OtlpSender sender_;
};

// One LogRecord, as a member of its scope.
void append_otlp_record(std::string& to, const format::Facts& facts, const OtlpLogFields& fields);

// Immutable, shared by all workers. Thread: any.
class OtlpLogFactory final : public proxy::AccessLoggerFactory {
 public:
  OtlpLogFactory(std::shared_ptr<const OtlpLogPlan> sink, OtlpLogFields fields)
      : sink_(std::move(sink)), fields_(std::move(fields)) {}
  std::unique_ptr<proxy::AccessLogger> on_worker(proxy::LogSinks& sinks) const override;

 private:
  const std::shared_ptr<const OtlpLogPlan> sink_;
  const OtlpLogFields fields_;
};

}  // namespace sluice::exporters
