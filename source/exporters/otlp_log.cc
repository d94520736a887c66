#include "exporters/otlp_log.h"

#include "base/strings.h"
#include "exporters/als_entry.h"
#include "exporters/otlp.h"
#include "exporters/wire.h"
#include "format/json_text.h"

namespace sluice::exporters {

using wire::Nested;

namespace {

constexpr std::string_view kMethod = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";

// Of one access log. Thread: worker.
class OtlpLogger final : public proxy::AccessLogger {
 public:
  OtlpLogger(proxy::LogSinks::User sink, const OtlpLogFields& fields) : sink_(std::move(sink)), fields_(fields) {}

  void log(const format::Facts& facts) override {
    static_cast<OtlpLog&>(*sink_).add([&](std::string& to) { append_otlp_record(to, facts, fields_); });
  }

 private:
  const proxy::LogSinks::User sink_;
  const OtlpLogFields& fields_;
};

void append_any(std::string& to, uint32_t field, const OtlpTemplate& value, const format::Facts& facts);

void append_pair(std::string& to, uint32_t field, std::string_view key, const OtlpTemplate& value,
                 const format::Facts& facts) {
  Nested pair(to, field);
  wire::append_text(to, 1, key);
  append_any(to, 2, value, facts);
}

void append_any(std::string& to, uint32_t field, const OtlpTemplate& value, const format::Facts& facts) {
  Nested any(to, field);
  switch (value.kind) {
    case OtlpTemplate::Kind::kNone:
      break;
    case OtlpTemplate::Kind::kText: {
      Nested text(to, 1);
      const size_t start = to.size();
      value.text->append(to, facts);
      wire::make_utf8(to, start);
      break;
    }
    case OtlpTemplate::Kind::kList: {
      Nested list(to, 5);
      for (const OtlpTemplate& item : value.items) append_any(to, 1, item, facts);
      break;
    }
    case OtlpTemplate::Kind::kMap: {
      Nested map(to, 6);
      for (const auto& [key, member] : value.members) append_pair(to, 1, key, member, facts);
      break;
    }
  }
}

// 16 bytes, whatever the tracer has: shorter ones are filled from the left.
void put_trace_id(std::string& to, uint32_t field, std::string_view hex) {
  if (hex.empty() || hex.size() > 32) return;
  std::string bytes(16, '\0');
  for (size_t i = 0; i < hex.size(); ++i) {
    const char c = hex[hex.size() - 1 - i];
    const int digit = c >= 'a' ? c - 'a' + 10 : c - '0';
    bytes[15 - i / 2] = static_cast<char>(bytes[15 - i / 2] | digit << (i % 2 * 4));
  }
  wire::append_bytes(to, field, bytes);
}

}  // namespace

void append_otlp_record(std::string& to, const format::Facts& facts, const OtlpLogFields& fields) {
  Nested record(to, 2);
  wire::append_fixed64(to, 1, static_cast<uint64_t>(facts.start_wall.us) * 1000);
  if (fields.body.kind != OtlpTemplate::Kind::kNone) append_any(to, 5, fields.body, facts);
  for (const auto& [key, value] : fields.attributes) append_pair(to, 6, key, value, facts);
  for (const std::string& name : fields.filter_state) {
    const std::string_view text = loggable(facts.filter_state, name);
    if (text.data() == nullptr) continue;
    std::string json;
    format::append_json_string(json, text);
    append_otlp_attribute(to, 6, name, json);
  }
  for (const model::CustomTag& tag : fields.tags) {
    std::string value;
    model::append_value(value, tag, facts);
    if (!value.empty()) append_otlp_attribute(to, 6, tag.name, value);
  }
  put_trace_id(to, 9, facts.trace_id);
}

OtlpLog::OtlpLog(std::shared_ptr<const OtlpLogPlan> plan, const proxy::ProxyLocal& proxy)
    : LogBatch(plan->batch, proxy, cat("access_logs.open_telemetry_access_log.", plan->stat_prefix)),
      plan_(std::move(plan)),
      sender_(plan_->collector, kMethod, proxy, [this](uint64_t records) { lost(records); }) {
  if (plan_->names_us) {
    const proxy::Identity& identity = proxy.state.identity;
    append_otlp_resource(resource_, "log_name", plan_->log_name);
    append_otlp_resource(resource_, "zone_name", identity.zone);
    append_otlp_resource(resource_, "cluster_name", identity.cluster);
    append_otlp_resource(resource_, "node_name", identity.id);
  }
  resource_ += plan_->resource;
}

bool OtlpLog::deliver(std::string_view entries, uint64_t count) {
  return sender_.can_send() && sender_.send(otlp_request(resource_, entries), count);
}

std::unique_ptr<proxy::AccessLogger> OtlpLogFactory::on_worker(proxy::LogSinks& sinks) const {
  auto sink = sinks.use(sink_->key, [&] { return std::make_unique<OtlpLog>(sink_, sinks.proxy()); });
  return std::make_unique<OtlpLogger>(std::move(sink), fields_);
}

}  // namespace sluice::exporters
